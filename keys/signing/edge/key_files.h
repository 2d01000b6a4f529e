#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "keys/signing/minisign.h"
#include "manifests/base/names.h"
#include "manifests/base/result.h"

namespace weir::keys {

/// Fresh keys from the system's random numbers. errors: exhausted
[[nodiscard]] Result<SigningKeyPair> make_signing_key();
/// `bytes` random bytes.
[[nodiscard]] Result<Secret> random_secret(std::size_t bytes);

inline constexpr ByteCount kLargestKeyFile{16384};

/// Any file of keys, at most 16 KiB, read straight into locked memory.
/// errors: not_found, unauthorized, io; invalid_input: larger
[[nodiscard]] Result<Secret> read_guarded(const std::string& path);
/// The same of a secret in clear. errors: unauthorized also: others may read or change it
[[nodiscard]] Result<Secret> read_guarded_secret(const std::string& path);
/// Reads a .pub file. errors: not_found, io, invalid_input; each names the file
[[nodiscard]] Result<SigningPublicKey> read_public_key(const std::string& path);
/// Reads and opens a minisign secret key; asks for a passphrase where one is needed
/// (WEIR_PASSPHRASE, else the terminal). errors: as above; unauthorized: wrong passphrase, or a key
/// in clear that others may read
[[nodiscard]] Result<SigningSecretKey> read_secret_key(const std::string& path);
/// Whether `read_secret_key` will read it, as far as that can be told without its passphrase: a key
/// in clear is opened, and its id known. errors: as above
[[nodiscard]] Result<std::optional<KeyId>> check_secret_key(const std::string& path);

/// Whether output can be put at `path`, without doing it: as `check_destination`, and what is there
/// can be read and is no secret (`secret_in_file`). Asked for everything that replaces files.
/// errors: as that; unauthorized, io: it cannot be read; invalid_input: a secret
[[nodiscard]] Status check_output(const std::string& path);

/// A file that is to be there and was not.
struct NewFile {
  std::string path;
  std::string_view content;
  unsigned mode;  ///< as in chmod
};

/// Writes files that were not there: all of them whole or none, never over another. Whoever is
/// killed may leave the first of them, whole.
/// errors: busy: something is there; io, exhausted
[[nodiscard]] Status write_new_files(const std::vector<NewFile>& files);
/// The same for one.
[[nodiscard]] Status write_new_file(const std::string& path, std::string_view content,
                                    unsigned mode);

}  // namespace weir::keys
