#include "deployer/rollout/terms/reason.h"

#include <array>

namespace weir::deployer {
namespace {

constexpr std::array<std::string_view, 27> kCodes = {
    "no_handshake",   "not_taken",        "unreachable",     "revoked",
    "not_everywhere", "given_up",         "leftover",        "already_there",
    "idle",           "node_lost",        "node_silent",     "node_refused",
    "unfed",          "interrupted",      "too_many_failed", "nothing_answers",
    "peers_differ",   "identity_differs", "clocks_apart",    "not_booted",
    "probe_failed",   "director_failed",  "no_address",      "stay_behind",
    "unwritten",      "failed",           "unlisted"};
static_assert(kCodes.size() == static_cast<std::size_t>(Code::unlisted) + 1);

}  // namespace

std::string_view name_of(Code code) {
  return kCodes.at(static_cast<std::size_t>(code));
}

}  // namespace weir::deployer
