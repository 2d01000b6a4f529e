#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "images/tree/file_tree.h"
#include "manifests/base/digest.h"
#include "manifests/base/result.h"

namespace weir::builder {

/// What a kernel module says about itself.
struct KernelModule {
  std::string name;                 ///< with underscores, as /proc/modules shows it
  std::string version, srcversion;  ///< empty where it states none
  std::string vermagic;
  std::string build_id;                    ///< GNU build id, 40 hex digits
  std::vector<std::string> depends;        ///< names of modules it needs
  std::vector<std::string> wanted_before;  ///< "softdep: pre": names or aliases
  std::vector<std::string> aliases;
};

/// "kernel/drivers/net/wireguard/wireguard.ko.xz" is "wireguard"; hyphens become underscores. Empty
/// where the path is not a module's.
[[nodiscard]] std::string module_name_of(std::string_view path);
/// "libcurve25519-generic" and "libcurve25519_generic" are one module.
[[nodiscard]] std::string module_name(std::string_view text);

/// A module's own bytes: `file` itself, or what it unpacks to.
/// errors: invalid_input: neither ELF nor compressed, or damaged
[[nodiscard]] Result<images::Content> unpack_kernel_module(const images::Content& file);

/// Reads a module as the package has it: a .ko, or one that is compressed.
/// errors: invalid_input: not a kernel module, or one without build id or vermagic
[[nodiscard]] Result<KernelModule> parse_kernel_module(Bytes bytes);

}  // namespace weir::builder
