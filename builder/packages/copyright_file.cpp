#include "builder/packages/copyright_file.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

#include "builder/packages/control_file.h"
#include "manifests/base/ascii.h"

namespace weir::builder {
namespace {

constexpr std::string_view kReference = "LicenseRef-";
// Boost's copyright file has 2 MB; no list of licences that people write is near 4 KiB.
constexpr std::size_t kLargestFile = 4U << 20, kLargestSynopsis = 4U << 10;

// Where a DEP-5 name means one text, and SPDX has that text. Names are compared without case. Not
// here: MIT (Debian: "there are many versions"), Artistic, Perl and Python (of no version), GPL
// without a version.
constexpr std::array<std::pair<std::string_view, std::string_view>, 33> kNames = {{
    {"0bsd", "0BSD"},
    {"apache-1.0", "Apache-1.0"},
    {"apache-1.1", "Apache-1.1"},
    {"apache-2", "Apache-2.0"},
    {"apache-2.0", "Apache-2.0"},
    {"artistic-2.0", "Artistic-2.0"},
    {"beerware", "Beerware"},
    {"bsd-2-clause", "BSD-2-Clause"},
    {"bsd-3-clause", "BSD-3-Clause"},
    {"bsd-4-clause", "BSD-4-Clause"},
    {"bsl-1.0", "BSL-1.0"},
    {"cc-by-3.0", "CC-BY-3.0"},
    {"cc-by-4.0", "CC-BY-4.0"},
    {"cc-by-sa-3.0", "CC-BY-SA-3.0"},
    {"cc-by-sa-4.0", "CC-BY-SA-4.0"},
    {"cc0", "CC0-1.0"},
    {"cc0-1.0", "CC0-1.0"},
    {"cddl-1.0", "CDDL-1.0"},
    {"cpl-1.0", "CPL-1.0"},
    {"curl", "curl"},
    {"expat", "MIT"},
    {"isc", "ISC"},
    {"mpl-1.1", "MPL-1.1"},
    {"mpl-2.0", "MPL-2.0"},
    {"ms-pl", "MS-PL"},
    {"ofl-1.1", "OFL-1.1"},
    {"openssl", "OpenSSL"},
    {"qpl-1.0", "QPL-1.0"},
    {"sleepycat", "Sleepycat"},
    {"unlicense", "Unlicense"},
    {"x11", "X11"},
    {"zlib", "Zlib"},
    {"zope-2.1", "ZPL-2.1"},
}};

constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kExceptions = {{
    {"classpath", "Classpath-exception-2.0"},
    {"font", "Font-exception-2.0"},
    {"libtool", "Libtool-exception"},
    {"linux-syscall-note", "Linux-syscall-note"},
}};

// GNU's families: SPDX tells "this version" from "or any later".
constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kVersions = {{
    {"gpl-1", "GPL-1.0"},
    {"gpl-2", "GPL-2.0"},
    {"gpl-3", "GPL-3.0"},
    {"lgpl-2", "LGPL-2.0"},
    {"lgpl-2.1", "LGPL-2.1"},
    {"lgpl-3", "LGPL-3.0"},
    {"agpl-3", "AGPL-3.0"},
    {"gfdl-1.1", "GFDL-1.1"},
    {"gfdl-1.2", "GFDL-1.2"},
    {"gfdl-1.3", "GFDL-1.3"},
}};

template <std::size_t Size>
std::optional<std::string_view> find_in(
    const std::array<std::pair<std::string_view, std::string_view>, Size>& table,
    std::string_view name) {
  for (const auto& [from, to] : table) {
    if (from == name) return to;
  }
  return std::nullopt;
}

// "gpl-2+" is GPL-2.0-or-later, "gfdl-niv-1.3" GFDL-1.3-no-invariants-only.
std::optional<std::string> gnu_name(std::string name) {
  const bool later = name.ends_with('+');
  if (later) name.pop_back();
  std::string without;
  if (name.starts_with("gfdl-niv-")) {
    name.erase(5, 4);
    without = "-no-invariants";
  }
  if (name.ends_with(".0")) name.resize(name.size() - 2);
  const auto known = find_in(kVersions, name);
  if (!known) return std::nullopt;
  return std::string(*known) + without + (later ? "-or-later" : "-only");
}

std::optional<std::string> spdx_name(std::string_view name) {
  const std::string plain = ascii_lower(name);
  if (const auto known = find_in(kNames, plain)) return std::string(*known);
  for (const std::string_view end : {"-only", "-or-later"}) {
    // SPDX's own spelling.
    if (!plain.ends_with(end)) continue;
    return gnu_name(plain.substr(0, plain.size() - end.size()) + (end == "-only" ? "" : "+"));
  }
  return gnu_name(plain);
}

// Letters, digits, '.' and '-' (SPDX 2.3, annex D.1).
std::string reference(std::string_view name) {
  std::string out;
  for (const char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (plain || c == '.' || c == '-') {
      out += c;
    } else if (c == '+') {
      out += "PLUS";
    } else if (!out.empty() && out.back() != '-') {
      out += '-';
    }
  }
  while (out.ends_with('-')) out.pop_back();
  return std::string(kReference) + (out.empty() ? "unnamed" : out);
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> out;
  while (true) {
    const auto begin = text.find_first_not_of(" \t\n");
    if (begin == std::string_view::npos) return out;
    text.remove_prefix(begin);
    const auto end = std::min(text.find_first_of(" \t\n,"), text.size());
    out.push_back(text.substr(0, std::max<std::size_t>(end, 1)));
    text.remove_prefix(out.back().size());
  }
}

/// Reads names, "and" and "or", "with NAME exception" and commas. In DEP-5 "and" binds tighter than
/// "or", and after a comma either of them binds less than what stood before it.
class Synopsis {
 public:
  explicit Synopsis(std::vector<std::string_view> words) : words_(std::move(words)) {}

  std::optional<std::string> read() {
    auto out = alternatives();
    // What stands before a comma becomes a group, whose opening is put in front at the end.
    std::size_t groups = 0;
    for (bool compound = out && is_compound(*out); out && is(","); compound = true) {
      ++at_;
      const bool both = is("and");
      if (!both && !is("or")) return std::nullopt;
      ++at_;
      const auto next = alternatives();
      if (!next) return std::nullopt;
      if (compound) {
        *out += ')';
        ++groups;
      }
      *out += (both ? " AND " : " OR ") + (is_compound(*next) ? "(" + *next + ")" : *next);
    }
    if (!out || at_ != words_.size()) return std::nullopt;
    return std::string(groups, '(') + *out;
  }

 private:
  [[nodiscard]] bool is(std::string_view word) const {
    return at_ < words_.size() && ascii_lower(words_[at_]) == word;
  }
  static bool is_compound(const std::string& expression) {
    return expression.find(" AND ") != std::string::npos ||
           expression.find(" OR ") != std::string::npos;
  }

  std::optional<std::string> alternatives() {
    auto out = together();
    while (out && is("or")) {
      ++at_;
      const auto next = together();
      if (!next) return std::nullopt;
      *out += " OR " + *next;
    }
    return out;
  }
  std::optional<std::string> together() {
    auto out = license();
    while (out && is("and")) {
      ++at_;
      const auto next = license();
      if (!next) return std::nullopt;
      *out += " AND " + *next;
    }
    return out;
  }
  std::optional<std::string> license() {
    if (at_ == words_.size() || is(",") || is("and") || is("or") || is("with")) return std::nullopt;
    const std::string name(words_[at_++]);
    const auto known = spdx_name(name);
    if (!is("with")) return known ? *known : reference(name);
    ++at_;
    std::string exception;
    while (at_ < words_.size() && !is(",") && !is("exception")) {
      exception += (exception.empty() ? "" : " ") + std::string(words_[at_++]);
    }
    if (exception.empty() || !is("exception")) return std::nullopt;
    ++at_;
    const auto stated = find_in(kExceptions, ascii_lower(exception));
    if (known && stated) return *known + " WITH " + std::string(*stated);
    return reference(name + " with " + exception + " exception");
  }

  std::vector<std::string_view> words_;
  std::size_t at_ = 0;
};

std::string_view first_line(std::string_view text) {
  const auto line = text.substr(0, text.find('\n'));
  const auto last = line.find_last_not_of(" \t\r");
  return last == std::string_view::npos ? "" : line.substr(0, last + 1);
}

// The format's address has changed over time; its end has not.
bool names_format(const Stanza& header) {
  const auto format = header.find("Format");
  return format && (format->find("copyright-format/1.0") != std::string_view::npos ||
                    format->find("/dep5") != std::string_view::npos);
}

// "a AND b" as two, unless one of them is a choice.
void add_terms(std::string_view expression, std::set<std::string>& all) {
  constexpr std::string_view kAnd = " AND ";
  const bool choice = expression.find(" OR ") != std::string_view::npos;
  for (auto end = expression.find(kAnd); !choice && end != std::string_view::npos;
       end = expression.find(kAnd)) {
    all.emplace(expression.substr(0, end));
    expression.remove_prefix(end + kAnd.size());
  }
  all.emplace(expression);
}

}  // namespace

std::string license_expression(std::string_view synopsis) {
  auto out = Synopsis(words_of(synopsis)).read();
  return out ? *out : reference(synopsis);
}

std::string declared_licenses(std::string_view text) {
  if (text.size() > kLargestFile) return {};
  StanzaReader reader(text);
  std::set<std::string> all;
  for (bool header = true;; header = false) {
    const auto stanza = reader.next();
    if (!stanza || (header && (!*stanza || !names_format(**stanza)))) return {};
    if (!*stanza) break;
    // A paragraph of its own gives the text of a licence that others name.
    if (!header && !(*stanza)->find("Files")) continue;
    const auto license = (*stanza)->find("License");
    if (!license && header) continue;
    const auto synopsis = license ? first_line(*license) : std::string_view();
    if (synopsis.empty() || synopsis.size() > kLargestSynopsis) return {};
    add_terms(license_expression(synopsis), all);
  }
  std::string out;
  for (const std::string& each : all) {
    const bool alternatives = all.size() > 1 && each.find(" OR ") != std::string::npos;
    out += (out.empty() ? "" : " AND ") + (alternatives ? "(" + each + ")" : each);
  }
  return out;
}

std::vector<std::string> license_references(std::string_view expression) {
  std::set<std::string> out;
  while (true) {
    const auto at = expression.find(kReference);
    if (at == std::string_view::npos) return {out.begin(), out.end()};
    expression.remove_prefix(at);
    const auto end = std::min(expression.find_first_of(" )"), expression.size());
    out.emplace(expression.substr(0, end));
    expression.remove_prefix(end);
  }
}

}  // namespace weir::builder
