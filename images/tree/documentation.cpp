#include "images/tree/documentation.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace weir::images {
namespace {

constexpr std::string_view kDoc = "usr/share/doc";
constexpr std::array<std::string_view, 8> kFolders = {
    "usr/share/man",  "usr/share/info",    "usr/share/locale", "usr/share/doc-base",
    "usr/share/help", "usr/share/lintian", "usr/share/bug",    "usr/share/gtk-doc"};

}  // namespace

bool is_documentation(const ImagePath& path) {
  if (path.is_within(kDoc)) {
    if (path.string().size() <= kDoc.size()) return false;
    const auto depth = std::count(path.string().begin(), path.string().end(), '/') - 2;
    // usr/share/doc/PACKAGE, a folder or a link to another package's, and its copyright.
    return depth > 2 || (depth == 2 && path.name() != "copyright");
  }
  return std::any_of(kFolders.begin(), kFolders.end(),
                     [&](std::string_view folder) { return path.is_within(folder); });
}

}  // namespace weir::images
