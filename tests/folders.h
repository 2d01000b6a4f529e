#pragma once

#include <string>

/// Where tests find what the repository holds and what was built. Only folders.cpp is compiled with
/// these paths: any clone takes every other test's object from the compiler's cache.
namespace weir::test {

[[nodiscard]] const std::string& source_folder();  ///< the repository
[[nodiscard]] const std::string& build_folder();   ///< programs are in its bin/

}  // namespace weir::test
