#pragma once

#include <chrono>

/// How long a client's stages last at most, beside what the policy says.
namespace weir::deployer {

using std::chrono::milliseconds;

inline constexpr milliseconds kKickAgain{2500};    ///< no handshake by then: initiations may cross
inline constexpr milliseconds kCommitAgain{1500};  ///< still on its old node: the packet was lost
inline constexpr milliseconds kRepeatAfterError{300};
inline constexpr milliseconds kNudgeAfter{400};
inline constexpr milliseconds kNudgeAgain{3000};
inline constexpr milliseconds kRescueTimeout{6000};  ///< who does not answer by then is not there
inline constexpr milliseconds kRecallAfter{400};     ///< time for data to show where a client is
inline constexpr milliseconds kSpent{1000};  ///< a dump of before that says nothing about now
inline constexpr milliseconds kDoubt{600};   ///< who sends nothing for so long is idle
inline constexpr milliseconds kLookAtMachines{250};  ///< a machine that halts is known this soon
inline constexpr unsigned kCommitRetries = 3;

}  // namespace weir::deployer
