#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "manifests/base/edge/program.h"
#include "manifests/base/result.h"

// A heavy header: for the files that hold weir-keys' commands.
namespace weir::keys {

/// What a command did: for people and for machines.
struct Answer {
  std::string text;
  nlohmann::ordered_json json;
  Exit exit = Exit::done;  ///< done, or needs_person
};

/// What every command of weir-keys takes.
struct Manner {
  bool json = false, plan = false;
};

/// Adds --json and --plan to a command whose work is `work`, prints its answers as they ask for,
/// and with --json its failures too. `manner` outlives the command, as what its options point into.
[[nodiscard]] Command answering(Command command, const std::shared_ptr<const Manner>& manner,
                                Manner* asked, std::function<Result<Answer>()> work);

/// The same for options that derive from Manner.
template <class Given>
[[nodiscard]] Command answering(Command command, const std::shared_ptr<Given>& given,
                                Result<Answer> (*work)(const Given&)) {
  return answering(std::move(command), given, given.get(), [given, work] { return work(*given); });
}

/// A remark on stderr, besides the answer.
void say(const std::string& line);

/// Whether anything has this name, a broken link too.
[[nodiscard]] bool exists(const std::string& path);

}  // namespace weir::keys
