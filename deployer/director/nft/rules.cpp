#include "deployer/director/nft/rules.h"

#include <array>
#include <string_view>
#include <vector>

#include "deployer/director/nft/node_chains.h"
#include "deployer/director/nft/words.h"

namespace weir::director {
namespace {

// What is the same whichever node a decrypted packet came from.
constexpr std::string_view kInner = R"(
  chain inner$f {
    meta mark set 0
$fence    $ip daddr $clients goto client$f
    accept
  }
  chain client$f {
    meta mark set 0
    meta mark set $ip daddr map @inner$f update @inner$f { $ip daddr : meta mark } accept
    jump assigned$f
    meta mark set jhash $ip daddr mod 4294967295 seed $seed
    jump spread
    meta mark != 0 accept
    counter name unsteered drop
  }
)";

// What clients send to the public address.
constexpr std::string_view kVip = R"(
  chain vip$f {
    meta mark set 0
    udp dport $port @th,64,32 vmap { 0x01000000 : goto initiation$f, 0x02000000 : goto response$f, 0x03000000 : goto cookie$f, 0x04000000 : goto transport$f }
    $icmp type echo-request goto spread$f
    counter name unmatched drop
  }
  chain initiation$f {
    udp length != 156 counter name malformed drop
    goto home$f
  }
  chain response$f {
    udp length != 100 counter name malformed drop
    @th,128,32 @shared jump answered$f
    meta mark != 0 goto answer$f
    meta mark set @th,128,32 map @indices goto answer$f
    goto home$f
  }
  chain answer$f {
    meta mark . $ip saddr . udp sport @kick$f accept
    meta mark . $ip saddr . udp sport @hold$f counter name given_up drop
    accept
  }
  chain cookie$f {
    udp length != 72 counter name malformed drop
    goto index$f
  }
  chain transport$f {
    udp length < 40 counter name malformed drop
    goto index$f
  }
  chain index$f {
    @th,96,32 @shared jump session$f
    meta mark != 0 accept
    meta mark set @th,96,32 map @indices accept
    goto home$f
  }
  chain home$f {
    meta mark set $ip saddr . udp sport map @home$f accept
    jump arrived$f
    meta mark != 0 accept
    goto spread$f
  }
  chain spread$f {
    meta mark set jhash $ip saddr mod 4294967295 seed $seed
    jump spread
    meta mark != 0 accept
    counter name unsteered drop
  }
)";

// Neighbours: the node itself and the director's end of its link, on nothing but that link.
constexpr std::string_view kLink = R"(
  chain link {
    meta mark set 0
    ip saddr $linksfour ip daddr $linksfour meta l4proto icmp accept
    ip6 saddr $linkssix ip6 daddr $linkssix meta l4proto ipv6-icmp accept
    ip6 saddr { ::, fe80::/10 } meta l4proto ipv6-icmp accept
    ip6 daddr { fe80::/10, ff02::/16 } meta l4proto ipv6-icmp accept
    counter name unknown_source drop
  }
)";

// A rule that needs reassembled packets turns reassembly on in this namespace, whether or not it
// ever matches: a fragment that is not the first carries no UDP header to steer by. The kernel's
// tproxy does so without connection tracking (net/netfilter/nft_tproxy.c, nft_tproxy_init).
constexpr std::string_view kDefrag = R"(
  chain defrag {
    type filter hook prerouting priority raw; policy accept;
    iifname "weir-never" meta nfproto ipv4 meta l4proto udp tproxy ip to :1
    iifname "weir-never" meta nfproto ipv6 meta l4proto udp tproxy ip6 to :1
  }
)";

constexpr std::string_view kErrors = R"(
table $ip weir {
  chain errors {
    type filter hook prerouting priority mangle - 1; policy accept;
    iifname != $data $ip daddr $vip $icmp type $types $dups drop
  }
  chain own_errors {
    type filter hook output priority mangle; policy accept;
    $ip daddr $vip $icmp type $types $dups
  }
}
)";

// nft 1.0.6 cannot write a map entry whose key is longer than 16 bytes (it stops at an assertion),
// and an IPv6 address with a port is. So "which node" is part of the key of a set, and is found by
// asking for one node after the other: once in five seconds a client, and for packets of unknown
// sessions.
constexpr std::string_view kAsk = R"(
  chain $chain {
$asks    meta mark set 0
  }
)";

/// A chain that leaves in the mark the first node for which `key` is in `set`, or 0.
std::string render_ask(const Topology& topology, const std::string& name, const std::string& set,
                       const std::string& key) {
  std::string asks;
  for (const auto& node : topology.nodes) {
    asks += "    meta mark set " + std::to_string(node.number) + "\n    meta mark . " + key + " @" +
            set + " return\n";
  }
  return fill(kAsk, {{"chain", name}, {"asks", asks}});
}

std::string render_asks(const Topology& topology, const Family& family) {
  const std::string to = family.ip + " daddr . udp dport";
  const std::string from = family.ip + " saddr . udp sport";
  const std::string& f = family.f;
  std::string out = render_ask(topology, "learned" + f, "learned" + f, to) +
                    render_ask(topology, "arrived" + f, "learned" + f, from) +
                    render_ask(topology, "current" + f, "current" + f, to) +
                    render_ask(topology, "session" + f, "sessions" + f, from + " . @th,96,32") +
                    render_ask(topology, "answered" + f, "sessions" + f, from + " . @th,128,32");
  out += "  chain forget" + f + " {\n";
  for (const auto& node : topology.nodes) {
    out += "    meta mark set " + std::to_string(node.number) + "\n";
    for (const char* set : {"learned", "current"}) {
      out += std::string("    delete @") + set + f + " { meta mark . " + to + " }\n";
    }
  }
  return out + "  }\n";
}

/// Base chains. `raw` hooks run first, then these; the numbers are nft's own names for priorities.
std::string render_hooks(const Topology& topology, const std::vector<Family>& families) {
  const std::string data = braced(quoted(topology, &manifests::Attachment::data_interface));
  const std::string management =
      braced(quoted(topology, &manifests::Attachment::management_interface));
  std::string out(kDefrag);
  out += "\n  chain pre {\n    type filter hook prerouting priority mangle; policy accept;\n";
  std::vector<std::string> dispatch;
  for (const auto& node : topology.nodes) {
    dispatch.push_back('"' + node.data_interface + "\" : goto from_" + std::to_string(node.number));
  }
  out += "    iifname vmap " + braced(dispatch) + "\n    iifname " + management + " accept\n";
  // The deployer runs as root; what else runs here has no business with the node API.
  std::string output = "    oifname " + management + " meta skuid != 0 counter name fenced drop\n";
  std::string input, forward, post;
  forward = "    iifname " + management + " counter name fenced drop\n    oifname " + management +
            " counter name fenced drop\n";
  for (const Family& family : families) {
    const std::string line = "    " + family.ip + " ";
    // Nothing outside reaches a node past steering, by the address of its link.
    forward += "    oifname " + data + line.substr(3) + "daddr " +
               links(topology, family.ipv6, true) + " counter name fenced drop\n";
    if (family.vip) {
      const std::string to_vip = line + "daddr " + family.vip->string();
      out += to_vip + " goto vip" + family.f + "\n";
      post += to_vip + " oifname != " + data + " counter name fenced drop\n";
    }
    if (family.clients) {
      const std::string to_client = line + "daddr " + *family.clients;
      const std::string from_client = line + "saddr " + *family.clients;
      out += to_client + " goto client" + family.f + "\n";
      output += "    meta mark 0" + to_client.substr(3) + " goto client" + family.f + "\n";
      input += "    iifname " + data + from_client.substr(3) + " counter name fenced drop\n";
      std::vector<std::string> ways = quoted(topology, &manifests::Attachment::data_interface);
      ways.push_back('"' + topology.upstream_interface + '"');
      forward += "    iifname " + data + from_client.substr(3) + " oifname != " + braced(ways) +
                 " counter name fenced drop\n";
      post += to_client + " oifname != " + data + " counter name fenced drop\n";
    }
  }
  out += "  }\n\n  chain input {\n    type filter hook input priority filter; policy accept;\n" +
         input + "  }\n";
  out += "  chain forward {\n    type filter hook forward priority filter; policy accept;\n" +
         forward + "  }\n";
  out += "  chain output {\n    type route hook output priority mangle; policy accept;\n" + output +
         "  }\n";
  out += "  chain post {\n    type filter hook postrouting priority mangle; policy accept;\n" +
         post + "  }\n";
  return out;
}

}  // namespace

std::string render_spread(std::size_t width) {
  if (width == 0) return "meta mark set 0\n";
  // The second hash only reduces the first one's result, so its seed may be known.
  const std::string rank =
      width == 1 ? "meta mark set 0\n"
                 : "meta mark set jhash meta mark mod " + std::to_string(width) + " seed 1\n";
  return rank + "meta mark set meta mark map @active\n";
}

std::string render_assigned(bool ipv6, const std::set<std::uint8_t>& lengths) {
  std::string out;
  const unsigned bits = ipv6 ? 128 : 32;
  for (auto length = lengths.rbegin(); length != lengths.rend(); ++length) {
    out += std::string("meta mark set ") + (ipv6 ? "ip6" : "ip") + " daddr ";
    if (*length < bits) {
      std::array<std::uint8_t, 16> mask{};
      for (unsigned i = 0; i < *length; ++i) {
        mask[i / 8] = static_cast<std::uint8_t>(mask[i / 8] | (0x80U >> (i % 8)));
      }
      const auto address =
          ipv6 ? IpAddress::v6(mask) : IpAddress::v4({mask[0], mask[1], mask[2], mask[3]});
      out += "& " + address.string() + " ";
    }
    out +=
        std::string("map @assigned") + (ipv6 ? "6_" : "4_") + std::to_string(*length) + " accept\n";
  }
  return out;
}

std::string render_chains(const Topology& topology, std::uint32_t seed) {
  const std::vector<Family> families = families_of(topology);
  std::string out = "\n  chain pass { meta mark set 0; accept; }\n";
  for (const Family& family : families) {
    const Values values = values_of(topology, family, seed);
    if (family.clients) out += fill(kInner, values);
    if (family.vip) out += render_asks(topology, family) + fill(kVip, values);
  }
  out += fill(kLink, {{"linksfour", links(topology, false, true)},
                      {"linkssix", links(topology, true, true)}});
  for (const auto& node : topology.nodes) out += render_node_chains(topology, families, node, seed);
  return out + render_hooks(topology, families);
}

std::string render_error_tables(const Topology& topology) {
  std::string out;
  for (const Family& family : families_of(topology)) {
    if (!family.vip) {
      out += "\ntable " + family.ip + " weir { }\n";
      continue;
    }
    std::string dups;
    for (const auto& node : topology.nodes) {
      dups += (dups.empty() ? "dup to " : " dup to ") +
              (family.ipv6 ? node.node_v6 : node.node_v4).string();
    }
    out +=
        fill(kErrors,
             {{"ip", family.ip},
              {"icmp", family.icmp},
              {"vip", family.vip->string()},
              {"data", braced(quoted(topology, &manifests::Attachment::data_interface))},
              {"types", family.ipv6 ? "{ destination-unreachable, packet-too-big, time-exceeded, "
                                      "parameter-problem }"
                                    : "{ destination-unreachable, time-exceeded, "
                                      "parameter-problem }"},
              {"dups", dups}});
  }
  return out;
}

}  // namespace weir::director
