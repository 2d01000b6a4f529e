#include "keys/commands/edge/command.h"

#include <sys/stat.h>

namespace weir::keys {

Answer misused(const std::string& why) {
  return {why, {}, 2};
}

std::string text_of(const boost::program_options::variables_map& given, const char* name) {
  return given[name].as<std::string>();
}

std::optional<std::string> optional_text(const boost::program_options::variables_map& given,
                                         const char* name) {
  if (given.count(name) == 0) return std::nullopt;
  return text_of(given, name);
}

bool exists(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0;
}

}  // namespace weir::keys
