#include "deployer/rollout/edge/performer.h"

#include <utility>

#include "deployer/rollout/nodelife/edge/bring_up.h"
#include "deployer/rollout/nodelife/edge/pools.h"
#include "deployer/rollout/terms/event_of.h"
#include "deployer/rollout/terms/overloaded.h"

namespace weir::deployer {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kReadPatience{2500};
constexpr milliseconds kOrderPatience{10000};
constexpr int kClockSamples = 5;

Status running(Site& site, const NodeId& node) {
  TRY_ASSIGN(const auto state, site.machine_state(node));
  if (state == pool::MachineState::running) return {};
  return fail(Errc::not_found, "its machine is frozen or gone");
}

std::vector<NodeId> both(const Plan& plan) {
  std::vector<NodeId> out = plan.from;
  out.insert(out.end(), plan.to.begin(), plan.to.end());
  return out;
}

}  // namespace

Lane::Lane() : thread_([this] { run(); }) {}

Lane::~Lane() {
  {
    const std::lock_guard guard(lock_);
    ending_ = true;
    queue_.clear();
  }
  ready_.notify_all();
  thread_.join();
}

void Lane::post(std::function<void()> work) {
  {
    const std::lock_guard guard(lock_);
    queue_.push_back(std::move(work));
  }
  ready_.notify_one();
}

void Lane::run() {
  for (;;) {
    std::function<void()> work;
    {
      std::unique_lock guard(lock_);
      ready_.wait(guard, [&] { return ending_ || !queue_.empty(); });
      if (queue_.empty()) return;
      work = std::move(queue_.front());
      queue_.pop_front();
    }
    work();
  }
}

/// One node's connection, used by its lane only.
struct Performer::Node {
  std::unique_ptr<node_client::NodeClient> client;
  Lane lane;  // goes first: nothing may use the client after it
};

Performer::Performer(Site& site, const Plan& plan, Means means)
    : site_(site), plan_(plan), means_(std::move(means)) {
  for (const NodeId& node : both(plan)) nodes_.emplace(node, std::make_unique<Node>());
}

Performer::~Performer() {
  leaving_ = true;  // a frozen node would hold up its lane, and so us, until the time-out
}

void Performer::answer(CommandId id, Event event) {
  event.echo = id;
  {
    const std::lock_guard guard(lock_);
    events_.push_back(std::move(event));
  }
  ready_.notify_one();
}

Event Performer::wait(milliseconds patience) {
  std::unique_lock guard(lock_);
  if (!ready_.wait_for(guard, patience, [&] { return !events_.empty(); })) return {0, Tick{}};
  Event event = std::move(events_.front());
  events_.pop_front();
  return event;
}

void Performer::on_pool(CommandId id, std::function<Event()> work) {
  pool_.post([this, id, work = std::move(work)] { answer(id, work()); });
}

void Performer::on_director(CommandId id, std::function<Event()> work) {
  director_.post([this, id, work = std::move(work)] { answer(id, work()); });
}

void Performer::on_node(CommandId id, const NodeId& node, milliseconds timeout, Call call) {
  Node& it = *nodes_.at(node);
  it.lane.post([this, id, node, &it, timeout, call = std::move(call)] {
    if (!it.client) {
      auto client = site_.connect(node, timeout);
      if (!client) return answer(id, {0, Failed{std::move(client).error()}});
      it.client = std::move(*client);
      it.client->end_when(leaving_);
    }
    it.client->set_timeout(timeout);
    Event event = call(*it.client);
    // A machine that was booted again has another pin: the next call looks it up afresh.
    if (std::holds_alternative<Failed>(event.what)) it.client.reset();
    answer(id, std::move(event));
  });
}

void Performer::bring_up(CommandId id, Command command) {
  // What the director does stands in its own line.
  auto& lane = std::holds_alternative<ForgetNode>(command) ? director_ : pool_;
  lane.post([this, id, command = std::move(command)] {
    answer(id, deployer::bring_up(site_, command, means_.removals));
  });
}

void Performer::perform(Ordered ordered) {
  const CommandId id = ordered.id;
  const auto* clocks = std::get_if<ReadClocks>(&ordered.command);
  const bool one_clock = clocks != nullptr && clocks->nodes.size() == 1;
  if (brings_up(ordered.command) && !one_clock) return bring_up(id, std::move(ordered.command));
  std::visit(
      Overloaded{
          [&](InstallDirector& it) {
            on_director(id, [this, install = std::move(it)] {
              return event_of(install_director(site_, install.intent, install.seeded));
            });
          },
          [&](const RemoveDirector&) {
            on_director(id, [this] { return event_of(remove_director(site_)); });
          },
          [&](const BootPool&) {
            on_pool(id, [this]() -> Event {
              if (means_.release == nullptr) {
                return {0, Failed{Error{Errc::bug, 0, "no release to boot"}}};
              }
              auto booted = boot_nodes(site_, plan_.to_pool, means_.boot, *means_.release);
              if (!booted) return event_of(std::move(booted));
              return {0, Booted{means_.boot}};
            });
          },
          [&](const StopPool&) {
            on_pool(id, [this] { return event_of(stop_pool(site_, plan_.to_pool)); });
          },
          [&](const FeedChanges& it) {
            // In the node's turn, so that others do not wait for it.
            nodes_.at(it.node)->lane.post([this, id, node = it.node] {
              // A frozen one would hold up the end of the rollout until the call's time is over.
              if (auto runs = running(site_, node); !runs)
                return answer(id, event_of(std::move(runs)));
              answer(id, event_of(feed_nodes(site_, {node}, means_.removals, Confirming::none),
                                  [](auto fed) { return NodesFed{std::move(fed)}; }));
            });
          },
          [&](const ReadClocks& it) {
            const NodeId& node = it.nodes.front();
            on_node(id, node, kReadPatience, [node](node_client::NodeClient& client) {
              return event_of(client.clock_offset(kClockSamples), [&](auto ahead) {
                return ClocksRead{{{node, ahead}}};
              });
            });
          },
          [&](const ReadDirector&) {
            on_director(id, [this] {
              return event_of(site_.director().read(),
                              [](auto observed) { return DirectorRead{std::move(observed)}; });
            });
          },
          [&](const ReadHalted&) {
            machines_.post([this, id] {
              HaltedRead read;
              for (const NodeId& node : both(plan_)) {
                const auto state = site_.machine_state(node);
                if (state && *state != pool::MachineState::running) read.halted.insert(node);
              }
              answer(id, {0, std::move(read)});
            });
          },
          [&](const ReadPeers& it) {
            on_node(id, it.node, kReadPatience, [](node_client::NodeClient& client) {
              return event_of(client.peers(), [](auto dump) { return PeersRead{std::move(dump)}; });
            });
          },
          [&](ApplyDelta& it) {
            on_director(id, [this, delta = std::move(it.delta)] {
              return event_of(site_.director().apply(delta));
            });
          },
          [&](Kick& it) {
            on_node(id, it.node, kOrderPatience,
                    [clients = std::move(it.clients)](node_client::NodeClient& client) {
                      return event_of(client.prepare({clients}));
                    });
          },
          [&](Commit& it) {
            on_node(id, it.node, kOrderPatience,
                    [peers = std::move(it.peers)](node_client::NodeClient& client) {
                      return event_of(client.commit({peers}));
                    });
          },
          [&](GiveUp& it) {
            on_node(id, it.node, kOrderPatience,
                    [peers = std::move(it.peers)](node_client::NodeClient& client) {
                      return event_of(client.give_up({peers}));
                    });
          },
          [&](const Nudge& it) {
            on_director(id, [this, node = it.node, inner = it.inner] {
              return event_of(site_.director().nudge(node, inner));
            });
          },
          // Brought up above.
          [](const ReadIdentities&) {},
          [](const SetClocks&) {},
          [](const FeedNodes&) {},
          [](const ForgetNode&) {},
          [](const ProbeNodes&) {},
      },
      ordered.command);
}

}  // namespace weir::deployer
