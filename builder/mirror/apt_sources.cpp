#include "builder/mirror/apt_sources.h"

#include <algorithm>
#include <optional>

#include "builder/mirror/keyring.h"
#include "builder/mirror/lines.h"
#include "builder/packages/control_file.h"
#include "manifests/base/ascii.h"
#include "manifests/base/printable.h"
#include "manifests/documents/image_sources.h"

namespace weir::builder {
namespace {

std::string with_architecture(std::string_view text, std::string_view architecture) {
  constexpr std::string_view kVariable = "$(ARCH)";
  std::string out(text);
  for (auto at = out.find(kVariable); at != std::string::npos; at = out.find(kVariable, at)) {
    out.replace(at, kVariable.size(), architecture);
    at += architecture.size();
  }
  return out;
}

std::vector<std::string> expanded(const std::vector<std::string_view>& words,
                                  std::string_view architecture) {
  std::vector<std::string> out;
  out.reserve(words.size());
  for (const auto word : words) out.push_back(with_architecture(word, architecture));
  return out;
}

// Words between blanks or commas.
std::vector<std::string> list_of(std::string_view text) {
  std::string spaced(text);
  std::replace(spaced.begin(), spaced.end(), ',', ' ');
  std::vector<std::string> out;
  for (const auto word : words_of(spaced)) out.emplace_back(word);
  return out;
}

void read_signed_by(std::string_view value, AptSource& out) {
  if (is_armoured_key(value)) {
    out.key_block = value;
  } else {
    out.keyrings = list_of(value);
  }
}

// apt refuses the same.
Status check(const AptSource& source) {
  if (source.uris.empty()) return fail(Errc::invalid_input, "has no URI");
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

std::string without_comments(std::string_view text) {
  std::string out;
  each_line(text, [&](std::string_view line) {
    if (!line.starts_with('#')) out.append(line).append("\n");
  });
  return out;
}

bool is_no(std::string_view value) {
  std::string text(value);
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text == "no" || text == "false" || text == "without" || text == "off" ||
         text == "disable" || text == "0";
}

Result<std::optional<AptSource>> read_stanza(const Stanza& stanza, std::string_view architecture) {
  const auto words = [&](std::string_view field) {
    return words_of(stanza.find(field).value_or(""));
  };
  const auto types = words("Types");
  const bool off = is_no(stanza.find("Enabled").value_or("yes"));
  if (off || std::find(types.begin(), types.end(), "deb") == types.end()) return std::nullopt;
  AptSource out{expanded(words("URIs"), architecture),
                expanded(words("Suites"), architecture),
                expanded(words("Components"), architecture),
                list_of(stanza.find("Architectures").value_or("")),
                {},
                {}};
  read_signed_by(stanza.find("Signed-By").value_or(""), out);
  TRY(check(out));
  return out;
}

Result<std::vector<AptSource>> read_deb822(std::string_view text, std::string_view architecture) {
  const std::string plain = without_comments(text);
  StanzaReader reader(plain);
  std::vector<AptSource> out;
  for (int number = 1;; ++number) {
    TRY_ASSIGN(const auto stanza, reader.next());
    if (!stanza) return out;
    TRY_ASSIGN_IN(auto source, read_stanza(*stanza, architecture),
                  "entry " + std::to_string(number));
    if (source) out.push_back(std::move(*source));
  }
}

// "[signed-by=/x.gpg arch=amd64]" between type and URI.
Status read_options(std::string_view options, AptSource& out) {
  for (const auto word : words_of(options)) {
    const auto equals = word.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      return fail(Errc::invalid_input, quotation(word) + " is not OPTION=VALUE");
    }
    const auto name = word.substr(0, equals), value = word.substr(equals + 1);
    if (name == "arch") out.architectures = list_of(value);
    if (name == "signed-by" || name == "signed-by+") read_signed_by(value, out);
  }
  return {};
}

Result<std::optional<AptSource>> read_line(std::string_view line, std::string_view architecture) {
  line = line.substr(0, line.find('#'));
  auto words = words_of(line);
  if (words.empty()) return std::nullopt;
  if (words[0] != "deb" && words[0] != "deb-src") {
    return fail(Errc::invalid_input, quotation(words[0]) + " is neither deb nor deb-src");
  }
  if (words[0] == "deb-src") return std::nullopt;
  AptSource out;
  std::string_view rest = line.substr(line.find("deb") + 3);
  rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
  if (rest.starts_with('[')) {
    const auto end = rest.find(']');
    if (end == std::string_view::npos) return fail(Errc::invalid_input, "the '[' is not closed");
    TRY(read_options(rest.substr(1, end - 1), out));
    rest.remove_prefix(end + 1);
  }
  words = words_of(rest);
  if (!words.empty()) out.uris = expanded({words[0]}, architecture);
  if (words.size() > 1) out.suites = expanded({words[1]}, architecture);
  if (words.size() > 2) out.components = expanded({words.begin() + 2, words.end()}, architecture);
  TRY(check(out));
  return out;
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
