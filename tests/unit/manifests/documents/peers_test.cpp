#include "manifests/documents/peers.h"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

#include "manifests/base/edge/file.h"
#include "tests/folders.h"

namespace weir::manifests {
namespace {

std::string numbered_key(std::uint32_t n) {
  std::array<std::uint8_t, 32> raw{};
  for (std::size_t i = 0; i < 4; ++i) raw[i] = static_cast<std::uint8_t>(n >> (8 * i));
  raw[31] = 1;
  return PublicKey::from_raw(raw).string();
}

std::string line(std::uint32_t n, const std::string& ip, const std::string& more = "") {
  return R"({"public_key": ")" + numbered_key(n) + R"(", "allowed_ips": [")" + ip + "\"]" + more +
         "}\n";
}

std::string peers_refusal(const std::string& text) {
  const auto peers = parse_peers(text);
  REQUIRE_FALSE(peers.has_value());
  CHECK(peers.error().code == Errc::invalid_input);
  return peers.error().message;
}

}  // namespace

TEST_CASE("the example peers are read as they are written, and print as lines that read the same") {
  const auto text = read_file(test::source_folder() + "/examples/peers.jsonl", ByteCount{1 << 20});
  REQUIRE(text.has_value());
  const auto peers = parse_peers(*text);
  REQUIRE_MESSAGE(peers.has_value(), peers.error().message);
  REQUIRE(peers->size() == 4);
  CHECK((*peers)[0].name == "alice-phone");
  CHECK((*peers)[0].allowed_ips[1].string() == "fd00:8::2/128");
  CHECK((*peers)[0].labels.at("client") == "ios-1.0.15");
  CHECK((*peers)[1].line == 2);
  CHECK_FALSE((*peers)[2].preshared_key_file.has_value());
  CHECK((*peers)[3].name.empty());
  std::string printed;
  for (const Peer& peer : *peers) printed += print(peer) + "\n";
  CHECK(parse_peers(printed).value() == *peers);
}

TEST_CASE("empty lines are skipped but counted") {
  CHECK(parse_peers("")->empty());
  CHECK(parse_peers("\n \r\n")->empty());
  CHECK(parse_peers("\n" + line(1, "10.0.0.1") + "\r\n" + line(2, "10.0.0.2"))->size() == 2);
  CHECK(peers_refusal("\n\n{}") == "peers.jsonl:3: public_key is missing");
}

TEST_CASE("two peers never claim the same thing, and both lines are named") {
  CHECK(peers_refusal(line(1, "10.0.0.1") + "\n" + line(1, "10.0.0.2")) ==
        "peers.jsonl:3: public_key: " + numbered_key(1) + " is already on line 1");
  const std::string named = R"(, "name": "a")";
  CHECK(peers_refusal(line(1, "10.0.0.1", named) + line(2, "10.0.0.2", named)) ==
        "peers.jsonl:2: name: 'a' is already on line 1");
  CHECK(peers_refusal(line(1, "10.0.0.7") + line(2, "10.0.1.0/24") + line(3, "10.0.0.7/32")) ==
        "peers.jsonl:3: allowed_ips: 10.0.0.7/32 is already on line 1");
  CHECK(peers_refusal(line(1, "fd00:0::/64") + line(2, "fd00::/64")) ==
        "peers.jsonl:2: allowed_ips: fd00::/64 is already on line 1");
  CHECK(peers_refusal(line(1, R"(10.0.0.7", "10.0.0.7/32)")) ==
        "peers.jsonl:1: allowed_ips: 10.0.0.7/32 is already on line 1");
  CHECK(parse_peers(line(1, "0.0.0.0/0") + line(2, "::/0")).has_value());
}

// As `wg set wg0 peer A allowed-ips 10.8.0.0/24 peer B allowed-ips 10.8.0.7/32` keeps both.
TEST_CASE("blocks inside each other are two clients' own, in any order of lines") {
  const auto nested = parse_peers(line(1, "10.8.0.0/24") + line(2, "10.8.0.7"));
  REQUIRE_MESSAGE(nested.has_value(), nested.error().message);
  CHECK((*nested)[0].allowed_ips[0].string() == "10.8.0.0/24");
  CHECK((*nested)[1].allowed_ips[0].string() == "10.8.0.7/32");
  CHECK(parse_peers(line(1, "10.8.0.7") + line(2, "10.8.0.0/24")).has_value());
  CHECK(parse_peers(line(1, "fd00::1") + line(2, "fd00::/64") + line(3, "::/0")).has_value());
}

TEST_CASE("a byte order mark is refused where it stands, on the first line and on any other") {
  const std::string mark = "\xef\xbb\xbf";
  CHECK(peers_refusal(mark + line(1, "10.0.0.1"))
            .starts_with("peers.jsonl:1: begins with a byte order"));
  CHECK(peers_refusal(line(1, "10.0.0.1") + mark + line(2, "10.0.0.2"))
            .starts_with("peers.jsonl:2: begins with a byte order"));
}

TEST_CASE("a key of zeros only is no client's") {
  CHECK(peers_refusal(R"({"public_key": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", )"
                      R"("allowed_ips": ["10.0.0.1"]})") ==
        "peers.jsonl:1: public_key: is all zeros, which is no key");
}

TEST_CASE("a refusal names line and field") {
  const std::pair<std::string, std::string> cases[] = {
      {"[]", "a line must be one JSON object"},
      {"7", "a line must be one JSON object"},
      {"{", "column 2: not JSON"},
      {"{} {}", "not JSON"},
      {std::string("{}\0{}", 5), "has a NUL byte"},
      {R"({"publik_key": "x"})", "publik_key: unknown field; known here: name, public_key"},
      {R"({"name": "a", "name": "b"})", "name: given twice"},
      {R"({"labels": {"a": "1", "a": "2"}})", "labels.a: given twice"},
      {R"({"labels": {"A": "1"}})", "labels: 'A' is not a name"},
      {R"({"labels": {"a": 1}})", "labels.a: must be text, not a number"},
      {R"({"labels": {"a": {}}})", "labels.a: must be text, not an object"},
      {R"({"labels": []})", "labels: must be an object, not a list"},
      {R"({"allowed_ips": "10.0.0.1"})", "allowed_ips: must be a list, not text"},
      {R"({"allowed_ips": ["10.0.0.1", null]})", "allowed_ips[1]: must be text, not null"},
      {R"({"public_key": "AAAA", "allowed_ips": []})", "public_key: 'AAAA' is not a WireGuard key"},
      {R"({"public_key": ")" + numbered_key(1) + R"(", "allowed_ips": []})",
       "allowed_ips: needs at least one"},
      {R"({"public_key": ")" + numbered_key(1) + R"(", "allowed_ips": ["10.0.0.1/24"]})",
       "allowed_ips[0]: '10.0.0.1/24' has bits set"},
      {R"({"name": "a\u0007"})", "name: has control characters"},
      {R"({"name": "a\u009b31m"})", "cannot be seen: 'a\\u{009b}31m'"},
      {R"({"labels": {"a": "\u202e"}})", "labels.a: has control characters"},
      {R"({"public_key": ")" + numbered_key(1) + R"(", "allowed_ips": ["10.8.0.2/032"]})",
       "allowed_ips[0]: '10.8.0.2/032' has no prefix length of 0 to 32"},
      {R"({"public_key": ")" + numbered_key(1) +
           R"(", "allowed_ips": ["10.8.0.2"], "preshared_key_file": "~/psk"})",
       "preshared_key_file: '~/psk' begins with `~`"},
      {"{\"" + std::string(60000, 'k') + "\": 1}", "...: unknown field"},
      {R"({"name": ")" + std::string(256, 'a') + "\"}", "name: longer than 255 bytes"},
      {"{\"name\": \"\xff\"}", "not JSON"},
      {std::string(70000, ' ') + "{}", "longer than 64 KiB"},
      {std::string(5000, '['), "a line must be one JSON object"},
  };
  for (const auto& [text, says] : cases) {
    const std::string message = peers_refusal(line(9, "10.9.9.9") + text);
    CAPTURE(message);
    CHECK(message.starts_with("peers.jsonl:2: "));
    CHECK(message.find(says) != std::string::npos);
  }
}

TEST_CASE("a hundred thousand peers are read in seconds, overlaps checked") {
  std::string text;
  const IpAddress first = *IpAddress::parse("10.0.0.0");
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    text += line(i, first.plus(i).string(), R"(, "name": "peer-)" + std::to_string(i) + "\"");
  }
  const auto begin = std::chrono::steady_clock::now();
  const auto peers = parse_peers(text);
  const auto took = std::chrono::steady_clock::now() - begin;
  REQUIRE(peers.has_value());
  CHECK(peers->size() == 100'000);
  MESSAGE("took " << std::chrono::duration_cast<std::chrono::milliseconds>(took).count() << " ms");
  CHECK(took < std::chrono::seconds(20));
}

}  // namespace weir::manifests
