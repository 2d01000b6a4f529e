#include <nlohmann/json.hpp>

#include "builder/diff/release_diff_print.h"

namespace weir::builder {
namespace {

using nlohmann::ordered_json;

ordered_json text_or_null(const std::string& text) {
  return text.empty() ? ordered_json(nullptr) : ordered_json(text);
}

ordered_json to_json(const VersionChange& change) {
  return {{"name", change.name},
          {"change", name_of(change.change)},
          {"from", text_or_null(change.from)},
          {"to", text_or_null(change.to)}};
}

ordered_json to_json(const PackageChange& change) {
  ordered_json out = to_json(change.version);
  out["why"] = text_or_null(change.why);
  out["bytes_from"] = change.size_from;
  out["bytes_to"] = change.size_to;
  return out;
}

ordered_json to_json(const FileChange& change) {
  return {{"path", change.path},
          {"change", name_of(change.change)},
          {"layer", change.layer},
          {"bytes_from", change.size_from},
          {"bytes_to", change.size_to}};
}

ordered_json to_json(const SettingChange& change) {
  return {
      {"name", change.name}, {"from", text_or_null(change.from)}, {"to", text_or_null(change.to)}};
}

ordered_json to_json(const SizeChange& change) {
  return {{"name", change.name}, {"from", change.from}, {"to", change.to}};
}

ordered_json to_json(const Risk& risk) {
  return {{"level", name_of(risk.level)}, {"text", risk.sentence}};
}

template <class T>
ordered_json list(const std::vector<T>& items) {
  ordered_json out = ordered_json::array();
  for (const T& item : items) out.push_back(to_json(item));
  return out;
}

}  // namespace

std::string print_json(const ReleaseDiff& diff) {
  const KernelChange& kernel = diff.kernel;
  const auto side = [](const std::string& package, const std::string& version,
                       const std::string& release, const std::string& build_id) -> ordered_json {
    return {
        {"package", package}, {"version", version}, {"release", release}, {"build_id", build_id}};
  };
  const ordered_json out = {
      {"from", {{"release", diff.name_from}, {"digest", diff.digest_from.string()}}},
      {"to", {{"release", diff.name_to}, {"digest", diff.digest_to.string()}}},
      {"same", diff.digest_from == diff.digest_to},
      {"risks", list(diff.risks)},
      {"kernel",
       {{"change", name_of(kernel.change)},
        {"from",
         side(kernel.package_from, kernel.version_from, kernel.release_from, kernel.build_id_from)},
        {"to", side(kernel.package_to, kernel.version_to, kernel.release_to, kernel.build_id_to)}}},
      {"modules", list(diff.modules)},
      {"tools", list(diff.tools)},
      {"packages", list(diff.packages)},
      {"packages_unchanged", diff.packages_unchanged},
      {"settings", list(diff.settings)},
      {"sizes", list(diff.sizes)},
      {"travel",
       {{"bytes", diff.travel.bytes},
        {"whole", diff.travel.whole},
        {"blobs", diff.travel.blobs},
        {"all_blobs", diff.travel.all_blobs},
        {"names", diff.travel.names}}},
      {"files", list(diff.files)}};
  return out.dump(2, ' ', true, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace weir::builder
