#include "builder/lock/edge/boot_stub.h"

#include <utility>

#include "builder/layers/edge/node_programs.h"
#include "builder/lock/edge/release_lock.h"
#include "builder/lock/stub_pin.h"
#include "manifests/base/edge/file.h"

namespace weir::builder {
namespace {

constexpr ByteCount kLargestStub{16ULL << 20};
constexpr const char* kStubFolder = "/usr/lib/systemd/boot/efi";

Status check_pinned(const std::string& path, const Digest& found,
                    const manifests::LockedProgram& stub) {
  const Digest& pinned = stub.digest;
  const std::string& name = stub.name;
  if (found == pinned) return {};
  return fail(Errc::integrity, "EFI stub " + path + " has the digest " + found.string() + ", not " +
                                   pinned.string() +
                                   ", which the lock pins: bring that one, or lock again " +
                                   "(weir-builder lock MANIFEST --update " + name + ") and build");
}

tl::unexpected<Error> another(const std::string& path, const Digest& found, const Digest& wanted) {
  return fail(Errc::integrity, "EFI stub " + path + " has the digest " + found.string() + ", not " +
                                   wanted.string());
}

std::string how_to_get_stub(const manifests::Architecture& architecture) {
  if (architecture.name == manifests::own_architecture().name) {
    return "install Debian's systemd-boot-efi";
  }
  return how_to_get(architecture);
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
  if (wanted && *wanted != digest) return another(path, digest, *wanted);
  return Stub{std::move(*program), digest, path};
}

Result<Stub> read_default_stub(const manifests::Architecture& architecture) {
  const std::string name(architecture.efi_stub);
  const std::string installed = std::string(kStubFolder) + "/" + name;
  auto stub = read_stub(installed, std::nullopt);
  const bool missing = !stub && stub.error().code == Errc::not_found;
  if (!missing || architecture.name == manifests::own_architecture().name) return stub;
  TRY_ASSIGN(const std::string folder, foreign_program_folder(architecture));
  stub = read_stub(folder + "/" + name, std::nullopt);
  if (stub || stub.error().code != Errc::not_found) return stub;
  return fail(Errc::not_found,
              folder + "/" + name + ": no EFI stub here, nor at " + installed + ": " +
                  how_to_get(architecture) +
                  ", or take the stub from Debian's systemd-boot-efi of that architecture and "
                  "name it with --stub");
}

Result<std::optional<manifests::LockedProgram>> lock_stub(
    const manifests::Architecture& architecture, const Cache& cache,
    const std::optional<manifests::Lock>& before) {
  const auto stub = read_default_stub(architecture);
  if (!stub && stub.error().code == Errc::not_found) {
    return before ? stub_of(*before) : std::nullopt;
  }
  TRY(stub);
  TRY(cache.put(stub->digest, stub->program));
  return manifests::LockedProgram{std::string(architecture.efi_stub), stub->digest,
                                  ByteCount{stub->program.size()}};
}

Status keep_stub(const manifests::Lock& lock, const Cache& cache, images::Store& store) {
  const auto pinned = stub_of(lock);
  if (!pinned || store.has_blob(pinned->digest)) return {};
  std::string program;
  if (const auto cached = FetchedBlob::open(cache, pinned->digest, pinned->size)) {
    TRY_ASSIGN(program, cached->read());
  } else {
    TRY_ASSIGN_IN(const auto architecture, manifests::parse_architecture(lock.architecture),
                  "architecture");
    TRY_ASSIGN(Stub stub, read_default_stub(architecture));
    TRY(check_pinned(stub.path, stub.digest, *pinned));
    program = std::move(stub.program);
  }
  TRY(store.write_blob(pinned->digest, as_bytes(program)));
  return {};
}

Result<Stub> read_release_stub(const images::Store& store, const manifests::Release& release,
                               const std::string& path, const std::optional<Digest>& wanted) {
  TRY_ASSIGN_IN(const auto architecture, manifests::parse_architecture(release.architecture),
                "architecture");
  TRY_ASSIGN(const auto lock, find_release_lock(store, release));
  const auto pinned = lock ? stub_of(lock->lock) : std::nullopt;
  if (!pinned && !wanted) {
    return fail(Errc::not_found,
                "its lock pins no EFI stub: " + how_to_get_stub(architecture) +
                    ", lock again and build, or name one with --stub and --stub-digest");
  }
  if (pinned && wanted) TRY(check_pinned("of --stub-digest", *wanted, *pinned));
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
  TRY_ASSIGN(Stub stub, path.empty() ? read_default_stub(architecture)
                                     : read_stub(path, pinned ? std::nullopt : wanted));
  if (pinned) {
    TRY(check_pinned(stub.path, stub.digest, *pinned));
  } else if (stub.digest != *wanted) {
    return another(stub.path, stub.digest, *wanted);
  }
  return stub;
}

}  // namespace weir::builder
