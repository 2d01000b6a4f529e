#pragma once

#include <map>
#include <string>

#include "images/tree/file_tree.h"
#include "manifests/base/result.h"

namespace weir::builder {

/// What a package says of itself, for bills of materials.
struct PackageDeclarations {
  std::string depends;   ///< Depends and Pre-Depends, as the control file has them, with a comma
  std::string provides;  ///< Provides
  std::string licenses;  ///< `declared_licenses` of its copyright file; empty: not known
  /// The package whose copyright file it refers to by a link; empty: it has its own, or none.
  std::string licenses_of;
  bool operator==(const PackageDeclarations&) const = default;
};

/// By package.
using Declarations = std::map<std::string, PackageDeclarations>;

/// Reads them from a package's layer, where its control file (var/lib/dpkg/status.d/PACKAGE) and
/// its copyright file always are: the same for who makes the layer and for who has it from a store.
[[nodiscard]] PackageDeclarations declarations_of(const images::FileTree& layer,
                                                  const std::string& package);

/// The licences of a package; those of the package that its documentation is linked to, where it
/// is. Empty: not known.
[[nodiscard]] std::string licenses_of(const Declarations& all, const std::string& package);

}  // namespace weir::builder
