# Writes the source behind builder/validate/schemas.h: every schema of a folder as a text.
#
# usage: cmake -DFOLDER=docs/schemas -DOUT=schemas.cpp -P embed_schemas.cmake
file(GLOB files ${FOLDER}/*.schema.json)
set(entries "")
foreach(file IN LISTS files)
  get_filename_component(name ${file} NAME)
  string(REPLACE ".schema.json" "" name ${name})
  file(READ ${file} text)
  string(APPEND entries "    {\"${name}\", R\"schema(${text})schema\"},\n")
endforeach()
list(LENGTH files count)
file(WRITE ${OUT} "#include \"builder/validate/schemas.h\"

#include <algorithm>
#include <array>

namespace weir::builder {
namespace {

struct Schema {
  std::string_view name, text;
};
constexpr std::array<Schema, ${count}> kSchemas = {{
${entries}}};

}  // namespace

std::optional<std::string_view> schema_text(std::string_view name) {
  const auto* found = std::find_if(kSchemas.begin(), kSchemas.end(),
                                   [&](const Schema& each) { return each.name == name; });
  if (found == kSchemas.end()) return std::nullopt;
  return found->text;
}

}  // namespace weir::builder
")
