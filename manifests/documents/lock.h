#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "manifests/base/digest.h"
#include "manifests/base/names.h"
#include "manifests/base/result.h"
#include "manifests/documents/image_manifest.h"

namespace weir::manifests {

inline constexpr std::string_view kLockType = "weir.lock/3";

/// A signed index that the lock was made from.
struct LockedSource {
  std::string suite;        ///< "bookworm-backports", or "frr:stable" of a source with a name
  Digest inrelease_digest;  ///< of the InRelease file, or Release, byte for byte
  std::string date;         ///< its own Date field
  std::string signer;  ///< fingerprint of the keyring's key that signed it: 40 or 64 upper-case
                       ///< hex digits
  std::optional<Digest> signature_digest{};  ///< of Release.gpg, where there is no InRelease
  std::string vendor{};                      ///< whose packages it has; empty: Debian's
  std::string expired{};  ///< its own Valid-Until, where that had passed and somebody accepted it
  bool operator==(const LockedSource&) const = default;
};

/// One package of the closure.
struct LockedPackage {
  std::string name;
  std::string version;
  std::string architecture;  ///< "amd64" or "all"
  std::string path;          ///< below the archive's base: "pool/main/i/iproute2/iproute2_...deb"
  ByteCount size;            ///< of the .deb
  Digest digest;             ///< of the .deb
  std::string suite;         ///< the one of `Lock::sources` that signs for it
  std::string why;           ///< "kernel", "asked for" or "needed by NAME"
  bool operator==(const LockedPackage&) const = default;
};

/// weir-init or weir-node.
struct LockedProgram {
  std::string name;
  Digest digest;
  ByteCount size;
  bool operator==(const LockedProgram&) const = default;
};

/// A line of /etc/passwd that a script would have made. The number is kept from lock to lock.
struct LockedUser {
  std::string name;
  std::uint32_t id = 0, group_id = 0;
  std::string home, shell;
  bool operator==(const LockedUser&) const = default;
};

/// A line of /etc/group.
struct LockedGroup {
  std::string name;
  std::uint32_t id = 0;
  std::vector<std::string> members{};
  bool operator==(const LockedGroup&) const = default;
};

/// A folder that Weir makes, or gives to somebody else than its package does.
struct LockedFolder {
  std::string path;  ///< "/var/lib/unbound"
  std::uint32_t user_id = 0, group_id = 0, mode = 0755;
  bool operator==(const LockedFolder&) const = default;
};

/// A kernel module that the manifest takes from a file.
struct LockedModule {
  std::string name;  ///< as the manifest writes it
  std::string file;  ///< the manifest's
  Digest digest;     ///< of the file
  ByteCount size;
  bool operator==(const LockedModule&) const = default;
};

/// What the image's modules from DKMS packages are compiled with. None of it is in the image, but
/// for packages that are in `Lock::packages` too.
struct LockedModuleBuild {
  std::vector<std::string> sources;     ///< the DKMS packages, by name
  std::string headers;                  ///< the package of the kernel's headers
  std::vector<LockedPackage> packages;  ///< these, the compiler and all that they need, by name
  /// The X.509 certificate, DER in base64, whose key signs the modules; empty: they are not signed.
  std::string signer{};
  bool operator==(const LockedModuleBuild&) const = default;
};

/// An image manifest with every choice made. `print` of equal locks is equal, byte for byte, and
/// lists are in the order of their names, so that two locks compare by diff. Format: docs/lock.md.
struct Lock {
  ReleaseName name;
  std::string architecture;
  Digest manifest_digest;         ///< of the manifest file, byte for byte
  std::int64_t source_epoch = 0;  ///< Unix seconds: the newest Date of `sources`
  std::vector<LockedSource> sources;
  std::string kernel;  ///< the one of `packages` that the image boots
  std::vector<LockedPackage> packages;
  std::vector<std::string> provides;  ///< the stand-ins of the manifest and its reviewed lists
  /// The manifest's, and of its reviewed lists those of a package that is here; without the users,
  /// groups and folders, which stand below.
  std::vector<AcceptedScript> accept_scripts;
  std::vector<LockedProgram> programs;
  std::string builder_version;
  std::string compressor;     ///< "newc+zstd-1.5.4-9": what decides the layers' bytes besides them
  std::uint64_t version = 0;  ///< of the release that is made of it (builder/lock/lock_version.h)
  std::vector<LockedModule> modules{};              ///< from files; most images have none
  std::vector<AcceptedSecret> accept_secrets{};     ///< of the reviewed lists
  std::vector<LockedUser> users{};                  ///< by name, root not among them
  std::vector<LockedGroup> groups{};                ///< by name
  std::vector<LockedFolder> folders{};              ///< by path
  std::optional<LockedModuleBuild> module_build{};  ///< where modules are compiled
  bool operator==(const Lock&) const = default;
};

/// errors: invalid_input, naming the field (`packages[3].digest`); unknown and repeated fields,
/// another type, a package that is named twice, an unknown suite or kernel, a path that leaves the
/// archive
[[nodiscard]] Result<Lock> parse_lock(std::string_view json);
/// The same of one whose digest is to count: only as `print` writes it.
[[nodiscard]] Result<Lock> parse_canonical_lock(std::string_view json);
[[nodiscard]] std::string print(const Lock& lock);

}  // namespace weir::manifests
