#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "images/tree/file_tree.h"
#include "manifests/base/digest.h"
#include "manifests/base/result.h"
#include "manifests/documents/lock.h"

/// How a DKMS package is compiled, decided before anything runs: its own `dkms build`, the tool of
/// the pinned packages, in a root of nothing but these.
namespace weir::builder {

/// The source that a DKMS package brings.
struct DkmsSource {
  std::string folder;      ///< "/usr/src/jool-dkms-4.1.9"
  Digest conf;             ///< of its dkms.conf
  std::int64_t epoch = 0;  ///< of its newest file, Unix seconds: what compilers take for today
};

/// files    of the package, merged /usr
/// errors   invalid_input: not exactly one usr/src/NAME/dkms.conf
[[nodiscard]] Result<DkmsSource> find_dkms_source(const images::FileTree& files);

/// The kernel's release, of the name of its headers' package: "6.1.0-57-cloud-amd64".
[[nodiscard]] std::string release_of(const manifests::LockedModuleBuild& build);

/// What uname(1) calls a machine of this architecture: "x86_64" of "amd64".
[[nodiscard]] std::string machine_name(const std::string& architecture);

/// Names what a DKMS package is compiled to before it is: equal keys, equal modules.
/// package   one of `build.sources`
[[nodiscard]] Digest compile_key(const manifests::LockedModuleBuild& build,
                                 const std::string& architecture, const std::string& package);

/// What the root has besides its packages, whose scripts never ran: links that alternatives would
/// be, users, settings of dkms. errors: bug
[[nodiscard]] Result<images::FileTree> make_root_settings();

/// The arguments of bwrap(1): its own namespaces, no network, no capabilities, nothing writable but
/// memory; only descriptors 0 to 2 lead outside.
///
/// root       holds the packages
/// as_root    whether this process has user id 0
[[nodiscard]] std::vector<std::string> sandbox_arguments(const std::string& root, bool as_root,
                                                         const DkmsSource& source,
                                                         const std::string& release,
                                                         const std::string& architecture);

/// What the sandbox wrote on its standard output: module files, by name, possibly compressed.
/// errors: invalid_input: cut, or not what it is to write
[[nodiscard]] Result<std::vector<std::pair<std::string, std::string>>> parse_sandbox_output(
    std::string_view output);

/// The lines of a log that say why compiling failed, `most` of them at most: the compiler's errors,
/// else the last ones.
[[nodiscard]] std::vector<std::string> telling_lines(std::string_view log, std::size_t most);

}  // namespace weir::builder
