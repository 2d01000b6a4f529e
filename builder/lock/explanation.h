#pragma once

#include <optional>
#include <string>
#include <vector>

namespace weir::builder {

/// A package that was not taken, or a version of one.
struct NotTaken {
  std::string package, version, suite;
  std::string because;  ///< "a later alternative", "conflicts with b"
};

/// A relation that a package of the image has.
struct PackageNeed {
  std::string by;                      ///< who needs it
  std::string relation;                ///< "a (>= 1) | b", as its control file has it
  std::string taken;                   ///< the package that satisfies it
  std::vector<NotTaken> instead_of{};  ///< who else could, in the order of the relation
};

/// Why a package is in an image, or why it is not.
struct Explanation {
  std::string package;
  bool in_image = false;
  bool stands_in = false;          ///< Weir stands in for it
  bool unknown = false;            ///< no suite has it, nor anything that provides it
  std::string hint{};              ///< "; closest: a", of one that is unknown
  std::string version{}, suite{};  ///< where it is in the image
  /// From what the manifest names to the package, a shortest way; empty: the manifest names it.
  std::vector<PackageNeed> way{};
  std::string root{};                      ///< "kernel" or "asked for": why the way begins there
  std::vector<NotTaken> other_versions{};  ///< of the same package, newest first
  std::vector<PackageNeed>
      could_satisfy{};  ///< needs of the image that others satisfy in its place
  /// Of a name that no package has: who provides it, in its newest version, those in the image
  /// first; `because` says whether it is in.
  std::vector<NotTaken> provided_by{};
};

/// What `lock --why` prints; ends with a newline.
[[nodiscard]] std::string print(const Explanation& explanation);

}  // namespace weir::builder
