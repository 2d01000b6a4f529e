#include "manifests/documents/peers.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/property/seed.h"

namespace weir::manifests {
namespace {

using testing::below;
using testing::seeded;

Prefix random_prefix(std::mt19937_64& random) {
  // Few addresses and many lengths, so that overlaps are common but not certain.
  const bool v4 = below(random, 3) != 0;
  const auto length =
      static_cast<std::uint8_t>(v4 ? 16 + below(random, 17) : 48 + below(random, 81));
  IpAddress address = *IpAddress::parse(v4 ? "10.0.0.0" : "fd00::");
  address = address.plus(static_cast<std::uint32_t>(below(random, 1U << 20)));
  std::string raw(address.raw());
  for (unsigned i = length; i < raw.size() * 8; ++i) {
    raw[i / 8] = static_cast<char>(raw[i / 8] & ~(0x80 >> i % 8));
  }
  if (v4) {
    std::array<std::uint8_t, 4> bytes{};
    std::copy(raw.begin(), raw.end(), bytes.begin());
    return {IpAddress::v4(bytes), length};
  }
  std::array<std::uint8_t, 16> bytes{};
  std::copy(raw.begin(), raw.end(), bytes.begin());
  return {IpAddress::v6(bytes), length};
}

PublicKey random_key(std::mt19937_64& random, std::uint64_t kinds) {
  std::array<std::uint8_t, 32> raw{};
  raw[0] = static_cast<std::uint8_t>(below(random, kinds));
  raw[1] = static_cast<std::uint8_t>(below(random, kinds));
  raw[2] = 1;
  return PublicKey::from_raw(raw);
}

std::vector<Peer> random_peers(std::mt19937_64& random) {
  std::vector<Peer> out;
  for (std::uint64_t n = below(random, 12); n > 0; --n) {
    Peer peer{.name = "",
              .public_key = random_key(random, 100),
              .allowed_ips = {},
              .preshared_key_file = {},
              .labels = {}};
    if (below(random, 2) != 0) peer.name = "n\"\\\u00e4" + std::to_string(below(random, 200));
    for (std::uint64_t k = 1 + below(random, 2); k > 0; --k) {
      peer.allowed_ips.push_back(random_prefix(random));
    }
    if (below(random, 4) == 0) peer.preshared_key_file = "psk/" + std::to_string(below(random, 9));
    if (below(random, 2) != 0) peer.labels["client"] = "v" + std::to_string(below(random, 3));
    out.push_back(std::move(peer));
  }
  return out;
}

std::string printed(const std::vector<Peer>& peers) {
  std::string out;
  for (const Peer& peer : peers) out += print(peer) + "\n";
  return out;
}

/// The rule as a person would state it: every two are compared.
bool claims_clash(const std::vector<Peer>& peers) {
  std::vector<Prefix> seen;
  for (std::size_t i = 0; i < peers.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      if (peers[i].public_key == peers[k].public_key) return true;
      if (!peers[i].name.empty() && peers[i].name == peers[k].name) return true;
    }
    for (const Prefix& prefix : peers[i].allowed_ips) {
      for (const Prefix& other : seen) {
        if (prefix == other) return true;
      }
      seen.push_back(prefix);
    }
  }
  return false;
}

}  // namespace

TEST_CASE(
    "peers are refused exactly when two claim the same, in whatever order, and else survive") {
  auto random = seeded("peers");
  int accepted = 0, refused = 0;
  for (int round = 0; round < 3000; ++round) {
    auto peers = random_peers(random);
    const auto parsed = parse_peers(printed(peers));
    CAPTURE(printed(peers));
    REQUIRE(parsed.has_value() == !claims_clash(peers));
    ++(parsed ? accepted : refused);
    if (parsed) CHECK(*parsed == peers);
    std::shuffle(peers.begin(), peers.end(), random);
    CHECK(parse_peers(printed(peers)).has_value() == parsed.has_value());
  }
  CHECK(accepted > 100);
  CHECK(refused > 100);
}

}  // namespace weir::manifests
