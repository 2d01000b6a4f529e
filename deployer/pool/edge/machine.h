#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "deployer/network/edge/network_namespace.h"
#include "manifests/base/digest.h"
#include "manifests/base/edge/file.h"
#include "manifests/base/result.h"
#include "manifests/documents/fleet.h"
#include "manifests/messages/node_api.h"

namespace weir::pool {

/// A release's kernel and initramfs in sealed memory: verified once, and no longer changeable.
struct BootImage {
  Fd kernel;     ///< memfd, F_SEAL_WRITE | SHRINK | GROW | SEAL
  Fd initramfs;  ///< the same; all layers in order
  std::string command_line;
};

/// A node's machine that runs, as the journal keeps it: enough to find it again after the deployer
/// died.
struct MachineRecord {
  NodeId node;
  std::int64_t pid = 0;
  std::uint64_t start_ticks = 0;  ///< field 22 of /proc/PID/stat: tells a reused pid
  std::string folder;             ///< console log, QMP socket
};

enum class MachineState { running, frozen, gone };

/// What starts, finds and ends the machines of a pool; `vm` is QEMU. Machines outlive the deployer.
class MachineDriver {
 public:
  MachineDriver() = default;
  MachineDriver(const MachineDriver&) = delete;
  MachineDriver& operator=(const MachineDriver&) = delete;
  virtual ~MachineDriver() = default;

  /// Makes the node's taps in `where`, starts the machine on them and returns once it executes; it
  /// is not up before its API answers.
  virtual Result<MachineRecord> start(const manifests::NodeLink& link,
                                      const manifests::PoolSpec& spec, const BootImage& image,
                                      const manifests::NodeConfig& config,
                                      const network::NetworkNamespace& where,
                                      const std::string& folder) = 0;
  virtual Result<MachineState> state(const MachineRecord& machine) = 0;
  /// The tail of its console, for error messages.
  virtual std::string console_tail(const MachineRecord& machine, std::size_t lines) = 0;
  /// Ends it: asks first, then insists after `patience`. Gone already is fine. Its taps go with it.
  virtual Status stop(const MachineRecord& machine, std::chrono::milliseconds patience) = 0;
  /// Ends what runs in `folder` though no record says so: its deployer died between starting it and
  /// writing that down. Nothing there is fine. errors: timeout: it is frozen and cannot be asked
  virtual Status end_unrecorded(const std::string& folder, std::chrono::milliseconds patience) = 0;
  /// It is up: from now on its threads go before those of machines that still boot, and before most
  /// else on the host. Without the right to say so (CAP_SYS_NICE) all stays as it is.
  virtual void prefer(const MachineRecord& machine) = 0;
};

/// KVM where a guest really runs (tried once), else software emulation.
[[nodiscard]] Result<std::unique_ptr<MachineDriver>> make_vm_driver();

}  // namespace weir::pool
