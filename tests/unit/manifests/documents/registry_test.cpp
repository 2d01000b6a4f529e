#include "manifests/documents/registry.h"

#include <doctest/doctest.h>

#include <string>

#include "manifests/base/edge/file.h"
#include "tests/folders.h"

namespace weir::manifests {
namespace {

constexpr const char* kAlice = "XcwBBmrs7wRx6dKr9MB9VhUebYPsOBJqUNWl2u+26Rs=";
constexpr const char* kOther = "3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=";

Fleet example_fleet() {
  const auto text = read_file(test::source_folder() + "/examples/fleet.yaml", ByteCount{1 << 20});
  REQUIRE(text.has_value());
  auto fleet = parse_fleet(*text);
  REQUIRE(fleet.has_value());
  return *std::move(fleet);
}

std::vector<Peer> alice_at(const std::string& block) {
  auto peers = parse_peers("\n{\"public_key\": \"" + std::string(kAlice) +
                           "\", \"allowed_ips\": [\"" + block + "\"]}\n");
  REQUIRE(peers.has_value());
  return *std::move(peers);
}

std::string block_refusal(const std::string& block) {
  const auto fits = check_registry(example_fleet(), alice_at(block), "p.jsonl", {});
  return fits ? "" : fits.error().message;
}

}  // namespace

TEST_CASE("the example's clients fit the example's fleet") {
  const auto text = read_file(test::source_folder() + "/examples/peers.jsonl", ByteCount{1 << 20});
  REQUIRE(text.has_value());
  const auto peers = parse_peers(*text);
  REQUIRE(peers.has_value());
  CHECK(check_registry(example_fleet(), *peers, "p", {}).has_value());
}

// clients: 10.8.0.0/16 and fd00:8::/64; probe.source: 10.8.255.254.
TEST_CASE("a client's block that holds the probe's own address is refused with its line") {
  CHECK(
      block_refusal("10.8.255.254").starts_with("p.jsonl:2: allowed_ips: 10.8.255.254/32 holds "));
  CHECK(block_refusal("10.8.255.0/24").find("probe.source") != std::string::npos);
  CHECK(block_refusal("10.8.254.0/24").empty());
}

TEST_CASE("a client's block lies in one of the fleet's networks") {
  CHECK(block_refusal("10.9.0.1") ==
        "p.jsonl:2: allowed_ips: 10.9.0.1/32 is in none of the fleet's `clients`");
  CHECK(block_refusal("10.0.0.0/8").find("in none") != std::string::npos);
  CHECK(block_refusal("10.7.255.255").find("in none") != std::string::npos);
  CHECK(block_refusal("fd00:8::7").empty());
  CHECK(block_refusal("fd00:9::7").find("in none") != std::string::npos);
}

TEST_CASE("nobody has a key of the gateways, whichever it is of theirs") {
  const PublicKey other = *PublicKey::parse(kOther), alice = *PublicKey::parse(kAlice);
  for (const auto& gateways :
       {std::vector{alice}, std::vector{other, alice}, std::vector{alice, other}}) {
    const auto fits = check_registry(example_fleet(), alice_at("10.8.0.2"), "p.jsonl", gateways);
    REQUIRE_FALSE(fits.has_value());
    CHECK(fits.error().message.starts_with("p.jsonl:2: public_key: is the gateways' own"));
  }
  CHECK(check_registry(example_fleet(), alice_at("10.8.0.2"), "p.jsonl", {other}).has_value());
}

}  // namespace weir::manifests
