#pragma once

#include <string>

#include "deployer/steering/steering.h"

namespace weir::director::test {

inline NodeId node(std::string_view name) {
  return *NodeId::parse(name);
}
inline IpAddress address(std::string_view text) {
  return *IpAddress::parse(text);
}
inline Prefix prefix(std::string_view text) {
  return *Prefix::parse(text);
}
inline Endpoint endpoint(std::string_view text) {
  return *Endpoint::parse(text);
}

inline manifests::Attachment link(std::uint32_t number, std::string_view name,
                                  std::string_view pool) {
  const auto step = 2 * (number - 1);
  return {*DirectorId::parse("director"),
          node(name),
          *PoolName::parse(pool),
          number,
          "weir-d" + std::to_string(number),
          "weir-m" + std::to_string(number),
          address("100.64.0.0").plus(step),
          address("100.64.0.1").plus(step),
          address("fd00:64::").plus(step),
          address("fd00:64::1").plus(step),
          address("100.65.0.0").plus(step),
          address("100.65.0.1").plus(step)};
}

/// Blue-1, blue-2 and green-1 (numbers 1, 2, 3) behind one public address of each family.
inline Topology topology() {
  Topology out;
  out.vip = {address("192.0.2.1"), address("2001:db8::1"), 51820};
  out.nodes = {link(1, "blue-1", "blue"), link(2, "blue-2", "blue"), link(3, "green-1", "green")};
  out.clients = {prefix("10.9.0.0/16"), prefix("fd09::/64")};
  out.upstream_interface = "up0";
  out.fenced = {prefix("100.64.0.0/24"), prefix("100.65.0.0/24"), prefix("192.0.2.1/32"),
                prefix("fd00:64::/112"), prefix("2001:db8::1/128")};
  out.expected_peers = 1000;
  return out;
}

inline Intent steering() {
  Intent out;
  out.revision = 7;
  out.active = {node("blue-1"), node("blue-2")};
  out.homes = {{endpoint("198.51.100.1:4000"), node("blue-1")},
               {endpoint("[2001:db8:1::1]:4000"), node("green-1")}};
  out.kicks = {{node("green-1"), endpoint("198.51.100.1:4000")}};
  out.holds = {{node("green-1"), endpoint("198.51.100.1:4000")},
               {node("green-1"), endpoint("[2001:db8:1::2]:4001")}};
  out.assigned = {{prefix("10.9.0.5/32"), node("blue-2")},
                  {prefix("10.9.1.0/24"), node("blue-1")},
                  {prefix("fd09::5/128"), node("green-1")}};
  return out;
}

}  // namespace weir::director::test
