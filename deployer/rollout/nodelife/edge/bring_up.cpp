#include "deployer/rollout/nodelife/edge/bring_up.h"

#include <deque>
#include <utility>

#include "deployer/rollout/nodelife/nodelife.h"
#include "deployer/rollout/terms/event_of.h"
#include "deployer/rollout/terms/overloaded.h"

namespace weir::deployer {

bool brings_up(const Command& command) {
  return std::holds_alternative<ReadIdentities>(command) ||
         std::holds_alternative<ReadClocks>(command) ||
         std::holds_alternative<SetClocks>(command) || std::holds_alternative<FeedNodes>(command) ||
         std::holds_alternative<ForgetNode>(command) || std::holds_alternative<ProbeNodes>(command);
}

Event bring_up(Site& site, const Command& command, Removals removals) {
  return std::visit(
      Overloaded{
          [&](const ReadIdentities& it) {
            return event_of(read_identities(site, it.nodes),
                            [](auto read) { return IdentitiesRead{std::move(read)}; });
          },
          [&](const ReadClocks& it) {
            return event_of(read_clocks(site, it.nodes),
                            [](auto ahead) { return ClocksRead{std::move(ahead)}; });
          },
          [&](const SetClocks& it) { return event_of(set_clocks(site, it.ahead)); },
          [&](const FeedNodes& it) {
            return event_of(feed_nodes(site, it.nodes, removals, Confirming::all),
                            [](auto fed) { return NodesFed{std::move(fed)}; });
          },
          [&](const ForgetNode& it) { return event_of(site.director().forget(it.node)); },
          [&](const ProbeNodes& it) { return event_of(probe_nodes(site, it.nodes)); },
          [](const auto&) -> Event {
            return {0, Failed{Error{Errc::bug, 0, "no command that brings a node up"}}};
          },
      },
      command);
}

Status revive(Site& site, const NodeId& node) {
  nodelife::Wanted wanted;
  wanted.nodes = {node};
  wanted.booting = nodelife::Booting::done;
  wanted.in_time = {node};
  wanted.max_clock_skew = site.fleet().policy.max_clock_skew;
  for (const manifests::PoolSpec& pool : site.fleet().pools) {
    if (pool.clock_offset == std::chrono::milliseconds(0)) continue;
    wanted.wrong_clocks.insert(pool.nodes.begin(), pool.nodes.end());
  }
  std::deque<Ordered> ordered;
  CommandId last = 0;
  const nodelife::Sink sink{[&](Command command) {
                              ordered.push_back({++last, std::move(command)});
                              return last;
                            },
                            [&](const std::string& line) { site.say(line); }};
  nodelife::Life life = nodelife::begin(wanted, sink);
  while (!ordered.empty()) {
    const Ordered next = std::move(ordered.front());
    ordered.pop_front();
    // Who is not in the registry is another order's business.
    Event event = bring_up(site, next.command, Removals::keep);
    event.echo = next.id;
    nodelife::step(wanted, life, event, sink);
  }
  if (const auto* failed = std::get_if<nodelife::at::Failed>(&life.now)) {
    return fail(Errc::io, failed->why.text);
  }
  return {};
}

}  // namespace weir::deployer
