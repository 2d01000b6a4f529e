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

/// What a trusted key signed: a part of an InRelease file, or all of a Release file. Only
/// `verify_inrelease` and `verify_release` (edge/inrelease.h) make one, so nothing outside the
/// signature can be read as signed.
class SignedText {
 public:
  [[nodiscard]] const std::string& text() const { return text_; }
  /// Primary fingerprints, hex, of all good signatures, in their order; at least one.
  [[nodiscard]] const std::vector<std::string>& signers() const { return signers_; }

 private:
  friend class InReleaseVerifier;
  SignedText(std::string text, std::vector<std::string> signers)
      : text_(std::move(text)), signers_(std::move(signers)) {}
  std::string text_;
  std::vector<std::string> signers_;
};

/// Whether a file is one clear-signed OpenPGP message and nothing else: no bytes before, behind or
/// between its parts in which something unsigned could hide. errors: invalid_input
/// source: RFC 4880, section 7
[[nodiscard]] Status check_clear_signed(std::string_view file);

/// What gpgv said about a signature, from its status lines.
///
/// returns  the primary keys' fingerprints of all good signatures, in their order
/// errors   unauthorized: no good signature by a key of the keyring that is neither expired nor
///          revoked, over a hash of the SHA-2 family; any bad signature; more than one plain text
/// source   GnuPG doc/DETAILS, "General status codes"
[[nodiscard]] Result<std::vector<std::string>> judge_gpgv_status(std::string_view status);

/// A file of a suite: at least one of the two digests is there.
struct IndexFile {
  std::optional<Digest> digest{};  ///< SHA-256
  std::string sha512{};            ///< lower-case hex; empty: the suite does not say
  ByteCount size{};
  bool operator==(const IndexFile&) const = default;
};

/// A suite's signed table of contents.
struct SuiteIndex {
  std::string suite, codename;
  std::string origin;          ///< who publishes it: "Debian", "Debian Backports"
  std::string date;            ///< as written
  std::int64_t date_unix = 0;  ///< seconds
  std::string valid_until;     ///< as written; empty: it does not say
  std::optional<std::int64_t> valid_until_unix;
  bool by_hash = false;        ///< files can be had by their digest
  bool not_automatic = false;  ///< chosen only where a pin asks for it, as with backports
  bool has_all = false;        ///< packages for all architectures have an index of their own
  std::map<std::string, IndexFile, std::less<>> files;  ///< "main/binary-amd64/Packages.xz"
};

/// errors: invalid_input, naming line and field; also where files are listed by MD5 or SHA-1 only,
/// for which somebody can make another file
[[nodiscard]] Result<SuiteIndex> parse_suite_index(std::string_view text);
[[nodiscard]] inline Result<SuiteIndex> parse_suite_index(const SignedText& text) {
  return parse_suite_index(std::string_view(text.text()));
}

/// What a person should know where an index calls itself neither by suite nor by codename what it
/// was asked for as. Absent: it does, it says neither, or `asked` is a folder of a flat archive.
[[nodiscard]] std::optional<std::string> other_name(const SuiteIndex& index,
                                                    std::string_view asked);

/// Whether the index is of this time.
///
/// label   what `--mirror` calls the suite
/// now     Unix seconds
/// errors  integrity: dated more than a day ahead; Valid-Until has passed
[[nodiscard]] Status check_suite_index(const SuiteIndex& index, std::string_view label,
                                       std::int64_t now);

}  // namespace weir::builder
