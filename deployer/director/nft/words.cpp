#include "deployer/director/nft/words.h"

#include <algorithm>

namespace weir::director {
namespace {

/// One family's prefixes as a set expression, without those inside others: nft refuses overlaps.
/// Absent where there are none.
std::optional<std::string> prefix_set(const std::vector<Prefix>& prefixes, bool ipv6) {
  std::vector<std::string> items;
  for (const Prefix& prefix : prefixes) {
    if (prefix.address.is_v6() != ipv6) continue;
    const bool inside = std::any_of(prefixes.begin(), prefixes.end(), [&](const Prefix& other) {
      return other.length < prefix.length && other.contains(prefix.address);
    });
    if (!inside) items.push_back(prefix.string());
  }
  std::sort(items.begin(), items.end());
  items.erase(std::unique(items.begin(), items.end()), items.end());
  if (items.empty()) return std::nullopt;
  return braced(items);
}

std::string fence(const Family& family) {
  if (!family.fenced) return "";
  return "    " + family.ip + " daddr " + *family.fenced + " counter name fenced drop\n";
}

}  // namespace

std::string fill(std::string_view text, const Values& values) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] != '$') {
      out += text[i++];
      continue;
    }
    std::size_t end = i + 1;
    while (end < text.size() && text[end] >= 'a' && text[end] <= 'z') ++end;
    const auto value = values.find(std::string(text.substr(i + 1, end - i - 1)));
    out += value == values.end() ? std::string(text.substr(i, end - i)) : value->second;
    i = end;
  }
  return out;
}

std::string braced(const std::vector<std::string>& items) {
  std::string out = "{ ";
  for (std::size_t i = 0; i < items.size(); ++i) out += (i == 0 ? "" : ", ") + items[i];
  return out + " }";
}

std::vector<std::string> quoted(const Topology& topology,
                                std::string manifests::Attachment::*name) {
  std::vector<std::string> out;
  for (const auto& node : topology.nodes) out.push_back('"' + node.*name + '"');
  return out;
}

std::vector<Family> families_of(const Topology& topology) {
  std::vector<Family> out(2);
  out[0] = {false, "4", "ip", "icmp", topology.vip.ipv4, {}, {}};
  out[1] = {true, "6", "ip6", "icmpv6", topology.vip.ipv6, {}, {}};
  for (Family& family : out) {
    family.clients = prefix_set(topology.clients, family.ipv6);
    family.fenced = prefix_set(topology.fenced, family.ipv6);
  }
  return out;
}

std::string links(const Topology& topology, bool ipv6, bool node_ends) {
  std::vector<std::string> items;
  for (const auto& node : topology.nodes) {
    items.push_back((ipv6 ? node.director_v6 : node.director_v4).string());
    if (node_ends) items.push_back((ipv6 ? node.node_v6 : node.node_v4).string());
  }
  return braced(items);
}

Values values_of(const Topology& topology, const Family& family, std::uint32_t seed) {
  return {{"f", family.f},
          {"ip", family.ip},
          {"icmp", family.icmp},
          {"port", std::to_string(topology.vip.port)},
          {"links", links(topology, family.ipv6, false)},
          {"fence", fence(family)},
          {"clients", family.clients.value_or("")},
          {"seed", std::to_string(seed)}};
}

}  // namespace weir::director
