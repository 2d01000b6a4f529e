#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "manifests/base/net.h"
#include "manifests/base/result.h"
#include "tests/lab/statistics.h"

namespace weir::lab {

/// Watches, inside the director's namespace, over which node link every client's data leaves: where
/// a client really is, whatever the deployer says. Counts WireGuard data packets that carry
/// something (type 4, more than the 32 bytes of a keepalive) on their way out, by the client's
/// outer address.
class Observer {
 public:
  /// errors: unauthorized, not_found: no such namespace
  static Result<Observer> start(const std::string& director_netns, std::uint16_t gateway_port);
  Observer(Observer&&) noexcept;
  Observer& operator=(Observer&&) noexcept;
  ~Observer();

  /// What was seen so far, by client address; each list in the order of time.
  [[nodiscard]] std::map<IpAddress, std::vector<Passage>> passages() const;

 private:
  struct State;
  explicit Observer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace weir::lab
