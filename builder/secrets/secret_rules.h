#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "manifests/base/digest.h"

/// What a hit on a rule's first words must look like to be a secret. `at` is where the words begin;
/// each returns where the finding begins.
namespace weir::builder::secret_rules {

/// `PrivateKey = KEY`, `"preshared_key": "KEY"`, `option private_key 'KEY'`: `words` long, then a
/// separator, then a key of 32 bytes that is not all zeros, in base64 or hex, that ends there. Also
/// as JSON escapes it (`\/`), and inside a string of its own (`\"`).
/// source: wg(8); NetworkManager, nm-settings-keyfile(5); OpenWrt, UCI's syntax for `option`
[[nodiscard]] std::optional<std::size_t> setting(Bytes content, std::size_t at, std::size_t words);
/// `PRIVATE KEY` inside `-----BEGIN ... -----`, and soon after base64 enough for a key, whatever
/// stands between its lines: line ends of any kind (also written as `\n`), blanks, quotes, commas,
/// comment signs. Not what is cut short ("MIIE..."), all one character, or prose.
/// source: RFC 7468, RFC 1421 (headers), RFC 9580 section 6.2
[[nodiscard]] std::optional<std::size_t> pem(Bytes content, std::size_t at);
/// base64 of "openssh-key-v1", and enough of it for a key. source: OpenSSH, PROTOCOL.key
[[nodiscard]] std::optional<std::size_t> openssh(Bytes content, std::size_t at);
/// base64 of the 158 bytes of a minisign secret key (docs/keys.md)
[[nodiscard]] std::optional<std::size_t> minisign(Bytes content, std::size_t at);
/// `AGE-SECRET-KEY-1` and 58 characters of Bech32, all of one case. source: C2SP, age.md; BIP 173
[[nodiscard]] std::optional<std::size_t> age(Bytes content, std::size_t at);

/// A key in hex or base64, half of it or more, in lines as `pem` takes them.
///
/// at       where a piece of it may stand: `size` characters of `text` from `anchor` on
/// text     the whole key's
/// same     compares a character of the content with one of the text
/// returns  where the first character stands that belongs to it
[[nodiscard]] std::optional<std::size_t> key_text(Bytes content, std::size_t at, Bytes text,
                                                  std::size_t anchor, std::size_t size,
                                                  bool (*same)(std::uint8_t, std::uint8_t));

}  // namespace weir::builder::secret_rules
