#include "keys/signing/edge/key_files.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "keys/signing/edge/passphrase.h"
#include "keys/signing/secret_file.h"
#include "manifests/base/edge/destination.h"
#include "manifests/base/edge/file.h"
#include "manifests/base/edge/unfinished.h"

namespace weir::keys {
namespace {

constexpr std::size_t kLargest = kLargestKeyFile.value;

struct SecretFile {
  Secret content;
  Status safe;  ///< whether the file may hold it in clear
};

/// A file's first bytes straight into locked memory.
Result<Secret> read_up_to(const Fd& file, const std::string& path, std::size_t most) {
  TRY_ASSIGN(Secret out, Secret::of_size(most));
  std::size_t have = 0;
  while (have < most) {
    const ssize_t n = ::read(file.get(), out.writable().data() + have, most - have);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_file(path, errno);
    if (n == 0) break;
    have += static_cast<std::size_t>(n);
  }
  out.shrink(have);
  return out;
}

/// A small file.
Result<SecretFile> read_secret_file(const std::string& path) {
  TRY_ASSIGN(const Fd fd, open_file(path));
  TRY_ASSIGN(Secret buffer, read_up_to(fd, path, kLargest));
  if (buffer.size() == kLargest) return fail(Errc::invalid_input, path + ": too large for a key");
  return SecretFile{std::move(buffer), check_secret_file(fd, path)};
}

Result<SecretFile> read_signing_key_file(const std::string& path) {
  return if_missing(read_secret_file(path),
                    "weir-keys generate --out NAME makes NAME.key and NAME.pub");
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
  TRY_ASSIGN(const std::string text,
             if_missing(read_file(path, ByteCount{kLargest}),
                        "put there what its owner gave you; weir-keys generate --out NAME makes "
                        "NAME.key and NAME.pub"));
  TRY_ASSIGN_IN(const SigningPublicKey key, parse_public_key(text), path);
  return key;
}

Result<SigningSecretKey> read_secret_key(const std::string& path) {
  TRY_ASSIGN(const SecretFile file, read_signing_key_file(path));
  TRY_ASSIGN_IN(const bool locked, needs_passphrase(file.content.text()), path);
  TRY_ASSIGN(Secret passphrase, Secret::of_size(0));
  if (locked) {
    TRY_ASSIGN_IN(passphrase, ask_passphrase("Passphrase for " + path, Asking::known), path);
    tell_derivation();
  } else {
    TRY(file.safe);
  }
  TRY_ASSIGN_IN(SigningSecretKey key, decrypt_secret_key(file.content.text(), passphrase), path);
  return key;
}

Result<std::optional<KeyId>> check_secret_key(const std::string& path) {
  TRY_ASSIGN(const SecretFile file, read_signing_key_file(path));
  TRY_ASSIGN_IN(const bool locked, needs_passphrase(file.content.text()), path);
  if (locked) return std::nullopt;
  TRY(file.safe);
  TRY_ASSIGN(const Secret none, Secret::of_size(0));
  TRY_ASSIGN_IN(const SigningSecretKey key, decrypt_secret_key(file.content.text(), none), path);
  return key.id;
}

Status check_output(const std::string& path) {
  TRY(check_destination(path));
  const auto file = open_file(path);
  if (!file && file.error().code == Errc::not_found) return {};
  // What cannot be looked at may be a secret.
  if (!file) return tl::unexpected(file.error());
  struct stat info {};
  if (::fstat(file->get(), &info) != 0) return fail_file(path, errno);
  TRY_ASSIGN(const Secret head, read_up_to(*file, path, kSniffed.value));
  const std::string_view found = secret_in_file(
      {head.text(), ByteCount{static_cast<std::uint64_t>(info.st_size)}, info.st_mode & 07777U});
  if (found.empty()) return {};
  return fail(Errc::invalid_input, path + ": is " + std::string(found) +
                                       ", which nothing may overwrite: name another place");
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

/// Files that go again with it, unless they are to stay.
class Begun {
 public:
  Begun() = default;
  Begun(const Begun&) = delete;
  Begun& operator=(const Begun&) = delete;
  ~Begun() {
    for (const std::string& path : paths_) ::unlink(path.c_str());
  }
  void add(const std::string& path) { paths_.push_back(path); }
  void drop(const std::string& path) { std::erase(paths_, path); }
  void stay() { paths_.clear(); }

 private:
  std::vector<std::string> paths_;
};

tl::unexpected<Error> refused(const std::string& path, int sys) {
  if (sys != EEXIST) return fail_file(path, sys);
  return fail(Errc::busy, path + ": is there already, and keys are never overwritten");
}

}  // namespace

Status write_new_files(const std::vector<NewFile>& files) {
  // All are whole on the disk before the first gets a name, which must be new.
  const Uninterrupted whole;
  Begun begun;
  std::vector<Unfinished> made;
  for (const NewFile& file : files) {
    TRY_ASSIGN(Unfinished one, write_unfinished_file(file.path, file.content, file.mode));
    begun.add(one.path);
    made.push_back(std::move(one));
  }
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (const int sys = give_new_name(made[i].path, files[i].path)) {
      return refused(files[i].path, sys);
    }
    begun.drop(made[i].path);
    begun.add(files[i].path);
  }
  for (const NewFile& file : files) {
    const auto slash = file.path.rfind('/');
    TRY(sync_folder(slash == std::string::npos ? "." : file.path.substr(0, slash + 1)));
  }
  begun.stay();
  return {};
}

Status write_new_file(const std::string& path, std::string_view content, unsigned mode) {
  return write_new_files({{path, content, mode}});
}

}  // namespace weir::keys
