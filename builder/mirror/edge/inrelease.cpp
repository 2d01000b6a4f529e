#include "builder/mirror/edge/inrelease.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "manifests/base/edge/file.h"
#include "manifests/base/edge/process.h"

namespace weir::builder {

// The one place that may call text signed.
class InReleaseVerifier {
 public:
  static SignedText make(std::string text, std::vector<std::string> signers) {
    return {std::move(text), std::move(signers)};
  }
};

namespace {

constexpr ByteCount kMaxKeyring{64ULL << 20};

// A file that only this process and gpgv know, with a descriptor above those of `Program`.
Result<Fd> in_memory(std::string_view bytes) {
  const Fd low(::memfd_create("gpgv", MFD_CLOEXEC));
  Fd file(low.valid() ? ::fcntl(low.get(), F_DUPFD_CLOEXEC, 10) : -1);
  if (!file.valid()) return fail_errno(Errc::io, errno, "memfd");
  while (!bytes.empty()) {
    const ssize_t n = ::write(file.get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno(Errc::io, errno, "memfd");
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return file;
}

std::string path_of(const Fd& file) {
  return "/proc/self/fd/" + std::to_string(file.get());
}

// gpgv with what it is to check as its standard input.
Result<Ended> run_gpgv(const Keyring& keyring, const Fd* signature, std::string_view input) {
  TRY_ASSIGN(const Fd keys, in_memory(keyring.bytes()));
  Program gpgv;
  TRY_ASSIGN(gpgv.path, find_program("gpgv"));
  gpgv.arguments = {"--quiet", "--keyring", path_of(keys), "--status-fd", "3"};
  gpgv.inherited = {keys.get()};
  if (signature != nullptr) {
    gpgv.arguments.push_back(path_of(*signature));
    gpgv.inherited.push_back(signature->get());
  } else {
    gpgv.arguments.insert(gpgv.arguments.end(), {"--output", "-"});
  }
  gpgv.arguments.emplace_back("-");
  gpgv.environment = {kProgramPath, "LC_ALL=C"};
  gpgv.extra = Stream::captured();
  return run(gpgv, input, {std::chrono::seconds(30)});
}

}  // namespace

Result<Keyring> read_keyring(const std::string& path) {
  const auto text = read_file(path, kMaxKeyring);
  if (!text) {
    return fail(Errc::not_found, "cannot read the keyring " + path +
                                     " (Debian's comes with the package debian-archive-keyring)");
  }
  TRY_ASSIGN_IN(auto keyring, Keyring::parse(*text), path);
  return keyring;
}

Result<SignedText> verify_inrelease(std::string_view file, const Keyring& keyring) {
  TRY(check_clear_signed(file));
  TRY_ASSIGN(auto child, run_gpgv(keyring, nullptr, file));
  TRY_ASSIGN(auto signers, judge_gpgv_status(child.extra));
  return InReleaseVerifier::make(std::move(child.output), std::move(signers));
}

Result<SignedText> verify_release(std::string_view file, std::string_view signature,
                                  const Keyring& keyring) {
  TRY_ASSIGN(const Fd detached, in_memory(signature));
  TRY_ASSIGN(const auto child, run_gpgv(keyring, &detached, file));
  TRY_ASSIGN(auto signers, judge_gpgv_status(child.extra));
  return InReleaseVerifier::make(std::string(file), std::move(signers));
}

}  // namespace weir::builder
