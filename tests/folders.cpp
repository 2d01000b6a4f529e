#include "tests/folders.h"

namespace weir::test {

const std::string& source_folder() {
  static const std::string path = WEIR_SOURCE_DIR;
  return path;
}

const std::string& build_folder() {
  static const std::string path = WEIR_BINARY_DIR;
  return path;
}

}  // namespace weir::test
