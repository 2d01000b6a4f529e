#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "manifests/base/digest.h"
#include "manifests/base/names.h"
#include "manifests/base/result.h"

namespace weir::builder {

/// The part of an InRelease file that a trusted key signed. Only `verify_inrelease`
/// (edge/inrelease.h) makes one, from what gpgv gave back, so nothing outside the signature can be
/// read as signed.
class SignedText {
 public:
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] const std::string& signer() const { return signer_; }  ///< primary fingerprint, hex

 private:
  friend class InReleaseVerifier;
  SignedText(std::string text, std::string signer)
      : text_(std::move(text)), signer_(std::move(signer)) {}
  std::string text_;
  std::string signer_;
};

/// Whether a file is one clear-signed OpenPGP message and nothing else: no bytes before, behind or
/// between its parts in which something unsigned could hide. errors: invalid_input
/// source: RFC 4880, section 7
[[nodiscard]] Status check_clear_signed(std::string_view file);

/// What gpgv said about a signature, from its status lines.
///
/// returns  the primary key's fingerprint of a good signature
/// errors   unauthorized: no good signature by a key of the keyring that is neither expired nor
///          revoked, over a hash of the SHA-2 family; any bad signature; more than one plain text
/// source   GnuPG doc/DETAILS, "General status codes"
[[nodiscard]] Result<std::string> judge_gpgv_status(std::string_view status);

struct IndexFile {
  Digest digest;
  ByteCount size;
};

/// A suite's signed table of contents.
struct SuiteIndex {
  std::string suite, codename;
  std::string date;            ///< as written
  std::int64_t date_unix = 0;  ///< seconds
  std::optional<std::int64_t> valid_until_unix;
  bool by_hash = false;        ///< files can be had by their digest
  bool not_automatic = false;  ///< chosen only where a pin asks for it, as with backports
  std::map<std::string, IndexFile, std::less<>> files;  ///< "main/binary-amd64/Packages.xz"
};

/// errors: invalid_input, naming line and field
[[nodiscard]] Result<SuiteIndex> parse_suite_index(std::string_view text);
[[nodiscard]] inline Result<SuiteIndex> parse_suite_index(const SignedText& text) {
  return parse_suite_index(std::string_view(text.text()));
}

/// Whether the index is of the suite that was asked for. errors: integrity
[[nodiscard]] Status check_suite_name(const SuiteIndex& index, std::string_view asked);

/// Whether the index is of the suite that was asked for and of this time.
///
/// now     Unix seconds
/// errors  integrity: another suite; dated more than a day ahead; Valid-Until has passed
[[nodiscard]] Status check_suite_index(const SuiteIndex& index, std::string_view asked,
                                       std::int64_t now);

/// "Sat, 21 Nov 2026 02:10:46 UTC" as Unix seconds. errors: invalid_input
/// source: RFC 5322, section 3.3, of which Debian uses this form only
[[nodiscard]] Result<std::int64_t> parse_date(std::string_view text);

}  // namespace weir::builder
