#include "deployer/steering/steering.h"

#include <algorithm>

namespace weir::director {
namespace {

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

std::vector<Bucket> equal_weights(const std::vector<NodeId>& nodes) {
  return {nodes.begin(), nodes.end()};
}

std::vector<NodeId> slots_of(const std::vector<Bucket>& active) {
  std::vector<NodeId> out;
  for (const Bucket& bucket : active) out.insert(out.end(), bucket.weight, bucket.node);
  return out;
}

std::vector<Bucket> buckets_of(const std::vector<NodeId>& slots) {
  std::vector<Bucket> out;
  for (const NodeId& node : slots) {
    if (!out.empty() && out.back().node == node) {
      ++out.back().weight;
    } else {
      out.emplace_back(node);
    }
  }
  return out;
}

bool serves(const std::vector<Bucket>& active, const NodeId& node) {
  return std::any_of(active.begin(), active.end(),
                     [&](const Bucket& bucket) { return bucket.node == node; });
}

Status apply(Intent& intent, const Delta& delta) {
  if (delta.from != intent.revision) {
    return fail(Errc::invalid_input,
                "a delta from steering revision " + std::to_string(delta.from) +
                    " does not apply to revision " + std::to_string(intent.revision));
  }
  intent.revision = delta.to;
  if (delta.active) intent.active = *delta.active;
  change(intent.homes, delta.homes);
  change(intent.kicks, delta.kicks);
  change(intent.holds, delta.holds);
  change(intent.assigned, delta.assigned);
  return {};
}

}  // namespace weir::director
