#include "builder/mirror/address.h"

#include <algorithm>
#include <charconv>

#include "manifests/base/ascii.h"
#include "manifests/base/printable.h"

namespace weir::builder {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Control characters, the blank, DEL and bytes past ASCII, and what `others` names.
std::string encode(std::string_view text, std::string_view others) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7f && others.find(c) == std::string_view::npos) {
      out += c;
    } else {
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  return out;
}

// RFC 3986, section 3.1.
bool is_scheme(std::string_view text) {
  return !text.empty() && is_letter(text[0]) && std::all_of(text.begin(), text.end(), [](char c) {
    return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
  });
}

// Letters, digits and what host names and IP addresses use.
bool is_host(std::string_view text) {
  const bool literal = text.size() > 2 && text.front() == '[' && text.back() == ']';
  if (literal) text = text.substr(1, text.size() - 2);
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return is_letter(c) || is_digit(c) || c == '.' || c == '-' || c == '_' ||
           (literal && (c == ':' || c == '%'));
  });
}

bool read_port(std::string_view text, std::uint16_t& out) {
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && rest == text.data() + text.size() && out != 0;
}

// "user:password@host:port"
bool read_authority(std::string_view text, Address& out) {
  if (const auto at = text.rfind('@'); at != std::string_view::npos) {
    const auto login = text.substr(0, at);
    const auto colon = std::min(login.find(':'), login.size());
    out.login = Login{decode_path(login.substr(0, colon)),
                      decode_path(login.substr(std::min(login.size(), colon + 1)))};
    text.remove_prefix(at + 1);
  }
  const auto bracket = text.rfind(']');
  const auto colon = text.rfind(':');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  if (has_port && !read_port(text.substr(colon + 1), out.port)) return false;
  out.host = ascii_lower(has_port ? text.substr(0, colon) : text);
  return is_host(out.host);
}

}  // namespace

Result<Address> parse_address(std::string_view text) {
  const auto wrong = [&] {
    return fail(Errc::invalid_input, quotation(without_login(text)) + " is not a URL");
  };
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || !is_scheme(text.substr(0, colon))) return wrong();
  Address out;
  out.scheme = ascii_lower(text.substr(0, colon));
  auto rest = text.substr(colon + 1);
  if (out.is_local()) {
    // "file:/srv/debian", "file:///srv/debian"
    if (rest.starts_with("///")) rest.remove_prefix(2);
    if (!rest.starts_with('/') || rest.starts_with("//")) return wrong();
    out.path = encode(rest, "");
    return out;
  }
  if (!rest.starts_with("//")) return wrong();
  rest.remove_prefix(2);
  // A password may hold what it should have encoded, but never a "/".
  const auto slash = std::min(rest.find('/'), rest.size());
  if (!read_authority(rest.substr(0, slash), out)) return wrong();
  out.path = encode(rest.substr(slash), "");
  return out;
}

std::string print(const Address& address) {
  if (address.is_local()) return address.scheme + ":" + address.path;
  std::string out = address.scheme + "://" + address.host;
  if (address.port != 0) out += ":" + std::to_string(address.port);
  return out + address.path;
}

std::string without_login(std::string_view text) {
  // Up to the last one: a password may hold an "@" that was not encoded, a "/" or a blank.
  const auto at = text.rfind('@');
  if (at == std::string_view::npos) return std::string(text);
  const auto slashes = text.find("//"), equals = text.find('=');
  const std::size_t begin = slashes < at ? slashes + 2 : equals < at ? equals + 1 : 0;
  return std::string(text.substr(0, begin)).append(text.substr(at + 1));
}

std::string encode_path(std::string_view path) {
  return encode(path, "%+~?#");
}

std::string decode_path(std::string_view path) {
  std::string out;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const bool escape = path[i] == '%' && i + 2 < path.size() && hex_value(path[i + 1]) >= 0 &&
                        hex_value(path[i + 2]) >= 0;
    if (!escape) {
      out += path[i];
      continue;
    }
    out += static_cast<char>(hex_value(path[i + 1]) * 16 + hex_value(path[i + 2]));
    i += 2;
  }
  return out;
}

}  // namespace weir::builder
