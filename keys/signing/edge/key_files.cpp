#include "keys/signing/edge/key_files.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "manifests/base/edge/file.h"
#include "manifests/base/edge/unfinished.h"

namespace weir::keys {
namespace {

constexpr std::size_t kLargest = 16384;

tl::unexpected<Error> failed(const std::string& path, int sys) {
  const Errc code = sys == ENOENT                    ? Errc::not_found
                    : sys == EEXIST                  ? Errc::busy
                    : sys == ENOSPC || sys == EDQUOT ? Errc::exhausted
                    : sys == EACCES || sys == EPERM  ? Errc::unauthorized
                                                     : Errc::io;
  return fail_errno(code, sys, path);
}

struct SecretFile {
  Secret content;
  Status safe;  ///< whether the file may hold it in clear
};

/// A small file straight into locked memory.
Result<SecretFile> read_secret_file(const std::string& path) {
  TRY_ASSIGN(const Fd fd, open_file(path));
  TRY_ASSIGN(Secret buffer, Secret::of_size(kLargest));
  std::size_t have = 0;
  while (have < kLargest) {
    const ssize_t n = ::read(fd.get(), buffer.writable().data() + have, kLargest - have);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed(path, errno);
    if (n == 0) break;
    have += static_cast<std::size_t>(n);
  }
  if (have == kLargest) return fail(Errc::invalid_input, path + ": too large for a key");
  buffer.shrink(have);
  return SecretFile{std::move(buffer), check_secret_file(fd, path)};
}

}  // namespace

Result<Secret> random_secret(std::size_t bytes) {
  TRY_ASSIGN(Secret out, Secret::of_size(bytes));
  randombytes_buf(out.writable().data(), out.size());
  return out;
}

Result<SigningKeyPair> make_signing_key() {
  TRY_ASSIGN(Secret secret, Secret::of_size(crypto_sign_SECRETKEYBYTES));
  SigningPublicKey public_key;
  crypto_sign_keypair(public_key.key.data(), secret.writable().data());
  randombytes_buf(public_key.id.data(), public_key.id.size());
  return SigningKeyPair{public_key, SigningSecretKey{public_key.id, std::move(secret)}};
}

Result<WireGuardIdentity> make_wireguard_identity() {
  TRY_ASSIGN(Secret secret, random_secret(32));
  // RFC 7748, section 5: what every X25519 does before use; stored so, as `wg genkey` does.
  const auto bytes = secret.writable();
  bytes[0] &= 248;
  bytes[31] = static_cast<std::uint8_t>((bytes[31] & 127) | 64);
  TRY_ASSIGN(const PublicKey public_key, public_key_of(secret));
  return WireGuardIdentity{public_key, std::move(secret)};
}

Result<Secret> read_guarded(const std::string& path) {
  TRY_ASSIGN(SecretFile file, read_secret_file(path));
  return std::move(file.content);
}

Result<Secret> read_guarded_secret(const std::string& path) {
  TRY_ASSIGN(SecretFile file, read_secret_file(path));
  TRY(file.safe);
  return std::move(file.content);
}

Result<SigningPublicKey> read_public_key(const std::string& path) {
  TRY_ASSIGN(const std::string text, read_file(path, ByteCount{kLargest}));
  TRY_ASSIGN_IN(const SigningPublicKey key, parse_public_key(text), path);
  return key;
}

Result<SigningSecretKey> read_secret_key(const std::string& path) {
  TRY_ASSIGN(const SecretFile file, read_secret_file(path));
  TRY_ASSIGN_IN(const bool locked, needs_passphrase(file.content.text()), path);
  TRY_ASSIGN(Secret passphrase, Secret::of_size(0));
  if (locked) {
    TRY_ASSIGN_IN(passphrase, ask_passphrase("Passphrase for " + path, Asking::known), path);
  } else {
    TRY(file.safe);
  }
  TRY_ASSIGN_IN(SigningSecretKey key, decrypt_secret_key(file.content.text(), passphrase), path);
  return key;
}

Result<WireGuardIdentity> read_identity(const std::string& path,
                                        const std::optional<std::string>& key_file) {
  TRY_ASSIGN(const std::string text, read_file(path, ByteCount{kLargest}));
  TRY_ASSIGN_IN(const SealingKey::Kind kind, sealed_with(text), path);
  SealingKey key{SealingKey::Kind::key_file, {}};
  if (key_file) {
    TRY_ASSIGN(key.bytes, read_key_file(*key_file));
  } else if (kind == SealingKey::Kind::key_file) {
    return fail(Errc::invalid_input, path + ": sealed with a key file, and none was named");
  } else {
    key.kind = SealingKey::Kind::passphrase;
    TRY_ASSIGN_IN(key.bytes, ask_passphrase("Passphrase for " + path, Asking::known), path);
  }
  TRY_ASSIGN_IN(WireGuardIdentity identity, open_identity(text, key), path);
  return identity;
}

Result<Secret> read_wireguard_key(const std::string& path) {
  TRY_ASSIGN(const Secret content, read_guarded_secret(path));
  TRY_ASSIGN_IN(Secret key, parse_wireguard_key(content.text()), path);
  return key;
}

Result<Secret> read_key_file(const std::string& path) {
  TRY_ASSIGN(Secret content, read_guarded_secret(path));
  if (content.size() != 32) {
    return fail(Errc::invalid_input, path + ": not a key file (it must hold exactly 32 bytes)");
  }
  return content;
}

namespace {

// In one step, so that whoever is killed leaves no second name of a secret. 0 or an errno.
int give_new_name(const std::string& from, const std::string& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  // The file system cannot do that.
  if (::link(from.c_str(), to.c_str()) != 0) return errno;
  ::unlink(from.c_str());
  return 0;
}

}  // namespace

Status write_new_file(const std::string& path, std::string_view content, unsigned mode) {
  // A whole file beside it first, then a name that must be new.
  TRY_ASSIGN(const Unfinished made, make_unfinished_file(path));
  const auto& [fd, temporary] = made;
  int sys = 0;
  while (!content.empty() && sys == 0) {
    const ssize_t n = ::write(fd.get(), content.data(), content.size());
    if (n >= 0) {
      content.remove_prefix(static_cast<std::size_t>(n));
    } else if (errno != EINTR) {
      sys = errno;
    }
  }
  if (sys == 0 && ::fchmod(fd.get(), mode) != 0) sys = errno;
  if (sys == 0 && ::fsync(fd.get()) != 0) sys = errno;
  if (sys == 0) sys = give_new_name(temporary, path);
  if (sys != 0) ::unlink(temporary.c_str());
  if (sys == EEXIST) {
    return fail(Errc::busy, path + ": is there already, and keys are never overwritten");
  }
  if (sys != 0) return failed(path, sys);
  const auto slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const Fd parent(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!parent.valid() || ::fsync(parent.get()) != 0) return failed(folder, errno);
  return {};
}

}  // namespace weir::keys
