#pragma once

#include "deployer/steering/steering.h"

namespace weir::director {

/// Collects what is to become of an intent and makes the delta of it. Each edit costs a look into
/// the intent, never a pass over it; one that changes nothing, or takes an earlier one back, leaves
/// nothing in the delta. `base` must outlive it and stay as it is.
class Edit {
 public:
  explicit Edit(const Intent& base) : base_(&base) {}

  void set_active(std::vector<Bucket> active);
  void set_home(const Endpoint& client, std::optional<NodeId> node);
  void set_kick(const Grant& grant, bool granted);
  void set_hold(const Grant& grant, bool granted);
  void assign(const Prefix& prefix, std::optional<NodeId> node);

  [[nodiscard]] bool empty() const;
  /// From the base's revision to the next.
  [[nodiscard]] Delta delta() &&;

 private:
  const Intent* base_;
  Delta delta_;
};

/// What makes `to` of `from`; its cost grows with both.
[[nodiscard]] Delta diff(const Intent& from, const Intent& to);

}  // namespace weir::director
