#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "manifests/base/result.h"

namespace weir::builder {

/// What a server lets somebody in with. Never printed: addresses are shown without it.
struct Login {
  std::string user, password;
  bool operator==(const Login&) const = default;
};

/// Where a file or an archive is.
struct Address {
  std::string scheme;      ///< in small letters: "https"
  std::string host;        ///< an IPv6 address with its brackets; empty for file and copy
  std::uint16_t port = 0;  ///< 0: not said
  std::string path;        ///< encoded, as it is sent: empty, or with a "/" in front
  std::optional<Login> login{};
  bool operator==(const Address&) const = default;

  /// file or copy: a folder of this machine.
  [[nodiscard]] bool is_local() const { return scheme == "file" || scheme == "copy"; }
  /// Whether files are fetched from there: http, https, file and copy.
  [[nodiscard]] bool is_spoken() const {
    return is_local() || scheme == "http" || scheme == "https";
  }
};

/// Reads a URL of any scheme. Blanks, control characters and bytes past ASCII in its path are
/// encoded; what is encoded already stays.
///
/// errors  invalid_input, quoting the text without its login
/// source  RFC 3986, section 3
[[nodiscard]] Result<Address> parse_address(std::string_view text);

/// The URL without its login.
[[nodiscard]] std::string print(const Address& address);

/// What was meant as a URL and may be none, such as an argument that cannot be read, without the
/// login that may stand in it: rather too much is left out than a piece of a password told.
[[nodiscard]] std::string without_login(std::string_view text);

/// The path of a file below an archive, as apt asks for it: the name is meant letter by letter, so
/// a "%3a" in it is sent as "%253a". Beside what apt encodes, "?" and "#", which would end a path.
///
/// source  apt, pkgAcquire::URIEncode and QuoteString
[[nodiscard]] std::string encode_path(std::string_view path);

/// A path with its escapes undone: what a file of this machine is called.
[[nodiscard]] std::string decode_path(std::string_view path);

}  // namespace weir::builder
