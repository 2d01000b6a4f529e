#include "builder/lock/edge/reviewed_lists.h"

#include "builder/lock/shipped_lists.h"
#include "manifests/base/edge/file.h"

namespace weir::builder {
namespace {

constexpr ByteCount kLargestList{1ULL << 20};

bool is_file(const std::string& name) {
  return name.find('/') != std::string::npos || name.ends_with(".yaml") || name.ends_with(".yml");
}

std::string beside(const std::string& manifest, const std::string& name) {
  const auto slash = manifest.rfind('/');
  if (name.starts_with('/') || slash == std::string::npos) return name;
  return manifest.substr(0, slash + 1) + name;
}

Result<manifests::ReviewedList> read_list(const std::string& name, const std::string& manifest) {
  if (is_file(name)) {
    const std::string path = beside(manifest, name);
    TRY_ASSIGN(const std::string text, read_file(path, kLargestList));
    return manifests::parse_reviewed_list(text, path);
  }
  const auto text = shipped_list(name);
  if (!text) {
    std::string known;
    for (const std::string& each : shipped_lists()) known += (known.empty() ? "" : ", ") + each;
    return fail(Errc::not_found, manifest + ": reviewed: no list '" + name + "' is shipped (" +
                                     known + "); a file of yours is written with a slash: ./" +
                                     name + ".yaml");
  }
  return manifests::parse_reviewed_list(*text, name);
}

}  // namespace

Result<std::vector<manifests::ReviewedList>> read_reviewed_lists(
    const manifests::ImageManifest& manifest, const std::string& manifest_path) {
  std::vector<manifests::ReviewedList> out;
  for (const std::string& name : manifest.reviewed) {
    TRY_ASSIGN(auto list, read_list(name, manifest_path));
    out.push_back(std::move(list));
  }
  return out;
}

}  // namespace weir::builder
