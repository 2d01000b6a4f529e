#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "deployer/rollout/nodelife/edge/pools.h"
#include "deployer/rollout/rollout.h"
#include "deployer/site/edge/site.h"

namespace weir::deployer {

/// A thread that does one thing after the other. What is still queued when it goes is dropped.
class Lane {
 public:
  Lane();
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;
  ~Lane();
  void post(std::function<void()> work);

 private:
  void run();
  std::mutex lock_;
  std::condition_variable ready_;
  std::deque<std::function<void()>> queue_;
  bool ending_ = false;
  std::thread thread_;
};

/// What a rollout works with, beside its plan.
struct Means {
  std::vector<NodeId> boot{};  ///< of the plan's pool: the others run already
  /// What they boot; outlives the rollout. Null: none has to.
  const keys::Verified<manifests::Release>* release = nullptr;
  Removals removals = Removals::take;
};

/// Turns commands into effects and effects into events. One lane a node, so that a dead node holds
/// up nobody else; one for the director; one for what concerns a whole pool.
class Performer {
 public:
  Performer(Site& site, const Plan& plan, Means means);
  Performer(const Performer&) = delete;
  Performer& operator=(const Performer&) = delete;
  ~Performer();

  void perform(Ordered ordered);
  /// The next event, or a Tick after `patience`.
  Event wait(std::chrono::milliseconds patience);

 private:
  struct Node;
  void answer(CommandId id, Event event);
  void bring_up(CommandId id, Command command);
  void on_pool(CommandId id, std::function<Event()> work);
  void on_director(CommandId id, std::function<Event()> work);
  using Call = std::function<Event(node_client::NodeClient&)>;
  void on_node(CommandId id, const NodeId& node, std::chrono::milliseconds timeout, Call call);

  Site& site_;
  const Plan& plan_;
  const Means means_;
  std::mutex lock_;
  std::condition_variable ready_;
  std::deque<Event> events_;
  std::atomic<bool> leaving_{false};
  Lane pool_, director_, machines_;
  std::map<NodeId, std::unique_ptr<Node>> nodes_;
};

}  // namespace weir::deployer
