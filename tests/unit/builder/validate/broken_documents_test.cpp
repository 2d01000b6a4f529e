// The schemas and the parsers agree, and valijson agrees with python3-jsonschema: on broken
// documents.
#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "manifests/documents/rebuild_statement.h"
#include "tests/unit/builder/validate/documents.h"

namespace weir::builder {
namespace {

using test::replaced;
using test::SchemaCase;

}  // namespace

TEST_CASE("a broken image manifest is refused by schema and parser") {
  check_documents(with_mistakes(
      {"image-manifest", example_text("gateway-6.12.yaml"), true},
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
  check_documents(with_mistakes({"image-manifest", corpus_text("image_manifest/everything"), true},
                                {{"{path: /a/b, why", "{path: a/b, why"},
                                 {"{path: /a/b, why", "{path: /a/../b, why"},
                                 {"{path: /a/b, why", "{file: /a/b, why"},
                                 {"why: \"y\", sha256: ba", "why: \"y\", sha256: Ba"},
                                 {"why: \"y\", sha256: ba", "why: \"\", sha256: ba"},
                                 {"why: \"y\", sha256", "why: \"y\", md5"}}));
}

TEST_CASE("broken services are refused by schema and parser") {
  check_documents(with_mistakes({"image-manifest", corpus_text("image_manifest/services"), true},
                                {{"  b: {command: [/b]", "  B: {command: [/b]"},
                                 {"  b: {command: [/b]", "  b: {command: []"},
                                 {"  b: {command: [/b], ", "  b: {"},
                                 {"  b: {command: [/b]", "  b: {program: x, command: [/b]"},
                                 {"user: u", "user: 1u"},
                                 {"restart: never", "restart: no"},
                                 {"A_1: ", "A-1: "},
                                 {"{log: \"up\"}", "{log: \"up\", file: /up}"},
                                 {"{log: \"up\"}", "{within: 5s}"},
                                 {"{log: \"up\"}", "stopped"},
                                 {"within: 5s", "within: 5"},
                                 {"[CAP_CHOWN, ", "[CAP_CHOWN, CAP_CHOWN, "},
                                 {"[CAP_CHOWN, ", "[CHOWN, "},
                                 {"runtime_folders: [a]", "runtime_folders: [weir]"},
                                 {"runtime_folders: [a]", "runtime_folders: [a/b]"},
                                 {"{tcp: 1}", "{tcp: 0}"},
                                 {"{tcp: 1}", "{tcp: 1, udp: 1}"},
                                 {"{tcp: 1}", "{sctp: 1}"},
                                 {"/a/d: {node: n.1}", "a/d: {node: n.1}"},
                                 {"{node: n.1}", "{node: N}"},
                                 {"{node: n.1}", "{node: n, text: x}"},
                                 {"{node: n.1}", "{mode: \"0400\"}"}}));
}

TEST_CASE("broken entries of what Weir does in a script's place are refused by schema and parser") {
  const SchemaCase good{"image-manifest", corpus_text("image_manifest/reviewed"), true};
  check_documents(
      with_mistakes(good, {{"{name: frr, group: adm", "{name: 3rr, group: adm"},
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
  check_documents(with_mistakes({"reviewed-list", corpus_text("image_manifest/list"), true},
                                {{"release: Debian 12", "name: Debian 12"},
                                 {"release: Debian 12", "release: []"},
                                 {"{package: debconf, why", "{package: Debconf, why"},
                                 {"why: asks", "why: \"\""},
                                 {"script: preinst", "script: prerm"},
                                 {"path: /a/b", "path: a/b"}}));
  check_documents(with_mistakes({"lock", corpus_text("lock/accounts")},
                                {{"\"id\": 101", "\"id\": 0"},
                                 {"\"id\": 101", "\"id\": 4294967294"},
                                 {"\"mode\": \"2750\"", "\"mode\": \"750\""},
                                 {"\"mode\": \"2750\"", "\"mode\": \"8750\""},
                                 {"\"home\": \"/nonexistent\"", "\"home\": \"nonexistent\""},
                                 {"\"path\": \"/etc/frr\"", "\"path\": \"/etc/../frr\""},
                                 {"\"name\": \"frr\"", "\"name\": \"root\""}}));
}

TEST_CASE("a broken module source is refused by schema and parser") {
  const std::string plain = corpus_text("image_manifest/everything");
  const std::string digest = Digest::of(as_bytes("abc")).hex();
  const SchemaCase sourced{"image-manifest",
                           replaced(plain, "modules: [a_b]",
                                    "modules: [a_b, {name: c, package: cc}, {name: d-e, file: "
                                    "../d.ko.xz, sha256: " +
                                        digest + "}]"),
                           true};
  check_documents(
      with_mistakes(sourced, {{"{name: c, package: cc}", "{package: cc}"},
                              {"{name: c, package: cc}", "{name: c}"},
                              {"{name: c, package: cc}", "{name: c, package: C}"},
                              {"{name: c, package: cc}", "{name: c, package: cc, file: c.ko}"},
                              {"{name: c, package: cc}", "{name: ../c, package: cc}"},
                              {"{name: c, package: cc}", "{name: c, packages: cc}"},
                              {"../d.ko.xz", "../d.ko.gz"},
                              {"../d.ko.xz", "../d"},
                              {"sha256: " + digest + "}]", "}]"},
                              {"sha256: " + digest + "}]", "sha256: BA}]"}}));
  const std::string lock = corpus_text("lock/modules"), entries = "\"modules\": [\n    {";
  const auto first = lock.find(entries);
  REQUIRE(first != std::string::npos);
  const std::string all = lock.substr(first, lock.find(']', first) + 1 - first);
  check_documents(with_mistakes({"lock", lock}, {{entries, "\"modules\": [], \"x\": [{"},
                                                 {all, "\"modules\": []"},
                                                 {"\"c.ko\"", "\"\""},
                                                 {"\"size\": 9\n", "\"size\": -9\n"},
                                                 {"\"size\": 9\n", "\"length\": 9\n"}}));
  const std::string release = corpus_text("release/release");
  check_documents(
      {{{"release", replaced(release, "\"0a9eda1837f6\"", "\"0a9eda1837f6\", \"pinned\": false")},
        true},
       {{"release", replaced(release, "\"0a9eda1837f6\"", "\"0a9eda1837f6\", \"pinned\": 1")},
        false}});
}

TEST_CASE("a broken lock is refused by schema and parser") {
  check_documents(with_mistakes({"lock", corpus_text("lock/example")},
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
  check_documents(with_mistakes({"release", corpus_text("release/release")},
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
  check_documents(with_mistakes({"release", corpus_text("release/release_terms")},
                                {{"\"channel\"", "\"canal\""},
                                 {"\"expires\": \"2", "\"expires\": \"tomorrow 2"},
                                 {"\"version\": ", "\"version\": -"}}));
  check_documents(with_mistakes({"release", corpus_text("release/full")},
                                {{"\"count\": 3", "\"count\": 0"},
                                 {"\"count\": 3", "\"number\": 3"},
                                 {"\"identity\": \"sha256:", "\"identity\": \""},
                                 {"\"path\": \"/usr", "\"path\": \"usr"},
                                 {"\"accepted\": [{\"path\"", "\"accepted\": [{\"file\""},
                                 {"\"pinned\": true", "\"pinned\": 1"}}));
  check_documents(with_mistakes(
      {"trust", corpus_text("trust/full")},
      {{"\"boot-check\"", "\"boot_check\""},
       {"\"EC390A9A1CCEB528\"", "\"EC390A9A1CCEB52\""},
       {"\"name\": \"lab\",\n      \"release\"", "\"name\": \"lab\",\n      \"rebuild\""}}));
  check_documents(with_mistakes({"trust", corpus_text("trust/version")},
                                {{"weir.trust/1", "weir.trust/2"},
                                 {"\"version\": 2", "\"version\": 0"},
                                 {"2027-11-22T", "2027-13-22T"},
                                 {"\"threshold\": 2", "\"threshold\": 0"},
                                 {"\"root\"", "\"boss\""},
                                 {"\"RWQ", "\"RXQ"},
                                 {"stolen laptop", ""},
                                 {"\"stable\"", "\"Stable\""}}));
  check_documents(
      with_mistakes({"trust-file", corpus_text("trust/file")},
                    {{"weir.trust-file/1", "weir.trust/1"}, {"\"document\"", "\"text\""}}));
  check_documents(with_mistakes({"trust-state", corpus_text("trust/state")},
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
  check_documents(with_mistakes({"rebuild", print(manifests::RebuildStatement{
                                                *ReleaseName::parse("demo"), digest, digest, "1"})},
                                {{"weir.rebuild/1", "weir.rebuild/2"},
                                 {"\"demo\"", "\"Demo\""},
                                 {"\"lock_digest\"", "\"lock\""},
                                 {"sha256:", "md5:"}}));
}

TEST_CASE("a broken provenance or envelope is refused by schema and parser") {
  check_documents(with_mistakes({"provenance", corpus_text("provenance/statement")},
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
  check_documents(with_mistakes({"dsse-envelope", corpus_text("provenance/envelope")},
                                {{"\"payload\":\"", "\"payload\":\"*"},
                                 {"\"payloadType\"", "\"type\""},
                                 {"\"sig\":\"", "\"sig\":\" "},
                                 {"\"keyid\":\"", "\"keyid\":5,\"key\":\""},
                                 {"\"signatures\":[", "\"signatures\":[],\"more\":["}}));
}

TEST_CASE("a broken boot-check statement is refused by schema and parser") {
  check_documents(with_mistakes({"boot-check", corpus_text("boot_check/statement")},
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
  check_documents(with_mistakes(
      {"fleet", example_text("fleet.yaml"), true},
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
       {"name: blue", "name: Blue"},
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
  const std::string both = "director: {driver: nft, upstream_interface: a}\ndirectors:";
  check_documents(with_mistakes({"fleet", corpus_text("fleet/directors"), true},
                                {{"name: west", "name: West"},
                                 {"driver: nft", "driver: ebpf"},
                                 {"    upstream_interface: upstream0\n", ""},
                                 {"\n    fabric: {", "\n    fabrics: {"},
                                 {"ipv4: 10.254.0.0/24", "ipv4: 10.254.0.0/33"},
                                 {"\ndirectors:", "\n" + both},
                                 {"\ndirectors:", "\nfabric: {}\ndirectors:"},
                                 {"\ndirectors:", "\ndirector:"},
                                 {"\nvip:", "  - {name: east}\nvip:"}}));
  const std::string peers = example_text("peers.jsonl");
  check_documents(with_mistakes({"peer", peers.substr(0, peers.find('\n'))},
                                {{"XcwBBmrs", "XcwBBmr"},
                                 {"26Rs=", "26Rt="},
                                 {"10.8.0.2/32", "10.8.0.2/99"},
                                 {"\"labels\"", "\"label\""},
                                 {"\"class\"", "\"Class\""},
                                 {"\"mobile\"", "5"},
                                 {"[\"10.8.0.2/32\", \"fd00:8::2/128\"]", "[]"}}));
}

TEST_CASE("broken messages of the node API are refused by schema and parser") {
  check_documents(with_mistakes({"node-config", corpus_text("node_api/config")},
                                {{"51820", "0"},
                                 {"51820", "\"51820\""},
                                 {"\"10.99.0.1\"", "\"fd99::9\""},
                                 {"\"fd99::1\"", "\"10.99.0.9\""},
                                 {"sha256:9f", "sha256:9F"},
                                 {"\"node\"", "\"knot\""},
                                 {"-5000", "null"}}));
  check_documents(with_mistakes({"node-api#PeerDump", corpus_text("node_api/dump")},
                                {{"\"keepalive_seconds\":25", "\"keepalive_seconds\":65536"},
                                 {"true", "1"},
                                 {"\"rx_bytes\":18446744073709551615", "\"rx_bytes\":-1"},
                                 {"[2001:db8::9]:4500", "[2001:db8::9]"},
                                 {"\"device_key\":\"x", "\"device_key\":\""}}));
  check_documents(
      with_mistakes({"node-api#PeerDiff", corpus_text("node_api/diff")},
                    {{"\"remove\":[", "\"remove\":[5,"}, {"10.64.0.2/32", "10.64.0/32"}}));
  check_documents(with_mistakes(
      {"node-api#NodeIdentity", corpus_text("node_api/identity")},
      {{"\"seal_key\"", "\"key\""}, {"\"clock_unix_ns\":5", "\"clock_unix_ns\":\"5\""}}));
}

}  // namespace weir::builder
