#include "tests/lab/traffic.h"

#include <sys/resource.h>
#include <time.h>

#include <atomic>
#include <thread>

#include "tests/lab/pinger.h"
#include "tests/lab/streamer.h"

namespace weir::lab {
namespace {

constexpr std::chrono::minutes kStreamPatience{2};
constexpr std::chrono::seconds kLastPackets{2};
constexpr std::chrono::seconds kReplyPatience{10};  // for one more reply

// Emulated machines keep every core busy; the measuring threads go first.
void hurry() {
  ::setpriority(PRIO_PROCESS, 0, -10);
}

}  // namespace

UnixNs unix_now() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<UnixNs>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

struct Traffic::State {
  std::unique_ptr<Pinger> pinger;
  std::unique_ptr<Streamer> streamer;
  std::atomic<bool> sending{true}, pinging{true}, streaming{true};
  std::thread pings, streams;

  void end_pings() {
    pinging = false;
    if (pings.joinable()) pings.join();
  }
  void end_streams() {
    streaming = false;
    if (streams.joinable()) streams.join();
  }
  ~State() {
    sending = false;
    end_pings();
    end_streams();
  }
};

Traffic::Traffic(std::unique_ptr<State> state) : state_(std::move(state)) {}
Traffic::Traffic(Traffic&&) noexcept = default;
Traffic& Traffic::operator=(Traffic&&) noexcept = default;
Traffic::~Traffic() = default;

Result<Traffic> Traffic::start(std::vector<PingFlow> pings, std::vector<StreamFlow> streams) {
  auto state = std::make_unique<State>();
  TRY_ASSIGN(state->pinger, Pinger::open(std::move(pings)));
  TRY_ASSIGN(state->streamer, Streamer::open(std::move(streams)));
  State& s = *state;
  s.streams = std::thread([&s] {
    hurry();
    s.streamer->run(s.sending, s.streaming);
  });
  const auto deadline = std::chrono::steady_clock::now() + kStreamPatience;
  while (!s.streamer->flowing()) {
    if (std::chrono::steady_clock::now() > deadline) {
      return fail(Errc::timeout, "streams: not all connected within two minutes");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  s.pings = std::thread([&s] {
    hurry();
    s.pinger->run(s.sending, s.pinging);
  });
  return Traffic(std::move(state));
}

Traffic::Count Traffic::count() const {
  return {state_->pinger->sent, state_->pinger->received};
}

TrafficLog Traffic::stop() {
  state_->sending = false;
  std::this_thread::sleep_for(kLastPackets);
  auto deadline = std::chrono::steady_clock::now() + kReplyPatience;
  for (auto seen = count(); seen.received < seen.sent;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    const auto now = count();
    if (now.received > seen.received) deadline = std::chrono::steady_clock::now() + kReplyPatience;
    if (std::chrono::steady_clock::now() > deadline) break;
    seen = now;
  }
  state_->end_pings();
  // TCP owes every byte, but no time for it.
  deadline = std::chrono::steady_clock::now() + kStreamPatience;
  while (!state_->streamer->drained() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  state_->end_streams();
  return {state_->pinger->take_logs(), state_->streamer->take_logs()};
}

}  // namespace weir::lab
