#include "deployer/orders/edge/observe.h"

#include <mutex>
#include <thread>

#include "deployer/site/edge/running_order.h"

namespace weir::deployer {
namespace {

/// Rollouts that are looked through for the way back: more that failed in a row are no accident.
constexpr std::size_t kRemembered = 50;

NodeSeen look_at(Site& site, const NodeId& node, bool recorded,
                 std::chrono::milliseconds patience) {
  NodeSeen out;
  if (!recorded) return out;
  const auto state = site.machine_state(node);
  if (!state) {
    // Not known to have ended: nobody may count on that it has.
    out.machine = pool::MachineState::running;
    out.trouble = state.error().message;
    return out;
  }
  out.machine = *state;
  if (*state == pool::MachineState::gone) out.trouble = "its machine ended";
  if (*state == pool::MachineState::frozen) out.trouble = "its machine is frozen";
  if (*state != pool::MachineState::running) return out;
  const auto ask = [&]() -> Status {
    TRY_ASSIGN(const auto client, site.connect(node, patience));
    TRY_ASSIGN(out.identity, client->identity());
    // Without a key it has no device to ask about.
    if (!out.identity->wireguard_key) return {};
    TRY_ASSIGN(out.dump, client->peers());
    // For who looks at it; nothing is decided by them.
    if (auto services = client->services()) out.services = *std::move(services);
    return {};
  };
  if (auto asked = ask(); !asked) out.trouble = asked.error().message;
  return out;
}

std::map<NodeId, NodeSeen> look_at_nodes(Site& site,
                                         const std::map<NodeId, StoredMachine>& recorded,
                                         std::chrono::milliseconds patience) {
  std::map<NodeId, NodeSeen> out;
  std::vector<NodeId> nodes;
  std::mutex lock;
  for (const auto& link : site.attachments()) nodes.push_back(link.node);
  (void)for_each_node(nodes, [&](const NodeId& node) -> Status {
    NodeSeen seen = look_at(site, node, recorded.contains(node), patience);
    const std::lock_guard guard(lock);
    out.emplace(node, std::move(seen));
    return {};
  });
  return out;
}

Result<bool> steers_for_us(Site& site) {
  TRY_ASSIGN(const auto maker, site.director().maker());
  Past past;
  TRY_ASSIGN(past.machines, site.store().machines());
  TRY_ASSIGN(past.pools, site.store().pools());
  TRY_ASSIGN(past.active, site.store().active_pool());
  TRY_ASSIGN(past.rollouts, site.store().rollouts(1));
  return is_own_steering(maker, past);
}

/// What a director says of itself, without the word that stands before it wherever it is told.
std::string trouble_of(const Error& error) {
  constexpr std::string_view kWho = "director: ";
  const std::string& text = error.message;
  return text.starts_with(kWho) ? text.substr(kWho.size()) : text;
}

void look_at_director(Site& site, Observed& out) {
  auto installed = site.director().installed();
  if (!installed) {
    out.director_trouble = trouble_of(installed.error());
    return;
  }
  if (!*installed) return;
  const auto ours = steers_for_us(site);
  if (ours && !*ours) {
    out.foreign = true;
    out.director_trouble = foreign_steering(site.documents());
    return;
  }
  out.installed = true;
  if (!ours) {
    out.director_trouble = ours.error().message;
    return;
  }
  auto read = site.director().read();
  if (read) {
    out.director = std::move(*read);
  } else {
    out.director_trouble = trouble_of(read.error());
  }
}

}  // namespace

Result<Observed> observe(Site& site, std::chrono::milliseconds patience) {
  Observed out;
  const auto order = running_order(site.path(site.fleet().state));
  if (order) out.ordering = print(*order);
  TRY_ASSIGN(const auto recorded, site.store().machines());
  std::map<NodeId, NodeSeen> nodes;
  std::thread reader([&] { nodes = look_at_nodes(site, recorded, patience); });
  look_at_director(site, out);
  reader.join();
  out.nodes = std::move(nodes);
  for (const auto& [node, machine] : recorded) {
    if (out.nodes.contains(node)) continue;
    // One that cannot be looked at counts as one that is there.
    const auto state = site.machines().state(machine.record);
    if (!state || *state != pool::MachineState::gone) out.unlisted.push_back(node);
  }
  TRY_ASSIGN(out.pools, site.store().pools());
  TRY_ASSIGN(out.steered, site.store().steered_namespace());
  TRY_ASSIGN(out.recorded, site.store().active_pool());
  TRY_ASSIGN(out.clients, site.store().clients());
  TRY_ASSIGN(out.newest, site.store().newest_movement());
  TRY_ASSIGN(out.rollouts, site.store().rollouts(kRemembered));
  return out;
}

}  // namespace weir::deployer
