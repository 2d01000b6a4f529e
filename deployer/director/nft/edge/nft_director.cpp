#include "deployer/director/nft/edge/nft_director.h"

#include <sys/random.h>

#include <cerrno>
#include <utility>

#include "deployer/director/nft/edge/host_settings.h"
#include "deployer/director/nft/edge/nftables.h"
#include "deployer/director/nft/edge/nudge.h"
#include "deployer/director/nft/render.h"
#include "deployer/director/nft/ruleset.h"
#include "deployer/network/edge/route_socket.h"

namespace weir::director {
namespace {

// Before the main table's rule (32766). Probes carry the mark from the start, so one rule serves
// both.
constexpr std::uint32_t kMarkPriority = 10000;
// The director itself must find a way to the public address, or its ICMP errors about packets of
// nodes end before the rules that copy them to the nodes. Any node's link will do.
constexpr std::uint32_t kOwnPriority = 11000;

network::Rule marked_rule(std::uint32_t number, bool ipv6) {
  network::Rule out;
  out.ipv6 = ipv6;
  out.priority = kMarkPriority + number;
  out.table = number;
  out.mark = number;
  return out;
}

/// vip  absent: a rule for whichever address, where one is taken away
network::Rule own_rule(std::uint32_t number, bool ipv6, const std::optional<IpAddress>& vip) {
  network::Rule out;
  out.ipv6 = ipv6;
  out.priority = kOwnPriority + number;
  out.table = number;
  out.incoming_interface = "lo";
  if (vip) out.destination = Prefix{*vip, static_cast<std::uint8_t>(ipv6 ? 128 : 32)};
  return out;
}

std::vector<network::Rule> rules_of(const Topology& topology, const manifests::Attachment& node) {
  std::vector<network::Rule> out;
  for (const bool ipv6 : {false, true}) {
    out.push_back(marked_rule(node.number, ipv6));
    const auto& vip = ipv6 ? topology.vip.ipv6 : topology.vip.ipv4;
    if (vip) out.push_back(own_rule(node.number, ipv6, vip));
  }
  return out;
}

std::vector<network::Route> routes_of(const manifests::Attachment& node) {
  std::vector<network::Route> out;
  for (const IpAddress& gateway : {node.node_v4, node.node_v6}) {
    network::Route route{Prefix{gateway.is_v4() ? IpAddress::v4({}) : IpAddress::v6({}), 0},
                         node.data_interface, gateway, std::nullopt, node.number};
    out.push_back(std::move(route));
  }
  return out;
}

struct LinkAddress {
  std::string interface;
  IpAddress address;
  std::uint8_t length;
};
std::vector<LinkAddress> addresses_of(const manifests::Attachment& node) {
  return {{node.data_interface, node.director_v4, 31},
          {node.data_interface, node.director_v6, 127},
          {node.management_interface, node.director_management, 31}};
}

}  // namespace

struct NftDirector::State {
  Topology topology;
  network::NetworkNamespace where;
  std::optional<Digest> owner;
  std::optional<Intent> known;  ///< what we last put or saw there; the kernel holds the truth

  Result<const manifests::Attachment*> link(const NodeId& node) const {
    for (const auto& one : topology.nodes) {
      if (one.node == node) return &one;
    }
    return fail(Errc::invalid_input, "director: node " + node.string() + " is not in the topology");
  }

  /// Makes `known` the steering at `version`, from memory or from the kernel.
  Status know(std::uint64_t version) {
    if (known && known->revision == version) return {};
    TRY_ASSIGN(auto live, steering());
    if (live.revision != version) {
      return fail(Errc::busy, "director: steering is at version " + std::to_string(live.revision) +
                                  ", not at " + std::to_string(version) +
                                  ": read it and make a new delta");
    }
    known = std::move(live);
    return {};
  }

  Result<Intent> steering() {
    TRY_ASSIGN(auto ruleset, read_ruleset(where, [](const std::string& set) {
                 return holds_steering(set) || set == "seal";
               }));
    TRY_IN(check_seal(topology, ruleset), "director");
    for (const char* set : {"indices", "learned4", "learned6", "inner4", "inner6"}) {
      ruleset.sets[set];  // left out on purpose: they can be large
    }
    TRY_ASSIGN(auto observed, observe(topology, ruleset));
    return std::move(observed.steering);
  }

  Status put_routes() const {
    TRY_ASSIGN(auto routes, network::RouteSocket::open(where));
    for (const auto& node : topology.nodes) {
      for (const auto& rule : rules_of(topology, node)) {
        TRY_IN(routes.put_rule(rule), "director: node " + node.node.string());
      }
    }
    return {};
  }

  /// What stands in the settings list of an installed ruleset; absent where none is installed.
  Result<std::optional<Settings>> saved() {
    auto ruleset = read_ruleset(where, [](const std::string& set) { return set == "settings"; });
    if (!ruleset && ruleset.error().code == Errc::not_found) return std::nullopt;
    if (!ruleset) return tl::unexpected(ruleset.error());
    TRY_ASSIGN(auto settings, saved_settings(*ruleset));
    return settings;
  }
};

NftDirector::NftDirector(std::unique_ptr<State> state) : state_(std::move(state)) {}
NftDirector::NftDirector(NftDirector&&) noexcept = default;
NftDirector& NftDirector::operator=(NftDirector&&) noexcept = default;
NftDirector::~NftDirector() = default;

Result<NftDirector> NftDirector::open(const Topology& topology, network::NetworkNamespace where,
                                      const std::optional<Digest>& owner) {
  // Rendering checks the topology; nothing is applied here.
  TRY_IN(render_whole(topology, {}, {}, 0), "director");
  return NftDirector(
      std::make_unique<State>(State{topology, std::move(where), owner, std::nullopt}));
}

Result<bool> NftDirector::installed() {
  const auto ruleset =
      read_ruleset(state_->where, [](const std::string& set) { return set == "seal"; });
  if (!ruleset && ruleset.error().code == Errc::not_found) return false;
  if (!ruleset) return tl::unexpected(ruleset.error());
  const auto seal = ruleset->sets.find("seal");
  return seal != ruleset->sets.end() && !seal->second.empty();
}

Result<Maker> NftDirector::maker() {
  TRY_ASSIGN(const auto settings, state_->saved());
  if (!settings) return fail(Errc::not_found, "director: nothing is installed");
  return maker_of(*settings, state_->owner);
}

Status NftDirector::check_upstream() {
  TRY_ASSIGN_IN(auto routes, network::RouteSocket::open(state_->where), "director");
  TRY_ASSIGN_IN(const bool there, routes.has_link(state_->topology.upstream_interface), "director");
  if (there) return {};
  return fail(Errc::not_found, "there is no interface " + state_->topology.upstream_interface);
}

Status NftDirector::install(const Intent& steering, const std::optional<Learned>& learned) {
  std::uint32_t seed = 0;
  if (::getrandom(&seed, sizeof seed, 0) != sizeof seed) {
    return fail_errno(Errc::io, errno, "director: getrandom");
  }
  TRY_ASSIGN(auto text,
             render_whole(state_->topology, steering, learned.value_or(Learned{}), seed));
  // What another ruleset of ours saved is older than what we changed, so it wins.
  TRY_ASSIGN(auto settings, state_->saved());
  if (!settings) {
    TRY_ASSIGN(settings, read_host_settings(state_->where, state_->topology));
  }
  sign(*settings, state_->owner);
  text += render_settings(*settings);
  state_->known.reset();
  TRY_IN(apply_commands(state_->where, text), "director: install");
  TRY_IN(apply_host_settings(state_->where, state_->topology), "director");
  // The seal comes last: what has none was not installed to the end.
  TRY(state_->put_routes());
  TRY_ASSIGN(const auto live,
             read_ruleset(state_->where, [](const std::string&) { return false; }));
  TRY_IN(apply_commands(state_->where, render_seal(seal_of(state_->topology, live))),
         "director: install");
  state_->known = steering;
  return {};
}
Status NftDirector::attach(const NodeId& node) {
  TRY_ASSIGN(const auto* link, state_->link(node));
  const std::string context = "director: attach " + node.string();
  TRY_ASSIGN_IN(auto routes, network::RouteSocket::open(state_->where), context);
  for (const std::string& interface : {link->data_interface, link->management_interface}) {
    TRY_ASSIGN_IN(const bool there, routes.has_link(interface), context);
    if (!there) {
      return fail(Errc::not_found, context + ": interface " + interface + " does not exist");
    }
    TRY_IN(apply_link_settings(state_->where, interface), context);
  }
  for (const auto& one : addresses_of(*link)) {
    TRY_IN(routes.add_address(one.interface, one.address, one.length), context);
  }
  for (const std::string& interface : {link->data_interface, link->management_interface}) {
    TRY_IN(routes.set_link_up(interface), context);
  }
  for (const auto& route : routes_of(*link)) TRY_IN(routes.put_route(route), context);
  return {};
}

Status NftDirector::apply(const Delta& delta) {
  TRY(state_->know(delta.from));
  TRY_ASSIGN(const auto text, render_delta(state_->topology, *state_->known, delta));
  const auto done = apply_commands(state_->where, text);
  if (!done) {
    state_->known.reset();
    // The kernel refuses a whole delta for its first command, the version; then that is the reason.
    TRY(state_->know(delta.from));
    return tl::unexpected(Error(done.error()).in("director: apply"));
  }
  TRY(weir::director::apply(*state_->known, delta));
  // What is assigned anew follows the assignment until its next packet teaches otherwise. An
  // element that may be missing cannot be deleted in the transaction, which would fail.
  Keys stale;
  for (const auto& [prefix, _] : delta.assigned) {
    if (prefix.length != (prefix.address.is_v4() ? 32 : 128)) continue;
    const auto [set, key] = inner_key(prefix.address);
    stale[set].push_back(key);
  }
  TRY_ASSIGN(const auto learned, read_present(state_->where, stale));
  return delete_learned(state_->where, learned);
}

Result<Observed> NftDirector::read() {
  TRY_ASSIGN(const auto ruleset, read_ruleset(state_->where, is_observed));
  TRY_IN(check_seal(state_->topology, ruleset), "director");
  TRY_ASSIGN(auto observed, observe(state_->topology, ruleset));
  state_->known = observed.steering;
  return observed;
}

Status NftDirector::forget(const NodeId& node) {
  TRY_ASSIGN(const auto* link, state_->link(node));
  TRY_ASSIGN(const auto ruleset, read_ruleset(state_->where, remembers_nodes));
  return delete_learned(state_->where, keys_of_node(ruleset, link->number));
}

Status NftDirector::nudge(const NodeId& node, const IpAddress& inner) {
  TRY_ASSIGN(const auto* link, state_->link(node));
  TRY_IN(send_nudge(state_->where, inner, link->number), "director: nudge");
  return {};
}

Status NftDirector::remove() {
  TRY_ASSIGN(const auto settings, state_->saved());
  TRY_ASSIGN(auto routes, network::RouteSocket::open(state_->where));
  // Of all nodes that it may have been installed for, whichever the fleet has now.
  for (std::uint32_t number = 1; number <= manifests::kHighestNumber; ++number) {
    for (const bool ipv6 : {false, true}) {
      TRY(routes.delete_rule(marked_rule(number, ipv6)));
      TRY(routes.delete_rule(own_rule(number, ipv6, {})));
    }
  }
  for (const auto& node : state_->topology.nodes) {
    for (const auto& route : routes_of(node)) TRY(routes.delete_route(route));
    for (const auto& one : addresses_of(node)) {
      TRY(routes.delete_address(one.interface, one.address, one.length));
    }
  }
  state_->known.reset();
  // The ruleset goes last: it holds what the settings were.
  if (settings) {
    TRY_IN(restore_host_settings(state_->where, state_->topology, *settings), "director: remove");
  }
  TRY_IN(apply_commands(state_->where, render_removal()), "director: remove");
  return {};
}

}  // namespace weir::director
