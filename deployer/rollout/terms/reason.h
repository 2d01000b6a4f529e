#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "manifests/base/result.h"

namespace weir::deployer {

/// Why a client stays, or a rollout does not become what was ordered; for judges and machines. The
/// names are part of the JSON result and of the journal: they may grow, but not change.
enum class Code : std::uint8_t {
  // of a client
  no_handshake,    ///< none with the node it was to move to
  not_taken,       ///< the session was prepared, but the client does not use it
  unreachable,     ///< it does not answer at its last known address
  revoked,         ///< its key is no longer in the registry
  not_everywhere,  ///< a node of the new pool does not know its key
  given_up,        ///< with the whole rollout
  leftover,        ///< of a rollout that was interrupted
  already_there,   ///< moved by an earlier rollout
  idle,            ///< moved; the handshake is all that was seen
  // of a node
  node_lost,    ///< its machine is frozen or gone
  node_silent,  ///< its machine runs, but it does not answer
  node_refused,
  unfed,  ///< it was not brought to the registry
  // of a rollout
  interrupted,
  too_many_failed,
  nothing_answers,  ///< no node to move to
  peers_differ,     ///< a node does not have what the registry says
  identity_differs,
  clocks_apart,
  not_booted,
  probe_failed,
  director_failed,
  no_address,  ///< clients of dead nodes that nobody can call
  stay_behind,
  unwritten,  ///< the state folder does not take what is to be remembered
  failed,     ///< a command failed in another way
  // of a fleet
  unlisted,  ///< a machine runs of a node that the fleet document does not name
  // of an order that is refused before it begins
  not_up,            ///< nothing is up that it could work on
  not_ours,          ///< another fleet's steering stands there
  document_differs,  ///< the fleet is up otherwise than its document says
  unfinished,        ///< an earlier order has to be finished, or left, first
  other_release,     ///< the pool runs another release
  already_active,    ///< the pool that it names serves already
  no_way_back,       ///< there is nothing to roll back to
  sessions_end,      ///< clients would lose their sessions
  too_many_removed,  ///< the registry lost more peers than may go unasked
};
[[nodiscard]] std::string_view name_of(Code code);
/// `failed` where no code is named so.
[[nodiscard]] Code code_named(std::string_view name);

struct Reason {
  Code code = Code::failed;
  std::string text;  ///< for people: one line, no full stop
  bool operator==(const Reason&) const = default;
};

/// Refuses with a reason: the error's `reason` is the code's name.
[[nodiscard]] tl::unexpected<Error> fail_for(Code code, Errc kind, std::string message);

}  // namespace weir::deployer
