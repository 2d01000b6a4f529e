#pragma once

#include <cstddef>
#include <vector>

#include "manifests/base/result.h"

namespace weir::builder {

/// What came of one attempt to fetch a file.
enum class Outcome : std::uint8_t {
  gone,       ///< the server does not have it
  refused,    ///< and would refuse it again: 403, a protocol that is not spoken
  spoiled,    ///< other bytes than promised
  broken,     ///< silence, a trickle, a cut connection, a busy server
  unfounded,  ///< what lay here from before was not a beginning of it, which is no server's fault
};

/// Which of a file's addresses is asked next, and when to stop. Each address is asked in turn; one
/// that is gone or refuses is not asked again, one that gave wrong bytes once more, any other a
/// number of times.
class Attempts {
 public:
  /// addresses  how many there are, at least one
  /// each       how often an address is asked, at least once
  Attempts(std::size_t addresses, int each);

  /// Where the next attempt goes. Not once `after` said that there is none.
  [[nodiscard]] std::size_t address() const { return at_; }
  /// The next attempt's number at its address, from 1.
  [[nodiscard]] int number() const { return places_[at_].asked + 1; }
  [[nodiscard]] int each() const { return each_; }
  /// Whether wrong bytes came from there before: a cache on the way is told not to answer.
  [[nodiscard]] bool spoiled() const { return places_[at_].spoiled; }

  /// Takes what came of the attempt at `address()`. True: there is a next one.
  bool after(Outcome outcome, Error why);

  /// Why there is none. Of several addresses each one's last reason is told, but for those that do
  /// not have it; not_found: none has it; integrity: one has, with other bytes.
  [[nodiscard]] Error problem() const;

 private:
  struct Place {
    int asked = 0;
    bool spoiled = false, open = true;
    Outcome outcome = Outcome::gone;
    Error why;
  };
  std::vector<Place> places_;
  int each_;
  std::size_t at_ = 0;
};

}  // namespace weir::builder
