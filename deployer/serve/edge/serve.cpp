#include "deployer/serve/edge/serve.h"

#include <list>
#include <mutex>
#include <thread>

#include "deployer/orders/edge/orders.h"
#include "deployer/serve/edge/control_socket.h"
#include "deployer/serve/edge/watcher.h"

namespace weir::deployer {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kAcceptPatience{200};
constexpr milliseconds kOrderPatience{5000};
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
    TRY_ASSIGN(const auto owner, Site::open(fleet_path_, Site::Access::write, progress_));
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
    const auto line = connection.receive(kOrderPatience);
    if (!line || !*line) return;
    auto order = parse_control_order(**line);
    ControlReply reply;
    if (!order) {
      reply.exit_code = 2;
      reply.error = order.error().message;
    } else {
      reply = obey(connection, *order);
    }
    (void)connection.send(print(reply));
  }

  ControlReply obey(ControlConnection& connection, const ControlOrder& order) {
    const std::unique_lock one(orders_, std::try_to_lock);
    if (!one) return {{}, {}, {}, "another order is being carried out; `status` tells which", 1};
    const auto ordered_at = steady_clock::now();
    // A look under way reads on, but changes nothing any more; no order waits for it.
    ordered_ = true;
    std::atomic<bool> stop{false};
    std::atomic<bool> over{false};
    std::mutex sending;
    ControlReply reply;
    std::thread work([&] {
      reply = carry_out(order, stop, ordered_at, [&](const std::string& text) {
        progress_(text);
        ControlReply progress;
        progress.progress = text;
        const std::lock_guard guard(sending);
        (void)connection.send(print(progress));  // who went away is not worth stopping for
      });
      over = true;
    });
    bool there = true;
    while (!over) {
      if (ending_) stop = true;
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

  ControlReply carry_out(const ControlOrder& order, const std::atomic<bool>& stop,
                         steady_clock::time_point ordered_at, const Progress& progress) {
    const auto obeyed = [&]() -> Result<ControlReply> {
      TRY_ASSIGN(const auto site, Site::open(fleet_path_, Site::Access::read, progress));
      return run_control_order(*site, order, stop, ordered_at);
    }();
    if (obeyed) return *obeyed;
    return {{}, {}, {}, obeyed.error().message, obeyed.error().code == Errc::bug ? 4 : 1};
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
    if (!site_ || stale_.exchange(false) || steady_clock::now() - opened_at_ > kReadAgainEvery) {
      watcher_.reset();
      site_.reset();
      TRY_ASSIGN(site_, Site::open(fleet_path_, Site::Access::read, progress_));
      opened_at_ = steady_clock::now();
    }
    if (!watcher_) watcher_.emplace(*site_, ordered_);
    return watcher_->look();
  }

  const std::string fleet_path_;
  const std::atomic<bool>& interrupted_;
  const Progress progress_;
  std::atomic<bool> ending_{false};
  std::mutex orders_;  ///< one at a time
  std::atomic<bool> ordered_{false};
  std::list<Session> sessions_;
  // The watching thread's own.
  std::atomic<bool> stale_{false};
  std::unique_ptr<Site> site_;
  std::optional<Watcher> watcher_;
  steady_clock::time_point opened_at_;
};

}  // namespace

Result<ControlReply> run_control_order(Site& site, const ControlOrder& order,
                                       const std::atomic<bool>& interrupted,
                                       steady_clock::time_point ordered_at) {
  const Orders orders{site, interrupted, ordered_at};
  const auto carry_out = [&]() -> Result<Report> {
    if (order.command == "rollback") return rollback(orders);
    if (order.command == "down") return down(orders);
    TRY_ASSIGN_IN(const auto release, ReleaseName::parse(order.release), "--release");
    if (order.command == "up") return up(orders, release);
    if (order.command == "deploy") return deploy(orders, release, order.strict);
    return fail(Errc::invalid_input, "no order '" + order.command + "'");
  };
  TRY_ASSIGN(const Report report, carry_out());
  return ControlReply{{},
                      print_text(report),
                      print_json(report),
                      report.refusal ? report.refusal->text : std::string(),
                      exit_code(report.outcome)};
}

Status serve(const std::string& fleet_path, const std::atomic<bool>& interrupted,
             Progress progress) {
  return Server(fleet_path, interrupted, std::move(progress)).run();
}

Result<std::optional<ControlReply>> order_from_server(const std::string& fleet_path,
                                                      const ControlOrder& order,
                                                      const std::atomic<bool>& interrupted,
                                                      const Progress& progress) {
  TRY_ASSIGN(const std::string path, control_path(fleet_path));
  auto connection = connect_control(path);
  if (!connection) {
    if (connection.error().code == Errc::not_found) return std::optional<ControlReply>();
    return tl::unexpected(std::move(connection).error());
  }
  TRY(connection->send(print(order)));
  bool told = false;
  for (;;) {
    TRY_ASSIGN_IN(const auto line, connection->receive(kListenPatience), "the serving process");
    if (line) {
      TRY_ASSIGN(auto reply, parse_control_reply(*line));
      if (!reply.progress) return std::optional<ControlReply>(std::move(reply));
      progress(*reply.progress);
    }
    if (interrupted && !told) {
      told = true;
      TRY(connection->send(kControlInterrupt));
    }
  }
}

}  // namespace weir::deployer
