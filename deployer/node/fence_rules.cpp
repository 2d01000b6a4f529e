#include "deployer/node/fence_rules.h"

namespace weir::node {
namespace {

std::string list(const std::vector<IpAddress>& addresses) {
  std::string out;
  for (const IpAddress& address : addresses) out += (out.empty() ? "" : ", ") + address.string();
  return "{ " + out + " }";
}

// Answers are told by where they come from: no connection is tracked, so that those of clients are
// not either.
std::string port_rule(const manifests::OpenPort& port) {
  const std::string number = std::to_string(port.port);
  if (!port.asked) return (port.tcp ? " tcp dport " : " udp dport ") + number + " accept";
  if (port.tcp) return " tcp sport " + number + " tcp flags & (syn | ack) != syn accept";
  return " udp sport " + number + " udp dport 1024-65535 accept";
}

}  // namespace

std::string fence_rules(const manifests::NodeConfig& config, const NodeInterfaces& interfaces,
                        const std::vector<manifests::OpenPort>& open) {
  std::vector<IpAddress> fenced_v4 = {config.node_v4, config.director_v4, config.node_management,
                                      config.director_management};
  std::vector<IpAddress> fenced_v6 = {config.node_v6, config.director_v6};
  std::vector<IpAddress> vips_v4, vips_v6;
  if (config.vip_v4) vips_v4.push_back(*config.vip_v4);
  if (config.vip_v6) vips_v6.push_back(*config.vip_v6);
  fenced_v4.insert(fenced_v4.end(), vips_v4.begin(), vips_v4.end());
  fenced_v6.insert(fenced_v6.end(), vips_v6.begin(), vips_v6.end());

  const std::string data = "\"" + interfaces.data + "\"";
  const std::string management = "\"" + interfaces.management + "\"";
  const std::string tunnel = "\"" + interfaces.wireguard + "\"";
  std::string out;
  const auto line = [&out](const std::string& text) { out += text + "\n"; };

  // Adding before deleting makes the deletion valid whether or not the table is there.
  line("table inet weir_node");
  line("delete table inet weir_node");
  line("table inet weir_node {");
  // Protocols by number, 1 ICMP and 58 ICMPv6: an image need not carry /etc/protocols.
  line("  chain input {");
  line("    type filter hook input priority filter; policy drop;");
  line("    iifname \"lo\" accept");
  line("    iifname " + management + " ip saddr " + config.director_management.string() +
       " ip daddr " + config.node_management.string() + " tcp dport " +
       std::to_string(manifests::kNodeApiPort) + " accept");
  line("    iifname " + management + " ip saddr " + config.director_management.string() +
       " ip daddr " + config.node_management.string() + " meta l4proto 1 accept");
  const std::string port = " udp dport " + std::to_string(config.port) + " accept";
  if (!vips_v4.empty()) line("    iifname " + data + " ip daddr " + list(vips_v4) + port);
  if (!vips_v6.empty()) line("    iifname " + data + " ip6 daddr " + list(vips_v6) + port);
  line("    iifname " + data + " meta l4proto { 1, 58 } accept");
  for (const manifests::OpenPort& opened : open) {
    line("    iifname " + management + " ip saddr " + config.director_management.string() +
         " ip daddr " + config.node_management.string() + port_rule(opened));
  }
  line("  }");
  line("  chain forward {");
  line("    type filter hook forward priority filter; policy drop;");
  line("    iifname " + data + " oifname " + tunnel + " accept");
  line("    iifname != " + tunnel + " drop");
  line("    ip daddr " + list(fenced_v4) + " drop");
  line("    ip6 daddr " + list(fenced_v6) + " drop");
  line("    oifname " + data + " accept");
  line("  }");
  line("}");
  return out;
}

}  // namespace weir::node
