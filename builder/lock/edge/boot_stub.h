#pragma once

#include <optional>
#include <string>

#include "builder/mirror/edge/cache.h"
#include "images/store/store.h"
#include "manifests/base/result.h"
#include "manifests/documents/architecture.h"
#include "manifests/documents/lock.h"
#include "manifests/documents/release.h"

namespace weir::builder {

/// The EFI program that a unified kernel image begins as.
struct Stub {
  std::string program;
  Digest digest;
  std::string path{};  ///< where it was read from; empty: the store
};

/// wanted   where there is one, another stub is refused
/// errors   not_found, naming the package; exhausted: over 16 MiB; integrity; io
[[nodiscard]] Result<Stub> read_stub(const std::string& path, const std::optional<Digest>& wanted);

/// The stub of this architecture that is here: where Debian's systemd-boot-efi puts it, or, of
/// another architecture than this machine's, beside the node programs (node_programs.h).
/// errors: not_found, saying how to get it; io
[[nodiscard]] Result<Stub> read_default_stub(const manifests::Architecture& architecture);

/// The stub that is here, to be pinned by a lock, and a copy of it for the cache. One that was
/// pinned before stays where there is none.
/// returns  absent: none is here, and none was pinned
[[nodiscard]] Result<std::optional<manifests::LockedProgram>> lock_stub(
    const manifests::Architecture& architecture, const Cache& cache,
    const std::optional<manifests::Lock>& before);

/// Puts the stub that a lock pins into the store, so that exports need no installed one: from the
/// cache, else the installed one. Without a pin, nothing.
/// errors: not_found, integrity: neither is the pinned one: says to lock again
[[nodiscard]] Status keep_stub(const manifests::Lock& lock, const Cache& cache,
                               images::Store& store);

/// The stub that a release's UKIs begin with: the one its lock pins, from the store, or from a
/// file.
///
/// path     a file to take it from; empty: the store, else the installed one
/// wanted   its digest, as a person says it; for a release whose lock pins none there must be one
/// errors   integrity: another stub than the pinned one, or `wanted` is; not_found: no stub, or
/// none
///          is pinned; each says what to do
[[nodiscard]] Result<Stub> read_release_stub(const images::Store& store,
                                             const manifests::Release& release,
                                             const std::string& path,
                                             const std::optional<Digest>& wanted);

}  // namespace weir::builder
