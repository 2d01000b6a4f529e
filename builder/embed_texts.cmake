# Writes the source behind a header whose functions answer with files of the repository, as texts by name.
#
# usage: cmake -DFILES=FOLDER/GLOB -DSUFFIX=.yaml -DHEADER=ROOM/texts.h -DONE=text [-DALL=texts] -DOUT=texts.cpp
#              -P embed_texts.cmake
#
#   std::optional<std::string_view> ONE(std::string_view name)  a file's text; its name is without SUFFIX
#   std::vector<std::string> ALL()                              all names
file(GLOB files ${FILES})
set(entries "")
foreach(file IN LISTS files)
  get_filename_component(name ${file} NAME)
  string(REGEX REPLACE "\\${SUFFIX}$" "" name ${name})
  file(READ ${file} text)
  string(APPEND entries "    {\"${name}\", R\"embedded(${text})embedded\"},\n")
endforeach()
list(LENGTH files count)
set(all "")
if(ALL)
  set(all "
std::vector<std::string> ${ALL}() {
  std::vector<std::string> out;
  for (const Embedded& each : kEmbedded) out.emplace_back(each.name);
  return out;
}
")
endif()
file(WRITE ${OUT} "#include \"${HEADER}\"

#include <array>

namespace weir::builder {
namespace {

struct Embedded {
  std::string_view name, text;
};
constexpr std::array<Embedded, ${count}> kEmbedded = {{
${entries}}};

}  // namespace

std::optional<std::string_view> ${ONE}(std::string_view name) {
  for (const Embedded& each : kEmbedded) {
    if (each.name == name) return each.text;
  }
  return std::nullopt;
}
${all}
}  // namespace weir::builder
")
