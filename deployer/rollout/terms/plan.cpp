#include "deployer/rollout/terms/plan.h"

#include <array>

namespace weir::deployer {
namespace {

constexpr std::array<std::string_view, 9> kPhases = {"planned",      "booting",     "preparing",
                                                     "committing",   "judging",     "committed",
                                                     "rolling_back", "rolled_back", "retired"};

}  // namespace

std::string_view name_of(Phase phase) {
  return kPhases.at(static_cast<std::size_t>(phase));
}

std::optional<Phase> parse_phase(std::string_view name) {
  for (std::size_t i = 0; i < kPhases.size(); ++i) {
    if (kPhases.at(i) == name) return static_cast<Phase>(i);
  }
  return std::nullopt;
}

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::deploy:
      return "deploy";
    case Kind::rollback:
      return "rollback";
    case Kind::up:
      return "up";
  }
  return "deploy";
}

std::optional<Kind> parse_kind(std::string_view name) {
  for (const Kind kind : {Kind::deploy, Kind::rollback, Kind::up}) {
    if (name_of(kind) == name) return kind;
  }
  return std::nullopt;
}

std::string shown(const Plan& plan, const PublicKey& key) {
  const auto found = plan.peers.find(key);
  return found == plan.peers.end() || found->second.name.empty() ? key.string()
                                                                 : found->second.name;
}

std::string way_on(const Plan& plan) {
  const std::string release = plan.release ? plan.release->name.string() : "NAME";
  switch (plan.kind) {
    case Kind::rollback:
      return "finish with `weir-deployer rollback`";
    case Kind::up:
      return "finish with `weir-deployer up --release " + release + "`";
    case Kind::deploy:
      break;
  }
  return "finish with `weir-deployer deploy --release " + release +
         "`, or undo with `weir-deployer rollback`";
}

const NodeId& node_for(const PublicKey& key, const std::vector<NodeId>& nodes) {
  // A public key is uniformly distributed as it is; four of its bytes are as good as a hash.
  const auto& raw = key.raw();
  const std::uint32_t number =
      static_cast<std::uint32_t>(raw[0]) | static_cast<std::uint32_t>(raw[1]) << 8 |
      static_cast<std::uint32_t>(raw[2]) << 16 | static_cast<std::uint32_t>(raw[3]) << 24;
  return nodes[number % nodes.size()];
}

}  // namespace weir::deployer
