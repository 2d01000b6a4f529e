# Writes the source behind builder/lock/shipped_lists.h: every reviewed list of a folder as a text.
#
# usage: cmake -DFOLDER=examples/reviewed -DOUT=shipped_lists.cpp -P embed_lists.cmake
file(GLOB files ${FOLDER}/*.yaml)
set(entries "")
foreach(file IN LISTS files)
  get_filename_component(name ${file} NAME_WE)
  file(READ ${file} text)
  string(APPEND entries "    {\"${name}\", R\"list(${text})list\"},\n")
endforeach()
list(LENGTH files count)
file(WRITE ${OUT} "#include \"builder/lock/shipped_lists.h\"

#include <array>

namespace weir::builder {
namespace {

struct List {
  std::string_view name, text;
};
constexpr std::array<List, ${count}> kLists = {{
${entries}}};

}  // namespace

std::optional<std::string_view> shipped_list(std::string_view name) {
  for (const List& each : kLists) {
    if (each.name == name) return each.text;
  }
  return std::nullopt;
}

std::vector<std::string> shipped_lists() {
  std::vector<std::string> out;
  for (const List& each : kLists) out.emplace_back(each.name);
  return out;
}

}  // namespace weir::builder
")
