#include "builder/commands/image_draft.h"

#include <algorithm>

#include "manifests/documents/image_manifest.h"

namespace weir::builder {
namespace {

// Where the value of a field at the left edge begins; its line's end where there is none.
std::size_t value_of(const std::string& text, std::string_view field) {
  const std::string key = "\n" + std::string(field) + ": ";
  const auto at = text.find(key);
  return at == std::string::npos ? text.size() : at + key.size();
}

}  // namespace

Result<std::string> draft_image(std::string_view example, const ImageAnswers& answers) {
  TRY_ASSIGN_IN(const auto known, manifests::parse_image_manifest(example), "the example");
  std::string out(example);
  constexpr std::string_view kSchema = "../docs/schemas/";
  if (const auto at = out.find(kSchema); at != std::string::npos) {
    out.replace(at, kSchema.size(), "/usr/share/weir/schemas/");
  }
  const auto name = value_of(out, "name");
  out.replace(name, out.find('\n', name) - name, answers.name);
  std::string more;
  for (const std::string& package : answers.packages) {
    const auto& there = known.packages;
    if (std::find(there.begin(), there.end(), package) == there.end()) more += ", " + package;
  }
  const auto end = out.find(']', value_of(out, "packages"));
  if (end == std::string::npos) return fail(Errc::bug, "the example has no list of packages");
  out.insert(end, more);
  TRY(manifests::parse_image_manifest(out, "--name, --package"));
  return out;
}

}  // namespace weir::builder
