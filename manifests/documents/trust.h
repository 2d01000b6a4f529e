#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "manifests/base/names.h"
#include "manifests/base/result.h"
#include "manifests/base/utc_time.h"

// Who may sign what. Formats: docs/trust.md. Checking signatures is keys/trust/trust.h's part.
namespace weir::manifests {

using ChannelName = Name<struct ChannelTag>;  ///< one stream of releases, "stable"

/// What a key may sign.
enum class Role : std::uint8_t {
  root,              ///< the trust itself
  release,           ///< releases
  boot_check,        ///< "I booted it and it passed"
  rebuild,           ///< "I built it again and got the same bytes"
  audit_checkpoint,  ///< heads of the audit chain
  evidence,          ///< what a rollout observed
};
[[nodiscard]] std::string_view name_of(Role role);  ///< "boot-check"
[[nodiscard]] Result<Role> parse_role(std::string_view name);

struct TrustKey {
  std::string name;        ///< for people: "alice"
  std::string public_key;  ///< minisign's line, "RW..."
  bool operator==(const TrustKey&) const = default;
};

/// The 16 hex digits by which minisign shows a key. `public_key` comes from a parsed document.
[[nodiscard]] std::string key_id_of(std::string_view public_key);

/// m of n: `threshold` distinct keys of `keys` must have signed.
struct TrustRole {
  std::vector<std::string> keys;  ///< key ids, in the document's `keys`
  std::uint32_t threshold = 1;    ///< 1 to the number of `keys`
  bool operator==(const TrustRole&) const = default;
};

struct TrustChannel {
  ChannelName name;
  std::optional<TrustRole> release;  ///< who may sign this channel's releases; absent: the role
  bool operator==(const TrustChannel&) const = default;
};

struct RevokedKey {
  TrustKey key;
  std::string why;  ///< for people; never empty
  bool operator==(const RevokedKey&) const = default;
};

/// One version of the trust. `print` of equal versions is equal, but what is verified is always the
/// text as it was signed.
struct Trust {
  std::uint64_t version = 1;  ///< 1, 2, 3, ... without a gap
  UtcTime expires;
  std::vector<TrustKey> keys;
  std::map<Role, TrustRole> roles;  ///< root and release are always there
  std::vector<TrustChannel> channels;
  std::vector<RevokedKey> revoked;  ///< grows only
  bool operator==(const Trust&) const = default;
};

/// Checks one version on its own: every threshold can be reached, no key (by public key or by id)
/// stands in it twice, no revoked key has a role.
/// errors: invalid_input, naming the field; exhausted: over 256 KiB, 256 keys or 64 channels
[[nodiscard]] Result<Trust> parse_trust(std::string_view json);
[[nodiscard]] std::string print(const Trust& trust);

/// One version as it was signed.
struct SignedTrust {
  std::string document;                 ///< parse_trust's text, byte for byte
  std::vector<std::string> signatures;  ///< texts of .minisig files
  bool operator==(const SignedTrust&) const = default;
};

/// trust.json: every version since the first, oldest first, so that whoever knows an old one can
/// follow. Nothing in it is verified by parsing.
struct TrustFile {
  std::vector<SignedTrust> versions;  ///< at least one
  bool operator==(const TrustFile&) const = default;
};

inline constexpr ByteCount kLargestTrustFile{8 << 20};

/// errors: invalid_input, naming the field; exhausted: larger than kLargestTrustFile, over 1000
/// versions, or over 64 signatures on one
[[nodiscard]] Result<TrustFile> parse_trust_file(std::string_view json);
[[nodiscard]] std::string print(const TrustFile& file);

/// Whether the first thing a JSON document says is `"type": TYPE`, so that no signature over a
/// document of one type can be taken for one of another. errors: invalid_input
[[nodiscard]] Status check_begins_with_type(std::string_view json, std::string_view type);

}  // namespace weir::manifests
