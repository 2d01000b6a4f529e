#include "builder/layers/system_layers.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

#include "manifests/documents/image_places.h"

namespace weir::builder {

TEST_CASE("what Weir puts into every image is what a manifest's files must not be") {
  Settings settings{Digest::of(as_bytes("lock")), {}, {}, {}, {}, "bookworm", true};
  settings.services.push_back({.name = "a", .command = {"/usr/sbin/a"}});
  std::set<std::string> files, folders;
  for (const auto& tree :
       {make_base_tree(0), make_programs_tree("init", "agent"), make_settings_tree(settings, 0)}) {
    REQUIRE(tree.has_value());
    for (const auto& [path, node] : tree->nodes()) {
      const std::string place = "/" + path.string();
      if (node.symlink() != nullptr) continue;
      // That these folders are there follows from what lies in them, and from the links.
      if (place.starts_with("/usr") && node.is_folder()) continue;
      (node.is_folder() ? folders : files).insert(place);
    }
  }
  CHECK(files == std::set<std::string>(manifests::kOwnFiles.begin(), manifests::kOwnFiles.end()));
  CHECK(folders ==
        std::set<std::string>(manifests::kOwnFolders.begin(), manifests::kOwnFolders.end()));
}

}  // namespace weir::builder
