#include "builder/mirror/apt_sources.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <utility>

#include "builder/mirror/keyring.h"
#include "builder/mirror/lines.h"
#include "builder/packages/control_file.h"
#include "manifests/base/ascii.h"
#include "manifests/base/printable.h"
#include "manifests/documents/image_sources.h"

namespace weir::builder {
namespace {

constexpr std::string_view kSpace = " \t\n\v\f\r";

bool is_hex_digit(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

std::string with_architecture(std::string_view text, std::string_view architecture) {
  constexpr std::string_view kVariable = "$(ARCH)";
  std::string out(text);
  for (auto at = out.find(kVariable); at != std::string::npos; at = out.find(kVariable, at)) {
    out.replace(at, kVariable.size(), architecture);
    at += architecture.size();
  }
  return out;
}

std::vector<std::string> copies_of(const std::vector<std::string_view>& words) {
  return {words.begin(), words.end()};
}

// Words between blanks or commas.
std::vector<std::string> list_of(std::string_view text) {
  std::string spaced(text);
  std::replace(spaced.begin(), spaced.end(), ',', ' ');
  std::vector<std::string> out;
  for (const auto word : words_of(spaced)) out.emplace_back(word);
  return out;
}

bool is_fingerprint(std::string_view text) {
  if (text.ends_with('!')) text.remove_suffix(1);
  return text.size() == 40 && std::all_of(text.begin(), text.end(), is_hex_digit);
}

Status read_signed_by(std::string_view value, AptSource& out) {
  if (is_armoured_key(value)) {
    out.key_block = value;
    return {};
  }
  out.keyrings = list_of(value);
  if (out.keyrings.empty() && !value.empty()) {
    return fail(Errc::invalid_input, "Signed-By: " + quotation(value) + " names no key");
  }
  for (const auto& key : out.keyrings) {
    if (key.starts_with('/') || is_fingerprint(key)) continue;
    return fail(Errc::invalid_input,
                "Signed-By: " + quotation(key) + " is neither an absolute path nor a fingerprint");
  }
  return {};
}

// apt refuses the same.
Status check(const AptSource& source) {
  if (source.uris.empty()) return fail(Errc::invalid_input, "has no URI");
  for (const auto& uri : source.uris) {
    if (uri.find(':') == std::string::npos) {
      return fail(Errc::invalid_input, quotation(uri) + " is no URI: it has no ':'");
    }
  }
  if (source.suites.empty()) return fail(Errc::invalid_input, "has no suite");
  for (const auto& suite : source.suites) {
    if (manifests::is_flat(suite) == source.components.empty()) continue;
    return fail(Errc::invalid_input,
                "suite " + quotation(suite) +
                    (source.components.empty() ? " needs components, since it does not end in '/'"
                                               : " ends in '/' and has no components"));
  }
  return {};
}

// Of a line; a '#' within [...] begins none.
std::string_view without_comment(std::string_view line) {
  int open = 0;
  for (std::size_t at = 0; at < line.size(); ++at) {
    if (line[at] == '[') ++open;
    if (line[at] == ']') --open;
    if (line[at] == '#' && open <= 0) return line.substr(0, at);
  }
  return line;
}

std::string without_comments(std::string_view text) {
  std::string out;
  each_line(text, [&](std::string_view line) {
    if (!line.starts_with('#')) out.append(line).append("\n");
  });
  return out;
}

Status check_type(std::string_view type) {
  if (type == "deb" || type == "deb-src") return {};
  return fail(Errc::invalid_input, quotation(type) + " is neither deb nor deb-src");
}

bool is_no(std::string_view value) {
  const std::string text = ascii_lower(value);
  for (const std::string_view no : {"no", "false", "without", "off", "disable"}) {
    if (text == no) return true;
  }
  char* end = nullptr;
  return !text.empty() && std::strtol(text.c_str(), &end, 0) == 0 && *end == '\0';
}

Result<std::optional<AptSource>> read_stanza(const Stanza& stanza, std::string_view architecture) {
  const auto words = [&](std::string_view field) {
    return words_of(stanza.find(field).value_or(""), kSpace);
  };
  if (!stanza.find("Types")) return fail(Errc::invalid_input, "has no field 'Types'");
  const auto types = words("Types");
  for (const auto type : types) TRY(check_type(type));
  if (types.empty() || is_no(stanza.find("Enabled").value_or("yes"))) return std::nullopt;
  AptSource out{copies_of(words("URIs")),
                copies_of(words("Suites")),
                copies_of(words("Components")),
                list_of(stanza.find("Architectures").value_or("")),
                {},
                {}};
  for (auto& uri : out.uris) uri = with_architecture(uri, architecture);
  for (auto& suite : out.suites) suite = with_architecture(suite, architecture);
  TRY(check(out));
  TRY(read_signed_by(stanza.find("Signed-By").value_or(""), out));
  if (std::find(types.begin(), types.end(), "deb") == types.end()) return std::nullopt;
  return out;
}

Result<std::vector<AptSource>> read_deb822(std::string_view text, std::string_view architecture) {
  const std::string plain = without_comments(text);
  StanzaReader reader(plain, ControlFile::person);
  std::vector<AptSource> out;
  for (int number = 1;; ++number) {
    TRY_ASSIGN(const auto stanza, reader.next());
    if (!stanza) return out;
    TRY_ASSIGN_IN(auto source, read_stanza(*stanza, architecture),
                  "entry " + std::to_string(number));
    if (source) out.push_back(std::move(*source));
  }
}

// Where the word ends that a line begins with: at a blank, unless within "..." or [...]. Absent
// where those are not closed.
std::optional<std::size_t> end_of_word(std::string_view line) {
  std::size_t at = 0;
  while (at < line.size() && !is_one_of(line[at], kSpace)) {
    for (const auto& [open, close] : {std::pair('"', '"'), {'[', ']'}}) {
      if (line[at] != open) continue;
      at = line.find(close, at + 1);
      if (at == std::string_view::npos) return std::nullopt;
    }
    ++at;
  }
  return at;
}

// Without quotation marks, and with the bytes that %20 and its like stand for.
std::string unquoted(std::string_view word) {
  std::string out;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (word[i] == '%' && i + 2 < word.size() && is_hex_digit(word[i + 1]) &&
        is_hex_digit(word[i + 2])) {
      out.push_back(static_cast<char>(std::stoi(std::string(word.substr(i + 1, 2)), nullptr, 16)));
      i += 2;
    } else if (word[i] != '"') {
      out.push_back(word[i]);
    }
  }
  return out;
}

void skip_blanks(std::string_view& rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(kSpace), rest.size()));
}

// Absent at the end of the line, and where a quotation is not closed: `rest` then stays.
std::optional<std::string> take_word(std::string_view& rest) {
  const auto end = end_of_word(rest);
  if (rest.empty() || !end) return std::nullopt;
  std::string out = unquoted(rest.substr(0, *end));
  rest.remove_prefix(*end);
  skip_blanks(rest);
  return out;
}

// "[signed-by=/x.gpg arch=amd64]" between type and URI, of which the '[' has been taken.
Status read_options(std::string_view& rest, AptSource& out) {
  const auto not_closed = [] { return fail(Errc::invalid_input, "the '[' is not closed"); };
  if (rest.find(']') == std::string_view::npos) return not_closed();
  skip_blanks(rest);
  while (!rest.starts_with(']')) {
    const std::string_view before = rest;
    auto option = take_word(rest);
    if (!option) return not_closed();
    if (option->ends_with(']')) {
      option->pop_back();
      const auto taken = before.substr(0, before.size() - rest.size());
      rest = before.substr(std::min(taken.rfind(']'), taken.size()));
    }
    const auto equals = option->find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == option->size()) {
      return fail(Errc::invalid_input, quotation(*option) + " is not OPTION=VALUE");
    }
    if (option->find(']') != std::string::npos && rest.find(']') == std::string_view::npos) {
      return fail(Errc::invalid_input, "no blank follows the ']' in " + quotation(*option));
    }
    const auto name = option->substr(0, equals), value = option->substr(equals + 1);
    if (name == "arch") out.architectures = list_of(value);
    if (name == "signed-by") TRY(read_signed_by(value, out));
  }
  rest.remove_prefix(1);
  skip_blanks(rest);
  return {};
}

Result<std::optional<AptSource>> read_line(std::string_view line, std::string_view architecture) {
  line = trimmed(without_comment(line), " \t\r");
  if (line.empty()) return std::nullopt;
  const auto type = line.substr(0, line.find_first_of(" \t\v"));
  TRY(check_type(type));
  std::string_view rest = line.substr(type.size());
  skip_blanks(rest);
  AptSource out;
  if (rest.starts_with('[')) {
    rest.remove_prefix(1);
    TRY(read_options(rest, out));
  }
  std::vector<std::string> words;
  while (auto word = take_word(rest)) words.push_back(std::move(*word));
  // What follows a whole entry is nothing to apt where it is no word.
  const bool flat = words.size() > 1 && manifests::is_flat(words[1]);
  if (!rest.empty() && words.size() < (flat ? 2U : 3U)) {
    return fail(Errc::invalid_input,
                "a quotation mark or a '[' is not closed in " + quotation(rest));
  }
  if (!words.empty()) out.uris = {with_architecture(words[0], architecture)};
  if (words.size() > 1) out.suites = {flat ? with_architecture(words[1], architecture) : words[1]};
  if (words.size() > 2) out.components = {words.begin() + 2, words.end()};
  TRY(check(out));
  return type == "deb" ? std::optional(std::move(out)) : std::nullopt;
}

Result<std::vector<AptSource>> read_lines(std::string_view text, std::string_view architecture) {
  std::vector<AptSource> out;
  Status status;
  int number = 0;
  each_line(text, [&](std::string_view line) {
    ++number;
    if (!status) return;
    auto source = read_line(line, architecture);
    if (!source) {
      status = tl::unexpected(std::move(source).error().in("line " + std::to_string(number)));
    } else if (*source) {
      out.push_back(std::move(**source));
    }
  });
  TRY(status);
  return out;
}

}  // namespace

AptFormat apt_format_of(std::string_view path) {
  return path.ends_with(".sources") ? AptFormat::deb822 : AptFormat::one_line;
}

Result<std::vector<AptSource>> parse_apt_sources(std::string_view text, AptFormat format,
                                                 std::string_view architecture) {
  return format == AptFormat::deb822 ? read_deb822(text, architecture)
                                     : read_lines(text, architecture);
}

}  // namespace weir::builder
