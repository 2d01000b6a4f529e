#include "builder/boot_check/node_files.h"

#include <algorithm>
#include <set>

namespace weir::builder {

Status check_node_files(const std::vector<manifests::NodeFileWord>& given,
                        const std::vector<manifests::ServiceSettings>& services) {
  std::set<std::string> asked;
  for (const auto& service : services) {
    for (const auto& file : service.files) {
      asked.insert(file.name);
      const auto is_it = [&](const manifests::NodeFileWord& word) {
        return word.name == file.name;
      };
      if (std::any_of(given.begin(), given.end(), is_it)) continue;
      return fail(Errc::not_found, "service " + service.name + " asks for the node's file " +
                                       file.name + ": give one that it starts with, --node-file " +
                                       file.name + "=FILE");
    }
  }
  for (const auto& word : given) {
    if (asked.contains(word.name)) continue;
    std::string all;
    for (const auto& name : asked) all += (all.empty() ? "" : ", ") + name;
    return fail(Errc::invalid_input,
                "--node-file: no service asks for " + word.name +
                    (all.empty() ? "; they ask for none" : "; they ask for " + all));
  }
  return {};
}

}  // namespace weir::builder
