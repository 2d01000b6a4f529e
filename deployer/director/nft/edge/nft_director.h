#pragma once

#include <memory>
#include <optional>

#include "deployer/director/director.h"
#include "deployer/network/edge/network_namespace.h"
#include "manifests/base/digest.h"

namespace weir::director {

/// The director in one network namespace: nftables table `weir`, routes, policy rules and the
/// sysctls they need.
class NftDirector final : public Director {
 public:
  /// owner  what `install` marks as its maker; absent: it leaves no mark
  static Result<NftDirector> open(const Topology& topology, network::NetworkNamespace where,
                                  const std::optional<Digest>& owner = {});
  NftDirector(NftDirector&&) noexcept;
  NftDirector& operator=(NftDirector&&) noexcept;
  ~NftDirector() override;

  [[nodiscard]] Result<bool> installed() override;
  [[nodiscard]] Result<Maker> maker() override;
  Status check_upstream() override;
  Status install(const Intent& steering, const std::optional<Learned>& learned) override;
  Status attach(const NodeId& node) override;
  Status apply(const Delta& delta) override;
  [[nodiscard]] Result<Observed> read() override;
  Status forget(const NodeId& node) override;
  Status nudge(const NodeId& node, const IpAddress& inner) override;
  Status remove() override;

 private:
  struct State;
  explicit NftDirector(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace weir::director
