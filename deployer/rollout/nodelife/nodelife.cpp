#include "deployer/rollout/nodelife/nodelife.h"

#include <algorithm>

#include "deployer/rollout/nodelife/clocks.h"
#include "deployer/rollout/terms/checks.h"
#include "deployer/rollout/terms/overloaded.h"
#include "deployer/rollout/terms/whereabouts.h"

namespace weir::deployer::nodelife {
namespace {

/// What `event` answers with, where it answers `waits`; null where it does not, or failed.
template <class T>
const T* answer(const Event& event, CommandId waits) {
  return event.echo == waits && waits != 0 ? std::get_if<T>(&event.what) : nullptr;
}

std::string joined(const std::map<NodeId, std::chrono::microseconds>& nodes) {
  std::string out;
  for (const auto& [node, _] : nodes) out += (out.empty() ? "" : ", ") + node.string();
  return out;
}

/// One step of one life.
class Turn {
 public:
  Turn(const Wanted& wanted, Life& life, const Event& event, const Sink& sink)
      : wanted_(wanted), life_(life), event_(event), sink_(sink) {}

  void operator()(const at::Boot& it) {
    if (failed(it.waits, Code::not_booted)) return;
    const auto* booted = answer<Booted>(event_, it.waits);
    if (booted == nullptr) return;
    life_.booted = booted->nodes;
    identify();
  }
  void operator()(const at::Identities& it) {
    if (failed(it.waits, Code::node_silent)) return;
    const auto* read = answer<IdentitiesRead>(event_, it.waits);
    if (read == nullptr) return;
    for (const manifests::NodeIdentity& identity : read->nodes) {
      if (!identity.wireguard_key) life_.keyless.insert(identity.node);
      if (wanted_.release == nullptr) continue;
      if (auto fine = check_identity(*wanted_.release, identity); !fine) {
        return fail({Code::identity_differs, std::move(fine).error().message});
      }
    }
    read_clocks(false);
  }
  void operator()(const at::Clocks& it) {
    if (failed(it.waits, Code::node_silent)) return;
    const auto* read = answer<ClocksRead>(event_, it.waits);
    if (read == nullptr) return;
    const auto late = drifted(read->ahead, life_.keyless, wanted_.wrong_clocks);
    if (!it.set && !late.empty()) {
      sink_.say("setting the clock of " + joined(late));
      life_.now = at::Setting{sink_.order(SetClocks{late})};
      return;
    }
    if (auto fine = check_clocks(read->ahead, wanted_.max_clock_skew); !fine) {
      return fail({Code::clocks_apart, std::move(fine).error().message});
    }
    life_.now = at::Feed{sink_.order(FeedNodes{wanted_.nodes})};
  }
  void operator()(const at::Setting& it) {
    if (event_.echo != it.waits) return;
    // Nodes of an older version refuse once they have their key: what is read next decides.
    if (const auto* error = std::get_if<Failed>(&event_.what)) {
      sink_.say("clocks could not be set: " + error->error.message);
    }
    read_clocks(true);
  }
  void operator()(const at::Feed& it) {
    if (failed(it.waits, Code::unfed)) return;
    const auto* fed = answer<NodesFed>(event_, it.waits);
    if (fed == nullptr) return;
    life_.fed = fed->nodes;
    for (const auto& [node, one] : fed->nodes) {
      if (one.error)
        return fail({Code::unfed, "node " + node.string() + ": " + one.error->message});
    }
    std::set<CommandId> waits;
    for (const NodeId& node : life_.booted) waits.insert(sink_.order(ForgetNode{node}));
    life_.now = at::Forget{std::move(waits)};
    if (life_.booted.empty()) probe();
  }
  void operator()(at::Forget& it) {
    if (it.waits.erase(event_.echo) == 0) return;
    if (const auto* error = std::get_if<Failed>(&event_.what)) {
      return fail({Code::director_failed, error->error.message});
    }
    if (it.waits.empty()) probe();
  }
  void operator()(const at::Probe& it) {
    if (failed(it.waits, Code::probe_failed) || event_.echo != it.waits) return;
    life_.probed = true;
    life_.now = at::Up{};
  }
  void operator()(const at::Up&) {}
  void operator()(const at::Failed&) {}

  void identify() { life_.now = at::Identities{sink_.order(ReadIdentities{wanted_.nodes})}; }

 private:
  void read_clocks(bool set) {
    life_.now = at::Clocks{sink_.order(ReadClocks{wanted_.in_time}), set};
  }
  void probe() {
    switch (wanted_.probing) {
      case Probing::none:
        break;
      case Probing::booted:
        if (life_.booted.empty()) break;
        life_.now = at::Probe{sink_.order(ProbeNodes{life_.booted})};
        return;
      case Probing::all:
        life_.now = at::Probe{sink_.order(ProbeNodes{wanted_.nodes})};
        return;
    }
    life_.now = at::Up{};
  }
  void fail(Reason why) { life_.now = at::Failed{std::move(why)}; }
  bool failed(CommandId waits, Code code) {
    const auto* error = answer<Failed>(event_, waits);
    if (error == nullptr) return false;
    fail({error->error.code == Errc::integrity && code == Code::node_silent ? Code::identity_differs
                                                                            : code,
          error->error.message});
    return true;
  }

  const Wanted& wanted_;
  Life& life_;
  const Event& event_;
  const Sink& sink_;
};

}  // namespace

Life begin(const Wanted& wanted, const Sink& sink) {
  Life life;
  if (wanted.booting == Booting::pool) {
    life.now = at::Boot{sink.order(BootPool{})};
    return life;
  }
  life.booted = wanted.nodes;
  Turn(wanted, life, {}, sink).identify();
  return life;
}

void step(const Wanted& wanted, Life& life, const Event& event, const Sink& sink) {
  At now = life.now;  // what it leads to is written over it
  Turn turn(wanted, life, event, sink);
  if (auto* forget = std::get_if<at::Forget>(&life.now)) return turn(*forget);
  std::visit(turn, now);
}

std::map<NodeId, std::chrono::microseconds> drifted(
    std::map<NodeId, std::chrono::microseconds> ahead, const std::set<NodeId>& keyless,
    const std::set<NodeId>& wrong_clocks) {
  std::map<NodeId, std::chrono::microseconds> fresh;
  std::erase_if(ahead, [&](const auto& it) {
    if (keyless.contains(it.first) && !wrong_clocks.contains(it.first)) fresh.insert(it);
    return keyless.contains(it.first) || wrong_clocks.contains(it.first);
  });
  auto out = slow_clocks(ahead);
  std::chrono::microseconds target{0};
  for (const auto& [_, offset] : ahead) {
    if (offset <= kFollowed) target = std::max(target, offset);
  }
  for (const auto& [node, offset] : fresh) {
    if (std::chrono::abs(offset - target) > kClockNoise) out.emplace(node, target);
  }
  return out;
}

std::vector<manifests::PrepareRequest::Client> to_call(
    const NodeId& node, const std::map<PublicKey, Known>& known, const director::Observed& observed,
    const std::map<PublicKey, manifests::Peer>& registry) {
  std::vector<manifests::PrepareRequest::Client> out;
  for (const auto& [key, place] : known) {
    if (place.node == node && home_of(observed, place.endpoint) == node && registry.contains(key)) {
      out.push_back({key, place.endpoint});
    }
  }
  return out;
}

}  // namespace weir::deployer::nodelife
