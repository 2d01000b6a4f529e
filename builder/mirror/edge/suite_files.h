#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "builder/mirror/edge/cache.h"
#include "builder/mirror/index_choice.h"
#include "builder/mirror/keyring.h"
#include "builder/mirror/package_index.h"
#include "builder/mirror/suite_index.h"
#include "builder/mirror/suite_source.h"
#include "manifests/base/result.h"

namespace weir::builder {

inline constexpr ByteCount kMaxInRelease{16ULL << 20};

/// A suite's own files.
struct SignedFiles {
  std::string release;                   ///< InRelease, or Release
  std::optional<std::string> signature;  ///< Release.gpg of a Release
};

/// "InRelease" or "Release".
[[nodiscard]] std::string name_of(const SignedFiles& files);

/// errors: as verify_inrelease
[[nodiscard]] Result<SignedText> verify(const SignedFiles& files, const Keyring& keyring);

/// The digest by which the cache has a file. One that the suite lists by SHA-512 alone has a note
/// of its own there (`sha512/HEX`). errors: not_found: nobody fetched it yet
[[nodiscard]] Result<Digest> digest_of(const Cache& cache, const IndexFile& file);
/// Writes that note. errors: io
[[nodiscard]] Status remember_digest(const Cache& cache, const IndexFile& file,
                                     const Digest& digest);

/// errors: integrity, with `problem`: the bytes are not those that the signed index lists
[[nodiscard]] Status check_bytes(std::string_view bytes, const IndexFile& file,
                                 const std::string& problem);

/// Reads a Packages file in one of its forms, and what the cache knows of its packages' digests.
/// errors: those of check_bytes, unpack_index and PackageIndex::parse
[[nodiscard]] Result<PackageIndex> parse_index(const WantedIndex& wanted, const IndexForm& form,
                                               std::string bytes, const SuiteSource& source,
                                               bool not_automatic, const std::string& architecture,
                                               const Cache& cache);

}  // namespace weir::builder
