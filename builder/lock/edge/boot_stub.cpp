#include "builder/lock/edge/boot_stub.h"

#include <utility>

#include "builder/lock/edge/release_lock.h"
#include "builder/lock/stub_pin.h"
#include "manifests/base/edge/file.h"

namespace weir::builder {
namespace {

constexpr ByteCount kLargestStub{16ULL << 20};

Status check_pinned(const std::string& path, const Digest& found, const Digest& pinned) {
  if (found == pinned) return {};
  return fail(Errc::integrity, "EFI stub " + path + " has the digest " + found.string() + ", not " +
                                   pinned.string() +
                                   ", which the lock pins: bring that one, or lock again " +
                                   "(weir-builder lock MANIFEST --update " +
                                   std::string(kStubProgram) + ") and build");
}

}  // namespace

Result<Stub> read_stub(const std::string& path, const std::optional<Digest>& wanted) {
  auto program = read_file(path, kLargestStub);
  if (!program && program.error().code == Errc::not_found) {
    return fail(Errc::not_found, path +
                                     ": no EFI stub here: install Debian's systemd-boot-efi, or "
                                     "name one with --stub");
  }
  TRY_IN(program, "EFI stub");
  const Digest digest = Digest::of(as_bytes(*program));
  if (wanted && *wanted != digest) {
    return fail(Errc::integrity, "EFI stub " + path + " has the digest " + digest.string() +
                                     ", not " + wanted->string());
  }
  return Stub{std::move(*program), digest};
}

Result<std::optional<manifests::LockedProgram>> lock_stub(
    const Cache& cache, const std::optional<manifests::Lock>& before) {
  const auto stub = read_stub(kDefaultStub, std::nullopt);
  if (!stub && stub.error().code == Errc::not_found) {
    return before ? stub_of(*before) : std::nullopt;
  }
  TRY(stub);
  TRY(cache.put(stub->digest, stub->program));
  return manifests::LockedProgram{std::string(kStubProgram), stub->digest,
                                  ByteCount{stub->program.size()}};
}

Status keep_stub(const manifests::Lock& lock, const Cache& cache, images::Store& store) {
  const auto pinned = stub_of(lock);
  if (!pinned || store.has_blob(pinned->digest)) return {};
  std::string program;
  if (const auto cached = FetchedBlob::open(cache, pinned->digest, pinned->size)) {
    TRY_ASSIGN(program, cached->read());
  } else {
    TRY_ASSIGN(Stub stub, read_stub(kDefaultStub, std::nullopt));
    TRY(check_pinned(kDefaultStub, stub.digest, pinned->digest));
    program = std::move(stub.program);
  }
  TRY(store.write_blob(pinned->digest, as_bytes(program)));
  return {};
}

Result<Stub> read_release_stub(const images::Store& store, const manifests::Release& release,
                               const std::string& path, const std::optional<Digest>& wanted) {
  TRY_ASSIGN(const auto lock, find_release_lock(store, release));
  const auto pinned = lock ? stub_of(lock->lock) : std::nullopt;
  if (!pinned && !wanted) {
    return fail(Errc::not_found,
                "its lock pins no EFI stub: install Debian's systemd-boot-efi, lock again and "
                "build, or name one with --stub and --stub-digest");
  }
  if (pinned && wanted) TRY(check_pinned("of --stub-digest", *wanted, pinned->digest));
  if (pinned && path.empty() && store.has_blob(pinned->digest)) {
    Stub out{{}, pinned->digest};
    TRY_IN(store.read_blob({pinned->digest, pinned->size},
                           [&](Bytes bytes) -> Status {
                             out.program.append(bytes.begin(), bytes.end());
                             return {};
                           }),
           "EFI stub");
    return out;
  }
  const std::string from = path.empty() ? kDefaultStub : path;
  TRY_ASSIGN(Stub stub, read_stub(from, pinned ? std::nullopt : wanted));
  if (pinned) TRY(check_pinned(from, stub.digest, pinned->digest));
  return stub;
}

}  // namespace weir::builder
