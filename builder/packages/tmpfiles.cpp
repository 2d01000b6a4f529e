#include "builder/packages/tmpfiles.h"

#include <algorithm>
#include <array>
#include <utility>

namespace weir::builder {
namespace {

constexpr std::string_view kBlank = " \t\r\n";

std::string quoted(std::string_view text) {
  return "'" + std::string(text) + "'";
}

// The byte that an escape stands for; `at` is behind the backslash, and afterwards behind it all.
Result<char> escaped(std::string_view line, std::size_t& at) {
  if (at == line.size()) return fail(Errc::invalid_input, "ends with a backslash");
  constexpr std::string_view kLetters = "abfnrtvs\\\"'", kBytes = "\a\b\f\n\r\t\v \\\"'";
  const char letter = line[at++];
  if (const auto known = kLetters.find(letter); known != std::string_view::npos) {
    return kBytes[known];
  }
  const bool octal = letter >= '0' && letter <= '3';
  if (!octal && letter != 'x') {
    return fail(Errc::invalid_input, "unknown escape '\\" + std::string(1, letter) + "'");
  }
  if (octal) --at;
  const std::size_t digits = octal ? 3 : 2;
  const std::string_view number = line.substr(at, digits);
  constexpr std::string_view kDigits = "0123456789abcdef";
  unsigned value = 0;
  for (char c : number) {
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
    const auto digit = kDigits.find(c);
    if (digit >= (octal ? 8U : 16U)) {
      return fail(Errc::invalid_input, "malformed escape '\\" + std::string(1, letter) + "'");
    }
    value = value * (octal ? 8 : 16) + static_cast<unsigned>(digit);
  }
  if (number.size() != digits || value == 0) {
    return fail(Errc::invalid_input, "malformed escape '\\" + std::string(1, letter) + "'");
  }
  at += digits;
  return static_cast<char>(value);
}

// The next field, and what is behind it. Here a backslash takes the next byte as it is.
Result<std::string> next_field(std::string_view& line) {
  std::string out;
  char quote = 0;
  std::size_t at = 0;
  while (at < line.size()) {
    const char c = line[at];
    if (quote == 0 && kBlank.find(c) != std::string_view::npos) break;
    ++at;
    if (c == '\\' && at < line.size()) {
      out += line[at++];
    } else if (quote != 0 ? c == quote : (c == '"' || c == '\'')) {
      quote = quote != 0 ? '\0' : c;
    } else {
      out += c;
    }
  }
  if (quote != 0) return fail(Errc::invalid_input, "a quote is not closed");
  line.remove_prefix(at);
  line.remove_prefix(std::min(line.find_first_not_of(kBlank), line.size()));
  return out;
}

Result<std::string> unescaped(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at++];
    if (c != '\\') {
      out += c;
      continue;
    }
    TRY_ASSIGN(const char byte, escaped(text, at));
    out += byte;
  }
  return out;
}

Result<std::string> expanded(std::string_view text) {
  struct Specifier {
    char letter;
    std::string_view value;
  };
  // Those of the system's own instance, which root runs.
  constexpr std::array<Specifier, 12> kKnown = {{{'%', "%"},
                                                 {'C', "/var/cache"},
                                                 {'g', "root"},
                                                 {'G', "0"},
                                                 {'h', "/root"},
                                                 {'L', "/var/log"},
                                                 {'S', "/var/lib"},
                                                 {'t', "/run"},
                                                 {'T', "/tmp"},
                                                 {'u', "root"},
                                                 {'U', "0"},
                                                 {'V', "/var/tmp"}}};
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%' || at + 1 == text.size()) {
      out += text[at];
      continue;
    }
    const char letter = text[++at];
    const auto known = std::find_if(kKnown.begin(), kKnown.end(),
                                    [&](const Specifier& each) { return each.letter == letter; });
    if (known == kKnown.end()) {
      return fail(Errc::invalid_input, "what the specifier %" + std::string(1, letter) +
                                           " stands for is not known before a node runs");
    }
    out += known->value;
  }
  return out;
}

Result<TmpfilesKind> kind_of(std::string_view type) {
  constexpr std::string_view kTypes = "fFwdDevqQpLcbCxXrRzZtThHaA";
  if (type.empty() || kTypes.find(type.front()) == std::string_view::npos ||
      type.substr(1).find_first_not_of("+!-=~^$") != std::string_view::npos) {
    return fail(Errc::invalid_input, "unknown type " + quoted(type));
  }
  switch (type.front()) {
    case 'd':
    case 'D':
    case 'v':
    case 'q':
    case 'Q':
      return TmpfilesKind::folder;
    case 'e':
    case 'z':
      return TmpfilesKind::adjust;
    case 'f':
    case 'F':
      // What replaces, or what is not the text itself.
      return type.find_first_of("+~^") == std::string_view::npos ? TmpfilesKind::file
                                                                 : TmpfilesKind::other;
    case 'L':
      return type.find('+') == std::string_view::npos ? TmpfilesKind::link : TmpfilesKind::other;
    case 'x':
    case 'X':
    case 'r':
    case 'R':
      return TmpfilesKind::leave;
    default:
      return TmpfilesKind::other;
  }
}

Status read_mode(std::string_view field, TmpfilesLine& out) {
  // "~" takes bits away from what stands; a new inode gets the mode as written.
  while (!field.empty() && (field.front() == ':' || field.front() == '~')) {
    out.mode_when_new = out.mode_when_new || field.front() == ':';
    field.remove_prefix(1);
  }
  constexpr std::uint32_t kAll = 07777;
  std::uint32_t mode = 0;
  for (const char c : field) {
    if (c < '0' || c > '7' || mode > kAll) return fail(Errc::invalid_input, "malformed mode");
    mode = mode * 8 + static_cast<std::uint32_t>(c - '0');
  }
  if (field.empty() || mode > kAll) return fail(Errc::invalid_input, "malformed mode");
  out.mode = mode;
  return {};
}

std::string read_owner(std::string_view field, TmpfilesLine& out) {
  if (!field.starts_with(':')) return std::string(field);
  out.owner_when_new = true;
  return std::string(field.substr(1));
}

}  // namespace

Result<std::optional<TmpfilesLine>> parse_tmpfiles_line(std::string_view line) {
  const auto begin = line.find_first_not_of(kBlank);
  if (begin == std::string_view::npos || line[begin] == '#') return std::nullopt;
  line = line.substr(begin, line.find_last_not_of(kBlank) + 1 - begin);
  TmpfilesLine out;
  TRY_ASSIGN(out.type, next_field(line));
  TRY_ASSIGN(out.kind, kind_of(out.type));
  TRY_ASSIGN(const std::string path, next_field(line));
  TRY_ASSIGN(out.path, expanded(path));
  if (!out.path.starts_with('/')) {
    return fail(Errc::invalid_input, "path " + quoted(out.path) + " is not absolute");
  }
  std::array<std::string, 4> fields;  // mode, user, group, age
  for (std::string& field : fields) {
    TRY_ASSIGN(field, next_field(line));
    if (field == "-") field.clear();
  }
  if (!fields[0].empty()) TRY_IN(read_mode(fields[0], out), "mode " + quoted(fields[0]));
  out.user = read_owner(fields[1], out);
  out.group = read_owner(fields[2], out);
  if (line != "-") {
    TRY_ASSIGN(const std::string argument, unescaped(line));
    TRY_ASSIGN(out.argument, expanded(argument));
  }
  if (out.kind == TmpfilesKind::link && out.argument.empty()) {
    out.argument = "/usr/share/factory" + out.path;
  }
  // What systemd calls legacy, and updates.
  if (out.path == "/var/run" || out.path.starts_with("/var/run/")) out.path.erase(0, 4);
  return out;
}

}  // namespace weir::builder
