#pragma once

#include <string>
#include <vector>

#include "deployer/pool/vm/qemu_arguments.h"
#include "manifests/base/edge/process.h"

namespace weir::pool {

/// QEMU as every machine of ours runs it: as `user`, without capabilities, in network, mount, IPC
/// and host name namespaces of its own, where it sees no file of ours or of people and can write
/// none, in a session without a terminal, without core dumps.
///
/// inherited   what it works on: it opens nothing by itself but its program, its firmware and
///             /dev/kvm
/// output      where its messages go
[[nodiscard]] Program confined_qemu(const std::string& qemu, std::vector<std::string> arguments,
                                    uid_t user, std::vector<int> inherited, Stream output);

/// errors: not_found, saying which package has it
[[nodiscard]] Result<std::string> find_qemu(const QemuSystem& system);

}  // namespace weir::pool
