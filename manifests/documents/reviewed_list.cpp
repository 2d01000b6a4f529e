#include "manifests/documents/reviewed_list.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <utility>

#include "manifests/base/printable.h"
#include "manifests/base/yaml_document.h"

namespace weir::manifests {
namespace {

Result<ReviewedStandIn> parse_stand_in(const YamlField& map) {
  TRY(map.only({"package", "why"}));
  ReviewedStandIn out;
  TRY_ASSIGN(const auto package, map.at("package"));
  TRY_ASSIGN(out.package, package.text());
  if (!is_package_name(out.package)) {
    return package.wrong(quotation(out.package) + " is not a package name");
  }
  TRY_ASSIGN(const auto why, map.at("why"));
  TRY_ASSIGN(out.why, why.text());
  return out;
}

template <class T, class Same>
Status read(const YamlField& root, std::string_view name, Result<T> (*parse)(const YamlField&),
            Same same, std::vector<T>& out) {
  const auto field = root.find(name);
  if (!field) return {};
  TRY_ASSIGN(const auto items, field->items());
  for (const auto& item : items) {
    TRY_ASSIGN(T value, parse(item));
    const auto is_same = [&](const T& other) { return same(other, value); };
    if (std::any_of(out.begin(), out.end(), is_same)) return item.wrong("the same as one above");
    out.push_back(std::move(value));
  }
  return {};
}

}  // namespace

Result<ReviewedList> parse_reviewed_list(std::string_view yaml, std::string_view file) {
  TRY_ASSIGN(const auto tree, parse_yaml(yaml, file));
  const auto root = YamlField::root(tree, file);
  TRY(root.only({"release", "provides", "accept_scripts", "accept_secrets"}));
  ReviewedList out;
  TRY_ASSIGN(const auto release, root.at("release"));
  TRY_ASSIGN(out.release, release.text());
  TRY(read(
      root, "provides", parse_stand_in,
      [](const auto& a, const auto& b) { return a.package == b.package; }, out.provides));
  TRY(read(
      root, "accept_scripts", parse_accepted_script,
      [](const auto& a, const auto& b) { return a.package == b.package && a.script == b.script; },
      out.accept_scripts));
  TRY(read(
      root, "accept_secrets", parse_accepted_secret,
      [](const auto& a, const auto& b) { return a.path == b.path; }, out.accept_secrets));
  return out;
}

std::string print(const ReviewedList& list) {
  YAML::Emitter out;
  // So that 7 and true stay texts.
  out.SetStringFormat(YAML::DoubleQuoted);
  out << YAML::BeginMap << YAML::Key << "release" << YAML::Value << YAML::DoubleQuoted
      << list.release;
  if (!list.provides.empty()) {
    out << YAML::Key << "provides" << YAML::Value << YAML::BeginSeq;
    for (const auto& each : list.provides) {
      out << YAML::Flow << YAML::BeginMap << YAML::Key << "package" << YAML::Value << each.package
          << YAML::Key << "why" << YAML::Value << YAML::DoubleQuoted << each.why << YAML::EndMap;
    }
    out << YAML::EndSeq;
  }
  const auto list_of = [&](const char* key, const auto& entries) {
    if (entries.empty()) return;
    out << YAML::Key << key << YAML::Value << YAML::BeginSeq;
    for (const auto& entry : entries) emit(out, entry);
    out << YAML::EndSeq;
  };
  list_of("accept_scripts", list.accept_scripts);
  list_of("accept_secrets", list.accept_secrets);
  out << YAML::EndMap << YAML::Newline;
  return out.c_str();
}

ImageManifest with_reviewed(ImageManifest manifest, const std::vector<ReviewedList>& lists) {
  const auto has = [](const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  for (const ReviewedList& list : lists) {
    for (const ReviewedStandIn& each : list.provides) {
      if (has(manifest.packages, each.package) || has(manifest.provides, each.package)) continue;
      manifest.provides.push_back(each.package);
    }
    manifest.accept_scripts.insert(manifest.accept_scripts.end(), list.accept_scripts.begin(),
                                   list.accept_scripts.end());
    manifest.accept_secrets.insert(manifest.accept_secrets.end(), list.accept_secrets.begin(),
                                   list.accept_secrets.end());
  }
  return manifest;
}

}  // namespace weir::manifests
