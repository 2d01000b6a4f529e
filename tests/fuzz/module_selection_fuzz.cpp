// A kernel package's modules.builtin, modules.builtin.modinfo and a module, with a line "--" before
// the second and the third.
#include <algorithm>
#include <string>

#include "builder/kernel/module_selection.h"
#include "tests/fuzz/property.h"

namespace {

using namespace weir;

constexpr const char* kFolder = "usr/lib/modules/9.9-demo/";

std::string_view take_part(std::string_view& text) {
  constexpr std::string_view kBetween = "\n--\n";
  const auto end = std::min(text.find(kBetween), text.size());
  const auto out = text.substr(0, end);
  text.remove_prefix(std::min(end + kBetween.size(), text.size()));
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  images::FileTree tree;
  const auto put = [&](const std::string& name, std::string_view content) {
    const images::Node node{0644, 0, 0, 0, images::File{images::content_of(content)}};
    MUST_HOLD(tree.put(*images::ImagePath::parse(kFolder + name), node).has_value());
  };
  const auto builtin = take_part(text), facts = take_part(text);
  put("modules.builtin", builtin);
  put("modules.builtin.modinfo", facts);
  put("kernel/one.ko", text);
  put("kernel/two.ko.xz", text);
  const auto index = builder::index_modules(tree);
  MUST_HOLD(index.has_value() && index->release == "9.9-demo");
  MUST_HOLD(index->files.size() == 2 && index->files.contains("one"));
  for (const std::string& name : index->builtin) {
    MUST_HOLD(!name.empty() && name.find_first_of("-\n/") == std::string::npos);
  }
  for (const std::string& alias : index->builtin_aliases) {
    MUST_HOLD(alias.find('\0') == std::string::npos && alias.size() < facts.size());
  }
  for (const char* pinned : {"one", "two"}) {
    const auto selection = builder::select_modules(tree, *index, {pinned});
    if (!selection) {
      MUST_HOLD(!selection.error().message.empty());
      continue;
    }
    MUST_HOLD(selection->load.empty() == index->builtin.contains(pinned));
    for (const std::string& name : selection->load) MUST_HOLD(selection->modules.contains(name));
    for (const auto& [_, selected] : selection->modules) {
      for (const std::string& need : selected.module.depends) {
        MUST_HOLD(selection->modules.contains(need) || index->builtin.contains(need));
      }
    }
  }
  return 0;
}
