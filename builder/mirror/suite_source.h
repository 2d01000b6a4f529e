#pragma once

#include <string>
#include <vector>

namespace weir::builder {

/// One suite of one source: what is asked for, who may sign it, and where it may be.
struct SuiteSource {
  std::string label;  ///< what documents call it: "bookworm", "frr:stable"
  std::string suite;  ///< what its archive calls it: "bookworm"; a flat one ends with "/"
  std::vector<std::string> components{};  ///< none of a flat one
  std::vector<std::string> keyrings{};    ///< absolute paths; whoever is in one of them may sign
  std::string key_block{};                ///< the keys themselves, where no file has them
  std::vector<std::string> uris{};        ///< of the file of apt's that names it, in its order
};

}  // namespace weir::builder
