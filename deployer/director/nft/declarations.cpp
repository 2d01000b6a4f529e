#include "deployer/director/nft/declarations.h"

#include <algorithm>

#include "deployer/director/nft/words.h"

namespace weir::director {

std::uint32_t learning_capacity(const Topology& topology) {
  // Four times the peers: two sessions each in the time an index is kept, on each of two pools.
  constexpr std::uint32_t kLeast = 1024;
  constexpr std::uint32_t kMost = 1U << 30;
  const std::uint64_t want = std::uint64_t{4} * topology.expected_peers;
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(want, kLeast, kMost));
}

std::string render_assigned_map(bool ipv6, std::uint8_t length) {
  return std::string("map assigned") + (ipv6 ? "6_" : "4_") + std::to_string(length) + " { type " +
         (ipv6 ? "ipv6_addr" : "ipv4_addr") + " : mark; }\n";
}

std::string render_declarations(const Topology& topology, const std::set<std::uint8_t>& lengths4,
                                const std::set<std::uint8_t>& lengths6) {
  std::string out = R"(
  counter index_collisions { }
  counter paced { }
  counter held { }
  counter given_up { }
  counter no_right { }
  counter fenced { }
  counter unknown_source { }
  counter unmatched { }
  counter unsteered { }
  counter malformed { }

  set version { type mark . mark; }
  map settings { type mark : mark; }
  map seal { type mark : mark; }
  map active { type mark : mark; }
  set serving { type mark; }
)";
  const std::string size = std::to_string(learning_capacity(topology));
  out +=
      "  map indices { typeof @th,96,32 : meta mark; flags dynamic,timeout; timeout 240s; size " +
      size + "; }\n  set shared { typeof @th,96,32; flags dynamic,timeout; timeout 240s; size " +
      size + "; }\n";
  for (const bool ipv6 : {false, true}) {
    out += fill(R"(
  map home$f { type $addr . inet_service : mark; }
  set kick$f { type mark . $addr . inet_service; }
  set hold$f { type mark . $addr . inet_service; }
  set sessions$f { typeof meta mark . $ip saddr . udp sport . @th,96,32; flags dynamic,timeout; timeout 240s; size $size; }
  set learned$f { type mark . $addr . inet_service; flags dynamic,timeout; timeout 240s; size $size; }
  set current$f { type mark . $addr . inet_service; flags dynamic,timeout; timeout 30s; size $size; }
  set recent$f { type mark . $addr . inet_service; flags dynamic,timeout; timeout 5s; size $size; }
  map inner$f { type $addr : mark; flags dynamic,timeout; timeout 240s; size $size; }
  set pace$f { type $addr . inet_service; flags dynamic,timeout; timeout 10s; size $size; }
  set roams$f { type $addr; flags dynamic,timeout; timeout 10s; size $size; }
)",
                {{"f", ipv6 ? "6" : "4"},
                 {"ip", ipv6 ? "ip6" : "ip"},
                 {"addr", ipv6 ? "ipv6_addr" : "ipv4_addr"},
                 {"size", size}});
    for (const std::uint8_t length : ipv6 ? lengths6 : lengths4) {
      out += "  " + render_assigned_map(ipv6, length);
    }
  }
  return out;
}

}  // namespace weir::director
