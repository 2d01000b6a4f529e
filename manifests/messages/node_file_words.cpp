#include "manifests/messages/node_file_words.h"

#include <algorithm>

#include "manifests/base/names.h"
#include "manifests/base/printable.h"

namespace weir::manifests {

Result<std::vector<NodeFileWord>> parse_node_file_words(const std::vector<std::string>& words) {
  std::vector<NodeFileWord> out;
  for (const std::string& word : words) {
    const auto equals = word.find('=');
    NodeFileWord file{word.substr(0, equals),
                      equals == std::string::npos ? std::string() : word.substr(equals + 1)};
    if (file.path.empty() || !check_name(file.name)) {
      return fail(Errc::invalid_input, "--node-file: " + quotation(word) + " is not NAME=FILE");
    }
    const auto same = [&](const NodeFileWord& other) { return other.name == file.name; };
    if (std::any_of(out.begin(), out.end(), same)) {
      return fail(Errc::invalid_input, "--node-file: " + file.name + " is given twice");
    }
    out.push_back(std::move(file));
  }
  return out;
}

}  // namespace weir::manifests
