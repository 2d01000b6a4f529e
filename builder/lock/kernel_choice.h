#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "manifests/base/result.h"
#include "manifests/documents/image_manifest.h"

namespace weir::builder {

/// A package as a kernel is chosen among them. Views into its index.
struct KernelOffer {
  int id = 0;  ///< the solver's
  std::string_view name, version, architecture;
  std::string_view section{};  ///< "kernel", "shells"; may be empty
  bool automatic = true;       ///< its suite serves more than pins
  bool allowed = true;         ///< no constraint, stand-in or kept lock excludes it
  std::optional<std::uint64_t> installed_kib{};
  std::vector<std::string_view> depends{};  ///< every name in its Depends and Pre-Depends
};

/// What all suites have, as the choice needs it.
struct KernelOffers {
  std::vector<std::string_view> names;
  std::function<std::vector<KernelOffer>(std::string_view name)> named;
  std::function<bool(const KernelOffer&, const KernelOffer&)> newer;
};

struct KernelChoice {
  int kernel = 0;                ///< what the image boots
  std::optional<int> modules{};  ///< of a kernel's half that does not depend on its modules
};

/// Which package boots.
///
/// pin        a pattern that fits several flavours means the plain one, of which the others' names
///            are longer (`amd64` before `rt-amd64`); of a flavour, the newest version, and never
///            an unsigned kernel, debugging symbols or a metapackage. Without `version`, kernels of
///            suites that are not automatic count only where no other fits, as apt has it. A
///            metapackage's exact name
///            (`linux-image-amd64`) means the kernel that it depends on
/// kept       the kernel of an older lock, where it shall stay
/// errors     invalid_input, naming the field and what to write instead: nothing fits; several
///            flavours fit and none is the plain one; the package is for another architecture, or
///            holds no kernel as far as an index tells (of one that is no kernel neither the name
///            nor the section says so), or a kernel without modules
[[nodiscard]] Result<KernelChoice> choose_kernel(const manifests::KernelPin& pin,
                                                 const std::string& architecture,
                                                 const std::optional<std::string>& kept,
                                                 const KernelOffers& offers);

/// Whether a package is by its name a kernel, or the half of one: not its modules, headers or
/// debugging symbols, and no metapackage.
[[nodiscard]] bool is_kernel_name(std::string_view package);

}  // namespace weir::builder
