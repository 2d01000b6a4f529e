#include "builder/mirror/edge/pace.h"

namespace weir::builder {

void Pace::begin() {
  since_ = asked_ = Clock::now();
  then_ = 0;
  cut_off_ = silent_ = false;
}

ByteCount Pace::least() const {
  return ByteCount{policy_.slowest.value * static_cast<std::uint64_t>(policy_.patience.count())};
}

std::string Pace::problem() const {
  return "sent " + (silent_ ? std::string("nothing") : "less than " + print(least())) + " in " +
         std::to_string(policy_.patience.count()) + " s";
}

bool Pace::is_too_slow(std::uint64_t received) {
  const auto now = Clock::now();
  // Where this process did not come to look, the server is not to blame.
  const bool absent = now - asked_ > std::chrono::milliseconds(policy_.patience) / 2;
  asked_ = now;
  if (!absent && now - since_ < policy_.patience) return false;
  const std::uint64_t came = received - then_;
  cut_off_ = !absent && came < least().value;
  silent_ = came == 0;
  since_ = now;
  then_ = received;
  return cut_off_;
}

}  // namespace weir::builder
