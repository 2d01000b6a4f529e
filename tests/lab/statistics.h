#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace weir::lab {

using UnixNs = std::int64_t;

/// One echo request and its reply.
struct PingSample {
  UnixNs sent = 0;
  UnixNs received = 0;  ///< 0: never
};

struct PingLog {
  std::string flow;                 ///< "plain > upstream"
  std::string client;               ///< whose line in the report
  std::vector<PingSample> samples;  ///< in the order of sending
  std::uint64_t duplicates = 0;
};

struct StreamLog {
  std::string flow, client;
  std::uint64_t bytes_sent = 0, bytes_echoed = 0;
  std::uint64_t mismatched = 0;       ///< echoed bytes that are not what was sent
  std::uint64_t resets = 0;           ///< connections that ended before we ended them
  std::uint64_t retransmissions = 0;  ///< segments, both ends (TCP_INFO, tcpi_total_retrans)
};

struct TrafficLog {
  std::vector<PingLog> pings;
  std::vector<StreamLog> streams;
};

/// A stretch of time, both ends included.
struct Window {
  UnixNs from = 0, to = 0;
};

[[nodiscard]] std::uint64_t sent(const PingLog& log);
[[nodiscard]] std::uint64_t lost(const PingLog& log);

/// Stretches of lost packets, each from the sending of its first to the sending of its last one;
/// losses less than 200 ms apart are one stretch.
struct LossSpan {
  UnixNs from = 0, to = 0;
  std::uint64_t packets = 0;
};
[[nodiscard]] std::vector<LossSpan> loss_spans(const PingLog& log);

/// The longest time without a reply that touches the window: from the last reply before it to the
/// first one after it at most. 0 where there was no reply at all.
[[nodiscard]] std::int64_t longest_silence_ns(const std::vector<PingSample>& samples,
                                              Window window);

/// When the first reply after an instant came; 0: none did.
[[nodiscard]] UnixNs first_reply_after(const std::vector<PingSample>& samples, UnixNs instant);

/// When each packet of a client went to which node, reduced to the changes.
struct Passage {
  UnixNs at = 0;
  std::string interface;  ///< the director's end of the node's data link
};
/// When the client's data first went to one of `interfaces` within the window and kept to it until
/// the window's end; 0: it did not.
[[nodiscard]] UnixNs arrived(const std::vector<Passage>& passages,
                             const std::vector<std::string>& interfaces, Window window);

}  // namespace weir::lab
