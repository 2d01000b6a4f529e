#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "builder/kernel/kernel_image.h"
#include "builder/kernel/kernel_module.h"
#include "builder/kernel/module_signature.h"
#include "builder/kernel/module_symbols.h"
#include "images/tree/file_tree.h"
#include "manifests/base/result.h"

namespace weir::builder {

/// One module of an image, wherever it came from.
struct ImageModule {
  std::string path;  ///< in the image, without the first slash
  KernelModule facts;
  images::Content unpacked;                 ///< the .ko itself, not compressed
  std::optional<std::string> own_signer{};  ///< `ForeignModule::own_signer`
};

/// What a kernel holds modules against, read from the kernel itself.
struct KernelBinding {
  SymbolSums exports;
  KernelKeys keys;
};

/// errors: invalid_input: tables of exports that cannot be read
[[nodiscard]] Result<KernelBinding> read_kernel_binding(const KernelImage& kernel);

/// The part of `check_binding` that asks only whether each `vermagic` is the kernel's.
/// errors: integrity, naming the module
[[nodiscard]] Status check_vermagic(const KernelImage& kernel,
                                    const std::vector<ImageModule>& modules);

/// Whether the kernel would load every one of the modules, and whether all of it was built and
/// signed together:
///   - `vermagic` is the kernel's;
///   - every symbol that a module calls is exported by the kernel or by another module, with the
///     checksum that it was built against, where the kernel has checksums;
///   - where the kernel checks signatures and carries a certificate, or where any module is signed:
///     every module is signed with one and the same key, the certificate of that key is in the
///     kernel, and content and signature match;
///   - a module that Weir compiled has the signature of its own signer instead, or none.
///
/// returns  the key the others are signed with (`ModuleSignature::key`), empty where none has to be
/// errors   integrity, naming the module, and the symbol or key
[[nodiscard]] Result<std::string> check_binding(const KernelImage& kernel,
                                                const KernelBinding& binding,
                                                const std::vector<ImageModule>& modules);

}  // namespace weir::builder
