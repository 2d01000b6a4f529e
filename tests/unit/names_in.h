#pragma once

#include <filesystem>
#include <set>
#include <string>

namespace weir::test {

/// What lies in a folder, by name.
inline std::set<std::string> names_in(const std::string& folder) {
  std::set<std::string> out;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    out.insert(entry.path().filename());
  }
  return out;
}

}  // namespace weir::test
