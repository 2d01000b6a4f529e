#include "tests/lab/statistics.h"

#include <algorithm>

namespace weir::lab {

std::uint64_t sent(const PingLog& log) {
  return log.samples.size();
}

std::uint64_t lost(const PingLog& log) {
  return static_cast<std::uint64_t>(std::count_if(
      log.samples.begin(), log.samples.end(), [](const PingSample& s) { return s.received == 0; }));
}

std::vector<LossSpan> loss_spans(const PingLog& log) {
  constexpr std::int64_t kApart = 200'000'000;
  std::vector<LossSpan> out;
  for (const PingSample& sample : log.samples) {
    if (sample.received != 0) continue;
    if (out.empty() || sample.sent - out.back().to > kApart) out.push_back({sample.sent, 0, 0});
    out.back().to = sample.sent;
    ++out.back().packets;
  }
  return out;
}

std::int64_t longest_silence_ns(const std::vector<PingSample>& samples, Window window) {
  std::vector<UnixNs> replies;
  for (const PingSample& sample : samples) {
    if (sample.received != 0) replies.push_back(sample.received);
  }
  std::sort(replies.begin(), replies.end());
  std::int64_t longest = 0;
  for (std::size_t i = 1; i < replies.size(); ++i) {
    if (replies[i] < window.from || replies[i - 1] > window.to) continue;
    longest = std::max(longest, replies[i] - replies[i - 1]);
  }
  return longest;
}

UnixNs first_reply_after(const std::vector<PingSample>& samples, UnixNs instant) {
  UnixNs first = 0;
  for (const PingSample& sample : samples) {
    if (sample.received > instant && (first == 0 || sample.received < first))
      first = sample.received;
  }
  return first;
}

UnixNs arrived(const std::vector<Passage>& passages, const std::vector<std::string>& interfaces,
               Window window) {
  UnixNs since = 0;
  for (const Passage& passage : passages) {
    if (passage.at > window.to) break;
    const bool there =
        std::find(interfaces.begin(), interfaces.end(), passage.interface) != interfaces.end();
    if (!there) {
      since = 0;
    } else if (since == 0) {
      since = passage.at;
    }
  }
  return since >= window.from ? since : 0;
}

}  // namespace weir::lab
