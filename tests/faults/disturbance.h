#pragma once

#include <doctest/doctest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/unit/images/scratch.h"

/// A program that is killed, or refused by a full disk, at a call that changes the disk. strace(1)
/// does the faults.
namespace weir::test {

enum class Fault : std::uint8_t { killed, disk_full };

struct Disturbance {
  Fault fault{};
  std::string call;
  int count = 1;  ///< the how-manieth of these calls
};

inline std::string print(const Disturbance& at) {
  return (at.fault == Fault::killed ? "killed at " : "disk full at ") + at.call + " " +
         std::to_string(at.count);
}

/// Everything by which Weir's programs change a disk; of openat only what may make a file.
inline const std::vector<std::string> kCalls = {
    "openat", "write", "pwrite64", "fsync",     "ftruncate", "fchmod",   "chmod",
    "mkdir",  "link",  "rename",   "renameat2", "unlink",    "unlinkat", "rmdir"};

inline bool can_be_refused(const std::string& call) {
  return call != "unlink" && call != "unlinkat" && call != "rmdir";
}

/// A command, run in `folder` on one processor, so that its calls come in the same order each time.
struct Disturbed {
  std::string folder;
  /// Also what its other threads and its children call: counted in each of them by itself.
  bool follow = false;

  [[nodiscard]] std::string text_of(const std::string& name) const {
    return std::filesystem::exists(folder + "/" + name) ? bytes_of(folder + "/" + name) : "";
  }

  /// The calls of the undisturbed command, which succeeds: by name, the positions at which it
  /// changes the disk, counted among all calls of that name.
  [[nodiscard]] std::map<std::string, std::vector<int>> calls_of(const std::string& command) const {
    std::string names;
    for (const std::string& call : kCalls) names += (names.empty() ? "" : ",") + call;
    must("cd " + folder + " && taskset 1 strace " + flags() + " -e trace=" + names + " " + command +
         " > output 2> errors || { cat errors; exit 1; }");
    std::map<std::string, int> seen;
    std::map<std::string, std::set<int>> out;
    std::istringstream lines(text_of("trace"));
    for (std::string line; std::getline(lines, line);) {
      if (line.find(" resumed>") != std::string::npos) continue;
      // "1234 write(" where threads are followed.
      const std::string thread = follow ? line.substr(0, line.find(' ') + 1) : "";
      line.erase(0, line.find_first_not_of(' ', thread.size()));
      const std::string call = line.substr(0, line.find('('));
      if (std::find(kCalls.begin(), kCalls.end(), call) == kCalls.end()) continue;  // a signal
      const int count = ++seen[thread + call];
      const bool reads = call == "openat" && line.find("O_CREAT") == std::string::npos;
      // What it says is not on a disk.
      const bool says =
          call == "write" && (line.starts_with("write(1,") || line.starts_with("write(2,"));
      if (!reads && !says) out[call].insert(count);
    }
    std::map<std::string, std::vector<int>> listed;
    for (const auto& [call, counts] : out) listed[call].assign(counts.begin(), counts.end());
    return listed;
  }

  [[nodiscard]] std::string flags() const {
    return std::string(follow ? "-f " : "") + "-qq -s 0 -o trace";
  }

  /// Where to disturb it: of each kind of call at most `most`, the first and the last among them.
  [[nodiscard]] std::vector<Disturbance> points(const std::string& command,
                                                std::size_t most) const {
    std::vector<Disturbance> out;
    for (const auto& [call, counts] : calls_of(command)) {
      const std::size_t shown = std::min(most, counts.size());
      for (std::size_t i = 0; i < shown; ++i) {
        const int count = counts[shown == 1 ? 0 : i * (counts.size() - 1) / (shown - 1)];
        // A process that dies before it opens left what it left before it.
        if (call != "openat") out.push_back({Fault::killed, call, count});
        if (can_be_refused(call)) out.push_back({Fault::disk_full, call, count});
      }
    }
    return out;
  }

  /// Runs the command with one fault. False: it did not come to it.
  [[nodiscard]] bool disturb(const std::string& command, const Disturbance& at) const {
    const std::string how = at.fault == Fault::killed ? "signal=SIGKILL" : "error=ENOSPC";
    int status = 0;
    output_of("cd " + folder + " && rm -f trace && taskset 1 strace " + flags() +
                  " -e trace=" + at.call + " -e inject=" + at.call + ":" + how +
                  ":when=" + std::to_string(at.count) + " " + command + " > output 2> errors",
              &status);
    if (at.fault == Fault::killed) return status != 0;
    const bool hit = text_of("trace").find("(INJECTED)") != std::string::npos;
    if (hit && status != 0) {
      CHECK(WEXITSTATUS(status) == 1);
      const std::string said = text_of("errors");
      // What in one thread is a write to a file may be in another the error itself.
      const bool silent = follow && said.empty();
      CHECK_MESSAGE((silent || said.find("No space left on device") != std::string::npos), said);
      // Only who was killed may leave something behind.
      CHECK(unfinished() == "");
    }
    return hit;
  }

  /// What a writer left that was never given its name.
  [[nodiscard]] std::string unfinished() const {
    return must("cd " + folder + " && find . -name '*.unfinished.*' -o -name '.new.*'");
  }

  /// Disturbs `command` at its calls, each time after `prepare` and with `after` behind it. `after`
  /// runs the command again: then nothing unfinished is left.
  template <class Prepare, class After>
  void everywhere(Prepare prepare, const std::string& command, After after,
                  std::size_t most = 5) const {
    prepare();
    const std::vector<Disturbance> all = points(command, most);
    std::map<std::string, int> done;
    for (const Disturbance& at : all) {
      const std::string where = print(at);
      CAPTURE(where);
      prepare();
      if (!disturb(command, at)) continue;
      ++done[at.call];
      after();
      CHECK(unfinished() == "");
    }
    std::string counts;
    std::size_t hits = 0;
    for (const auto& [call, count] : done) {
      counts += " " + call + " " + std::to_string(count);
      hits += static_cast<std::size_t>(count);
    }
    MESSAGE("disturbed" << counts);
    // Nearly all: a program may make a call more or less from run to run.
    CHECK(hits * 10 >= all.size() * 9);
    CHECK(hits > 0);
  }
};

}  // namespace weir::test
