#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "manifests/base/digest.h"
#include "manifests/base/names.h"
#include "manifests/base/result.h"
#include "manifests/documents/trust.h"

namespace weir::manifests {

/// A blob in a store.
struct Blob {
  Digest digest;
  ByteCount size;
  bool operator==(const Blob&) const = default;
};

struct ReleaseKernel {
  std::string package;   ///< "linux-image-6.12.95+deb12-cloud-amd64"
  std::string version;   ///< Debian version of that package
  std::string release;   ///< `uname -r` of the booted node
  std::string build_id;  ///< GNU build id, 40 hex digits; /sys/kernel/notes shows it on the node
  Blob image;            ///< the bzImage, byte for byte as the package has it
  bool operator==(const ReleaseKernel&) const = default;
};

/// What a module was compiled from; with what else, the lock says (`LockedModuleBuild`).
struct ModuleOrigin {
  std::string version;    ///< of the DKMS package that `ReleaseModule::package` names
  Digest package_digest;  ///< of that package's .deb
  Digest dkms_conf;       ///< of its dkms.conf
  Digest compiled;        ///< of the module before it was signed
  bool operator==(const ModuleOrigin&) const = default;
};

struct ReleaseModule {
  std::string name;        ///< "wireguard"
  std::string package;     ///< which package it came from; "file" where it was none
  std::string version;     ///< modinfo's `version`, empty where the module states none
  std::string srcversion;  ///< modinfo's `srcversion`; /sys/module/NAME/srcversion on the node
  std::string vermagic;
  std::string build_id;  ///< GNU build id, 40 hex digits; /sys/module/NAME/notes/ on the node
  Digest digest;         ///< of the .ko file as it lies in the image
  /// modinfo's `sig_key` as lower-case hex; empty where the kernel's modules are not signed.
  std::string signature_key{};
  bool pinned = true;  ///< the manifest names it, and it is loaded at boot; if not, it is needed by
                       ///< another, or a package brought it
  std::optional<ModuleOrigin> origin{};  ///< of a module that Weir compiled
  bool operator==(const ReleaseModule&) const = default;
};

struct ReleasePackage {
  std::string name;
  std::string version;
  std::string architecture;
  bool operator==(const ReleasePackage&) const = default;
};

/// One segment of the initramfs, in the order in which the kernel unpacks them.
struct ReleaseLayer {
  std::string name;       ///< package name, or "weir" for our own
  Blob blob;              ///< the compressed cpio, padded to 4 bytes
  Digest content_digest;  ///< of the uncompressed cpio (OCI's diff id)
  ByteCount content_size;
  bool operator==(const ReleaseLayer&) const = default;
};

struct ReleaseSource {
  std::string suite;  ///< "bookworm-backports"
  Digest inrelease_digest;
  std::string date;  ///< the InRelease's own Date field
  bool operator==(const ReleaseSource&) const = default;
};

/// Where a release stands among others, which a verifier holds it to (keys/trust/trust.h).
struct ReleaseTerms {
  std::uint64_t version = 0;        ///< rises within a channel; at most 2^53 - 1
  ChannelName channel;              ///< "stable"
  std::uint64_t replaces_from = 0;  ///< lowest version of the channel that it may follow
  UtcTime expires;                  ///< from then on nobody may start using it
  bool operator==(const ReleaseTerms&) const = default;
};

/// A file with something in it that looks like a secret, which a person found to be none.
struct AcceptedFile {
  std::string path;  ///< "/usr/lib/x86_64-linux-gnu/libgnutls.so.30.34.3"
  Digest digest;     ///< of the file
  bool operator==(const AcceptedFile&) const = default;
};

/// The search for the keys of the builder's own fleet, which are not in the release.
struct OwnKeys {
  std::uint64_t count = 0;  ///< distinct keys that were searched for; not 0
  /// of the set of keys and of the rules: equal where both are, and says nothing else of a key
  Digest identity;
  bool operator==(const OwnKeys&) const = default;
};

/// The search of the image's files for secrets; what it found was accepted, or there would be no
/// release.
struct ReleaseScan {
  std::uint64_t rules = 0;  ///< which set of rules; docs/release.md lists them
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::optional<OwnKeys> own_keys{};     ///< none: they were not searched for
  std::vector<AcceptedFile> accepted{};  ///< by path
  bool operator==(const ReleaseScan&) const = default;
};

/// The signed statement that describes an image. `print` of equal releases is equal, byte for byte:
/// these bytes are what is signed. Format: docs/release.md.
struct Release {
  ReleaseName name;
  std::string architecture;       ///< Debian's name, "amd64"
  std::int64_t source_epoch = 0;  ///< Unix seconds; the newest signed index the lock was made from
  Digest lock_digest;             ///< of the lock document, as stored; the image carries it too
  ReleaseKernel kernel;
  std::vector<ReleaseModule> modules;    ///< every .ko in the image, by name
  std::vector<ReleasePackage> tools;     ///< those the manifest asks for, by name
  std::vector<ReleasePackage> packages;  ///< every package in the image, by name
  std::vector<std::string> provides;     ///< what Weir stood in for (design, section 5)
  std::vector<ReleaseLayer> layers;
  std::string command_line;  ///< for the kernel
  std::vector<ReleaseSource> sources;
  std::string builder_version;
  std::optional<ReleaseTerms> terms{};  ///< releases of before there were terms have none
  ReleaseScan scan{};
  bool operator==(const Release&) const = default;
};

/// errors: invalid_input, naming the field; unknown fields and duplicate keys are refused
[[nodiscard]] Result<Release> parse_release(std::string_view json);
[[nodiscard]] std::string print(const Release& release);

}  // namespace weir::manifests
