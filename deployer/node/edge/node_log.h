#pragma once

#include <string>
#include <string_view>

namespace weir::node {

/// Where both programs of a node keep what they say: a ring of two files in RAM, /run/weir/log and
/// log.1, so that it outlives a restart of the agent. Seconds since boot come first, whatever the
/// clock is set to. Nothing secret and no client's address may be logged.
class NodeLog {
 public:
  /// who: "init" or "node". Every line goes to standard error (the console) too.
  explicit NodeLog(std::string who) : who_(std::move(who)) {}

  void say(std::string_view line) const;

  /// Both files, oldest line first.
  [[nodiscard]] static std::string read_all();

 private:
  std::string who_;
};

}  // namespace weir::node
