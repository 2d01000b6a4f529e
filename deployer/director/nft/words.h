#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "deployer/steering/steering.h"

namespace weir::director {

/// What the texts of chains are filled with: words of nft made of a topology.

using Values = std::map<std::string, std::string>;

/// `text` with every "$name" replaced; names are lower-case letters. A name without a value is a
/// bug of the text and stays visible in the output, where nft refuses it.
[[nodiscard]] std::string fill(std::string_view text, const Values& values);

/// "{ a, b }"
[[nodiscard]] std::string braced(const std::vector<std::string>& items);

/// That name of every node's link, in quotes.
[[nodiscard]] std::vector<std::string> quoted(const Topology& topology,
                                              std::string manifests::Attachment::*name);

/// An address family's part of a topology.
struct Family {
  bool ipv6 = false;
  std::string f, ip, icmp;
  std::optional<IpAddress> vip;
  std::optional<std::string> clients, fenced;
};

/// IPv4, then IPv6.
[[nodiscard]] std::vector<Family> families_of(const Topology& topology);

/// The director's addresses on all links as a set, with `node_ends` the nodes' too.
[[nodiscard]] std::string links(const Topology& topology, bool ipv6, bool node_ends);

/// What every text of a family may name but `$n`, a node's number.
[[nodiscard]] Values values_of(const Topology& topology, const Family& family, std::uint32_t seed);

}  // namespace weir::director
