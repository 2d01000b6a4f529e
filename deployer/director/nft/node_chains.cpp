#include "deployer/director/nft/node_chains.h"

#include <string_view>

namespace weir::director {
namespace {

// What a node sends. `$n` is its number, and every chain here starts with the mark holding it;
// marks are scratch registers until `pass` clears them or a steering chain leaves the next node's
// in it.
constexpr std::string_view kFromNode = R"(
  chain from_$n {
    meta mark set $n
$dispatch    goto link
  }
)";

constexpr std::string_view kFromNodeFamily = R"(
  chain outer$f_$n {
    $ip daddr $links goto pass
$fence    udp sport $port @th,64,32 vmap { 0x01000000 : goto initiate$f_$n, 0x02000000 : goto learn$f_$n, 0x03000000 : goto pass, 0x04000000 : goto data$f_$n }
    meta l4proto $icmp goto pass
    counter name malformed drop
  }
  chain initiate$f_$n {
    meta mark . $ip daddr . udp dport @kick$f goto learn$f_$n
    meta mark set 0
    meta mark set $ip daddr . udp dport map @home$f
    meta mark $n goto learn$f_$n
    meta mark != 0 counter name no_right drop
    jump learned$f
    meta mark $n goto learn$f_$n
    meta mark != 0 counter name no_right drop
    meta mark set $n
    meta mark @serving goto learn$f_$n
    counter name no_right drop
  }
  chain learn$f_$n {
    update @pace$f { $ip daddr . udp dport limit rate over 4/second burst 16 packets } counter name paced goto pass
    meta mark set $n
    meta mark set @th,96,32 map @indices
    meta mark != $n update @shared { @th,96,32 } counter name index_collisions
    meta mark != $n delete @indices { @th,96,32 : $n }
    update @indices { @th,96,32 : $n }
    meta mark set $n
    update @sessions$f { meta mark . $ip daddr . udp dport . @th,96,32 }
    goto pass
  }
  chain data$f_$n {
    meta mark . $ip daddr . udp dport @hold$f counter name held drop
    meta mark . $ip daddr . udp dport @recent$f goto pass
    meta mark set 0
    meta mark set $ip daddr . udp dport map @home$f
    meta mark $n goto own$f_$n
    meta mark != 0 goto pass
    jump current$f
    meta mark { 0, $n } goto own$f_$n
    goto pass
  }
  chain own$f_$n {
    jump learned$f
    meta mark != $n update @roams$f { $ip daddr limit rate over 50/second burst 200 packets } counter name paced goto pass
    meta mark != $n jump forget$f
    meta mark set $n
    update @learned$f { meta mark . $ip daddr . udp dport }
    update @current$f { meta mark . $ip daddr . udp dport }
    add @recent$f { meta mark . $ip daddr . udp dport }
    goto pass
  }
)";

constexpr std::string_view kFromNodeInner = R"(
  chain inner$f_$n {
    meta mark set $ip saddr map @inner$f
    meta mark != $n delete @inner$f { $ip saddr : $n }
    update @inner$f { $ip saddr : $n }
    goto inner$f
  }
)";

}  // namespace

std::string render_node_chains(const Topology& topology, const std::vector<Family>& families,
                               const manifests::Attachment& node, std::uint32_t seed) {
  const std::string n = std::to_string(node.number);
  std::string dispatch;
  std::string chains;
  for (const Family& family : families) {
    Values values = values_of(topology, family, seed);
    values["n"] = n;
    if (family.vip) {
      dispatch += "    " + family.ip + " saddr " + family.vip->string() + " goto outer" + family.f +
                  "_" + n + "\n";
      // nft calls the protocol ipv6-icmp and its header icmpv6.
      if (family.ipv6) values["icmp"] = "ipv6-icmp";
      chains += fill(kFromNodeFamily, values);
    }
    if (family.clients) {
      dispatch += "    " + family.ip + " saddr " + *family.clients + " goto inner" + family.f +
                  "_" + n + "\n";
      chains += fill(kFromNodeInner, values);
    }
  }
  return fill(kFromNode, {{"n", n}, {"dispatch", dispatch}}) + chains;
}

}  // namespace weir::director
