#include <array>

#include "deployer/rollout/rollout.h"

namespace weir::deployer {
namespace {

constexpr std::array<std::string_view, 18> kStages = {
    "waiting",   "granting",  "kicking",   "kicked",   "prepared",  "switching",
    "releasing", "switched",  "moved",     "revoking", "regarding", "forgetting",
    "unholding", "returning", "recalling", "stayed",   "doubted",   "adopting"};

std::string count(std::size_t n, std::string_view what) {
  return std::to_string(n) + " " + std::string(what) + (n == 1 ? "" : "s");
}

std::string delta_text(const director::Delta& delta) {
  std::string out = "steering " + std::to_string(delta.from) + " -> " + std::to_string(delta.to);
  if (delta.active) {
    out += ", active";
    for (const NodeId& node : *delta.active) out += " " + node.string();
  }
  if (!delta.homes.empty()) out += ", " + count(delta.homes.size(), "home");
  if (!delta.kicks.empty()) out += ", " + count(delta.kicks.size(), "right") + " to initiate";
  if (!delta.holds.empty()) out += ", " + count(delta.holds.size(), "hold");
  if (!delta.assigned.empty()) out += ", " + count(delta.assigned.size(), "inner prefix");
  return out;
}

struct Printer {
  std::string operator()(const BootPool&) const { return "boot pool"; }
  std::string operator()(const ReadIdentities&) const { return "read identities"; }
  std::string operator()(const FeedPool&) const { return "feed pool: clock, key, peers"; }
  std::string operator()(const ReadClocks&) const { return "read clocks"; }
  std::string operator()(const ProbePool&) const { return "probe pool"; }
  std::string operator()(const StopPool&) const { return "stop pool"; }
  std::string operator()(const ReadDirector&) const { return "read director"; }
  std::string operator()(const ReadHalted&) const { return "read machines"; }
  std::string operator()(const ReadPeers& it) const { return "read peers of " + it.node.string(); }
  std::string operator()(const ForgetNode& it) const { return "forget " + it.node.string(); }
  std::string operator()(const ApplyDelta& it) const { return delta_text(it.delta); }
  std::string operator()(const Kick& it) const {
    return "kick from " + it.node.string() + ": " + count(it.clients.size(), "client");
  }
  std::string operator()(const Commit& it) const {
    return "commit on " + it.node.string() + ": " + count(it.peers.size(), "client");
  }
  std::string operator()(const GiveUp& it) const {
    return "give up on " + it.node.string() + ": " + count(it.peers.size(), "client");
  }
  std::string operator()(const Nudge& it) const {
    return "nudge a client through " + it.node.string();
  }
};

}  // namespace

std::string_view name_of(Stage stage) {
  return kStages.at(static_cast<std::size_t>(stage));
}

std::string print(const Command& command) {
  return std::visit(Printer{}, command);
}

bool changes(const Command& command) {
  return !(std::holds_alternative<ReadIdentities>(command) ||
           std::holds_alternative<ReadClocks>(command) ||
           std::holds_alternative<ReadDirector>(command) ||
           std::holds_alternative<ReadHalted>(command) ||
           std::holds_alternative<ReadPeers>(command) || std::holds_alternative<Nudge>(command));
}

}  // namespace weir::deployer
