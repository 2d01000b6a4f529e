#include "deployer/rollout/terms/reason.h"

#include <algorithm>
#include <array>
#include <utility>

namespace weir::deployer {
namespace {

constexpr std::array<std::string_view, 36> kCodes = {
    "no_handshake",   "not_taken",        "unreachable",     "revoked",
    "not_everywhere", "given_up",         "leftover",        "already_there",
    "idle",           "node_lost",        "node_silent",     "node_refused",
    "unfed",          "interrupted",      "too_many_failed", "nothing_answers",
    "peers_differ",   "identity_differs", "clocks_apart",    "not_booted",
    "probe_failed",   "director_failed",  "no_address",      "stay_behind",
    "unwritten",      "failed",           "unlisted",        "not_up",
    "not_ours",       "document_differs", "unfinished",      "other_release",
    "already_active", "no_way_back",      "sessions_end",    "too_many_removed"};
static_assert(kCodes.size() == static_cast<std::size_t>(Code::too_many_removed) + 1);

}  // namespace

std::string_view name_of(Code code) {
  return kCodes.at(static_cast<std::size_t>(code));
}

Code code_named(std::string_view name) {
  const auto* const found = std::find(kCodes.begin(), kCodes.end(), name);
  return found == kCodes.end() ? Code::failed : static_cast<Code>(found - kCodes.begin());
}

tl::unexpected<Error> fail_for(Code code, Errc kind, std::string message) {
  auto out = fail(kind, std::move(message));
  out.value().reason = name_of(code);
  return out;
}

}  // namespace weir::deployer
