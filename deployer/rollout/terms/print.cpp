#include <algorithm>
#include <array>

#include "deployer/rollout/terms/commands.h"
#include "deployer/rollout/terms/counted.h"
#include "deployer/rollout/terms/overloaded.h"

namespace weir::deployer {
namespace {

std::string delta_text(const director::Delta& delta) {
  std::string out = "steering " + std::to_string(delta.from) + " -> " + std::to_string(delta.to);
  if (delta.active) {
    out += ", active";
    for (const director::Bucket& bucket : *delta.active) {
      out += " " + bucket.node.string();
      if (bucket.weight != 1) out += " x" + std::to_string(bucket.weight);
    }
  }
  if (!delta.homes.empty()) out += ", " + counted(delta.homes.size(), "home");
  if (!delta.kicks.empty()) out += ", " + counted(delta.kicks.size(), "right") + " to initiate";
  if (!delta.holds.empty()) out += ", " + counted(delta.holds.size(), "hold");
  if (!delta.assigned.empty()) out += ", " + counted(delta.assigned.size(), "inner prefix");
  return out;
}

std::string names_of(const std::vector<NodeId>& nodes) {
  std::string out;
  for (const NodeId& node : nodes) out += " " + node.string();
  return out;
}

struct Printer {
  std::string operator()(const InstallDirector& it) const {
    return "install director at revision " + std::to_string(it.intent.revision);
  }
  std::string operator()(const RemoveDirector&) const { return "remove director"; }
  std::string operator()(const BootPool&) const { return "boot pool"; }
  std::string operator()(const StopPool&) const { return "stop pool"; }
  std::string operator()(const ReadIdentities& it) const {
    return "read identities of" + names_of(it.nodes);
  }
  std::string operator()(const FeedNodes& it) const {
    return "give key and peers to" + names_of(it.nodes);
  }
  std::string operator()(const FeedChanges& it) const {
    return "give what changed to " + it.node.string();
  }
  std::string operator()(const ReadClocks& it) const {
    return "read clocks of" + names_of(it.nodes);
  }
  std::string operator()(const SetClocks& it) const {
    std::string out = "set clocks of";
    for (const auto& [node, _] : it.ahead) out += " " + node.string();
    return out;
  }
  std::string operator()(const ProbeNodes& it) const { return "probe" + names_of(it.nodes); }
  std::string operator()(const ReadDirector&) const { return "read director"; }
  std::string operator()(const ReadHalted&) const { return "read machines"; }
  std::string operator()(const ReadPeers& it) const { return "read peers of " + it.node.string(); }
  std::string operator()(const ForgetNode& it) const { return "forget " + it.node.string(); }
  std::string operator()(const ApplyDelta& it) const { return delta_text(it.delta); }
  std::string operator()(const Kick& it) const {
    return "kick from " + it.node.string() + ": " + counted(it.clients.size(), "client");
  }
  std::string operator()(const Commit& it) const {
    return "commit on " + it.node.string() + ": " + counted(it.peers.size(), "client");
  }
  std::string operator()(const GiveUp& it) const {
    return "give up on " + it.node.string() + ": " + counted(it.peers.size(), "client");
  }
  std::string operator()(const Nudge& it) const {
    return "nudge a client through " + it.node.string();
  }
};

}  // namespace

std::string print(const Command& command) {
  return std::visit(Printer{}, command);
}

bool changes(const Command& command) {
  return std::visit(Overloaded{
                        [](const InstallDirector&) { return true; },
                        [](const RemoveDirector&) { return true; },
                        [](const BootPool&) { return true; },
                        [](const StopPool&) { return true; },
                        [](const ReadIdentities&) { return false; },
                        [](const FeedNodes&) { return true; },
                        [](const ReadClocks&) { return false; },
                        [](const SetClocks&) { return true; },
                        [](const ProbeNodes&) { return true; },
                        [](const ReadDirector&) { return false; },
                        [](const ReadHalted&) { return false; },
                        [](const ReadPeers&) { return false; },
                        [](const ForgetNode&) { return true; },
                        [](const ApplyDelta&) { return true; },
                        [](const Kick&) { return true; },
                        [](const Commit&) { return true; },
                        [](const GiveUp&) { return true; },
                        [](const Nudge&) { return false; },
                        [](const FeedChanges&) { return true; },
                    },
                    command);
}

bool operator==(const Kick& a, const Kick& b) {
  const auto same = [](const auto& x, const auto& y) {
    return x.public_key == y.public_key && x.endpoint == y.endpoint;
  };
  return a.node == b.node &&
         std::equal(a.clients.begin(), a.clients.end(), b.clients.begin(), b.clients.end(), same);
}

}  // namespace weir::deployer
