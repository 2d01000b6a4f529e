#include "builder/mirror/attempts.h"

#include <algorithm>
#include <utility>

namespace weir::builder {

Attempts::Attempts(std::size_t addresses, int each)
    : places_(std::max<std::size_t>(addresses, 1)), each_(std::max(each, 1)) {}

bool Attempts::after(Outcome outcome, Error why) {
  Place& here = places_[at_];
  if (outcome == Outcome::unfounded) return true;
  ++here.asked;
  here.outcome = outcome;
  here.why = std::move(why);
  const bool again = (outcome == Outcome::broken && here.asked < each_) ||
                     (outcome == Outcome::spoiled && !here.spoiled);
  here.open = again;
  here.spoiled = here.spoiled || outcome == Outcome::spoiled;
  for (std::size_t i = 1; i <= places_.size(); ++i) {
    const std::size_t next = (at_ + i) % places_.size();
    if (!places_[next].open) continue;
    at_ = next;
    return true;
  }
  return false;
}

Error Attempts::problem() const {
  Error out{Errc::not_found, 0, ""};
  for (const Place& place : places_) {
    if (place.outcome == Outcome::gone) continue;
    if (out.message.empty() || place.outcome == Outcome::spoiled) {
      out.code = place.why.code;
      out.sys = place.why.sys;
    }
    out.message += (out.message.empty() ? "" : "; ") + place.why.message;
  }
  if (out.message.empty()) out = places_.front().why;
  return out;
}

}  // namespace weir::builder
