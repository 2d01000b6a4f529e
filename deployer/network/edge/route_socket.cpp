#include "deployer/network/edge/route_socket.h"

#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <span>

namespace weir::network {
namespace {

struct CloseSocket {
  void operator()(mnl_socket* socket) const { mnl_socket_close(socket); }
};

std::uint8_t family_of(const IpAddress& address) {
  return address.is_v4() ? AF_INET : AF_INET6;
}

// The header's field has 8 bits; larger tables stand only in the attribute.
std::uint8_t short_table(std::uint32_t table) {
  return table < 256 ? static_cast<std::uint8_t>(table) : std::uint8_t{RT_TABLE_UNSPEC};
}

void put_address(nlmsghdr* message, std::uint16_t type, const IpAddress& address) {
  mnl_attr_put(message, type, address.raw().size(), address.raw().data());
}

}  // namespace

struct RouteSocket::State {
  std::unique_ptr<mnl_socket, CloseSocket> socket;
  // One request and its answers at a time; 32 KiB holds any single link's description.
  std::array<char, 32768> buffer{};
  std::uint32_t sequence = static_cast<std::uint32_t>(std::time(nullptr));

  nlmsghdr* begin(std::uint16_t type, std::uint16_t flags) {
    nlmsghdr* message = mnl_nlmsg_put_header(buffer.data());
    message->nlmsg_type = type;
    message->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
    message->nlmsg_seq = ++sequence;
    return message;
  }

  // Sends what `begin` made and reads to the acknowledgement. Returns 0 or the kernel's errno.
  int exchange(const nlmsghdr* message, mnl_cb_t each = nullptr, void* data = nullptr) {
    if (mnl_socket_sendto(socket.get(), message, message->nlmsg_len) < 0) return errno;
    const unsigned port = mnl_socket_get_portid(socket.get());
    for (;;) {
      const ssize_t n = mnl_socket_recvfrom(socket.get(), buffer.data(), buffer.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return errno;
      const int more =
          mnl_cb_run(buffer.data(), static_cast<std::size_t>(n), sequence, port, each, data);
      if (more < 0) return errno;
      if (more == MNL_CB_STOP) return 0;
    }
  }

  // The interface's number in the socket's namespace, 0 where there is none.
  unsigned index_of(const std::string& interface) {
    nlmsghdr* message = begin(RTM_GETLINK, 0);
    auto* link = static_cast<ifinfomsg*>(mnl_nlmsg_put_extra_header(message, sizeof(ifinfomsg)));
    link->ifi_family = AF_UNSPEC;
    mnl_attr_put_strz(message, IFLA_IFNAME, interface.c_str());
    unsigned index = 0;
    const int sys = exchange(
        message,
        [](const nlmsghdr* answer, void* out) -> int {
          const auto* info = static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(answer));
          *static_cast<unsigned*>(out) = static_cast<unsigned>(info->ifi_index);
          return MNL_CB_OK;
        },
        &index);
    return sys == 0 ? index : 0;
  }

  Result<unsigned> must_index(const std::string& interface) {
    if (interface.empty() || interface.size() >= IFNAMSIZ) {
      return fail(Errc::invalid_input, "'" + interface + "' is not an interface name");
    }
    if (const unsigned index = index_of(interface); index != 0) return index;
    return fail(Errc::not_found, "interface " + interface + " does not exist");
  }

  Status done(int sys, std::initializer_list<int> fine, const std::string& what) {
    if (sys == 0) return {};
    for (const int code : fine) {
      if (sys == code) return {};
    }
    return fail_errno(sys == EPERM ? Errc::unauthorized : Errc::kernel, sys, what);
  }

  Status send_route(const Route& route, std::uint16_t type, std::uint16_t flags,
                    std::initializer_list<int> fine) {
    unsigned index = 0;
    if (!route.interface.empty()) {
      if (type == RTM_DELROUTE && index_of(route.interface) == 0) return {};
      TRY_ASSIGN(index, must_index(route.interface));
    }
    nlmsghdr* message = begin(type, flags);
    auto* header = static_cast<rtmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(rtmsg)));
    header->rtm_family = family_of(route.destination.address);
    header->rtm_dst_len = route.destination.length;
    header->rtm_table = short_table(route.table);
    header->rtm_protocol = RTPROT_STATIC;
    header->rtm_type = RTN_UNICAST;
    // IPv4 gateways are looked up in the universe; a route without one ends on the link.
    header->rtm_scope =
        route.gateway || header->rtm_family == AF_INET6 ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
    if (type == RTM_DELROUTE) header->rtm_scope = RT_SCOPE_NOWHERE;
    mnl_attr_put_u32(message, RTA_TABLE, route.table);
    if (route.destination.length > 0) put_address(message, RTA_DST, route.destination.address);
    if (index != 0) mnl_attr_put_u32(message, RTA_OIF, index);
    if (route.gateway) put_address(message, RTA_GATEWAY, *route.gateway);
    if (route.source) put_address(message, RTA_PREFSRC, *route.source);
    return done(exchange(message), fine, "route " + route.destination.string());
  }

  Status send_rule(const Rule& rule, std::uint16_t type, std::uint16_t flags,
                   std::initializer_list<int> fine) {
    nlmsghdr* message = begin(type, flags);
    auto* header =
        static_cast<fib_rule_hdr*>(mnl_nlmsg_put_extra_header(message, sizeof(fib_rule_hdr)));
    header->family = rule.ipv6 ? AF_INET6 : AF_INET;
    header->action = FR_ACT_TO_TBL;
    header->table = short_table(rule.table);
    mnl_attr_put_u32(message, FRA_TABLE, rule.table);
    mnl_attr_put_u32(message, FRA_PRIORITY, rule.priority);
    if (rule.mark) {
      mnl_attr_put_u32(message, FRA_FWMARK, *rule.mark);
      mnl_attr_put_u32(message, FRA_FWMASK, 0xffffffffU);
    }
    if (rule.incoming_interface) {
      mnl_attr_put_strz(message, FRA_IIFNAME, rule.incoming_interface->c_str());
    }
    if (rule.destination) {
      header->dst_len = rule.destination->length;
      put_address(message, FRA_DST, rule.destination->address);
    }
    return done(exchange(message), fine, "routing rule " + std::to_string(rule.priority));
  }
};

RouteSocket::RouteSocket(std::unique_ptr<State> state) : state_(std::move(state)) {}
RouteSocket::RouteSocket(RouteSocket&&) noexcept = default;
RouteSocket& RouteSocket::operator=(RouteSocket&&) noexcept = default;
RouteSocket::~RouteSocket() = default;

Result<RouteSocket> RouteSocket::open(const NetworkNamespace& where) {
  auto state = std::make_unique<State>();
  TRY(where.run([&]() -> Status {
    state->socket.reset(mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC));
    if (!state->socket) return fail_errno(Errc::io, errno, "open rtnetlink");
    if (mnl_socket_bind(state->socket.get(), 0, MNL_SOCKET_AUTOPID) < 0) {
      return fail_errno(Errc::io, errno, "bind rtnetlink");
    }
    return {};
  }));
  return RouteSocket(std::move(state));
}

Status RouteSocket::set_link_up(const std::string& interface, std::optional<std::uint32_t> mtu) {
  TRY_ASSIGN(const unsigned index, state_->must_index(interface));
  nlmsghdr* message = state_->begin(RTM_NEWLINK, 0);
  auto* link = static_cast<ifinfomsg*>(mnl_nlmsg_put_extra_header(message, sizeof(ifinfomsg)));
  link->ifi_family = AF_UNSPEC;
  link->ifi_index = static_cast<int>(index);
  link->ifi_flags = IFF_UP;
  link->ifi_change = IFF_UP;
  if (mtu) mnl_attr_put_u32(message, IFLA_MTU, *mtu);
  return state_->done(state_->exchange(message), {}, "set " + interface + " up");
}

Status RouteSocket::add_link(const std::string& interface, const std::string& kind) {
  nlmsghdr* message = state_->begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
  auto* link = static_cast<ifinfomsg*>(mnl_nlmsg_put_extra_header(message, sizeof(ifinfomsg)));
  link->ifi_family = AF_UNSPEC;
  mnl_attr_put_strz(message, IFLA_IFNAME, interface.c_str());
  nlattr* info = mnl_attr_nest_start(message, IFLA_LINKINFO);
  mnl_attr_put_strz(message, IFLA_INFO_KIND, kind.c_str());
  mnl_attr_nest_end(message, info);
  return state_->done(state_->exchange(message), {EEXIST}, "add " + kind + " link " + interface);
}

Status RouteSocket::add_veth(const std::string& interface, const std::string& peer,
                             const NetworkNamespace& peer_namespace) {
  nlmsghdr* message = state_->begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
  auto* link = static_cast<ifinfomsg*>(mnl_nlmsg_put_extra_header(message, sizeof(ifinfomsg)));
  link->ifi_family = AF_UNSPEC;
  mnl_attr_put_strz(message, IFLA_IFNAME, interface.c_str());
  nlattr* info = mnl_attr_nest_start(message, IFLA_LINKINFO);
  mnl_attr_put_strz(message, IFLA_INFO_KIND, "veth");
  nlattr* data = mnl_attr_nest_start(message, IFLA_INFO_DATA);
  // The other end is described by a link message of its own (linux/veth.h).
  nlattr* other = mnl_attr_nest_start(message, VETH_INFO_PEER);
  mnl_nlmsg_put_extra_header(message, sizeof(ifinfomsg));
  mnl_attr_put_strz(message, IFLA_IFNAME, peer.c_str());
  if (peer_namespace.descriptor() >= 0) {
    mnl_attr_put_u32(message, IFLA_NET_NS_FD,
                     static_cast<std::uint32_t>(peer_namespace.descriptor()));
  }
  mnl_attr_nest_end(message, other);
  mnl_attr_nest_end(message, data);
  mnl_attr_nest_end(message, info);
  return state_->done(state_->exchange(message), {}, "add veth link " + interface);
}

Result<bool> RouteSocket::has_link(const std::string& interface) {
  return state_->index_of(interface) != 0;
}

Result<std::string> RouteSocket::link_with_mac(const std::string& mac) {
  struct Search {
    std::array<std::uint8_t, 6> mac{};
    std::string found;
  } search;
  std::array<unsigned, 6> parts{};
  if (mac.size() != 17 || std::sscanf(mac.c_str(), "%2x:%2x:%2x:%2x:%2x:%2x", &parts[0], &parts[1],
                                      &parts[2], &parts[3], &parts[4], &parts[5]) != 6) {
    return fail(Errc::invalid_input, "'" + mac + "' is not an Ethernet address");
  }
  for (std::size_t i = 0; i < 6; ++i) search.mac[i] = static_cast<std::uint8_t>(parts[i]);

  nlmsghdr* message = state_->begin(RTM_GETLINK, NLM_F_DUMP);
  auto* link = static_cast<ifinfomsg*>(mnl_nlmsg_put_extra_header(message, sizeof(ifinfomsg)));
  link->ifi_family = AF_UNSPEC;
  const int sys = state_->exchange(
      message,
      [](const nlmsghdr* answer, void* data) -> int {
        auto* out = static_cast<Search*>(data);
        struct Seen {
          const Search* search;
          std::string name;
          bool same = false;
        } seen{out, {}};
        mnl_attr_parse(
            answer, sizeof(ifinfomsg),
            [](const nlattr* attribute, void* into) -> int {
              auto* one = static_cast<Seen*>(into);
              const auto& wanted = one->search->mac;
              if (mnl_attr_get_type(attribute) == IFLA_IFNAME) {
                one->name = mnl_attr_get_str(attribute);
              } else if (mnl_attr_get_type(attribute) == IFLA_ADDRESS &&
                         mnl_attr_get_payload_len(attribute) == wanted.size()) {
                const auto* raw = static_cast<const std::uint8_t*>(mnl_attr_get_payload(attribute));
                one->same = std::equal(wanted.begin(), wanted.end(), raw);
              }
              return MNL_CB_OK;
            },
            &seen);
        if (seen.same) out->found = seen.name;
        return MNL_CB_OK;
      },
      &search);
  TRY(state_->done(sys, {}, "list links"));
  if (search.found.empty()) return fail(Errc::not_found, "no link has the Ethernet address " + mac);
  return search.found;
}

Status RouteSocket::add_address(const std::string& interface, const IpAddress& address,
                                std::uint8_t length) {
  TRY_ASSIGN(const unsigned index, state_->must_index(interface));
  nlmsghdr* message = state_->begin(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE);
  auto* header = static_cast<ifaddrmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(ifaddrmsg)));
  header->ifa_family = family_of(address);
  header->ifa_prefixlen = length;
  // Our links have two ends with fixed addresses: duplicate detection would only delay them.
  header->ifa_flags = address.is_v6() ? IFA_F_NODAD : 0;
  header->ifa_scope = RT_SCOPE_UNIVERSE;
  header->ifa_index = index;
  put_address(message, IFA_LOCAL, address);
  put_address(message, IFA_ADDRESS, address);
  return state_->done(state_->exchange(message), {EEXIST},
                      "add " + address.string() + " to " + interface);
}

Status RouteSocket::delete_address(const std::string& interface, const IpAddress& address,
                                   std::uint8_t length) {
  const unsigned index = state_->index_of(interface);
  if (index == 0) return {};
  nlmsghdr* message = state_->begin(RTM_DELADDR, 0);
  auto* header = static_cast<ifaddrmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(ifaddrmsg)));
  header->ifa_family = family_of(address);
  header->ifa_prefixlen = length;
  header->ifa_index = index;
  put_address(message, IFA_LOCAL, address);
  put_address(message, IFA_ADDRESS, address);
  return state_->done(state_->exchange(message), {EADDRNOTAVAIL, ENODEV},
                      "delete " + address.string() + " from " + interface);
}

Status RouteSocket::put_route(const Route& route) {
  return state_->send_route(route, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, {});
}

Status RouteSocket::delete_route(const Route& route) {
  return state_->send_route(route, RTM_DELROUTE, 0, {ESRCH});
}

Status RouteSocket::put_rule(const Rule& rule) {
  return state_->send_rule(rule, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, {EEXIST});
}

Status RouteSocket::delete_rule(const Rule& rule) {
  return state_->send_rule(rule, RTM_DELRULE, 0, {ENOENT});
}

}  // namespace weir::network
