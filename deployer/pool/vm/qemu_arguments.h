#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "manifests/base/names.h"
#include "manifests/base/result.h"

namespace weir::pool {

enum class Acceleration { kvm, emulation };

/// How QEMU runs machines of one architecture.
struct QemuSystem {
  std::string_view architecture;  ///< Debian's name: "arm64"
  std::string_view program;       ///< "qemu-system-aarch64"
  std::string_view package;       ///< Debian's, that has it
  std::string_view machine;       ///< value of -machine
  std::string_view emulated_cpu;  ///< value of -cpu where KVM does not run it
};

/// errors: invalid_input: no machines of this architecture
/// source: qemu(1), 7.2
[[nodiscard]] Result<QemuSystem> qemu_system_of(std::string_view architecture);

/// Whether a program's name is that of QEMU as machines are run by it.
[[nodiscard]] bool is_qemu_program(std::string_view name);

/// Descriptors that a node's QEMU inherits; the numbers are the same in it as in us.
struct QemuDescriptors {
  int kernel = -1;          ///< memfd, read by path
  int initramfs = -1;       ///< memfd, read by path
  int node_config = -1;     ///< memfd, read by path; becomes the fw_cfg item
  int data_tap = -1;        ///< /dev/net/tun, already attached, with IFF_VNET_HDR
  int management_tap = -1;  ///< the same
  int console = -1;         ///< write only
  int qmp = -1;             ///< a listening unix socket
};

/// What one node's QEMU is told.
struct QemuSpec {
  QemuSystem system;
  NodeId node;
  std::string folder;  ///< as the machine's record has it
  ByteCount memory;    ///< rounded up to whole MiB
  std::uint16_t cpus = 1;
  Acceleration acceleration = Acceleration::emulation;
  std::string command_line;              ///< for the kernel, as the release has it
  std::string data_mac, management_mac;  ///< "52:54:00:…"
  QemuDescriptors fds;
};

/// The value of -name, by which a machine is found again: node and folder.
[[nodiscard]] std::string qemu_name(const NodeId& node, const std::string& folder);

/// The whole argument vector after the program's name: a machine with two network cards, a serial
/// console, random numbers and nothing else, under QEMU's system call filter.
/// source  qemu(1), 7.2
[[nodiscard]] std::vector<std::string> qemu_arguments(const QemuSpec& spec);

/// The argument vector of the guest that shows whether KVM runs guests at all (trial_guest.h): the
/// accelerator and processor of `qemu_arguments`, no devices but the one that ends QEMU.
[[nodiscard]] std::vector<std::string> qemu_trial_arguments(const QemuSystem& system,
                                                            Acceleration acceleration,
                                                            int firmware);

}  // namespace weir::pool
