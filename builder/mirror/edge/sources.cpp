#include "builder/mirror/edge/sources.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "builder/mirror/edge/connections.h"
#include "builder/mirror/edge/inrelease.h"
#include "builder/mirror/lines.h"
#include "manifests/base/edge/file.h"
#include "manifests/base/edge/process.h"
#include "manifests/base/printable.h"

namespace weir::builder {
namespace {

constexpr ByteCount kMaxSources{1ULL << 20};

// A path that a manifest names.
Result<std::string> beside(const std::string& folder, const std::string& path) {
  if (path.starts_with('/')) return path;
  if (folder.empty()) {
    return fail(Errc::not_found, path + ": is of another folder");
  }
  return (std::filesystem::path(folder) / path).lexically_normal().string();
}

bool is_for(const AptSource& source, const std::string& architecture) {
  const auto& all = source.architectures;
  return all.empty() || std::find(all.begin(), all.end(), architecture) != all.end();
}

// Whom the entry trusts, where the manifest does not say it.
Status check_keyrings(const AptSource& entry) {
  if (entry.keyrings.empty() && entry.key_block.empty()) {
    return fail(Errc::invalid_input,
                "has no Signed-By, so whoever this machine's apt trusts could sign: name a "
                "`keyring` beside `apt`");
  }
  for (const auto& keyring : entry.keyrings) {
    if (keyring.starts_with('/')) continue;
    return fail(Errc::invalid_input,
                "Signed-By: " + quotation(keyring) +
                    " is neither a keyring's path nor its block, and a fingerprint would be looked "
                    "for among whatever keys this machine has: name a `keyring` beside `apt`");
  }
  return {};
}

// What a manifest could name as well: both become parts of URLs, a suite of a lock too.
Status check_names(const AptSource& entry) {
  for (const auto& suite : entry.suites) {
    if (manifests::is_suite_name(suite)) continue;
    return fail(Errc::invalid_input, quotation(suite) + " is not the name of a suite");
  }
  for (const auto& component : entry.components) {
    if (manifests::is_component_name(component)) continue;
    return fail(Errc::invalid_input, quotation(component) + " is not the name of a component");
  }
  return {};
}

// The suites that a file of apt's names.
Result<std::vector<SuiteSource>> read_apt_file(const manifests::ImageSource& source,
                                               const std::string& path,
                                               const std::string& architecture) {
  TRY_ASSIGN(const auto text, read_file(path, kMaxSources));
  TRY_ASSIGN_IN(const auto entries, parse_apt_sources(text, apt_format_of(path), architecture),
                path);
  std::vector<SuiteSource> out;
  for (const auto& entry : entries) {
    if (!is_for(entry, architecture)) continue;
    TRY_IN(check_names(entry), path);
    if (source.keyring.empty()) TRY_IN(check_keyrings(entry), path);
    for (const auto& suite : entry.suites) {
      out.push_back({manifests::label_of(source, suite),
                     suite,
                     entry.components,
                     entry.keyrings,
                     entry.key_block,
                     {},
                     entry.uris});
    }
  }
  if (out.empty()) {
    return fail(Errc::invalid_input, path + ": names no source of packages for " + architecture);
  }
  return out;
}

Result<std::vector<SuiteSource>> suites_of(const manifests::ImageManifest& manifest,
                                           const manifests::ImageSource& source,
                                           const std::string& folder) {
  std::vector<SuiteSource> out;
  if (!source.apt.empty()) {
    TRY_ASSIGN(const auto path, beside(folder, source.apt));
    TRY_ASSIGN(out, read_apt_file(source, path, manifest.architecture));
  }
  for (const auto& suite : source.suites) {
    out.push_back({manifests::label_of(source, suite), suite, source.components});
  }
  for (auto& suite : out) suite.vendor = source.vendor;
  if (source.keyring.empty()) return out;
  std::vector<std::string> keyrings;
  std::string block;
  if (is_armoured_key(source.keyring)) {
    block = source.keyring;
  } else {
    TRY_ASSIGN_IN(auto path, beside(folder, source.keyring), "keyring");
    keyrings = {std::move(path)};
  }
  for (auto& suite : out) {
    suite.keyrings = keyrings;
    suite.key_block = block;
  }
  return out;
}

// What apt-config says of one of its files or folders, or where Debian has it.
struct AptPlaces {
  std::string list = "/etc/apt/sources.list", parts = "/etc/apt/sources.list.d";
};

AptPlaces read_apt_places() {
  AptPlaces out;
  const auto program = find_program("apt-config");
  if (!program) return out;
  Program apt{.path = *program};
  apt.arguments = {"shell", "LIST", "Dir::Etc::sourcelist/f", "PARTS", "Dir::Etc::sourceparts/d"};
  apt.environment = apt_environment();
  const auto child = run(apt, "", {std::chrono::seconds(30)});
  if (!child || child->status != 0) return out;
  // LIST='/etc/apt/sources.list'
  each_line(child->output, [&](std::string_view line) {
    for (const auto& [name, place] : {std::pair("LIST='", &out.list), {"PARTS='", &out.parts}}) {
      if (!line.starts_with(name) || !line.ends_with('\'')) continue;
      line.remove_prefix(std::string_view(name).size());
      line.remove_suffix(1);
      *place = line;
      return;
    }
  });
  return out;
}

std::vector<std::string> apt_files() {
  const AptPlaces places = read_apt_places();
  std::vector<std::string> parts;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(places.parts, error)) {
    const std::string path = entry.path().string();
    if (path.ends_with(".list") || path.ends_with(".sources")) parts.push_back(path);
  }
  std::sort(parts.begin(), parts.end());
  parts.insert(parts.begin(), places.list);
  return parts;
}

}  // namespace

std::string absolute_folder_of(const std::string& manifest_path) {
  std::error_code error;
  const auto path = std::filesystem::absolute(manifest_path, error);
  return error ? "" : path.lexically_normal().parent_path().string();
}

Result<std::vector<SuiteSource>> read_sources(const manifests::ImageManifest& manifest,
                                              const std::string& folder) {
  std::vector<SuiteSource> out;
  std::set<std::string> labels;
  for (const auto& source : manifest.sources) {
    TRY_ASSIGN(auto suites, suites_of(manifest, source, folder));
    for (auto& suite : suites) {
      if (!labels.insert(suite.label).second) {
        return fail(Errc::invalid_input, "sources: suite " + quotation(suite.suite) +
                                             " is there twice: give one of its sources a `name`");
      }
      out.push_back(std::move(suite));
    }
  }
  return out;
}

Result<Keyring> read_keyring_of(const SuiteSource& source) {
  if (!source.key_block.empty()) return Keyring::parse(source.key_block);
  std::string bytes;
  for (const auto& path : source.keyrings) {
    TRY_ASSIGN(const auto keyring, read_keyring(path));
    bytes += keyring.bytes();
  }
  return Keyring::parse(bytes);
}

Result<AptConfiguration> read_apt_configuration(const std::string& architecture) {
  AptConfiguration out;
  for (const auto& path : apt_files()) {
    const auto text = read_file(path, kMaxSources);
    if (!text) {
      const Errc code = text.error().code;
      const bool none = code == Errc::not_found || code == Errc::invalid_input;
      if (!none) out.unread.push_back(text.error().message);
      continue;
    }
    auto entries = parse_apt_sources(*text, apt_format_of(path), architecture);
    if (!entries) {
      return tl::unexpected(std::move(entries).error().in(path).then(
          "apt works with none of its sources then: mend the file, or say with --mirror where "
          "suites are"));
    }
    for (const auto& entry : *entries) {
      if (is_for(entry, architecture)) out.entries.push_back(entry);
    }
  }
  return out;
}

}  // namespace weir::builder
