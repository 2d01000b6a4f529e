#include "keys/signing/secret_file.h"

#include <algorithm>

namespace weir::keys {
namespace {

constexpr std::size_t kMinisignText = 212;  ///< 158 bytes in base64, one '=' at the end
constexpr std::size_t kRawKey = 32;
constexpr std::size_t kRawKeyText = 44;  ///< the same in base64
constexpr std::string_view kBlank = " \t\r\n\v\f";

bool is_base64(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '/';
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool starts_like(std::string_view text, std::string_view lower_case) {
  return text.size() >= lower_case.size() &&
         std::equal(lower_case.begin(), lower_case.end(), text.begin(),
                    [](char want, char c) { return want == lower(c); });
}

std::string_view trimmed(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const auto first = text.find_first_not_of(kBlank);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) + 1 - first);
}

/// Its shape alone: what is decoded would have to be wiped.
bool is_base64_of(std::string_view text, std::size_t characters) {
  return text.size() == characters && text.back() == '=' &&
         std::all_of(text.begin(), text.end() - 1, is_base64);
}

/// The key's line need not be one: minisign reads the first line into a buffer, and takes what does
/// not fit for the second.
bool holds_minisign_key(std::string_view content) {
  // "Ed", then "Sc" or two zero bytes, then "B2"
  for (const std::string_view begin : {"RWRTY0Iy", "RWQAAEIy"}) {
    for (auto at = content.find(begin); at != content.npos; at = content.find(begin, at + 1)) {
      const std::string_view text = content.substr(at, kMinisignText - 1);
      if (text.size() == kMinisignText - 1 && std::all_of(text.begin(), text.end(), is_base64)) {
        return true;
      }
    }
  }
  return false;
}

/// `PrivateKey = ...`, also in a configuration that is commented out.
bool is_wireguard_setting(std::string_view line) {
  while (line.starts_with('#') || line.starts_with(' ')) line.remove_prefix(1);
  for (const std::string_view name : {"privatekey", "presharedkey"}) {
    if (!starts_like(line, name)) continue;
    const std::string_view rest = trimmed(line.substr(name.size()));
    if (rest.starts_with('=') &&
        is_base64_of(trimmed(rest.substr(1)).substr(0, kRawKeyText), kRawKeyText)) {
      return true;
    }
  }
  return false;
}

/// "-----BEGIN ... PRIVATE KEY-----", PGP's with " BLOCK", and SSH2's with fewer dashes and blanks.
bool is_armour(std::string_view line) {
  return line.starts_with("----") && line.find("BEGIN ") != line.npos &&
         line.find("PRIVATE KEY") != line.npos;
}

std::string_view secret_in_line(std::string_view line) {
  // A kind of minisign's that is not known here is none to overwrite either.
  if (is_base64_of(line, kMinisignText)) return "a secret key (minisign)";
  if (is_armour(line)) return "a private key (PEM)";
  if (starts_like(line, "putty-user-key-file-")) return "a private key (PuTTY)";
  if (starts_like(line, "age-secret-key-") || starts_like(line, "age-plugin-")) {
    return "a secret key (age)";
  }
  return is_wireguard_setting(line) ? "a WireGuard configuration with a secret key" : "";
}

bool is_identity(std::string_view content) {
  if (!trimmed(content).starts_with('{')) return false;
  const auto has = [&](std::string_view text) { return content.find(text) != content.npos; };
  return has("weir.wireguard-identity") || (has("\"key_derivation\"") && has("\"ciphertext\""));
}

/// Thirty-two bytes of text that others may read are a word of somebody's.
bool is_key_file(const FileHead& file) {
  const auto readable = [](char c) {
    return (c >= ' ' && c <= '~') || kBlank.find(c) != kBlank.npos;
  };
  return file.size.value == kRawKey &&
         ((file.mode & 0077) == 0 ||
          !std::all_of(file.content.begin(), file.content.end(), readable));
}

}  // namespace

std::string_view secret_in_file(const FileHead& file) {
  if (is_key_file(file)) return "a key file of 32 bytes";
  if (holds_minisign_key(file.content)) return "a secret key (minisign)";
  if (is_identity(file.content)) return "a sealed WireGuard identity";
  if (is_base64_of(trimmed(file.content), kRawKeyText)) return "a WireGuard key";
  std::string_view rest = file.content;
  while (!rest.empty()) {
    const auto end = std::min(rest.find_first_of("\r\n"), rest.size());
    if (const auto found = secret_in_line(trimmed(rest.substr(0, end))); !found.empty()) {
      return found;
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return {};
}

}  // namespace weir::keys
