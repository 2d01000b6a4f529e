#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tests/lab/lab.h"
#include "tests/lab/observer.h"
#include "tests/lab/report.h"

namespace weir::lab {

/// Says on standard error what is going on, with the time since the start.
void say(const std::string& what);

/// Removes the lab when it goes, whatever happened.
class TearDown {
 public:
  explicit TearDown(std::string folder) : folder_(std::move(folder)) {}
  TearDown(const TearDown&) = delete;
  TearDown& operator=(const TearDown&) = delete;
  ~TearDown();

 private:
  std::string folder_;
};

/// Live clients on a lab whose blue pool is up, with packets flowing, watched from outside.
class Session {
 public:
  /// Connects the clients, waits until each tunnel works, and starts traffic and observer.
  static Result<Session> start(Lab& lab, const std::vector<std::string>& clients);

  /// Gives the order, waits for the command and then until every client is seen on `pool` ("blue"
  /// or "green"). What is not as it should be goes into the report.
  void move(const std::string& name, const Argv& command, const std::string& pool,
            const std::vector<std::string>& staying = {});
  [[nodiscard]] Traffic& traffic() { return traffic_; }
  [[nodiscard]] const Observer& observer() const { return observer_; }
  [[nodiscard]] Report finish();

 private:
  Session(Lab& lab, Traffic traffic, Observer observer)
      : lab_(&lab), traffic_(std::move(traffic)), observer_(std::move(observer)) {}
  Lab* lab_;
  Traffic traffic_;
  Observer observer_;
  std::vector<std::string> clients_;
  Report report_;
};

/// The director's ends of a pool's data links. source: docs/fleet.md, "fabric"
[[nodiscard]] std::vector<std::string> links_of_pool(const std::string& pool, unsigned nodes);

/// The clients the demo moves, and `control`, which it does not.
[[nodiscard]] std::vector<std::string> demo_clients();

struct DemoOptions {
  Lab::Options lab;
  std::string from, to;  ///< releases
  unsigned rounds = 1;   ///< there, back and there again
};
/// The whole story, from an empty machine to the table. errors: the lab or the first pool did not
/// come up; everything later is in the report
[[nodiscard]] Result<Report> run_demo(const DemoOptions& options);

}  // namespace weir::lab
