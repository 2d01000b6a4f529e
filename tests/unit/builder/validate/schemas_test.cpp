// The schemas and the parsers agree, and valijson agrees with python3-jsonschema: on the documents
// of this tree, and on what the fuzzers found.
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
#include "tests/folders.h"
#include "tests/schemas/judge.h"
#include "tests/text.h"
#include "tests/unit/builder/validate/documents.h"

namespace weir::builder {
namespace {

using nlohmann::json;
using test::bytes_of;
using test::replaced;
using test::SchemaCase;

std::vector<Document> documents_of_the_tree() {
  std::vector<Document> all = {
      {{"image-manifest", example_text("gateway-6.1.yaml"), true}, true},
      {{"image-manifest", example_text("gateway-6.12.yaml"), true}, true},
      {{"image-manifest", corpus_text("image_manifest/everything"), true}, true},
      {{"image-manifest", corpus_text("image_manifest/module_sources"), true}, true},
      {{"image-manifest", corpus_text("image_manifest/dkms"), true}, true},
      {{"image-manifest", corpus_text("image_manifest/full"), true}, true},
      {{"image-manifest", corpus_text("image_manifest/sources"), true}, true},
      {{"image-manifest", corpus_text("image_manifest/apt_file"), true}, true},
      {{"image-manifest", corpus_text("image_manifest/reviewed"), true}, true},
      {{"image-manifest", corpus_text("image_manifest/services"), true}, true},
      {{"image-manifest", example_text("services.yaml"), true}, true},
      {{"reviewed-list", corpus_text("image_manifest/list"), true}, true},
      {{"reviewed-list", example_text("reviewed/debian-12.yaml"), true}, true},
      {{"reviewed-list", example_text("reviewed/debian-13.yaml"), true}, true},
      {{"fleet", example_text("fleet.yaml"), true}, true},
      {{"fleet",
        replaced(example_text("fleet.yaml"), "trusted_keys: [release.pub]",
                 "trust: trust.json\nchannel: lab"),
        true},
       true},
      {{"fleet",
        replaced(example_text("fleet.yaml"), "trusted_keys: [release.pub]",
                 "trusted_keys: [release.pub]\nboot_check: {keys: [a]}\n"
                 "rebuild: {keys: [a, b], threshold: 2}\nown_keys_searched: true"),
        true},
       true},
      {{"fleet", corpus_text("fleet/full"), true}, true},
      {{"fleet", corpus_text("fleet/directors"), true}, true},
      {{"peer", corpus_text("peers/full")}, true},
      {{"lock", corpus_text("lock/example")}, true},
      {{"lock", corpus_text("lock/modules")}, true},
      {{"lock", corpus_text("lock/detached_signature")}, true},
      {{"lock", corpus_text("lock/module_build")}, true},
      {{"lock", corpus_text("lock/accounts")}, true},
      {{"release", corpus_text("release/release")}, true},
      {{"release", corpus_text("release/release_terms")}, true},
      {{"release", corpus_text("release/full")}, true},
      {{"release", corpus_text("release/compiled_module")}, true},
      {{"rebuild", corpus_text("rebuild/statement")}, true},
      {{"provenance", corpus_text("provenance/statement")}, true},
      {{"provenance", corpus_text("provenance/compiled_module")}, true},
      {{"dsse-envelope", corpus_text("provenance/envelope")}, true},
      {{"dsse-envelope", corpus_text("provenance/other_alphabet")}, true},
      {{"boot-check", corpus_text("boot_check/statement")}, true},
      {{"trust", corpus_text("trust/version")}, true},
      {{"trust", corpus_text("trust/full")}, true},
      {{"trust-file", corpus_text("trust/file")}, true},
      {{"trust-state", corpus_text("trust/state")}, true},
      {{"wireguard-identity", corpus_text("identity/throw_away_key_file")}, true},
      {{"wireguard-identity", corpus_text("identity/throw_away_passphrase")}, true},
      {{"wireguard-identity", corpus_text("identity/throw_away_two_epochs")}, true},
      {{"node-config", corpus_text("node_api/config")}, true},
      {{"node-api#NodeIdentity", corpus_text("node_api/identity")}, true},
      {{"node-api#ClockSetting", corpus_text("node_api/clock")}, true},
      {{"node-api#SealedPrivateKey", corpus_text("node_api/private_key")}, true},
      {{"node-api#PeerDump", corpus_text("node_api/dump")}, true},
      {{"node-api#PeerDiff", corpus_text("node_api/diff")}, true},
      {{"node-api#PrepareRequest", corpus_text("node_api/prepare")}, true},
      {{"node-api#PeerSelection", corpus_text("node_api/selection")}, true},
      {{"node-api#ServiceReports", corpus_text("node_api/services")}, true},
      {{"node-api#SealedFile", corpus_text("node_api/file")}, true},
      {{"node-api#ApiError", corpus_text("node_api/error")}, true}};
  std::istringstream peers(example_text("peers.jsonl"));
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
        } else if (schema.contains("additionalProperties")) {
          see(schema.at("additionalProperties"), item);
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
  check_documents(documents_of_the_tree());
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

}  // namespace weir::builder
