#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <string_view>

#include "manifests/base/result.h"

namespace weir {

/// What may stand between several answers on a line; a line of these alone is an empty one.
inline constexpr std::string_view kBetweenAnswers = " ,\t";

/// Asks at the terminal, on stderr, until an answer is taken; why one is not is told before it is
/// asked for again.
///
/// otherwise    what an empty line stands for; may be empty too
/// take         keeps the answer, or refuses it
/// interrupted  looked at ten times a second
/// errors       busy: interrupted; not_found: the input ended before an answer was taken
[[nodiscard]] Status ask(const std::string& question, const std::string& otherwise,
                         const std::function<Status(const std::string& answer)>& take,
                         const std::atomic<bool>& interrupted);

}  // namespace weir
