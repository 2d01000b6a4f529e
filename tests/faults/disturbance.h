#pragma once

#include <doctest/doctest.h>
#include <sys/wait.h>

#include <algorithm>
#include <climits>
#include <cstdint>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/faults/supervisor.h"
#include "tests/unit/images/scratch.h"

/// A program that is killed before a call that changes the disk, or whose disk is full from that
/// call on.
namespace weir::test {

enum class Fault : std::uint8_t { killed, disk_full };

/// A path in which digests (16 hexadecimal digits or more) and names made at random are told by
/// what they are.
inline std::string kind_of_path(std::string_view path) {
  constexpr std::string_view kRandom = "unfinished.";
  constexpr std::size_t kRandomDigits = 6, kDigestDigits = 16;
  std::string out;
  while (!path.empty()) {
    const std::size_t digits =
        std::min(path.find_first_not_of("0123456789abcdefABCDEF"), path.size());
    if (digits >= kDigestDigits) {
      out += "HEX";
      path.remove_prefix(digits);
      continue;
    }
    if (path.starts_with(kRandom)) {
      out.append(kRandom).append("*");
      path.remove_prefix(std::min(kRandom.size() + kRandomDigits, path.size()));
      continue;
    }
    const std::size_t shown = std::max<std::size_t>(digits, 1);
    out += path.substr(0, shown);
    path.remove_prefix(shown);
  }
  return out;
}

/// What a call does to what kind of file: the same for every blob, whatever its digest.
inline std::string kind_of(const Call& call) {
  return call.name + " " + kind_of_path(call.path);
}

struct Disturbance {
  Fault fault{};
  std::string kind;
  int count = 1;  ///< the how-manieth of its kind
};

inline std::string print(const Disturbance& at) {
  return (at.fault == Fault::killed ? "killed before: " : "disk full from: ") + at.kind + ", " +
         std::to_string(at.count);
}

/// Refused at first on a full disk; fsync and a change of mode too: some file systems look for room
/// only then.
inline bool can_be_refused(const Call& call) {
  return call.needs_room || (call.name.find("unlink") == std::string::npos && call.name != "rmdir");
}

/// A command, run in `folder`.
struct Disturbed {
  std::string folder;
  /// Of each kind of call so many are disturbed, the first and the last among them.
  std::size_t most = INT_MAX;

  struct Kind {
    int calls = 0;
    bool can_be_refused = false;
  };

  /// The calls of the undisturbed command, which succeeds. What its children change is theirs.
  [[nodiscard]] std::map<std::string, Kind> calls_of(const std::string& command) const {
    std::map<std::string, Kind> out;
    const Ended ended = supervise(folder, command, [&](const Call& call) {
      if (call.own) {
        Kind& kind = out[kind_of(call)];
        ++kind.calls;
        kind.can_be_refused = can_be_refused(call);
      }
      return Verdict::goes_on;
    });
    REQUIRE_MESSAGE(ended.status == 0, ended.err);
    return out;
  }

  [[nodiscard]] std::vector<Disturbance> points(const std::map<std::string, Kind>& kinds) const {
    std::vector<Disturbance> out;
    for (const auto& [name, kind] : kinds) {
      const int shown = static_cast<int>(std::min(most, static_cast<std::size_t>(kind.calls)));
      for (int i = 0; i < shown; ++i) {
        const int count = shown == 1 ? 1 : 1 + i * (kind.calls - 1) / (shown - 1);
        out.push_back({Fault::killed, name, count});
        if (kind.can_be_refused) out.push_back({Fault::disk_full, name, count});
      }
    }
    return out;
  }

  struct Outcome {
    bool hit = false;   ///< it came to the call
    bool done = false;  ///< it says that it did what it was asked for
  };

  [[nodiscard]] Outcome disturb(const std::string& command, const Disturbance& at) const {
    int seen = 0;
    bool hit = false;
    const Ended ended = supervise(folder, command, [&](const Call& call) {
      if (!hit && call.own && kind_of(call) == at.kind && ++seen == at.count) {
        hit = true;
        return at.fault == Fault::killed ? Verdict::kill : Verdict::no_space;
      }
      // What needs no room still succeeds: who overlooked a refusal gives half a file its name.
      return hit && at.fault == Fault::disk_full && call.needs_room ? Verdict::no_space
                                                                    : Verdict::goes_on;
    });
    if (hit && at.fault == Fault::killed) {
      CHECK((WIFSIGNALED(ended.status) && WTERMSIG(ended.status) == SIGKILL));
    } else if (hit && ended.status != 0) {
      CHECK(WEXITSTATUS(ended.status) == 1);
      CHECK_MESSAGE(ended.err.find("No space left on device") != std::string::npos, ended.err);
    } else {
      CHECK_MESSAGE(ended.status == 0, ended.err);
    }
    // Only who was killed may leave something behind.
    if (at.fault == Fault::disk_full) CHECK(unfinished() == "");
    return {hit, ended.status == 0};
  }

  /// Interrupts `command` (Ctrl-C) before its first call of each kind, those of its children too:
  /// it ends by the signal, and leaves nothing that has no name of its own.
  template <class Prepare>
  void interrupted_everywhere(Prepare prepare, const std::string& command) const {
    const auto named = [](const Call& call) {
      return (call.own ? "" : "a child's ") + kind_of(call);
    };
    std::set<std::string> kinds;
    prepare();
    const Ended whole = supervise(folder, command, [&](const Call& call) {
      kinds.insert(named(call));
      return Verdict::goes_on;
    });
    REQUIRE_MESSAGE(whole.status == 0, whole.err);
    std::size_t hits = 0;
    for (const std::string& kind : kinds) {
      CAPTURE(kind);
      prepare();
      bool hit = false;
      const Ended ended = supervise(folder, command, [&](const Call& call) {
        if (hit || named(call) != kind) return Verdict::goes_on;
        hit = true;
        return Verdict::interrupt;
      });
      if (!hit) continue;
      ++hits;
      CHECK_MESSAGE((WIFSIGNALED(ended.status) && WTERMSIG(ended.status) == SIGINT), ended.err);
      CHECK(unfinished() == "");
    }
    MESSAGE("interrupted at " << hits << " of " << kinds.size() << " kinds of calls");
    CHECK(hits * 10 >= kinds.size() * 9);
    CHECK(hits > 0);
  }

  /// What a writer left that was never given its name.
  [[nodiscard]] std::string unfinished() const {
    return must("cd " + folder + " && find . -name '*.unfinished.*' -o -name '.new.*'");
  }

  /// All that is there, with its modes.
  [[nodiscard]] std::set<std::string> listing() const {
    std::istringstream lines(must("cd " + folder + " && find . -mindepth 1 -printf '%m %P\\n'"));
    std::set<std::string> out;
    for (std::string line; std::getline(lines, line);) out.insert(line);
    return out;
  }

  /// What is missing or too much; empty: nothing.
  [[nodiscard]] static std::string difference(const std::set<std::string>& want,
                                              const std::set<std::string>& got) {
    std::string out;
    for (const auto& line : want) out += got.contains(line) ? "" : "missing: " + line + "\n";
    for (const auto& line : got) out += want.contains(line) ? "" : "too much: " + line + "\n";
    return out;
  }

  /// Disturbs `command` at its calls, each time after `prepare` and with `after(done)` behind it,
  /// `done` being what the command said of itself. `after` sees that the work gets done: then all
  /// is there that is there without a disturbance, and nothing else.
  template <class Prepare, class After>
  void everywhere(Prepare prepare, const std::string& command, After after) const {
    prepare();
    const std::map<std::string, Kind> kinds = calls_of(command);
    after(true);
    const std::set<std::string> whole = listing();
    std::map<std::string, int> tried;
    std::size_t hits = 0, calls = 0;
    const std::vector<Disturbance> all = points(kinds);
    for (const Disturbance& at : all) {
      const std::string where = print(at);
      CAPTURE(where);
      prepare();
      const Outcome outcome = disturb(command, at);
      if (!outcome.hit) continue;
      ++hits;
      ++tried[at.kind];
      after(outcome.done);
      CHECK(difference(whole, listing()) == "");
    }
    for (const auto& [name, kind] : kinds) {
      calls += static_cast<std::size_t>(kind.calls) * (kind.can_be_refused ? 2 : 1);
      const auto& shown = name;
      CHECK_MESSAGE(tried.contains(name), shown);
    }
    MESSAGE("disturbed " << hits << " times of " << calls << " possible, " << tried.size() << " of "
                         << kinds.size() << " kinds of calls");
    // Nearly all: a program may make a call more or less from run to run.
    CHECK(hits * 10 >= all.size() * 9);
    CHECK(hits > 0);
  }
};

}  // namespace weir::test
