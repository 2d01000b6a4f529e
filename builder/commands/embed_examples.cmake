# Writes the source behind builder/commands/example_images.h: every image manifest of a folder as a text.
#
# usage: cmake -DFOLDER=examples -DOUT=example_images.cpp -P embed_examples.cmake
file(GLOB files ${FOLDER}/gateway-*.yaml)
set(entries "")
foreach(file IN LISTS files)
  get_filename_component(name ${file} NAME_WLE)
  file(READ ${file} text)
  string(APPEND entries "    {\"${name}\", R\"example(${text})example\"},\n")
endforeach()
list(LENGTH files count)
file(WRITE ${OUT} "#include \"builder/commands/example_images.h\"

#include <array>

namespace weir::builder {
namespace {

struct Example {
  std::string_view name, text;
};
constexpr std::array<Example, ${count}> kExamples = {{
${entries}}};

}  // namespace

std::optional<std::string_view> example_image(std::string_view name) {
  for (const Example& each : kExamples) {
    if (each.name == name) return each.text;
  }
  return std::nullopt;
}

std::vector<std::string> example_images() {
  std::vector<std::string> out;
  for (const Example& each : kExamples) out.emplace_back(each.name);
  return out;
}

}  // namespace weir::builder
")
