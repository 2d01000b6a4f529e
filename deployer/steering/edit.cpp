#include "deployer/steering/edit.h"

#include <utility>

namespace weir::director {
namespace {

template <class Key>
void set(std::map<Key, std::optional<NodeId>>& delta, const std::map<Key, NodeId>& base,
         const Key& key, std::optional<NodeId> node) {
  const auto old = base.find(key);
  const bool same = old == base.end() ? !node : node && old->second == *node;
  if (same) {
    delta.erase(key);
  } else {
    delta.insert_or_assign(key, std::move(node));
  }
}

void set(std::map<Grant, bool>& delta, const std::set<Grant>& base, const Grant& grant,
         bool granted) {
  if (base.contains(grant) == granted) {
    delta.erase(grant);
  } else {
    delta.insert_or_assign(grant, granted);
  }
}

}  // namespace

void Edit::set_active(std::vector<Bucket> active) {
  if (active == base_->active) {
    delta_.active.reset();
  } else {
    delta_.active = std::move(active);
  }
}

void Edit::set_home(const Endpoint& client, std::optional<NodeId> node) {
  set(delta_.homes, base_->homes, client, std::move(node));
}

void Edit::set_kick(const Grant& grant, bool granted) {
  set(delta_.kicks, base_->kicks, grant, granted);
}

void Edit::set_hold(const Grant& grant, bool granted) {
  set(delta_.holds, base_->holds, grant, granted);
}

void Edit::assign(const Prefix& prefix, std::optional<NodeId> node) {
  set(delta_.assigned, base_->assigned, prefix, std::move(node));
}

bool Edit::empty() const {
  return !delta_.active && delta_.homes.empty() && delta_.kicks.empty() && delta_.holds.empty() &&
         delta_.assigned.empty();
}

Delta Edit::delta() && {
  delta_.from = base_->revision;
  delta_.to = base_->revision + 1;
  return std::move(delta_);
}

Delta diff(const Intent& from, const Intent& to) {
  Edit edit(from);
  edit.set_active(to.active);
  for (const auto& [client, node] : to.homes) edit.set_home(client, node);
  for (const auto& [client, node] : from.homes) {
    if (!to.homes.contains(client)) edit.set_home(client, std::nullopt);
  }
  for (const Grant& grant : to.kicks) edit.set_kick(grant, true);
  for (const Grant& grant : from.kicks) edit.set_kick(grant, to.kicks.contains(grant));
  for (const Grant& grant : to.holds) edit.set_hold(grant, true);
  for (const Grant& grant : from.holds) edit.set_hold(grant, to.holds.contains(grant));
  for (const auto& [prefix, node] : to.assigned) edit.assign(prefix, node);
  for (const auto& [prefix, node] : from.assigned) {
    if (!to.assigned.contains(prefix)) edit.assign(prefix, std::nullopt);
  }
  Delta out = std::move(edit).delta();
  out.to = to.revision;
  return out;
}

}  // namespace weir::director
