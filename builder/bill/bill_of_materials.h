#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "builder/packages/package_declarations.h"
#include "manifests/base/result.h"
#include "manifests/documents/lock.h"
#include "manifests/documents/release.h"

namespace weir::builder {

/// A package of an image, or what a module of it was compiled from.
struct MaterialPackage {
  std::string name, version, architecture;
  Digest digest;            ///< of the .deb
  std::string path;         ///< in an archive's pool
  std::string package_url;  ///< manifests/documents/package_url.h
  std::string vendor;       ///< as its package URL has it: "debian"
  std::string source;       ///< the source package, empty where the path does not tell
  std::string suite;
  std::string why;  ///< "kernel", "asked for", "needed by NAME", "source of module NAME"
  std::vector<std::string> needs;  ///< which packages of the image, by name
  std::string licenses;            ///< an SPDX expression; empty: not known
};

/// A program or a part of a package that the release names by digest.
struct MaterialFile {
  std::string name, version;
  Digest digest;
  std::string package;  ///< which of the image's packages it came from; empty: none
  std::string
      source{};  ///< which of `BillOfMaterials::sources` a module was compiled from, or none
};

/// What is in an image: a function of the signed release, the lock that it names, and its packages'
/// layers, so that everybody who has them makes the same SBOMs.
struct BillOfMaterials {
  ReleaseName name;
  Digest release_digest;
  std::string version;          ///< the release's, or the source epoch where it has no terms
  std::string created;          ///< the source epoch: "2026-11-22T00:00:00Z"
  std::string builder_version;  ///< as the release states it
  std::vector<std::string> provides;
  MaterialFile kernel;                    ///< the boot image
  std::vector<MaterialPackage> packages;  ///< by name
  std::vector<MaterialFile> modules;      ///< all of the image, by name
  std::vector<MaterialFile> programs;     ///< weir-init and weir-node
  std::vector<MaterialFile> layers;       ///< of the image, that are no package's
  std::optional<MaterialFile> stub{};     ///< what its UKIs begin with, where the lock pins one
  std::string debian{};                   ///< the Debian that it is of: "12"; empty: not known
  /// Packages that modules were compiled from and that are not in the image themselves, by name.
  std::vector<MaterialPackage> sources{};
};

/// Whether advisories of Debian's are about it.
[[nodiscard]] bool is_debians(const MaterialPackage& package);

/// Who supplies it, as people write the name: "Debian".
[[nodiscard]] std::string supplier_of(const MaterialPackage& package);

/// release_digest   of the release document, byte for byte
/// lock             whose digest is the release's `lock_digest`
/// declared         what the packages' layers say
/// errors           integrity: the lock's packages are not the release's; invalid_input: a
/// package's
///                  relations cannot be read
[[nodiscard]] Result<BillOfMaterials> bill_of_materials(const manifests::Release& release,
                                                        const Digest& release_digest,
                                                        const manifests::Lock& lock,
                                                        const Declarations& declared);

/// The source package of a package, by the archive's own layout:
/// "pool/main/g/gcc-12/libgcc-s1_12.2.0-14_amd64.deb" comes from "gcc-12".
/// source: Debian policy and the archive's pool: COMPONENT/PREFIX/SOURCE/FILE
[[nodiscard]] std::string source_package_of(std::string_view pool_path);

}  // namespace weir::builder
