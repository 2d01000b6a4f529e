// Texts of packages: control and copyright files, with a line "--" between them. A copyright file
// of one line "-> TARGET" is a link.
#include <algorithm>
#include <string>

#include "builder/packages/copyright_file.h"
#include "builder/packages/package_declarations.h"
#include "builder/packages/package_relations.h"
#include "tests/fuzz/property.h"

namespace {

using namespace weir;

void check_expression(const std::string& expression) {
  int open = 0;
  for (const char c : expression) {
    open += c == '(' ? 1 : c == ')' ? -1 : 0;
    MUST_HOLD(open >= 0);
    MUST_HOLD(c >= ' ' && c <= '~');
  }
  MUST_HOLD(open == 0);
  for (const std::string& name : builder::license_references(expression)) {
    MUST_HOLD(name.size() > std::string_view("LicenseRef-").size());
    // SPDX 2.3, annex D.1: letters, digits, '.' and '-'.
    MUST_HOLD(std::all_of(name.begin(), name.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '.' || c == '-';
    }));
  }
}

void put(images::FileTree& tree, const std::string& path, images::Node node) {
  MUST_HOLD(tree.put(*images::ImagePath::parse(path), std::move(node)).has_value());
}

images::FileTree layer_of(std::string_view control, std::string_view copyright) {
  images::FileTree tree;
  put(tree, "var/lib/dpkg/status.d/a", {0644, 0, 0, 0, images::File{images::content_of(control)}});
  constexpr std::string_view kLink = "-> ";
  const bool link = copyright.starts_with(kLink);
  const auto target = copyright.substr(link ? kLink.size() : 0);
  if (link) {
    put(tree, "usr/share/doc/a", {0777, 0, 0, 0, images::Symlink{std::string(target)}});
  } else {
    put(tree, "usr/share/doc/a/copyright",
        {0644, 0, 0, 0, images::File{images::content_of(copyright)}});
  }
  return tree;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_expression(builder::license_expression(text));
  constexpr std::string_view kBetween = "\n--\n";
  const auto end = std::min(text.find(kBetween), text.size());
  const auto copyright = text.substr(std::min(end + kBetween.size(), text.size()));
  const auto said = builder::declarations_of(layer_of(text.substr(0, end), copyright), "a");
  MUST_HOLD(said.licenses.empty() || said.licenses_of.empty());
  check_expression(said.licenses);
  MUST_HOLD(said.licenses_of.find('/') == std::string::npos);

  // Beside it one that is linked to it, so that links may go in a circle.
  builder::PackageDeclarations other = said;
  other.licenses_of = "a";
  const builder::Declarations all = {{"a", said}, {"b", other}};
  check_expression(builder::licenses_of(all, "b"));
  std::vector<manifests::LockedPackage> packages(
      3, {"a", "1.0-1", "amd64", "pool/a.deb", ByteCount{1}, Digest::of({}), "demo", "asked for"});
  packages[1].name = "b";
  packages[1].version = "2:1~rc1";
  packages[2].name = "c";
  const auto needs = builder::needs_among(packages, all);
  if (!needs) {
    MUST_HOLD(needs.error().code == Errc::invalid_input);
    return 0;
  }
  MUST_HOLD(needs->size() == packages.size());
  for (const auto& [name, list] : *needs) {
    MUST_HOLD(std::is_sorted(list.begin(), list.end()));
    for (const std::string& need : list) MUST_HOLD(need != name && needs->contains(need));
  }
  return 0;
}
