#pragma once

#include <boost/program_options.hpp>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "manifests/base/result.h"

// A heavy header: for the files that hold weir-keys' commands.
namespace weir::keys {

/// What a command did: for people and for machines.
struct Answer {
  std::string text;
  nlohmann::ordered_json json;
  int status = 0;  ///< exit status: 0 done, 2 wrong usage (text goes to stderr), 4 needs a person
};
/// A command line that cannot be meant; `why` goes to stderr.
[[nodiscard]] Answer misused(const std::string& why);

struct Command {
  const char* name;
  const char* arguments;
  const char* summary;
  const char* examples;
  boost::program_options::options_description (*options)();
  Result<Answer> (*run)(const boost::program_options::variables_map&);
};

[[nodiscard]] std::string text_of(const boost::program_options::variables_map& given,
                                  const char* name);
[[nodiscard]] std::optional<std::string> optional_text(
    const boost::program_options::variables_map& given, const char* name);
/// Whether anything has this name, a broken link too.
[[nodiscard]] bool exists(const std::string& path);

}  // namespace weir::keys
