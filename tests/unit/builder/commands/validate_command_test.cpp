// weir-builder validate, as a person runs it.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "builder/validate/document_validation.h"
#include "builder/validate/schema_validation.h"
#include "builder/validate/schemas.h"
#include "manifests/documents/fleet.h"
#include "manifests/documents/peers.h"
#include "tests/folders.h"
#include "tests/text.h"
#include "tests/unit/images/scratch.h"

namespace weir::builder {
namespace {

using nlohmann::json;
using test::replaced;

const std::string kCorpus = test::source_folder() + "/tests/fuzz/corpus/";
const std::string kExamples = test::source_folder() + "/examples/";

/// A public key file as minisign writes it.
std::string some_key() {
  return test::bytes_of(kCorpus + "minisign/public");
}

struct Desk {
  test::TemporaryFolder folder;

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder.path + "/" + name) << text;
  }
  // Lines of stdout, then of stderr.
  [[nodiscard]] std::vector<std::string> validate(const std::string& arguments,
                                                  int expected) const {
    int status = 0;
    const std::string out = test::output_of("cd " + folder.path + " && " + test::build_folder() +
                                                "/bin/weir-builder validate " + arguments +
                                                " 2> errors; code=$?; cat errors; exit $code",
                                            &status);
    CAPTURE(out);
    CHECK(WEXITSTATUS(status) == expected);
    std::vector<std::string> lines;
    std::istringstream in(out);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
  }
};

bool has(const std::vector<std::string>& lines, const std::string& text) {
  return std::any_of(lines.begin(), lines.end(),
                     [&](const std::string& line) { return line.find(text) != std::string::npos; });
}

}  // namespace

TEST_CASE("each document is told from its text, and its kinds are good and bad") {
  struct Sample {
    std::string file, kind, from, to, pointer;
  };
  const std::string key =
      R"("public_key": "RWRY8tclglgKfUro5Y8k3Z2EyO7VcxAgKYutwMs/eiTVeh8sBQZLjxs8")";
  const std::vector<Sample> samples = {
      {kExamples + "gateway-6.12.yaml", "image-manifest", "amd64", "A", "/architecture: "},
      {kExamples + "fleet.yaml", "fleet", "port: 51820", "port: 0", "/vip/port: "},
      {kExamples + "peers.jsonl", "peer", "\"mobile\"", "5", "/labels/class: "},
      {kCorpus + "lock/example", "lock", "\"size\": ", "\"size\": -", "/packages/0/size: "},
      {kCorpus + "release/release_terms", "release", "\"stable\"", "\"S\"", "/channel: "},
      {kCorpus + "rebuild/statement", "rebuild", "sha256:", "sha256:A", "_digest: "},
      {kCorpus + "boot_check/statement", "boot-check", "\"sent\": ", "\"sent\": -",
       "/traffic/sent"},
      {kCorpus + "provenance/statement", "provenance", "urn:weir:build:1", "urn:weir:build:2",
       "/predicate/buildDefinition/buildType: "},
      {kCorpus + "provenance/envelope", "dsse-envelope", "\"sig\"", "\"sign\"", "/signatures/0: "},
      {kCorpus + "trust/file", "trust-file", "\"signatures\"", "\"seals\"", "/versions/0: "},
      {kCorpus + "trust/version", "trust", key, "\"public_key\": \"x\"", "/keys/1/public_key: "},
      {kCorpus + "trust/state", "trust-state", "\"stable\"", "\"Stable\"", "/channels/0/channel: "},
      {kCorpus + "identity/throw_away_passphrase", "wireguard-identity", "\"operations\": 3",
       "\"operations\": 99", "/key_derivation/operations: "},
      {kCorpus + "identity/throw_away_two_epochs", "wireguard-identity",
       "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=",
       "3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=", "/public_keys"},
      {kCorpus + "node_api/config", "node-config", "51820", "0", "/port: "}};
  const Desk desk;
  for (const Sample& sample : samples) {
    const std::string good = test::bytes_of(sample.file);
    desk.write("good", good);
    CHECK(desk.validate("good", 0) == std::vector<std::string>{"good: valid " + sample.kind});
    desk.write("bad", replaced(good, sample.from, sample.to));
    const auto said = desk.validate("bad", 1);
    CAPTURE(sample.kind);
    CHECK(has(said, sample.pointer));
    CHECK(said.size() >= 2);  // the parser's sentence too
  }
  for (const auto& [message, file] :
       {std::pair("NodeIdentity", "identity"), std::pair("ClockSetting", "clock"),
        std::pair("SealedPrivateKey", "private_key"), std::pair("PeerDump", "dump"),
        std::pair("PeerDiff", "diff"), std::pair("PrepareRequest", "prepare"),
        std::pair("PeerSelection", "selection"), std::pair("ApiError", "error")}) {
    const std::string as = std::string("--as node-api#") + message + " ";
    (void)desk.validate(as + kCorpus + "node_api/" + file, 0);
    desk.write("bad", "{}");
    CHECK(has(desk.validate(as + "bad", 1), "Missing required property"));
  }
}

TEST_CASE("everything that is wrong with a document is told at once, with its line") {
  const Desk desk;
  desk.write("image.yaml",
             "# yaml-language-server: $schema=/usr/share/weir/schemas/image-manifest.schema.json\n"
             "name: Gateway\n"
             "sources:\n"
             "  suites: [a, a]\n"
             "  mirror: elsewhere\n"
             "kernel: {package: 5}\n"
             "constraints: {\"A B\": \"1\", ok: [1]}\n"
             "modules: [a, {package: x}]\n"
             "users: [{name: root, id: 70000}]\n"
             "first: 1\n"
             "\"a/~b\": 2\n"
             "documentation: yes\n");
  const auto said = desk.validate("image.yaml", 1);
  const std::vector<std::string> expected = {
      "image.yaml:2: Missing required property 'architecture'.",
      "image.yaml:2: /name: Failed to match regex specified by 'pattern' constraint.",
      "image.yaml:2: Object contains a property that could not be validated using 'properties'",
      "image.yaml:4: /sources/suites/1: Is the same as entry 0.",
      "image.yaml:5: /sources/mirror: Failed to match expected value set by 'const' constraint.",
      "image.yaml:6: /kernel/package: Value type not permitted by 'type' constraint.",
      "image.yaml:7: /constraints/ok: Value type not permitted by 'type' constraint.",
      "image.yaml:8: /modules/1: Missing required property 'name'.",
      "image.yaml:8: /modules/1/package: Failed to match regex specified by 'pattern' constraint.",
      "image.yaml:9: /users/0/id: Expected number less than or equal to 65533",
      "image.yaml:9: /users/0/name: Target should not validate against schema specified in 'not'",
      "image.yaml:12: /documentation: Value type not permitted by 'type' constraint.",
      "image.yaml:10: first: unknown field; known here: name, "};  // the parser
  for (const std::string& line : expected) {
    CAPTURE(line);
    CHECK(std::any_of(said.begin(), said.end(),
                      [&](const std::string& each) { return each.starts_with(line); }));
  }
  // Each violation once, whatever contains it.
  CHECK(std::set<std::string>(said.begin(), said.end()).size() == said.size());
  CHECK(std::none_of(said.begin(), said.end(), [](const std::string& each) {
    return each.find("property name") != std::string::npos;
  }));
  CHECK(said.back().starts_with(expected.back()));
}

TEST_CASE("a parser's sentence is told where the schema has nothing to say") {
  const Desk desk;
  desk.write("lock", test::bytes_of(kCorpus + "lock/example"));
  const json lock = json::parse(test::bytes_of(kCorpus + "lock/example"));
  json twice = lock;
  twice["packages"].push_back(lock.at("packages")[0]);
  desk.write("twice", twice.dump(2));
  const auto said = desk.validate("twice", 1);
  REQUIRE(said.size() == 1);
  CHECK(said[0].starts_with("twice: lock: packages"));
  desk.write("cut", replaced(test::bytes_of(kCorpus + "lock/example"), ",", ""));
  CHECK(has(desk.validate("cut", 1), "cut: lock: not JSON at line "));
}

TEST_CASE("documents inside a document are judged too") {
  const Desk desk;
  desk.write("trust", replaced(test::bytes_of(kCorpus + "trust/file"), "threshold\\\": 2",
                               "threshold\\\": 0"));
  const auto trust = desk.validate("trust", 1);
  CHECK(has(trust,
            "trust: /versions/0/document/roles/root/threshold: Expected number greater than or "
            "equal to 1"));
  CHECK(has(trust, "trust: /versions/0/document: trust: roles.root.threshold: "));

  const json envelope = json::parse(test::bytes_of(kCorpus + "provenance/envelope"));
  json other = envelope;
  other["payload"] = "e30=";  // {}
  desk.write("envelope", other.dump());
  CHECK(has(desk.validate("envelope", 1),
            "envelope: /payload: Missing required property 'predicate'"));
  other["payloadType"] = "text/plain";
  desk.write("envelope", other.dump());
  (void)desk.validate("envelope", 0);
}

TEST_CASE("a line of peers that is broken does not hide the others") {
  const Desk desk;
  desk.write("p", test::bytes_of(kExamples + "peers.jsonl") +
                      "{\"public_key\": 5\n\n{\"public_key\": 5, \"labels\": {\"A\": \"x\"}}\n");
  const auto said = desk.validate("p", 1);
  CHECK(has(said, ": not JSON at line 1, column "));
  CHECK(has(said, ": /public_key: Value type not permitted"));
  CHECK(has(said, ": Missing required property 'allowed_ips'."));
}

// What the deployer's reader refuses, this refuses, and what it reads, this calls valid.
TEST_CASE("clients are judged as the deployer reads them: marks, first lines, lengths, nesting") {
  const Desk desk;
  const std::string alice = "XcwBBmrs7wRx6dKr9MB9VhUebYPsOBJqUNWl2u+26Rs=",
                    bob = "upD+/tex4rkCeUcujiDzkRlcLDkFKnA2f9x2B21kvy0=";
  const auto peer = [](const std::string& key, const std::string& block) {
    return R"({"public_key": ")" + key + R"(", "allowed_ips": [")" + block + "\"]}\n";
  };
  const std::pair<std::string, bool> cases[] = {
      {peer(alice, "10.8.0.0/24") + peer(bob, "10.8.0.7/32"), true},
      {peer(alice, "10.8.0.7/32") + peer(bob, "10.8.0.7"), false},
      {peer(alice, "10.8.0.2/032"), false},
      {"\xef\xbb\xbf" + peer(alice, "10.8.0.2"), false},
      {"{\"public_key\n" + peer(alice, "10.8.0.2"), false},
      {"hello\n" + peer(alice, "10.8.0.2"), false},
      {peer(std::string(43, 'A') + "=", "10.8.0.2"), false},
  };
  for (const auto& [text, good] : cases) {
    const auto& shown = text;
    CAPTURE(shown);
    CHECK(manifests::parse_peers(text).has_value() == good);
    desk.write("peers", text);
    const auto said = desk.validate("peers", good ? 0 : 1);
    CHECK(has(said, good ? "peers: valid peer" : "peers:"));
  }
}

TEST_CASE(
    "quotes around a number, and fields that are null, are judged as the deployer reads them") {
  const Desk desk;
  const std::string before =
      "name: t\nstate: state\nstore: store\ntrusted_keys: [release.pub]\nidentity: i\n"
      "peers: peers.jsonl\ndirector: {driver: nft, upstream_interface: up0}\n"
      "fabric: {ipv4: 10.254.0.0/24, ipv6: 'fd00:fab::/64', management: 10.254.1.0/24}\n"
      "clients: [10.8.0.0/16]\npools:\n  - {name: blue, driver: vm, nodes: [blue-1]}\n"
      "  - {name: green, driver: vm, nodes: [green-1]}\n";
  const std::string vip = "vip: {ipv4: 198.51.100.1}\n";
  const std::pair<std::string, bool> cases[] = {
      {vip, true},
      {"vip: {ipv4: 198.51.100.1, port: 51821}\n", true},
      {"vip: {ipv4: 198.51.100.1, port: \"51821\"}\n", false},
      {vip + "policy: {batch: '5'}\n", false},
      {"vip: {ipv4: 198.51.100.1, port: ~}\n", true},
      {"vip: {ipv4: 198.51.100.1, ipv6: ~}\n", true},
      {"vip: ~\n", false},
  };
  for (const auto& one : cases) {
    CAPTURE(one.first);
    CHECK(manifests::parse_fleet(before + one.first).has_value() == one.second);
    desk.write("fleet.yaml", before + one.first);
    const auto said = desk.validate("fleet.yaml", one.second ? 0 : 1);
    CHECK(has(said, one.second ? "fleet.yaml: valid fleet" : "fleet.yaml:"));
  }
}

TEST_CASE("a fleet is judged with its clients, and clients with their preshared keys") {
  const Desk desk;
  const std::string peer =
      R"({"public_key": "XcwBBmrs7wRx6dKr9MB9VhUebYPsOBJqUNWl2u+26Rs=", "allowed_ips": [)";
  desk.write("fleet.yaml", test::bytes_of(kExamples + "fleet.yaml"));
  desk.write("peers.jsonl", peer + "\"10.8.255.254\"]}\n");
  CHECK(has(desk.validate("fleet.yaml", 1),
            "peers.jsonl:1: allowed_ips: 10.8.255.254/32 holds "
            "10.8.255.254, the probe's own address"));
  desk.write("peers.jsonl", peer + "\"10.8.0.2\"], \"preshared_key_file\": \"psk\"}\n");
  CHECK(has(desk.validate("peers.jsonl", 1), "peers.jsonl:1: preshared_key_file: "));
  CHECK(has(desk.validate("fleet.yaml", 1), "peers.jsonl:1: preshared_key_file: "));
}

TEST_CASE("a fleet is judged with its identity, where that or the store is") {
  const Desk desk;
  desk.write("fleet.yaml", test::bytes_of(kExamples + "fleet.yaml"));
  (void)desk.validate("fleet.yaml", 0);
  REQUIRE(std::filesystem::create_directory(desk.folder.path + "/store"));
  CHECK(has(desk.validate("fleet.yaml", 1), "fleet.yaml: identity: ./gateway.identity: "));
  desk.write("gateway.identity", test::bytes_of(kCorpus + "identity/throw_away_passphrase"));
  desk.write("release.pub", some_key());
  desk.write("peers.jsonl", "");
  (void)desk.validate("fleet.yaml", 0);
  desk.write("fleet.yaml",
             test::bytes_of(kExamples + "fleet.yaml") + "identity_key_file: gw.seal\n");
  CHECK(has(desk.validate("fleet.yaml", 1), "fleet.yaml: identity_key_file: "));
  desk.write("gateway.identity", test::bytes_of(kCorpus + "identity/throw_away_two_epochs"));
  CHECK(has(desk.validate("fleet.yaml", 1),
            "fleet.yaml: identity: ./gateway.identity: holds two epochs, "));
}

TEST_CASE("a fleet that has its identity is judged with its clients and whom it trusts") {
  const Desk desk;
  const std::string example = test::bytes_of(kExamples + "fleet.yaml");
  const std::string keys = "trusted_keys: [release.pub]";
  const auto at =
      std::to_string(1 + std::count(example.data(), &example[example.find(keys)], '\n'));
  desk.write("fleet.yaml", example);
  desk.write("gateway.identity", test::bytes_of(kCorpus + "identity/throw_away_passphrase"));
  CHECK(has(desk.validate("fleet.yaml", 1),
            "fleet.yaml:" + at + ": trusted_keys[0]: ./release.pub: No such file or directory; "));
  desk.write("release.pub", "no key\n");
  CHECK(has(desk.validate("fleet.yaml", 1), "trusted_keys[0]: ./release.pub: "));
  desk.write("release.pub", some_key());
  CHECK(has(desk.validate("fleet.yaml", 1), ": peers: ./peers.jsonl: No such file or directory; "));
  desk.write("peers.jsonl", "");
  (void)desk.validate("fleet.yaml", 0);
  desk.write("fleet.yaml", example + "rebuild: {keys: [none.pub]}\n");
  CHECK(has(desk.validate("fleet.yaml", 1), ": rebuild.keys[0]: ./none.pub: No such file"));
  desk.write("fleet.yaml", test::replaced(example, keys, "trust: trust.json"));
  CHECK(has(desk.validate("fleet.yaml", 1),
            "fleet.yaml:" + at + ": trust: ./trust.json: No such file or directory; "));
  desk.write("trust.json", "{}");
  CHECK(has(desk.validate("fleet.yaml", 1), "fleet.yaml:" + at + ": trust: ./trust.json: trust"));
}

TEST_CASE("what cannot be judged is named, the other files are judged all the same") {
  const Desk desk;
  desk.write("odd", "hello\n");
  desk.write("both", "pools: []\nkernel: {}\n");
  desk.write("line", "# yaml-language-server: $schema=../castle.schema.json\nname: a\n");
  const auto said = desk.validate("odd both line nowhere . " + kExamples + "fleet.yaml", 1);
  CHECK(has(said, "fleet.yaml: valid fleet"));
  CHECK(has(said,
            "odd: cannot tell which document this is: say it with --as KIND; the kinds are: "
            "image-manifest, reviewed-list, fleet, peer, lock, "));
  CHECK(has(said, "both: cannot tell"));
  CHECK(has(said, "line: its first line names 'castle', which is no kind of document; the kinds"));
  CHECK(has(said, "nowhere: No such file or directory"));

  CHECK(has(desk.validate("--as castle odd", 2), "--as: 'castle' is none of image-manifest, "));
  CHECK(has(desk.validate("", 2), "which FILE...?"));
  CHECK(has(desk.validate("--as lock " + kCorpus + "release/release", 1),
            "/type: Failed to match expected value"));

  (void)desk.validate("--json odd " + kExamples + "fleet.yaml both > out", 1);
  const json list = json::parse(test::bytes_of(desk.folder.path + "/out"));
  REQUIRE(list.size() == 3);
  CHECK(list[0].at("error").get<std::string>().find("cannot tell") != std::string::npos);
  CHECK(list[1].at("valid") == true);
  CHECK(list[1].at("violations").empty());
  CHECK(list[1].at("refusal").is_null());
}

TEST_CASE("a document's control characters do not reach the terminal") {
  const Desk desk;
  desk.write("p", "{\"public_key\": \"\\u001b[31m\", \"allowed_ips\": [], \"\\u0007x\": 1}\n");
  for (const std::string& line : desk.validate("--as peer p", 1)) {
    CHECK(std::none_of(line.begin(), line.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x20; }));
  }
}

TEST_CASE("long texts and lists are judged in bounded stack, time and memory") {
  const Desk desk;
  desk.write("envelope", R"({"payload": ")" + std::string(4 << 20, 'A') +
                             R"(", "payloadType": "x", "signatures": [{"sig": "AAAA"}]})");
  (void)desk.validate("envelope", 0);
  std::string list;
  for (int i = 0; i < 60'000; ++i) list += "n" + std::to_string(i) + ", ";
  desk.write("image.yaml", "kernel: {}\nmodules: [" + list + "n7]\n");
  CHECK(has(desk.validate("image.yaml", 1), "/modules/60000: Is the same as entry 7"));
  // Each of so many would be told, with its path.
  std::string numbers;
  for (int i = 0; i < 700'000; ++i) numbers += "0,";
  desk.write("lock", R"({"type": "weir.lock/3", "packages": [)" + numbers + "0]}");
  CHECK(has(desk.validate("lock", 1), "lock: is not valid, and too large to say where"));
}

TEST_CASE("a registry of nobody is a registry") {
  const Desk desk;
  desk.write("peers.jsonl", "");
  desk.write("blank.jsonl", "\n \n");
  CHECK(has(desk.validate("peers.jsonl blank.jsonl", 0), "blank.jsonl: valid peer"));
}

TEST_CASE("a document is quoted a little, however much is wrong with it") {
  const Desk desk;
  const std::string endless(300'000, 'C');
  desk.write("name", "{\"" + endless + "\": 1}");
  desk.write("lock", R"({"type": "weir.lock/3", ")" + endless + R"(": 1})");
  std::string packages, peers;
  for (int i = 0; i < 20'000; ++i) packages += R"({"a": 1},)";
  for (int i = 0; i < 20'000; ++i) peers += "{\"a\": 1}\n";
  desk.write("wide", R"({"type": "weir.lock/3", "packages": [)" + packages + "{}]}");
  desk.write("peers", peers);
  for (const char* arguments : {"--as trust-file name", "--json --as trust-file name", "lock",
                                "--json lock", "wide", "--json wide", "--as peer peers"}) {
    CAPTURE(arguments);
    std::size_t bytes = 0;
    for (const std::string& line : desk.validate(arguments, 1)) bytes += line.size();
    CHECK(bytes < 100'000);
  }
  // Each line lacks two fields that a peer must have, and has one that none has.
  CHECK(has(desk.validate("--as peer peers", 1), "peers: and 59900 more"));
}

TEST_CASE("the schemas in the program are the files that are shipped") {
  const std::string folder = test::source_folder() + "/docs/schemas/";
  std::istringstream names(test::must("ls " + folder));
  std::size_t count = 0;
  for (std::string name; std::getline(names, name); ++count) {
    CAPTURE(name);
    const auto text = schema_text(name.substr(0, name.find(".schema.json")));
    REQUIRE(text.has_value());
    CHECK(*text == test::bytes_of(folder + name));
  }
  CHECK(count >= 15);
  for (const std::string& kind : document_kinds()) {
    CHECK(schema_text(kind.substr(0, kind.find('#'))).has_value());
  }
  CHECK_FALSE(schema_text("castle").has_value());
}

TEST_CASE("a value that is none of several forms has one line, which names them") {
  const std::string good = test::bytes_of(kCorpus + "image_manifest/services");
  const std::string ready = "ready: {tcp: \"[::1]:53\", within: 5s}";
  const std::string forms =
      "/services/a/ready: Must be \"started\", or a mapping with one of tcp, file, log, command, "
      "and "
      "maybe within.";
  const std::pair<std::string, std::string> cases[] = {
      {"ready: 5", forms},
      {"ready: [a]", forms},
      {"ready: {ufo: 1}", forms},
      {"ready: {tcp: \"[::1]:53\", file: /x}", forms},
      {"ready: {tcp: 5}", "/services/a/ready/tcp: Value type not permitted by 'type' constraint."}};
  const Desk desk;
  for (const auto& [wrong, line] : cases) {
    desk.write("image.yaml", replaced(good, ready, wrong));
    const auto said = desk.validate("image.yaml --as image-manifest", 1);
    const std::string shown = wrong;
    CAPTURE(shown);
    REQUIRE(said.size() == 2);  // the parser's sentence too
    CHECK(said[0] == "image.yaml:11: " + line);
    CHECK(said[1].starts_with("image.yaml:11: services.a.ready"));
  }
  desk.write("image.yaml", replaced(good, "[{tcp: 1}, {udp", "[{tcp: 1, udp: 2}, {udp"));
  const auto ports = desk.validate("image.yaml --as image-manifest", 1);
  CHECK(ports[0] == "image.yaml:15: /services/a/open/0: Must be a mapping with one of tcp, udp.");
  desk.write("image.yaml", replaced(good, "mode: \"0640\"", "mode: x"));
  const auto mode = desk.validate("image.yaml --as image-manifest", 1);
  CHECK(mode.size() == 2);
  CHECK(has(mode, "mode: Must be a text like ^0*[0-7]{1,3}$, or a whole number from 0 to 777."));
}

}  // namespace weir::builder
