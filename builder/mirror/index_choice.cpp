#include "builder/mirror/index_choice.h"

#include <array>

#include "manifests/documents/image_sources.h"

namespace weir::builder {
namespace {

constexpr ByteCount kMaxPackages{1ULL << 30};
// Plain last: what is packed comes faster.
constexpr std::array<std::string_view, 7> kForms = {".xz", ".zst", ".lzma", ".bz2",
                                                    ".gz", ".lz4", ""};

Result<std::optional<WantedIndex>> find(const SuiteIndex& index, const std::string& path,
                                        std::string title) {
  WantedIndex out{std::move(title), {}};
  for (const auto form : kForms) {
    const auto found = index.files.find(path + std::string(form));
    if (found == index.files.end()) continue;
    if (found->second.size > kMaxPackages) {
      return fail(Errc::exhausted, found->first + " is larger than " + print(kMaxPackages));
    }
    out.forms.push_back({found->first, found->second});
    if (form.empty()) out.plain = found->second;
  }
  if (out.forms.empty()) return std::nullopt;
  return out;
}

}  // namespace

Result<std::vector<WantedIndex>> wanted_indices(const SuiteIndex& index, const SuiteSource& source,
                                                const std::string& architecture) {
  std::vector<WantedIndex> out;
  if (manifests::is_flat(source.suite)) {
    TRY_ASSIGN(auto wanted, find(index, "Packages", "Packages"));
    if (!wanted) return fail(Errc::not_found, "lists no Packages file");
    out.push_back(std::move(*wanted));
    return out;
  }
  for (const auto& component : source.components) {
    const std::string folder = component + "/binary-";
    TRY_ASSIGN(auto own, find(index, folder + architecture + "/Packages", component));
    std::optional<WantedIndex> all;
    if (index.has_all) {
      TRY_ASSIGN(all, find(index, folder + "all/Packages", component + " (all)"));
    }
    if (!own && !all) {
      return fail(Errc::not_found,
                  "has no component '" + component + "' for architecture " + architecture);
    }
    for (auto* one : {&own, &all}) {
      if (*one) out.push_back(std::move(**one));
    }
  }
  return out;
}

std::string suite_folder(const std::string& suite) {
  if (suite == "/" || suite == "./") return "";
  return manifests::is_flat(suite) ? suite : "dists/" + suite + "/";
}

std::vector<std::string> places_of(const IndexForm& form, bool by_hash) {
  std::vector<std::string> out;
  if (by_hash) {
    const auto slash = form.path.rfind('/');
    const std::string folder = slash == std::string::npos ? "" : form.path.substr(0, slash + 1);
    out.push_back(
        folder + "by-hash/" +
        (form.file.digest ? "SHA256/" + form.file.digest->hex() : "SHA512/" + form.file.sha512));
  }
  out.push_back(form.path);
  return out;
}

}  // namespace weir::builder
