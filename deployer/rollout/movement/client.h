#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "deployer/rollout/terms/commands.h"
#include "deployer/rollout/terms/plan.h"
#include "deployer/rollout/terms/reason.h"

namespace weir::deployer {

/// What a stage that waits for a command of director or node has in common.
struct Asking {
  CommandId waits = 0;    ///< the command that was ordered for it; 0: none yet
  Instant not_before{0};  ///< one that failed is repeated no sooner
  bool operator==(const Asking&) const = default;
};

/// What readings of a client's old node say of whether it still talks there.
struct Ear {
  std::uint64_t rx = 0;  ///< at the last reading
  Instant read{0};       ///< when that reading arrived; 0: none yet
  Instant heard{0};      ///< the first reading that showed new data
  bool operator==(const Ear&) const = default;
};

/// Where one client stands. The order is the usual way; each stage carries what only it needs.
namespace stage {

struct Waiting {  ///< not touched yet
  bool operator==(const Waiting&) const = default;
};
struct Granting : Asking {  ///< the director is asked for the right to initiate (and the hold)
  Instant first_kick{0};
  bool operator==(const Granting&) const = default;
};
struct Kicking : Asking {  ///< the node is asked to initiate
  Instant first_kick{0};   ///< of this attempt; 0: none yet
  bool operator==(const Kicking&) const = default;
};
struct Kicked {  ///< until the handshake shows in the node's dump
  Instant first_kick{0};
  bool operator==(const Kicked&) const = default;
};
struct Prepared {  ///< proved; the session stands ready, unused
  bool operator==(const Prepared&) const = default;
};
struct Switching : Asking {  ///< the director is asked to make the node its home
  bool operator==(const Switching&) const = default;
};
struct Releasing : Asking {  ///< the node is asked to send the packet that confirms
  bool operator==(const Releasing&) const = default;
};
struct Switched {  ///< until data of the client shows in the node's dump
  Ear old{};
  Instant nudged{0};
  bool operator==(const Switched&) const = default;
};
struct Moved {    ///< done
  Instant at{0};  ///< 0: it was there before
  bool operator==(const Moved&) const = default;
};
struct Revoking : Asking {  ///< giving up: the right to initiate ends
  bool operator==(const Revoking&) const = default;
};
struct Regarding {  ///< giving up: did it get through after all?
  bool operator==(const Regarding&) const = default;
};
struct Forgetting : Asking {  ///< giving up: the node forgets the session
  bool operator==(const Forgetting&) const = default;
};
struct Unholding : Asking {  ///< giving up: the hold ends
  bool operator==(const Unholding&) const = default;
};
struct Returning : Asking {  ///< was switched and not heard of: home goes back
  bool operator==(const Returning&) const = default;
};
struct Recalling : Asking {  ///< and its old node initiates to it
  Ear old{};
  bool operator==(const Recalling&) const = default;
};
struct Stayed {  ///< done: on its old node, for the client's `why`
  bool operator==(const Stayed&) const = default;
};
struct Doubted {  ///< its home and its sessions disagree: which node does its data reach?
  bool operator==(const Doubted&) const = default;
};
struct Adopting : Asking {  ///< it lives on `to` already; only its home has to follow
  bool operator==(const Adopting&) const = default;
};

}  // namespace stage

using Stage =
    std::variant<stage::Waiting, stage::Granting, stage::Kicking, stage::Kicked, stage::Prepared,
                 stage::Switching, stage::Releasing, stage::Switched, stage::Moved, stage::Revoking,
                 stage::Regarding, stage::Forgetting, stage::Unholding, stage::Returning,
                 stage::Recalling, stage::Stayed, stage::Doubted, stage::Adopting>;
/// How far a stage is on its way, for the rollout as a whole.
enum class Part : std::uint8_t {
  preparing,  ///< or being given up: not prepared yet, or no more
  prepared,
  switching,  ///< there, or back
  over,
};
/// Whom a stage asks.
enum class Asked : std::uint8_t { nobody, node, director };

/// Both of one stage. A new stage has to say them here, and is then where it belongs everywhere.
struct Traits {
  Part part{};
  Asked asked{};
};
template <class S>
struct Tag {};
constexpr Traits traits(Tag<stage::Waiting> /*stage*/) {
  return {Part::preparing, Asked::nobody};
}
constexpr Traits traits(Tag<stage::Granting> /*stage*/) {
  return {Part::preparing, Asked::director};
}
constexpr Traits traits(Tag<stage::Kicking> /*stage*/) {
  return {Part::preparing, Asked::node};
}
constexpr Traits traits(Tag<stage::Kicked> /*stage*/) {
  return {Part::preparing, Asked::nobody};
}
constexpr Traits traits(Tag<stage::Prepared> /*stage*/) {
  return {Part::prepared, Asked::nobody};
}
constexpr Traits traits(Tag<stage::Switching> /*stage*/) {
  return {Part::switching, Asked::director};
}
constexpr Traits traits(Tag<stage::Releasing> /*stage*/) {
  return {Part::switching, Asked::node};
}
constexpr Traits traits(Tag<stage::Switched> /*stage*/) {
  return {Part::switching, Asked::nobody};
}
constexpr Traits traits(Tag<stage::Moved> /*stage*/) {
  return {Part::over, Asked::nobody};
}
constexpr Traits traits(Tag<stage::Revoking> /*stage*/) {
  return {Part::preparing, Asked::director};
}
constexpr Traits traits(Tag<stage::Regarding> /*stage*/) {
  return {Part::preparing, Asked::nobody};
}
constexpr Traits traits(Tag<stage::Forgetting> /*stage*/) {
  return {Part::preparing, Asked::node};
}
constexpr Traits traits(Tag<stage::Unholding> /*stage*/) {
  return {Part::preparing, Asked::director};
}
constexpr Traits traits(Tag<stage::Returning> /*stage*/) {
  return {Part::switching, Asked::director};
}
constexpr Traits traits(Tag<stage::Recalling> /*stage*/) {
  return {Part::switching, Asked::node};
}
constexpr Traits traits(Tag<stage::Stayed> /*stage*/) {
  return {Part::over, Asked::nobody};
}
constexpr Traits traits(Tag<stage::Doubted> /*stage*/) {
  return {Part::preparing, Asked::nobody};
}
constexpr Traits traits(Tag<stage::Adopting> /*stage*/) {
  return {Part::preparing, Asked::director};
}

[[nodiscard]] std::string_view name_of(const Stage& stage);
/// Null where the stage asks nobody for anything.
[[nodiscard]] const Asking* asking(const Stage& stage);
[[nodiscard]] Asking* asking(Stage& stage);

/// How a client gets to its new node.
enum class Way : std::uint8_t {
  held,    ///< the node's data is held back until the commit
  called,  ///< a commit did not take: a full handshake, in use at once
  rescue,  ///< its node is dead: nothing to lose
};

struct Client {
  PublicKey key;
  Endpoint endpoint;
  NodeId from, to;
  Stage stage{};
  Instant since{0};  ///< when this stage began
  Way way = Way::held;
  bool counted = true;                ///< whether staying counts as a failure
  unsigned kicks = 0;                 ///< initiations ordered
  unsigned retries = 0;               ///< calls after a commit that did not take
  Instant committed{0};               ///< when it was told first; 0: not yet
  std::optional<Endpoint> granted{};  ///< where rights or holds for `to` stand in the director
  std::int64_t from_handshake = 0, to_handshake = 0;  ///< before the kick, on each side
  std::uint64_t to_rx = 0;                            ///< before the commit
  std::optional<Reason> why{};
  bool operator==(const Client&) const = default;
};

template <class S>
[[nodiscard]] bool is(const Client& client) {
  return std::holds_alternative<S>(client.stage);
}

}  // namespace weir::deployer
