#include "deployer/boot_check/edge/wires.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "deployer/network/edge/route_socket.h"
#include "manifests/base/edge/file.h"

namespace weir::boot_check {
namespace {

using network::NetworkNamespace;
using network::RouteSocket;

constexpr const char* kDataLink = "weir-data";
constexpr const char* kManagementLink = "weir-mgmt";
constexpr const char* kToClient = "weir-client";
constexpr const char* kFromClient = "outside";
constexpr std::uint16_t kPort = 51820;
constexpr std::uint32_t kTunnelMtu = 1420;
// Numbers of a fleet's nodes begin at 1; a machine runs as a user of its number (node_users.h).
constexpr std::uint32_t kNumber = 19999;

// Of literals only.
IpAddress ip(const char* text) {
  return *IpAddress::parse(text);
}

Prefix whole(const IpAddress& address) {
  return {address, static_cast<std::uint8_t>(address.is_v4() ? 32 : 128)};
}

Prefix everything(bool v4) {
  return {v4 ? IpAddress::v4({}) : IpAddress::v6({}), 0};
}

const IpAddress& vip4() {
  static const IpAddress address = ip("198.51.100.1");
  return address;
}
const IpAddress& vip6() {
  static const IpAddress address = ip("2001:db8:51::1");
  return address;
}

Status write_sysctl(const std::string& name, std::string_view value) {
  const std::string path = "/proc/sys/net/" + name;
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd.valid() ||
      ::write(fd.get(), value.data(), value.size()) != static_cast<ssize_t>(value.size())) {
    return fail_errno(Errc::kernel, errno, path);
  }
  return {};
}

network::Route route(const Prefix& to, const char* interface,
                     const std::optional<IpAddress>& gateway = {}) {
  return {.destination = to, .interface = interface, .gateway = gateway, .source = {}};
}

}  // namespace

manifests::Attachment node_attachment() {
  return {.director = *DirectorId::parse("boot-check"),
          .node = *NodeId::parse("boot-check"),
          .pool = *PoolName::parse("boot-check"),
          .number = kNumber,
          .data_interface = kDataLink,
          .management_interface = kManagementLink,
          .director_v4 = ip("10.254.0.0"),
          .node_v4 = ip("10.254.0.1"),
          .director_v6 = ip("fd00:fab::"),
          .node_v6 = ip("fd00:fab::1"),
          .director_management = ip("10.254.1.0"),
          .node_management = ip("10.254.1.1")};
}

manifests::NodeConfig node_config() {
  const manifests::Attachment link = node_attachment();
  return {.node = link.node,
          .vip_v4 = vip4(),
          .vip_v6 = vip6(),
          .port = kPort,
          .node_v4 = link.node_v4,
          .director_v4 = link.director_v4,
          .node_v6 = link.node_v6,
          .director_v6 = link.director_v6,
          .node_management = link.node_management,
          .director_management = link.director_management,
          .data_mac = "52:54:00:00:00:d1",
          .management_mac = "52:54:00:00:00:a1",
          .clients = {*Prefix::parse("10.8.0.0/24"), *Prefix::parse("fd00:8::/64")},
          .tls_private_key = {},
          .client_pin = Digest::of({})};
}

Endpoint gateway_endpoint() {
  return {vip4(), kPort};
}

std::vector<IpAddress> upstream_addresses() {
  return {ip("203.0.113.10"), ip("2001:db8:113::10")};
}

std::vector<Prefix> client_addresses() {
  return {whole(ip("10.8.0.2")), whole(ip("fd00:8::2"))};
}

Result<Wires> Wires::lay() {
  TRY_ASSIGN(NetworkNamespace router, NetworkNamespace::open({}));
  TRY_ASSIGN(NetworkNamespace client, NetworkNamespace::make());
  TRY(write_sysctl("ipv4/ip_forward", "1"));
  TRY(write_sysctl("ipv6/conf/all/forwarding", "1"));
  for (const char* which : {"all", "default"}) {
    TRY(write_sysctl("ipv4/conf/" + std::string(which) + "/rp_filter", "0"));
  }
  TRY_ASSIGN(RouteSocket here, RouteSocket::open(router));
  TRY_ASSIGN(RouteSocket there, RouteSocket::open(client));
  TRY(here.set_link_up("lo"));
  TRY(there.set_link_up("lo"));
  for (const IpAddress& address : upstream_addresses()) {
    TRY(here.add_address("lo", address, whole(address).length));
  }
  TRY(here.add_veth(kToClient, kFromClient, client));
  TRY(here.add_address(kToClient, ip("192.0.2.1"), 24));
  TRY(there.add_address(kFromClient, ip("192.0.2.2"), 24));
  TRY(here.set_link_up(kToClient));
  TRY(there.set_link_up(kFromClient));
  TRY(there.put_route(route(everything(true), kFromClient, ip("192.0.2.1"))));
  return Wires{std::move(router), std::move(client)};
}

Status Wires::attach_node() const {
  const manifests::Attachment link = node_attachment();
  const manifests::NodeConfig config = node_config();
  TRY_ASSIGN(RouteSocket here, RouteSocket::open(router));
  // A node that comes up is found at once, not at the next full second.
  for (const std::string link_name : {kDataLink, kManagementLink}) {
    TRY(write_sysctl("ipv4/neigh/" + link_name + "/retrans_time_ms", "50"));
    TRY(write_sysctl("ipv6/neigh/" + link_name + "/retrans_time_ms", "50"));
  }
  TRY(here.set_link_up(kDataLink));
  TRY(here.set_link_up(kManagementLink));
  TRY(here.add_address(kManagementLink, link.director_management, 31));
  TRY(here.add_address(kDataLink, link.director_v4, 31));
  TRY(here.add_address(kDataLink, link.director_v6, 127));
  TRY(here.put_route(route(whole(vip4()), kDataLink, link.node_v4)));
  TRY(here.put_route(route(whole(vip6()), kDataLink, link.node_v6)));
  for (const Prefix& clients : config.clients) {
    TRY(here.put_route(
        route(clients, kDataLink, clients.address.is_v4() ? link.node_v4 : link.node_v6)));
  }
  return {};
}

Status Wires::raise_tunnel(const std::string& interface) const {
  TRY_ASSIGN(RouteSocket there, RouteSocket::open(client));
  for (const Prefix& own : client_addresses()) {
    TRY(there.add_address(interface, own.address, own.length));
  }
  TRY(there.set_link_up(interface, kTunnelMtu));
  for (const IpAddress& address : upstream_addresses()) {
    TRY(there.put_route(route(whole(address), interface.c_str())));
  }
  return {};
}

}  // namespace weir::boot_check
