#include "deployer/steering/steering.h"

namespace weir::director {
namespace {

/// What `to` has and `from` has not, or otherwise, and what only `from` has, as nullopt.
template <class Key>
std::map<Key, std::optional<NodeId>> changes(const std::map<Key, NodeId>& from,
                                             const std::map<Key, NodeId>& to) {
  std::map<Key, std::optional<NodeId>> out;
  for (const auto& [key, node] : to) {
    const auto old = from.find(key);
    if (old == from.end() || old->second != node) out.emplace(key, node);
  }
  for (const auto& [key, _] : from) {
    if (!to.contains(key)) out.emplace(key, std::nullopt);
  }
  return out;
}

std::map<Grant, bool> changes(const std::set<Grant>& from, const std::set<Grant>& to) {
  std::map<Grant, bool> out;
  for (const Grant& grant : to) {
    if (!from.contains(grant)) out.emplace(grant, true);
  }
  for (const Grant& grant : from) {
    if (!to.contains(grant)) out.emplace(grant, false);
  }
  return out;
}

template <class Key>
void change(std::map<Key, NodeId>& base, const std::map<Key, std::optional<NodeId>>& delta) {
  for (const auto& [key, node] : delta) {
    if (node) {
      base.insert_or_assign(key, *node);
    } else {
      base.erase(key);
    }
  }
}

void change(std::set<Grant>& base, const std::map<Grant, bool>& delta) {
  for (const auto& [grant, granted] : delta) {
    if (granted) {
      base.insert(grant);
    } else {
      base.erase(grant);
    }
  }
}

}  // namespace

Delta diff(const Steering& from, const Steering& to) {
  Delta delta;
  delta.from = from.version;
  delta.to = to.version;
  if (from.active != to.active) delta.active = to.active;
  delta.homes = changes(from.homes, to.homes);
  delta.kicks = changes(from.kicks, to.kicks);
  delta.holds = changes(from.holds, to.holds);
  delta.assigned = changes(from.assigned, to.assigned);
  return delta;
}

Result<Steering> patch(const Steering& base, const Delta& delta) {
  if (delta.from != base.version) {
    return fail(Errc::invalid_input, "a delta from steering version " + std::to_string(delta.from) +
                                         " does not apply to version " +
                                         std::to_string(base.version));
  }
  Steering out = base;
  out.version = delta.to;
  if (delta.active) out.active = *delta.active;
  change(out.homes, delta.homes);
  change(out.kicks, delta.kicks);
  change(out.holds, delta.holds);
  change(out.assigned, delta.assigned);
  return out;
}

}  // namespace weir::director
