// The schemas and the parsers agree, and valijson agrees with python3-jsonschema: on the documents
// of this tree, and on broken ones.
#include "builder/validate/schemas.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>

#include "builder/validate/document_validation.h"
#include "builder/validate/yaml_as_json.h"
#include "manifests/base/json_reader.h"
#include "manifests/documents/rebuild_statement.h"
#include "tests/folders.h"
#include "tests/schemas/judge.h"
#include "tests/text.h"

namespace weir::builder {
namespace {

using nlohmann::json;
using test::bytes_of;
using test::replaced;
using test::SchemaCase;

struct Document {
  SchemaCase schema;
  bool good;
};

void check(const std::vector<Document>& documents) {
  std::vector<SchemaCase> cases;
  cases.reserve(documents.size());
  for (const Document& document : documents) cases.push_back(document.schema);
  const auto answers = test::judged_by_schema(cases);
  REQUIRE(answers.size() == cases.size());
  for (std::size_t i = 0; i < cases.size(); ++i) {
    CAPTURE(cases[i].what);
    CAPTURE(cases[i].text.substr(0, 3000));
    const std::string& schema = answers[i];
    const auto verdict = validate_document(cases[i].text, cases[i].what, "x");
    REQUIRE(verdict.has_value());
    CAPTURE(schema);
    CAPTURE(verdict->refusal);
    CHECK(schema.empty() == documents[i].good);
    CHECK(verdict->violations.empty() == documents[i].good);
    CHECK(verdict->refusal.empty() == documents[i].good);
  }
}

std::string corpus(const std::string& name) {
  return bytes_of(test::source_folder() + "/tests/fuzz/corpus/" + name);
}
std::string example(const std::string& name) {
  return bytes_of(test::source_folder() + "/examples/" + name);
}

/// `good`, and the same with each of these replacements, all of them wrong.
std::vector<Document> with_mistakes(const SchemaCase& good,
                                    const std::vector<std::pair<std::string, std::string>>& list) {
  std::vector<Document> out = {{good, true}};
  for (const auto& [from, to] : list) {
    out.push_back({{good.what, replaced(good.text, from, to), good.yaml}, false});
  }
  return out;
}

std::vector<Document> documents_of_the_tree() {
  std::vector<Document> all = {
      {{"image-manifest", example("gateway-6.1.yaml"), true}, true},
      {{"image-manifest", example("gateway-6.12.yaml"), true}, true},
      {{"image-manifest", corpus("image_manifest/everything"), true}, true},
      {{"image-manifest", corpus("image_manifest/module_sources"), true}, true},
      {{"image-manifest", corpus("image_manifest/full"), true}, true},
      {{"image-manifest", corpus("image_manifest/sources"), true}, true},
      {{"image-manifest", corpus("image_manifest/apt_file"), true}, true},
      {{"image-manifest", corpus("image_manifest/reviewed"), true}, true},
      {{"reviewed-list", corpus("image_manifest/list"), true}, true},
      {{"reviewed-list", example("reviewed/debian-12.yaml"), true}, true},
      {{"reviewed-list", example("reviewed/debian-13.yaml"), true}, true},
      {{"fleet", example("fleet.yaml"), true}, true},
      {{"fleet",
        replaced(example("fleet.yaml"), "trusted_keys: [release.pub]",
                 "trust: trust.json\nchannel: lab"),
        true},
       true},
      {{"fleet",
        replaced(example("fleet.yaml"), "trusted_keys: [release.pub]",
                 "trusted_keys: [release.pub]\nboot_check: {keys: [a]}\n"
                 "rebuild: {keys: [a, b], threshold: 2}\nown_keys_searched: true"),
        true},
       true},
      {{"fleet", corpus("fleet/full"), true}, true},
      {{"peer", corpus("peers/full")}, true},
      {{"lock", corpus("lock/example")}, true},
      {{"lock", corpus("lock/modules")}, true},
      {{"lock", corpus("lock/detached_signature")}, true},
      {{"lock", corpus("lock/accounts")}, true},
      {{"release", corpus("release/release")}, true},
      {{"release", corpus("release/release_terms")}, true},
      {{"release", corpus("release/full")}, true},
      {{"rebuild", corpus("rebuild/statement")}, true},
      {{"provenance", corpus("provenance/statement")}, true},
      {{"dsse-envelope", corpus("provenance/envelope")}, true},
      {{"dsse-envelope", corpus("provenance/other_alphabet")}, true},
      {{"boot-check", corpus("boot_check/statement")}, true},
      {{"trust", corpus("trust/version")}, true},
      {{"trust", corpus("trust/full")}, true},
      {{"trust-file", corpus("trust/file")}, true},
      {{"trust-state", corpus("trust/state")}, true},
      {{"wireguard-identity", corpus("identity/throw_away_key_file")}, true},
      {{"wireguard-identity", corpus("identity/throw_away_passphrase")}, true},
      {{"wireguard-identity", corpus("identity/throw_away_two_epochs")}, true},
      {{"node-config", corpus("node_api/config")}, true},
      {{"node-api#NodeIdentity", corpus("node_api/identity")}, true},
      {{"node-api#ClockSetting", corpus("node_api/clock")}, true},
      {{"node-api#SealedPrivateKey", corpus("node_api/private_key")}, true},
      {{"node-api#PeerDump", corpus("node_api/dump")}, true},
      {{"node-api#PeerDiff", corpus("node_api/diff")}, true},
      {{"node-api#PrepareRequest", corpus("node_api/prepare")}, true},
      {{"node-api#PeerSelection", corpus("node_api/selection")}, true},
      {{"node-api#ApiError", corpus("node_api/error")}, true}};
  std::istringstream peers(example("peers.jsonl"));
  for (std::string line; std::getline(peers, line);) all.push_back({{"peer", line}, true});
  return all;
}

json read(const SchemaCase& item) {
  if (!item.yaml) return json::parse(item.text);
  return yaml_as_json(*manifests::parse_yaml(item.text, "x"));
}

/// The fields that a schema knows, and those of them that stood in some document.
class Coverage {
 public:
  explicit Coverage(const std::string& name)
      : name_(name), schema_(json::parse(*schema_text(name))) {
    collect(schema_, "");
  }
  void see(const json& document, const std::string& definition) {
    see(definition.empty() ? schema_ : schema_.at("definitions").at(definition), document);
  }
  [[nodiscard]] std::set<std::string> unseen() const {
    std::set<std::string> out;
    for (const auto& [field, where] : fields_) {
      if (!seen_.contains(field)) out.insert(name_ + where);
    }
    return out;
  }

 private:
  std::string name_;
  json schema_;
  std::map<const json*, std::string> fields_;
  std::set<const json*> seen_;

  void collect(const json& node, const std::string& where) {
    if (!node.is_structured()) return;
    for (const auto& [key, value] : node.items()) {
      if (key == "contains") continue;  // a condition on fields that stand elsewhere
      const bool fields = key == "properties" && value.is_object();
      if (fields) {
        for (const auto& [name, field] : value.items()) fields_[&field] = where + "/" + name;
      }
      collect(value, fields ? where : where + "/" + key);
    }
  }

  void see(const json& schema, const json& value) {
    if (!schema.is_object()) return;
    if (schema.contains("$ref")) {
      see(schema_.at(json::json_pointer(schema.at("$ref").get<std::string>().substr(1))), value);
    }
    for (const char* list : {"allOf", "anyOf", "oneOf"}) {
      if (!schema.contains(list)) continue;
      for (const json& each : schema.at(list)) see(each, value);
    }
    if (value.is_object()) {
      for (const auto& [key, item] : value.items()) {
        if (schema.contains("properties") && schema.at("properties").contains(key)) {
          const json& field = schema.at("properties").at(key);
          seen_.insert(&field);
          see(field, item);
        }
      }
    } else if (value.is_array() && schema.contains("items")) {
      const json& items = schema.at("items");
      for (std::size_t i = 0; i < value.size(); ++i) {
        if (items.is_object()) see(items, value[i]);
        if (items.is_array() && i < items.size()) see(items[i], value[i]);
      }
    }
  }
};

}  // namespace

TEST_CASE("the documents of the tree are valid by their schemas") {
  check(documents_of_the_tree());
}

TEST_CASE("every field that a schema knows stands in a good document") {
  std::map<std::string, Coverage> coverage;
  for (const Document& document : documents_of_the_tree()) {
    const std::string& what = document.schema.what;
    const auto hash = what.find('#');
    const std::string name = what.substr(0, hash);
    coverage.try_emplace(name, name)
        .first->second.see(read(document.schema),
                           hash == std::string::npos ? "" : what.substr(hash + 1));
  }
  for (const auto& entry :
       std::filesystem::directory_iterator(test::source_folder() + "/docs/schemas")) {
    const std::string file = entry.path().filename();
    const std::string name = file.substr(0, file.find('.'));
    CAPTURE(name);
    REQUIRE(coverage.contains(name));
    for (const std::string& field : coverage.at(name).unseen()) FAIL_CHECK(field);
  }
}

TEST_CASE("valijson and python3-jsonschema judge the fuzzers' corpora alike") {
  const std::vector<std::pair<std::string, std::vector<std::string>>> corpora = {
      {"image_manifest", {"image-manifest"}},
      {"fleet", {"fleet"}},
      {"peers", {"peer"}},
      {"lock", {"lock"}},
      {"release", {"release"}},
      {"rebuild", {"rebuild"}},
      {"boot_check", {"boot-check"}},
      {"provenance", {"provenance", "dsse-envelope"}},
      {"trust", {"trust", "trust-file", "trust-state"}},
      {"identity", {"wireguard-identity"}},
      {"node_api",
       {"node-config", "node-api#NodeIdentity", "node-api#ClockSetting",
        "node-api#SealedPrivateKey", "node-api#PeerDump", "node-api#PeerDiff",
        "node-api#PrepareRequest", "node-api#PeerSelection", "node-api#ApiError"}}};
  std::vector<SchemaCase> cases;
  std::size_t unreadable = 0;
  const auto take = [&](const SchemaCase& item) {
    // A schema judges a value. What the strict readers do not take for one the parser refuses.
    const bool readable = item.yaml ? manifests::parse_yaml(item.text, "x").has_value()
                                    : manifests::parse_json(item.text).has_value();
    if (readable) {
      cases.push_back(item);
      return;
    }
    ++unreadable;
    const auto verdict = validate_document(item.text, item.what, "x");
    REQUIRE(verdict.has_value());
    CHECK_FALSE(verdict->refusal.empty());
  };
  for (const auto& [folder, kinds] : corpora) {
    for (const auto& entry : std::filesystem::directory_iterator(test::source_folder() +
                                                                 "/tests/fuzz/corpus/" + folder)) {
      CAPTURE(entry.path());
      const std::string text = bytes_of(entry.path());
      if (folder == "peers") {
        std::istringstream lines(text);
        for (std::string line; std::getline(lines, line);) {
          if (line.find_first_not_of(" \t\r") != std::string::npos) take({"peer", line});
        }
        continue;
      }
      const bool yaml = folder == "fleet" || folder == "image_manifest";
      for (const std::string& kind : kinds) take({kind, text, yaml});
    }
  }
  // In the documents that stand in others as text, only validate_document looks.
  const auto is_inside = [](const auto& finding) {
    const std::string& where = finding.violation.pointer;
    return where.find("/document") != std::string::npos || where.starts_with("/payload");
  };
  const auto answers = test::judged_by_schema(cases);
  REQUIRE(answers.size() == cases.size());
  std::size_t good = 0;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    CAPTURE(cases[i].what);
    CAPTURE(cases[i].text.substr(0, 3000));
    CAPTURE(answers[i]);
    const auto verdict = validate_document(cases[i].text, cases[i].what, "x");
    REQUIRE(verdict.has_value());
    const auto& found = verdict->violations;
    CHECK(
        (answers[i].empty() ? std::all_of(found.begin(), found.end(), is_inside) : !found.empty()));
    // What a schema holds against a document, its parser does too, but for the version of a state
    // that is still read and that no schema describes any more.
    const bool former = cases[i].text.find("\"weir.trust-state/2\"") != std::string::npos;
    if (!answers[i].empty() && !former) CHECK_FALSE(verdict->refusal.empty());
    good += answers[i].empty() ? 1 : 0;
  }
  CHECK(good >= 30);
  CHECK(cases.size() - good >= 60);
}

TEST_CASE("a broken image manifest is refused by schema and parser") {
  check(with_mistakes(
      {"image-manifest", example("gateway-6.12.yaml"), true},
      {{"name: gateway-6.12", "name: Gateway"},
       {"name: gateway-6.12", "nam: gateway"},
       {"architecture: amd64", "architecture: [amd64]"},
       {"suites: [bookworm,", "suites: [bookworm, bookworm,"},
       {"suites: [bookworm,", "suites: [../bookworm,"},
       {"sources:\n", "sources:\n  mirror: elsewhere\n"},
       {"modules: [virtio_pci", "modules: [../virtio_pci"},
       {"packages: [base-files", "packages: [base files"},
       {"package: \"linux-image-6.12.*-cloud-amd64\"", "packages: x"},
       {"script: postinst", "script: prerm"},
       {"sha256: db9b1b8e", "sha256: DB9b1b8e"},
       {"    why: makes /usr/local", "    because: makes /usr/local"},
       {"command_line: console", "command_line: \"a\\nb\" #"},
       {"command_line: console", "documentation: yes please #"},
       {"command_line: console", "release: {valid_for: 3651d} #"},
       {"command_line: console", "release: {version: 0} #"},
       {"command_line: console", "release: {channel: Stable} #"},
       {"command_line: console", "users: [{name: root, id: 5}] #"},
       {"command_line: console", "users: [{name: a, id: 65534}] #"},
       {"command_line: console", "files: [{path: /a/../b, content: x}] #"},
       {"command_line: console", "files: [{path: a, content: x}] #"},
       {"command_line: console", "files: [{path: /a, content: x, mode: \"0999\"}] #"}}));
}

TEST_CASE("broken entries of accepted secrets are refused by schema and parser") {
  check(with_mistakes({"image-manifest", corpus("image_manifest/everything"), true},
                      {{"{path: /a/b, why", "{path: a/b, why"},
                       {"{path: /a/b, why", "{path: /a/../b, why"},
                       {"{path: /a/b, why", "{file: /a/b, why"},
                       {"why: \"y\", sha256: ba", "why: \"y\", sha256: Ba"},
                       {"why: \"y\", sha256: ba", "why: \"\", sha256: ba"},
                       {"why: \"y\", sha256", "why: \"y\", md5"}}));
}

TEST_CASE("broken entries of what Weir does in a script's place are refused by schema and parser") {
  const SchemaCase good{"image-manifest", corpus("image_manifest/reviewed"), true};
  check(with_mistakes(good, {{"{name: frr, group: adm", "{name: Frr, group: adm"},
                             {"{name: frr, group: adm", "{name: root, group: adm"},
                             {"{name: frr, group: adm", "{name: frr, group: 4"},
                             {"groups: [frrvty]", "groups: [frrvty, frrvty]"},
                             {"groups: [frrvty]", "groups: [a b]"},
                             {"home: /a", "home: a"},
                             {"shell: /b", "shell: /../b"},
                             {"groups: [_ssh]", "groups: [root]"},
                             {"groups: [_ssh]", "groups: _ssh"},
                             {"{path: /etc/frr", "{path: etc/frr"},
                             {"owner: frr", "user: frr"},
                             {"mode: \"0750\"", "mode: \"10750\""},
                             {"mode: 1777", "mode: 17777"},
                             {"reviewed: [debian-12", "reviewed: [debian-12, debian-12"}}));
  check(with_mistakes({"reviewed-list", corpus("image_manifest/list"), true},
                      {{"release: Debian 12", "name: Debian 12"},
                       {"release: Debian 12", "release: []"},
                       {"{package: debconf, why", "{package: Debconf, why"},
                       {"why: asks", "why: \"\""},
                       {"script: preinst", "script: prerm"},
                       {"path: /a/b", "path: a/b"}}));
  check(with_mistakes({"lock", corpus("lock/accounts")},
                      {{"\"id\": 101", "\"id\": 0"},
                       {"\"id\": 101", "\"id\": 4294967294"},
                       {"\"mode\": \"2750\"", "\"mode\": \"750\""},
                       {"\"mode\": \"2750\"", "\"mode\": \"8750\""},
                       {"\"home\": \"/nonexistent\"", "\"home\": \"nonexistent\""},
                       {"\"path\": \"/etc/frr\"", "\"path\": \"/etc/../frr\""},
                       {"\"name\": \"frr\"", "\"name\": \"root\""}}));
}

TEST_CASE("a broken module source is refused by schema and parser") {
  const std::string plain = corpus("image_manifest/everything");
  const std::string digest = Digest::of(as_bytes("abc")).hex();
  const SchemaCase sourced{"image-manifest",
                           replaced(plain, "modules: [a_b]",
                                    "modules: [a_b, {name: c, package: cc}, {name: d-e, file: "
                                    "../d.ko.xz, sha256: " +
                                        digest + "}]"),
                           true};
  check(with_mistakes(sourced, {{"{name: c, package: cc}", "{package: cc}"},
                                {"{name: c, package: cc}", "{name: c}"},
                                {"{name: c, package: cc}", "{name: c, package: C}"},
                                {"{name: c, package: cc}", "{name: c, package: cc, file: c.ko}"},
                                {"{name: c, package: cc}", "{name: ../c, package: cc}"},
                                {"{name: c, package: cc}", "{name: c, packages: cc}"},
                                {"../d.ko.xz", "../d.ko.gz"},
                                {"../d.ko.xz", "../d"},
                                {"sha256: " + digest + "}]", "}]"},
                                {"sha256: " + digest + "}]", "sha256: BA}]"}}));
  const std::string lock = corpus("lock/modules"), entries = "\"modules\": [\n    {";
  const auto first = lock.find(entries);
  REQUIRE(first != std::string::npos);
  const std::string all = lock.substr(first, lock.find(']', first) + 1 - first);
  check(with_mistakes({"lock", lock}, {{entries, "\"modules\": [], \"x\": [{"},
                                       {all, "\"modules\": []"},
                                       {"\"c.ko\"", "\"\""},
                                       {"\"size\": 9\n", "\"size\": -9\n"},
                                       {"\"size\": 9\n", "\"length\": 9\n"}}));
  const std::string release = corpus("release/release");
  check({{{"release", replaced(release, "\"0a9eda1837f6\"", "\"0a9eda1837f6\", \"pinned\": false")},
          true},
         {{"release", replaced(release, "\"0a9eda1837f6\"", "\"0a9eda1837f6\", \"pinned\": 1")},
          false}});
}

TEST_CASE("a broken lock is refused by schema and parser") {
  check(with_mistakes({"lock", corpus("lock/example")},
                      {{"weir.lock/3", "weir.lock/2"},
                       {"\"version\": 1795227046", "\"version\": -1"},
                       {"\"version\": 1795227046,", ""},
                       {"\"name\": \"gateway-6.1\"", "\"name\": \"-\""},
                       {"sha256:000da57a", "sha256:000da57"},
                       {"\"kernel\"", "\"colonel\""},
                       {"\"source_epoch\": 1795227046", "\"source_epoch\": 1.5"},
                       {"1F89983E", "1f89983e"},
                       {"\"path\": \"pool", "\"path\": \"../pool"},
                       {"\"path\": \"pool", "\"path\": \"http://pool"},
                       {"\"size\": ", "\"size\": -"},
                       {"\"packages\": [", "\"packages\": [{},"},
                       {"\"provides\": [", "\"provides\": [1,"}}));
}

TEST_CASE("a broken release is refused by schema and parser") {
  check(with_mistakes({"release", corpus("release/release")},
                      {{"weir.release/1", "weir.release/9"},
                       {"\"name\": \"gateway-6.12\"", "\"name\": \"Gateway\""},
                       {"\"build_id\": \"7f", "\"build_id\": \"7F"},
                       {"\"size\": 11655104", "\"size\": \"11655104\""},
                       {"\"size\": 11655104", "\"size\": -4"},
                       {"\"lock_digest\": \"sha256:", "\"lock_digest\": \"sha512:"},
                       {"\"command_line\": \"", "\"command_line\": \"a\\nb"},
                       {"\"type\"", "\"extra\": 1, \"type\""},
                       {"\"signature_key\": \"0a", "\"signature_key\": \"0"},
                       {"\"srcversion\": \"\"", "\"srcversion\": null"},
                       {"\"content_size\": 2392", "\"content_size\": 2147483648"},
                       {"\"layers\": [", "\"layers\": [[],"}}));
}

TEST_CASE("broken terms, trust and what was seen are refused by schema and parser") {
  check(with_mistakes({"release", corpus("release/release_terms")},
                      {{"\"channel\"", "\"canal\""},
                       {"\"expires\": \"2", "\"expires\": \"tomorrow 2"},
                       {"\"version\": ", "\"version\": -"}}));
  check(with_mistakes({"release", corpus("release/full")},
                      {{"\"count\": 3", "\"count\": 0"},
                       {"\"count\": 3", "\"number\": 3"},
                       {"\"identity\": \"sha256:", "\"identity\": \""},
                       {"\"path\": \"/usr", "\"path\": \"usr"},
                       {"\"accepted\": [{\"path\"", "\"accepted\": [{\"file\""},
                       {"\"pinned\": true", "\"pinned\": 1"}}));
  check(with_mistakes(
      {"trust", corpus("trust/full")},
      {{"\"boot-check\"", "\"boot_check\""},
       {"\"EC390A9A1CCEB528\"", "\"EC390A9A1CCEB52\""},
       {"\"name\": \"lab\",\n      \"release\"", "\"name\": \"lab\",\n      \"rebuild\""}}));
  check(with_mistakes({"trust", corpus("trust/version")}, {{"weir.trust/1", "weir.trust/2"},
                                                           {"\"version\": 2", "\"version\": 0"},
                                                           {"2027-11-22T", "2027-13-22T"},
                                                           {"\"threshold\": 2", "\"threshold\": 0"},
                                                           {"\"root\"", "\"boss\""},
                                                           {"\"RWQ", "\"RXQ"},
                                                           {"stolen laptop", ""},
                                                           {"\"stable\"", "\"Stable\""}}));
  check(with_mistakes({"trust-file", corpus("trust/file")},
                      {{"weir.trust-file/1", "weir.trust/1"}, {"\"document\"", "\"text\""}}));
  check(with_mistakes({"trust-state", corpus("trust/state")},
                      {{"\"version\": 2", "\"version\": \"2\""},
                       {"sha256:bd", "sha256:BD"},
                       {"trust-state/3", "trust-state/1"},
                       {"trust-state/3", "trust-state/2"},
                       {"\"versions\": [", "\"versions\": [], \"x\": ["},
                       {"\"release\": \"gateway-6.1\"", "\"name\": \"gateway-6.1\""},
                       {"\"0123456789ABCDEF\"", "7"}}));
}

TEST_CASE("a broken rebuild statement is refused by schema and parser") {
  const Digest digest = Digest::of(as_bytes("x"));
  check(with_mistakes({"rebuild", print(manifests::RebuildStatement{*ReleaseName::parse("demo"),
                                                                    digest, digest, "1"})},
                      {{"weir.rebuild/1", "weir.rebuild/2"},
                       {"\"demo\"", "\"Demo\""},
                       {"\"lock_digest\"", "\"lock\""},
                       {"sha256:", "md5:"}}));
}

TEST_CASE("a broken provenance or envelope is refused by schema and parser") {
  check(with_mistakes({"provenance", corpus("provenance/statement")},
                      {{"in-toto.io/Statement/v1", "in-toto.io/Statement/v0.1"},
                       {"slsa.dev/provenance/v1", "slsa.dev/provenance/v0.2"},
                       {"urn:weir:build:1", "urn:weir:build:2"},
                       {"urn:weir:builder", "urn:weir:other"},
                       {"\"subject\"", "\"subjects\""},
                       {"\"sha256\": \"", "\"sha256\": \"0"},
                       {"\"sha256\"", "\"sha512\""},
                       {"\"lock\": \"sha256:", "\"lock\": \""},
                       {"\"release\": \"gateway", "\"release\": \"Gateway"},
                       {"\"uri\": \"pkg:", "\"uri\": \"\", \"content\": \"pkg:"},
                       {"\"path\"", "\"host\""},
                       {"\"compressor\": \"newc", "\"compressor\": \"\", \"x\": \""},
                       {"\"byproducts\"", "\"products\""}}));
  check(with_mistakes({"dsse-envelope", corpus("provenance/envelope")},
                      {{"\"payload\":\"", "\"payload\":\"*"},
                       {"\"payloadType\"", "\"type\""},
                       {"\"sig\":\"", "\"sig\":\" "},
                       {"\"keyid\":\"", "\"keyid\":5,\"key\":\""},
                       {"\"signatures\":[", "\"signatures\":[],\"more\":["}}));
}

TEST_CASE("a broken boot-check statement is refused by schema and parser") {
  check(with_mistakes({"boot-check", corpus("boot_check/statement")},
                      {{"weir.boot-check/1", "weir.rebuild/1"},
                       {"\"gateway-6.1\"", "\"Gateway\""},
                       {"\"machine\"", "\"engine\""},
                       {"\"checked_at\": \"2", "\"checked_at\": \"x"},
                       {"\"sent\": ", "\"sent\": -"},
                       {"\"sent\": 524288", "\"sent\": 0"},
                       {"\"first-handshake\"", "\"first-handshakes\""},
                       {"\"first-data\"", "\"First-data\""},
                       {"\"step\"", "\"stop\""},
                       {"\"srcversion\"", "\"source\""},
                       {"sha256:", "md5:"}}));
}

TEST_CASE("a broken fleet or peer is refused by schema and parser") {
  check(with_mistakes(
      {"fleet", example("fleet.yaml"), true},
      {{"driver: nft", "driver: ebpf"},
       {"port: 51820", "port: 0"},
       {"port: 51820", "port: 65536"},
       {"ipv4: 198.51.100.1", "ipv4: 198.51.100.256"},
       {"ipv4: 10.254.0.0/24", "ipv4: 10.254.0.0/33"},
       {"ipv4: 10.254.0.0/24", "ipv4: fd00::/24"},
       {"trusted_keys: [release.pub]", "trusted_keys: []"},
       {"trusted_keys: [release.pub]", "trusted_keys: [a]\ntrust: b"},
       {"trusted_keys: [release.pub]", "trusted_keys: [a]\nchannel: lab"},
       {"trusted_keys: [release.pub]", "trusted_keys: [a]\nboot_check: [a]"},
       {"trusted_keys: [release.pub]", "trusted_keys: [a]\nown_keys_searched: 4"},
       {"trusted_keys: [release.pub]", "trusted_keys: [a]\nown_keys_searched: [true]"},
       {"trusted_keys: [release.pub]", "trusted_keys: [a]\nboot_check: {threshold: 1}"},
       {"trusted_keys: [release.pub]", "trusted_keys: [a]\nrebuild: {keys: [a], threshold: 0}"},
       {"upstream_interface: upstream0", "upstream_interface: a-name-of-over-15"},
       {"name: blue", "name: red"},
       {"nodes: [blue-1]", "nodes: []"},
       {"nodes: [blue-1]", "nodes: [blue-1, blue-1]"},
       {"memory: 512 MiB", "memory: 512 MB"},
       {"cpus: 1", "cpus: 256"},
       {"max_failed: 2%", "max_failed: 101%"},
       {"batch: 400", "batch: 401"},
       {"boot_timeout: 3m", "boot_timeout: 3"},
       {"boot_timeout: 3m", "boot_timeout: 0s"},
       {"peers: peers.jsonl", "peer: peers.jsonl"},
       {"  source: 10.8.255.254", "  sauce: 10.8.255.254"}}));
  const std::string peers = example("peers.jsonl");
  check(with_mistakes({"peer", peers.substr(0, peers.find('\n'))},
                      {{"XcwBBmrs", "XcwBBmr"},
                       {"26Rs=", "26Rt="},
                       {"10.8.0.2/32", "10.8.0.2/99"},
                       {"\"labels\"", "\"label\""},
                       {"\"class\"", "\"Class\""},
                       {"\"mobile\"", "5"},
                       {"[\"10.8.0.2/32\", \"fd00:8::2/128\"]", "[]"}}));
}

TEST_CASE("broken messages of the node API are refused by schema and parser") {
  check(with_mistakes({"node-config", corpus("node_api/config")}, {{"51820", "0"},
                                                                   {"51820", "\"51820\""},
                                                                   {"\"10.99.0.1\"", "\"fd99::9\""},
                                                                   {"\"fd99::1\"", "\"10.99.0.9\""},
                                                                   {"sha256:9f", "sha256:9F"},
                                                                   {"\"node\"", "\"knot\""},
                                                                   {"-5000", "null"}}));
  check(with_mistakes({"node-api#PeerDump", corpus("node_api/dump")},
                      {{"\"keepalive_seconds\":25", "\"keepalive_seconds\":65536"},
                       {"true", "1"},
                       {"\"rx_bytes\":18446744073709551615", "\"rx_bytes\":-1"},
                       {"[2001:db8::9]:4500", "[2001:db8::9]"},
                       {"\"device_key\":\"x", "\"device_key\":\""}}));
  check(with_mistakes({"node-api#PeerDiff", corpus("node_api/diff")},
                      {{"\"remove\":[", "\"remove\":[5,"}, {"10.64.0.2/32", "10.64.0/32"}}));
  check(with_mistakes(
      {"node-api#NodeIdentity", corpus("node_api/identity")},
      {{"\"seal_key\"", "\"key\""}, {"\"clock_unix_ns\":5", "\"clock_unix_ns\":\"5\""}}));
}

}  // namespace weir::builder
