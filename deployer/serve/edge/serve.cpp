#include "deployer/serve/edge/serve.h"

#include <unistd.h>

#include <list>
#include <mutex>
#include <thread>

#include "deployer/serve/edge/control_socket.h"
#include "deployer/serve/edge/watched_site.h"
#include "deployer/serve/edge/watcher.h"
#include "deployer/site/edge/running_order.h"

namespace weir::deployer {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kAcceptPatience{200};
constexpr milliseconds kServedPatience{5000};
constexpr milliseconds kListenPatience{100};
constexpr milliseconds kLookEvery{2000};
constexpr milliseconds kReadAgainEvery{60000};

/// One connection on a thread of its own.
struct Session {
  std::thread thread;
  std::atomic<bool> over{false};
};

class Server {
 public:
  Server(std::string fleet_path, const std::atomic<bool>& interrupted, Progress progress)
      : fleet_path_(std::move(fleet_path)),
        interrupted_(interrupted),
        progress_(std::move(progress)) {}

  Status run() {
    // Held for its lock; orders and looks open their own, with the documents of the moment.
    TRY_ASSIGN(const auto owner, Site::open(fleet_path_, Access::write, progress_));
    state_ = owner->path(owner->fleet().state);
    TRY_ASSIGN(auto listener, ControlListener::open(owner->state_path("control.sock")));
    progress_("serving fleet " + owner->fleet().name.string());
    std::thread looks([this] { watch(); });
    Status status;
    while (!interrupted_) {
      auto connection = listener.accept(kAcceptPatience);
      if (!connection) {
        status = tl::unexpected(std::move(connection).error());
        break;
      }
      if (*connection) admit(std::move(**connection));
      sessions_.remove_if([](Session& it) {
        if (it.over) it.thread.join();
        return it.over.load();
      });
    }
    ending_ = true;
    for (Session& session : sessions_) session.thread.join();
    looks.join();
    return status;
  }

 private:
  void admit(ControlConnection connection) {
    Session& session = sessions_.emplace_back();
    session.thread = std::thread([this, &session, it = std::move(connection)]() mutable {
      talk(it);
      session.over = true;
    });
  }

  void talk(ControlConnection& connection) {
    // Whoever connects and says nothing holds up nobody, the end of this process least of all.
    std::optional<std::string> line;
    const auto deadline = steady_clock::now() + kServedPatience;
    while (!line && !ending_ && steady_clock::now() < deadline) {
      auto received = connection.receive(kListenPatience);
      if (!received) return;
      line = std::move(*received);
    }
    if (!line) return;
    auto order = parse_order(*line);
    ControlReply reply;
    if (!order) {
      reply.exit_code = 2;
      reply.error = order.error().message;
      reply.error_code = name_of(order.error().code);
    } else {
      reply = obey(connection, *order);
    }
    (void)connection.send(print(reply));
  }

  ControlReply obey(ControlConnection& connection, const Order& order) {
    const std::unique_lock one(orders_, std::try_to_lock);
    if (!one) {
      // It is written down a moment after it begins.
      const RunningOrder unnamed{std::to_string(::getpid()), {}};
      return refusal_of(order, in_the_way(running_order(state_).value_or(unnamed)));
    }
    const auto ordered_at = steady_clock::now();
    // A look under way reads on, but changes nothing any more; no order waits for it.
    ordered_ = true;
    std::atomic<bool> stop{false};
    std::atomic<bool> over{false};
    std::mutex sending;
    bool listens = true;
    ControlReply reply;
    std::thread work([&] {
      reply = carry_out_afresh(order, stop, ordered_at, [&](const std::string& text) {
        progress_(text);
        ControlReply progress;
        progress.progress = text;
        const std::lock_guard guard(sending);
        // Who went away, or does not listen, is not worth waiting for.
        if (listens) listens = connection.send(print(progress), kListenPatience).has_value();
      });
      over = true;
    });
    bool there = true;
    while (!over) {
      if (ending_ || interrupted_) stop = true;
      if (!there) {
        std::this_thread::sleep_for(kListenPatience);
        continue;
      }
      const auto line = connection.receive(kListenPatience);
      there = line.has_value();
      if (line && *line && **line == kControlInterrupt) stop = true;
    }
    work.join();
    stale_ = true;
    ordered_ = false;
    return reply;
  }

  ControlReply carry_out_afresh(const Order& order, const std::atomic<bool>& stop,
                                steady_clock::time_point ordered_at, const Progress& progress) {
    const auto site = Site::open(fleet_path_, Access::serve, progress);
    if (!site) return refusal_of(order, site.error());
    ControlReply reply = answer_order({**site, stop, ordered_at}, order);
    // A rollback may have been carried out although its registry was refused.
    const bool judged = !std::holds_alternative<RollbackOrder>(order);
    if (judged && reply.exit_code == exit_code(Outcome::done)) {
      const std::lock_guard guard(accepting_);
      accepted_ = (*site)->documents();
    }
    return reply;
  }

  void watch() {
    auto next = steady_clock::now();
    std::string last;
    while (!ending_ && !interrupted_) {
      std::this_thread::sleep_for(kListenPatience);
      if (steady_clock::now() < next) continue;
      next = steady_clock::now() + kLookEvery;
      if (ordered_) continue;
      const auto looked = look();
      const std::string trouble = looked ? std::string() : looked.error().message;
      if (trouble != last && !trouble.empty()) progress_("watching: " + trouble);
      last = trouble;
    }
  }

  Status look() {
    const bool ordered = stale_.exchange(false);
    if (fleet_.site() == nullptr || ordered || steady_clock::now() - read_at_ > kReadAgainEvery) {
      // What an order booted is not booted again.
      Watched watched = watcher_ && !ordered ? watcher_->watched() : Watched();
      watcher_.reset();
      read_documents_again();
      if (fleet_.site() != nullptr) watcher_.emplace(*fleet_.site(), ordered_, std::move(watched));
    }
    return watcher_ ? watcher_->look(fleet_.revivals()) : Status();
  }

  void read_documents_again() {
    {
      const std::lock_guard guard(accepting_);
      if (accepted_) fleet_.accept(*accepted_);
      accepted_.reset();
    }
    const std::string last = fleet_.trouble();
    fleet_.renew();
    read_at_ = steady_clock::now();
    if (fleet_.trouble() == last) return;
    progress_("documents: " +
              (fleet_.trouble().empty() ? "in order again, and used" : fleet_.trouble()));
  }

  Result<std::unique_ptr<Site>> open_to_look() {
    TRY_ASSIGN(auto site, Site::open(fleet_path_, Access::serve, progress_));
    site->end_when(interrupted_);
    site->end_calls_when(interrupted_);
    return site;
  }

  const std::string fleet_path_;
  const std::atomic<bool>& interrupted_;
  const Progress progress_;
  std::string state_;  ///< the folder
  std::atomic<bool> ending_{false};
  std::mutex orders_;  ///< one at a time
  std::atomic<bool> ordered_{false};
  std::list<Session> sessions_;
  std::atomic<bool> stale_{false};  ///< an order was carried out since documents were read
  std::mutex accepting_;
  std::optional<Documents> accepted_;  ///< that an order was done with
  // The watching thread's own.
  WatchedSite fleet_{[this] { return open_to_look(); }};
  std::optional<Watcher> watcher_;
  steady_clock::time_point read_at_;
};

/// The order was given to a process that went away: it may have been carried out, or in part.
ControlReply left_alone(const Order& order, const Error& error) {
  Report report;
  report.order = name_of(order);
  if (const ReleaseName* release = release_of(order)) report.release = release->string();
  report.outcome = Outcome::needs_person;
  report.refusal =
      Reason{Code::failed, "the serving process does not answer any more (" + error.message +
                               "), so how far the order came is not known; "
                               "`weir-deployer status` shows what is true and what "
                               "to do next"};
  return {{}, print_text(report),       print_json(report), report.refusal->text,
          {}, exit_code(report.outcome)};
}

}  // namespace

ControlReply refusal_of(const Order& order, const Error& error) {
  Report report;
  report.order = name_of(order);
  if (const ReleaseName* release = release_of(order)) report.release = release->string();
  report.outcome = error.code == Errc::bug ? Outcome::needs_person : Outcome::failed;
  report.refusal = Reason{code_named(error.reason), error.message};
  report.error_code = name_of(error.code);
  return {{},
          {},
          print_json(report),
          error.message,
          std::string(name_of(error.code)),
          exit_code(report.outcome)};
}

ControlReply answer_order(const Orders& orders, const Order& order) {
  const auto report = run_order(orders, order);
  if (!report) return refusal_of(order, report.error());
  return {{},
          print_text(*report),
          print_json(*report),
          report->refusal ? report->refusal->text : std::string(),
          {},
          exit_code(report->outcome)};
}

Status serve(const std::string& fleet_path, const std::atomic<bool>& interrupted,
             Progress progress) {
  return Server(fleet_path, interrupted, std::move(progress)).run();
}

Result<std::optional<ControlReply>> order_from_server(const std::string& fleet_path,
                                                      const Order& order,
                                                      const std::atomic<bool>& interrupted,
                                                      const Progress& progress,
                                                      std::chrono::milliseconds silence) {
  TRY_ASSIGN(const std::string path, control_path(fleet_path));
  auto connection = connect_control(path);
  if (!connection) {
    if (connection.error().code == Errc::not_found) return std::optional<ControlReply>();
    return tl::unexpected(std::move(connection).error());
  }
  TRY(connection->send(print(order)));
  bool told = false;
  auto heard = steady_clock::now();
  for (;;) {
    const auto received = connection->receive(kListenPatience);
    if (!received) return std::optional(left_alone(order, received.error()));
    if (told && !*received && steady_clock::now() - heard > silence) {
      const Error error{Errc::timeout, 0, "it was told to end the order, and is silent since"};
      return std::optional(left_alone(order, error));
    }
    if (const auto& line = *received) {
      heard = steady_clock::now();
      TRY_ASSIGN(auto reply, parse_control_reply(*line));
      if (!reply.progress) return std::optional<ControlReply>(std::move(reply));
      progress(*reply.progress);
    }
    if (interrupted && !told) {
      told = true;
      heard = steady_clock::now();
      if (auto sent = connection->send(kControlInterrupt); !sent) {
        return std::optional(left_alone(order, sent.error()));
      }
    }
  }
}

}  // namespace weir::deployer
