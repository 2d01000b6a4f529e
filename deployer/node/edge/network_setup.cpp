#include "deployer/node/edge/network_setup.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

#include "deployer/network/edge/route_socket.h"
#include "manifests/base/edge/file.h"
#include "manifests/base/edge/process.h"

namespace weir::node {
namespace {

using network::RouteSocket;
using network::Rule;

constexpr std::uint32_t kFromTunnelTable = 101, kToClientsTable = 102;
constexpr std::uint32_t kFromTunnelPriority = 10, kToClientsPriority = 20;
constexpr std::chrono::seconds kLinkPatience{10};

Status write_sysctl(const std::string& name, std::string_view value) {
  const std::string path = "/proc/sys/" + name;
  const Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file.valid() || ::write(file.get(), value.data(), value.size()) < 0) {
    return fail_errno(Errc::kernel, errno, path);
  }
  return {};
}

Status set_general_sysctls() {
  struct Setting {
    const char* name;
    const char* value;
  };
  static constexpr Setting kSettings[] = {
      {"net/ipv4/ip_forward", "1"},
      {"net/ipv6/conf/all/forwarding", "1"},
      // What comes back from clients leaves by another interface than routing would expect.
      {"net/ipv4/conf/all/rp_filter", "0"},
      {"net/ipv4/conf/default/rp_filter", "0"},
      {"net/ipv4/conf/all/accept_redirects", "0"},
      {"net/ipv4/conf/default/accept_redirects", "0"},
      {"net/ipv4/conf/all/send_redirects", "0"},
      {"net/ipv4/conf/default/send_redirects", "0"},
      {"net/ipv6/conf/all/accept_redirects", "0"},
      {"net/ipv6/conf/default/accept_redirects", "0"},
      {"net/ipv6/conf/all/accept_ra", "0"},
      {"net/ipv6/conf/default/accept_ra", "0"},
      {"net/ipv6/conf/default/accept_dad", "0"},
  };
  for (const Setting& setting : kSettings) TRY(write_sysctl(setting.name, setting.value));
  return {};
}

Status set_link_sysctls(const std::string& interface) {
  TRY(write_sysctl("net/ipv4/conf/" + interface + "/rp_filter", "0"));
  TRY(write_sysctl("net/ipv4/conf/" + interface + "/send_redirects", "0"));
  // Links have two ends with fixed addresses: duplicate detection would only delay them.
  TRY(write_sysctl("net/ipv6/conf/" + interface + "/accept_dad", "0"));
  return {};
}

/// Drivers may still be probing when the agent starts.
Result<std::string> wait_for_link(RouteSocket& routes, const std::string& mac) {
  const auto deadline = std::chrono::steady_clock::now() + kLinkPatience;
  for (;;) {
    auto name = routes.link_with_mac(mac);
    if (name || name.error().code != Errc::not_found) return name;
    if (std::chrono::steady_clock::now() >= deadline) return name;
    ::poll(nullptr, 0, 20);
  }
}

Prefix everything(bool v4) {
  return Prefix{v4 ? IpAddress::v4({}) : IpAddress::v6({}), 0};
}

struct Family {
  bool v4;
  IpAddress node, director;
  std::optional<IpAddress> vip;
};

Status set_up_family(RouteSocket& routes, const Family& family, const NodeInterfaces& interfaces) {
  const auto full = static_cast<std::uint8_t>(family.v4 ? 32 : 128);
  TRY(routes.add_address(interfaces.data, family.node, static_cast<std::uint8_t>(full - 1)));
  if (family.vip) TRY(routes.add_address("lo", *family.vip, full));
  // Kicks have no packet of the client's to answer to: the route chooses their source.
  TRY(routes.put_route({.destination = everything(family.v4),
                        .interface = interfaces.data,
                        .gateway = family.director,
                        .source = family.vip}));
  TRY(routes.put_route({.destination = everything(family.v4),
                        .interface = interfaces.data,
                        .gateway = family.director,
                        .source = {},
                        .table = kFromTunnelTable}));
  Rule from_tunnel;
  from_tunnel.ipv6 = !family.v4;
  from_tunnel.priority = kFromTunnelPriority;
  from_tunnel.table = kFromTunnelTable;
  from_tunnel.incoming_interface = interfaces.wireguard;
  TRY(routes.put_rule(from_tunnel));
  Rule to_clients = from_tunnel;
  to_clients.priority = kToClientsPriority;
  to_clients.table = kToClientsTable;
  to_clients.incoming_interface = interfaces.data;
  TRY(routes.put_rule(to_clients));
  return {};
}

}  // namespace

Result<NodeInterfaces> set_up_network(const manifests::NodeConfig& config,
                                      const std::vector<manifests::OpenPort>& open) {
  TRY_ASSIGN(const auto here, network::NetworkNamespace::open({}));
  TRY_ASSIGN(auto routes, RouteSocket::open(here));
  NodeInterfaces out;
  TRY_ASSIGN_IN(out.data, wait_for_link(routes, config.data_mac), "data link");
  TRY_ASSIGN_IN(out.management, wait_for_link(routes, config.management_mac), "management link");
  const Program nft{.path = "/usr/sbin/nft", .arguments = {"-f", "-"}};
  TRY_ASSIGN(const Ended ended,
             run(nft, fence_rules(config, out, open), {std::chrono::seconds(20)}));
  TRY(require_success(nft, ended.status, ended.error));
  TRY(set_general_sysctls());
  for (const std::string& interface : {out.data, out.management}) TRY(set_link_sysctls(interface));
  for (const std::string& interface : {std::string("lo"), out.data, out.management}) {
    TRY(routes.set_link_up(interface));
  }
  TRY(routes.add_address(out.management, config.node_management, 31));
  TRY(routes.add_link(out.wireguard, "wireguard"));
  TRY(set_link_sysctls(out.wireguard));
  TRY(set_up_family(routes, {true, config.node_v4, config.director_v4, config.vip_v4}, out));
  TRY(set_up_family(routes, {false, config.node_v6, config.director_v6, config.vip_v6}, out));
  TRY(routes.set_link_up(out.wireguard));
  for (const Prefix& clients : config.clients) {
    TRY(routes.put_route({.destination = clients,
                          .interface = out.wireguard,
                          .gateway = {},
                          .source = {},
                          .table = kToClientsTable}));
  }
  return out;
}

}  // namespace weir::node
