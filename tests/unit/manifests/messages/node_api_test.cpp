#include "manifests/messages/node_api.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/text.h"

namespace weir::manifests {
namespace {

using test::replaced;

// Keys in sorted order and without white space: what `print` must give back byte for byte.
const std::string kConfig =
    R"({"client_pin":"sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",)"
    R"("clients":["10.64.0.0/16","fd64::/64"],"clock_offset_ms":-5000,"data_mac":"52:54:00:00:01:01",)"
    R"("director_management":"10.98.0.0","director_v4":"10.99.0.0","director_v6":"fd99::",)"
    R"("management_mac":"52:54:00:00:02:01","node":"green-1","node_management":"10.98.0.1",)"
    R"("node_v4":"10.99.0.1","node_v6":"fd99::1","port":51820,"tls_private_key":"PEM\n",)"
    R"("vip_v4":"192.0.2.1","vip_v6":"2001:db8::1"})";

const std::string kKey = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";

const std::string kDump =
    R"({"clock_unix_ns":1760000000123456789,"device_key":")" + kKey +
    R"(","peers":[{"allowed_ips":["10.64.0.2/32","fd64::2/128"],"endpoint":"[2001:db8::9]:4500",)"
    R"("has_preshared_key":true,"keepalive_seconds":25,"last_handshake_unix_ns":1759999999000000001,)"
    R"("public_key":")" +
    kKey + R"(","rx_bytes":18446744073709551615,"tx_bytes":0}]})";

std::string refusal_of(const std::string& config) {
  const auto parsed = parse_node_config(config);
  REQUIRE_FALSE(parsed.has_value());
  CHECK(parsed.error().code == Errc::invalid_input);
  return parsed.error().message;
}

}  // namespace

TEST_CASE("a node configuration keeps every field") {
  const auto config = parse_node_config(kConfig);
  REQUIRE(config.has_value());
  CHECK(config->node.string() == "green-1");
  CHECK(config->clock_offset == std::chrono::seconds(-5));
  CHECK(config->vip_v6->string() == "2001:db8::1");
  CHECK(config->clients[1].string() == "fd64::/64");
  CHECK(print(*config) == kConfig);
}

TEST_CASE("a node configuration names the field it refuses") {
  CHECK(refusal_of("{").starts_with("not JSON "));
  CHECK(refusal_of("[]") == "the document is not an object");
  CHECK(refusal_of(replaced(kConfig, R"("port":51820)", R"("port":0)")) == "port: must not be 0");
  CHECK(refusal_of(replaced(kConfig, R"("port":51820)", R"("port":65536)")) ==
        "port: must be at most 65535");
  CHECK(refusal_of(replaced(kConfig, R"("port":51820)", R"("port":1.5)")) ==
        "port: must be a whole number, not negative");
  CHECK(refusal_of(replaced(kConfig, R"("port":51820)", R"("port":51820,"q":1)")) ==
        "q: unknown field");
  CHECK(refusal_of(replaced(kConfig, R"("port":51820)", R"("port":51820,"port":1)")) ==
        "the key 'port' appears twice");
  CHECK(refusal_of(replaced(kConfig, R"("port":51820,)", "")) == "port: missing");
  CHECK(refusal_of(replaced(kConfig, "fd64::/64", "fd64::1/64")).starts_with("clients[1]: "));
  CHECK(refusal_of(replaced(kConfig, "fd99::1", "10.0.0.1")) == "node_v6: must be an IPv6 address");
  CHECK(refusal_of(replaced(kConfig, "2001:db8::1", "192.0.2.9")) ==
        "vip_v6: must be an IPv6 address");
}

TEST_CASE("a dump keeps counters of 64 bits and absent endpoints") {
  const auto dump = parse_peer_dump(kDump);
  REQUIRE(dump.has_value());
  CHECK(dump->peers[0].rx_bytes == UINT64_MAX);
  CHECK(dump->peers[0].endpoint->port == 4500);
  CHECK(print(*dump) == kDump);
  const auto without = parse_peer_dump(replaced(kDump, R"("endpoint":"[2001:db8::9]:4500",)", ""));
  REQUIRE(without.has_value());
  CHECK_FALSE(without->peers[0].endpoint.has_value());
}

TEST_CASE("messages may grow: unknown fields are skipped") {
  CHECK(parse_peer_dump(replaced(kDump, R"({"clock)", R"({"new":{},"clock)")).has_value());
  CHECK(parse_clock_setting(R"({"unix_ns":-1,"new":[1]})")->unix_ns == -1);
  CHECK(parse_sealed_private_key(R"({"sealed":"AA==","new":null})")->sealed == "AA==");
}

TEST_CASE("an identity is printed with the wireguard key only once there is one") {
  const std::string text =
      R"({"agent_version":"0.1.0","boot_id":"b","clock_unix_ns":5,"kernel_build_id":"ab",)"
      R"("kernel_release":"6.1.0-40-cloud-amd64",)"
      R"("lock_digest":"sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",)"
      R"("modules":[{"build_id":"cd","name":"wireguard","srcversion":"S","version":"1.0.0"}],)"
      R"("node":"blue-1","seal_key":")" +
      kKey + R"(","tools":[{"architecture":"","name":"nftables","version":"1.0.6-2"}]})";
  auto identity = parse_node_identity(text);
  REQUIRE(identity.has_value());
  CHECK(print(*identity) == text);
  identity->wireguard_key = identity->seal_key;
  CHECK(parse_node_identity(print(*identity))->wireguard_key == identity->seal_key);
}

TEST_CASE("requests keep their peers in order") {
  const std::string diff = R"({"put":[{"allowed_ips":["10.64.0.2/32"],"public_key":")" + kKey +
                           R"("},{"allowed_ips":[],"endpoint":"192.0.2.7:9","public_key":")" +
                           kKey + R"(","sealed_preshared_key":"AAAA"}],"remove":[")" + kKey +
                           R"("]})";
  const auto parsed = parse_peer_diff(diff);
  REQUIRE(parsed.has_value());
  CHECK(print(*parsed) == diff);
  const std::string prepare =
      R"({"clients":[{"endpoint":"192.0.2.7:9","public_key":")" + kKey + R"("}]})";
  CHECK(print(*parse_prepare_request(prepare)) == prepare);
  const std::string selection = R"({"peers":[")" + kKey + R"("]})";
  CHECK(print(*parse_peer_selection(selection)) == selection);
  CHECK(parse_prepare_request(replaced(prepare, "192.0.2.7:9", "192.0.2.7")).error().message ==
        "clients[0].endpoint: '192.0.2.7' is not ADDRESS:PORT");
  CHECK(parse_peer_selection(R"({"peers":["x"]})").error().message.starts_with("peers[0]: "));
}

TEST_CASE("an error's text survives quotes and bytes that are not UTF-8") {
  const auto parsed = parse_api_error(print(ApiError{"kernel", "a \"b\"\n\xff"}));
  REQUIRE(parsed.has_value());
  CHECK(parsed->code == "kernel");
  CHECK(parsed->message == "a \"b\"\\n\xef\xbf\xbd");
}

}  // namespace weir::manifests
