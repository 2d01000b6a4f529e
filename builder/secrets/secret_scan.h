#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "images/tree/file_tree.h"
#include "keys/signing/secret.h"
#include "manifests/base/digest.h"
#include "manifests/base/result.h"
#include "manifests/documents/image_manifest.h"
#include "manifests/documents/release.h"

namespace weir::builder {

/// Changes with every rule below: releases record by which rules they were scanned.
inline constexpr std::uint64_t kScanRules = 3;

/// Something that must not be in an image. Never the secret itself.
struct SecretFinding {
  std::uint64_t offset = 0;  ///< in the file, where the secret or what announces it begins
  std::string what;          ///< "a WireGuard private or preshared key"
  bool fleet = false;        ///< one of the keys the scanner was made for: nobody can accept it
  bool operator==(const SecretFinding&) const = default;
};

/// Looks for secrets in files, in one pass over the bytes.
///
/// Rules: a setting `PrivateKey`, `PresharedKey`, also with `_` or `-` between the words, with a
/// WireGuard key (base64 or hex) for its value; PEM, OpenSSH and OpenPGP private keys, armoured,
/// in lines of any kind; minisign's secret keys; age's secret keys; and the keys it was made for,
/// as they are, in hex and in base64 at any alignment, also half of one or broken into lines. What
/// only looks alike (digests, public keys, certificates, a program's own words about such keys) is
/// not found. Compressed files are not looked into.
class SecretScanner {
 public:
  /// keys     16 bytes or more each; copied into locked memory
  /// errors   invalid_input: a shorter one; exhausted
  static Result<SecretScanner> create(const std::vector<keys::Secret>& keys);

  /// In the order of their offsets, each once.
  [[nodiscard]] std::vector<SecretFinding> scan(Bytes content) const;

  /// What its findings depend on: the rules and the keys.
  [[nodiscard]] const Digest& identity() const { return identity_; }
  /// Whether it looks for keys besides the rules.
  [[nodiscard]] bool has_keys() const { return keys_ != 0; }
  /// How many keys, none of them counted twice, and the identity; none without keys.
  [[nodiscard]] std::optional<manifests::OwnKeys> own_keys() const;

 private:
  enum class Rule : std::uint8_t { setting, pem, openssh, minisign, age, raw, hex, base64 };
  /// A window of a text to match. Texts of keys in base64 are in the standard's alphabet, `raw`
  /// ones as they are, all others in lower case.
  struct Needle {
    std::size_t text = 0;    ///< of `texts_`
    std::size_t anchor = 0;  ///< where in it the window begins
    Rule rule{};
  };

  explicit SecretScanner(const Digest& identity) : identity_(identity) {}
  static std::uint8_t folded(Rule rule, std::uint8_t c);
  static std::vector<std::uint8_t> cases(Rule rule, std::uint8_t c);
  Status add(std::string_view text, Rule rule);
  Status add_key(const keys::Secret& key);
  void finish();
  [[nodiscard]] std::optional<SecretFinding> check(const Needle& needle, Bytes content,
                                                   std::size_t at) const;

  Digest identity_;
  std::size_t keys_ = 0;
  std::vector<keys::Secret> texts_;
  std::vector<Needle> needles_;
  /// By the seventh and eighth byte of a window: how far it can move, and which needles end there.
  std::vector<std::uint8_t> steps_;
  std::vector<std::vector<std::uint16_t>> ends_;
};

using AcceptedSecrets = std::vector<manifests::AcceptedSecret>;

/// How much of a tree was scanned, what was found in accepted files, and elsewhere.
struct ScannedTree {
  manifests::ReleaseScan scan;
  std::vector<std::string> found;  ///< a line each
};

/// Scans every file of a tree, every name and every link's target.
///
/// accepted  files that may hold what looks like a secret, by path and digest; a key of the fleet
///           is found there too, and so is whatever is in a name or target
/// returns   a line for each file and kind of finding, with path and first offset; of a path that
///           holds a secret, only what stands before it
[[nodiscard]] ScannedTree find_secrets(const images::FileTree& tree, const SecretScanner& scanner,
                                       const AcceptedSecrets& accepted = {});

/// Whether a tree that was scanned before would pass with what is accepted now.
[[nodiscard]] bool still_passes(const manifests::ReleaseScan& scan,
                                const AcceptedSecrets& accepted);

}  // namespace weir::builder
