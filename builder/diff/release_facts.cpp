#include "builder/diff/release_facts.h"

#include <algorithm>

namespace weir::builder {

void unpack_over(ImageEntries& below, const images::FileTree& tree, const std::string& layer) {
  for (const auto& [path, listed] : list_entries(tree)) {
    ImageEntry out{listed, 0, std::nullopt, layer};
    const auto parsed = images::ImagePath::parse(path);
    const images::Node* node = parsed ? tree.find(*parsed) : nullptr;
    if (node != nullptr && node->file() != nullptr) {
      out.size = node->file()->content->size();
      out.digest = Digest::of(*node->file()->content);
    }
    const auto there = below.find(path);
    // A folder belongs to the first layer that has it: many do.
    if (there != below.end() && listed.kind == EntryKind::folder) out.layer = there->second.layer;
    below.insert_or_assign(path, std::move(out));
  }
}

std::string module_of(const std::string& path) {
  if (!path.starts_with("usr/lib/modules/")) return {};
  std::string name = path.substr(path.rfind('/') + 1);
  const auto suffix = name.find(".ko");
  if (suffix == std::string::npos) return {};
  name.resize(suffix);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

}  // namespace weir::builder
