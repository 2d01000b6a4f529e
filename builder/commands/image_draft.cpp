#include "builder/commands/image_draft.h"

#include <algorithm>

#include "builder/lock/shipped_lists.h"
#include "manifests/base/yaml_scalar.h"
#include "manifests/documents/image_manifest.h"
#include "manifests/documents/package_url.h"
#include "manifests/documents/reviewed_list.h"

namespace weir::builder {
namespace {

// Where the value of a field at the left edge begins; its line's end where there is none.
std::size_t value_of(const std::string& text, std::string_view field) {
  const std::string key = "\n" + std::string(field) + ": ";
  const auto at = text.find(key);
  return at == std::string::npos ? text.size() : at + key.size();
}

// The shipped list that says "Debian 12 (bookworm)" of itself, where the manifest's first suite is
// of that release; empty: there is none.
Result<std::string> reviewed_list_for(const manifests::ImageManifest& manifest) {
  if (manifest.sources.empty() || manifest.sources.front().suites.empty()) return std::string();
  const std::string codename(manifests::codename_of(manifest.sources.front().suites.front()));
  for (const std::string& name : shipped_lists()) {
    TRY_ASSIGN_IN(const auto list, manifests::parse_reviewed_list(*shipped_list(name)), name);
    if (list.release.ends_with("(" + codename + ")")) return name;
  }
  return std::string();
}

}  // namespace

Result<std::vector<std::string>> packages_beyond(std::string_view example,
                                                 const ImageAnswers& answers) {
  TRY_ASSIGN_IN(const auto known, manifests::parse_image_manifest(example), "the example");
  std::vector<std::string> out;
  for (const std::string& package : answers.packages) {
    const auto& there = known.packages;
    if (std::find(there.begin(), there.end(), package) == there.end()) out.push_back(package);
  }
  return out;
}

Result<std::string> draft_image(std::string_view example, const ImageAnswers& answers) {
  TRY_ASSIGN_IN(const auto known, manifests::parse_image_manifest(example), "the example");
  std::string out(example);
  constexpr std::string_view kSchema = "../docs/schemas/";
  if (const auto at = out.find(kSchema); at != std::string::npos) {
    out.replace(at, kSchema.size(), "/usr/share/weir/schemas/");
  }
  const auto name = value_of(out, "name");
  out.replace(name, out.find('\n', name) - name,
              manifests::is_plain_text(answers.name) ? answers.name : '"' + answers.name + '"');
  TRY_ASSIGN(const auto beyond, packages_beyond(example, answers));
  std::string more;
  for (const std::string& package : beyond) more += ", " + package;
  const auto end = out.find(']', value_of(out, "packages"));
  if (end == std::string::npos) return fail(Errc::bug, "the example has no list of packages");
  out.insert(end, more);
  if (!beyond.empty() && known.reviewed.empty()) {
    TRY_ASSIGN(const std::string list, reviewed_list_for(known));
    const std::string said =
        "\n\n# What the scripts of other packages do, as somebody found who read "
        "them.\nreviewed: " +
        list;
    if (!list.empty()) out.insert(out.find('\n', end), said);
  }
  // With a line of a file that nobody wrote it would say where.
  auto whole = manifests::parse_image_manifest(out, "--package");
  if (!whole) {
    std::string& message = whole.error().message;
    const auto digits =
        message.find_first_not_of("0123456789", std::string_view("--package:").size());
    if (message.starts_with("--package:")) message.erase(9, digits - 9);
    return tl::unexpected(std::move(whole).error());
  }
  return out;
}

}  // namespace weir::builder
