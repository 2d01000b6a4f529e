#include "manifests/documents/image_sources.h"

#include <algorithm>
#include <set>

#include "manifests/base/paths.h"
#include "manifests/base/printable.h"

namespace weir::manifests {
namespace {

constexpr std::string_view kDefaultKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

bool is_segment(std::string_view text) {
  return !text.empty() && text.front() != '.' && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-._+~").find(c) != std::string_view::npos;
  });
}

Result<std::vector<std::string>> names(const YamlField& field, bool (*valid)(std::string_view),
                                       const std::string& what) {
  TRY_ASSIGN(const auto items, field.items());
  std::vector<std::string> out;
  for (const auto& item : items) {
    TRY_ASSIGN(auto name, item.text());
    if (!valid(name)) return item.wrong(quotation(name) + " is not the name of a " + what);
    if (std::find(out.begin(), out.end(), name) != out.end()) {
      return item.wrong(quotation(name) + " stands here twice");
    }
    out.push_back(std::move(name));
  }
  if (out.empty()) return field.wrong("must name at least one " + what);
  return out;
}

// A path, or the keys themselves.
Result<std::string> parse_keyring(const YamlField& field) {
  TRY_ASSIGN(const auto block, field.lines());
  if (block.find("-----BEGIN PGP PUBLIC KEY BLOCK-----") != std::string::npos) return block;
  return field.as(parse_path);
}

bool is_apt_file(std::string_view path) {
  return path.ends_with(".sources") || path.ends_with(".list");
}

Status parse_apt_file(const YamlField& map, const YamlField& field, ImageSource& out) {
  for (const char* other : {"suites", "components", "mirror"}) {
    if (const auto said = map.find(other)) return said->wrong("is what the file of `apt` says");
  }
  TRY_ASSIGN(out.apt, field.as(parse_path));
  if (!is_apt_file(out.apt)) return field.wrong("must end in .sources or .list, as apt's files do");
  return {};
}

Status parse_suites(const YamlField& map, ImageSource& out) {
  TRY_ASSIGN(const auto suites, map.at("suites"));
  TRY_ASSIGN(out.suites, names(suites, is_suite_name, "suite"));
  const bool all_flat = std::all_of(out.suites.begin(), out.suites.end(), is_flat);
  const auto components = map.find("components");
  if (!components && !all_flat) out.components = {"main"};
  if (components) {
    TRY_ASSIGN(out.components, names(*components, is_component_name, "component"));
    if (std::any_of(out.suites.begin(), out.suites.end(), is_flat)) {
      return components->wrong("a suite that ends with '/' is of a flat archive and has none");
    }
  }
  if (!all_flat && std::any_of(out.suites.begin(), out.suites.end(), is_flat)) {
    return suites.wrong(
        "suites that end with '/' have no components: write them into an entry of "
        "their own");
  }
  if (const auto mirror = map.find("mirror")) {
    TRY_ASSIGN(const auto value, mirror->text());
    if (value != "apt") {
      return mirror->wrong(
          "must be 'apt' (this machine's apt configuration); another mirror is given on the "
          "command line: weir-builder lock --mirror URL");
    }
  }
  return {};
}

Result<ImageSource> parse_source(const YamlField& map) {
  TRY(map.only({"name", "suites", "components", "mirror", "keyring", "vendor", "apt"}));
  ImageSource out;
  if (const auto name = map.find("name")) {
    TRY_ASSIGN(out.name, name->text());
    if (!is_segment(out.name)) return name->wrong(quotation(out.name) + " is not a source's name");
  }
  const auto apt = map.find("apt");
  if (apt) TRY(parse_apt_file(map, *apt, out));
  if (!apt) {
    TRY(parse_suites(map, out));
    out.keyring = kDefaultKeyring;
  }
  if (const auto keyring = map.find("keyring")) {
    TRY_ASSIGN(out.keyring, parse_keyring(*keyring));
  }
  if (const auto vendor = map.find("vendor")) {
    TRY_ASSIGN(out.vendor, vendor->text());
    if (!is_vendor(out.vendor)) {
      return vendor->wrong(quotation(out.vendor) + " is not a vendor's name (a-z, 0-9, '-', '.')");
    }
  }
  return out;
}

}  // namespace

std::string label_of(const ImageSource& source, std::string_view suite) {
  return (source.name.empty() ? "" : source.name + ":") + std::string(suite);
}

std::string_view suite_of(std::string_view label) {
  return label.substr(label.find(':') + 1);
}

bool is_suite_name(std::string_view text) {
  if (text == "/" || text == "./") return true;
  if (is_flat(text)) text.remove_suffix(1);
  return is_component_name(text);
}

bool is_component_name(std::string_view text) {
  for (;;) {
    const auto end = std::min(text.find('/'), text.size());
    if (!is_segment(text.substr(0, end))) return false;
    if (end == text.size()) return true;
    text.remove_prefix(end + 1);
  }
}

bool is_vendor(std::string_view text) {
  return is_segment(text) && text.size() <= kLongestVendor &&
         std::all_of(text.begin(), text.end(), is_vendor_character);
}

bool is_vendor_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

bool is_flat(std::string_view suite) {
  return suite.ends_with('/');
}

Result<std::vector<ImageSource>> parse_image_sources(const YamlField& field) {
  std::vector<YamlField> entries{field};
  if (field.is_list()) {
    TRY_ASSIGN(entries, field.items());
  }
  if (entries.empty()) return field.wrong("must name at least one source");
  std::vector<ImageSource> out;
  std::set<std::string> labels, known;
  for (const auto& entry : entries) {
    TRY_ASSIGN(auto source, parse_source(entry));
    if (!source.name.empty() && !known.insert(source.name).second) {
      return entry.wrong("another source has the name " + quotation(source.name));
    }
    for (const auto& suite : source.suites) {
      if (labels.insert(label_of(source, suite)).second) continue;
      return entry.wrong("another source has the suite " + quotation(suite) +
                         ": give one of them a `name`");
    }
    out.push_back(std::move(source));
  }
  return out;
}

}  // namespace weir::manifests
