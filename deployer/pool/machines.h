#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "manifests/base/names.h"
#include "manifests/base/result.h"
#include "manifests/documents/attachment.h"
#include "manifests/documents/fleet.h"
#include "manifests/messages/node_api.h"

namespace weir::pool {

/// What machines boot from: deployer/pool/edge/boot_image.h.
struct BootImage;

/// A node's machine that runs, as the journal keeps it: enough to find it again after the deployer
/// died. It is a claim: a driver acts on a process only after it has recognised it as this
/// machine, so that a stale or forged record ends nobody else's process.
struct MachineRecord {
  NodeId node;
  std::int64_t pid = 0;
  std::uint64_t start_ticks = 0;  ///< field 22 of /proc/PID/stat: tells a reused pid
  std::string folder;             ///< where its fleet has it, canonical, whatever was written down
};

enum class MachineState { running, frozen, gone };

/// What starts, finds and ends the machines of a pool; `vm` is QEMU. Machines outlive the deployer.
/// One folder a driver: deployer/pool/vm.
class MachineDriver {
 public:
  MachineDriver() = default;
  MachineDriver(const MachineDriver&) = delete;
  MachineDriver& operator=(const MachineDriver&) = delete;
  virtual ~MachineDriver() = default;

  /// Whether this node's machine could be started here from this image; asked before anything is
  /// changed. errors: not_found: what runs machines of the image's architecture is not installed;
  /// invalid_input: nothing does; busy: its user id is somebody else's
  virtual Status check(const manifests::Attachment& link, const BootImage& image) = 0;
  /// Makes the node's links, starts the machine on them and returns once it executes; it is not up
  /// before its API answers.
  ///
  /// folder   the machine's own; made if missing
  /// errors   those of `check`; busy: another machine holds the node's links; timeout, io, in the
  ///          machine's words
  virtual Result<MachineRecord> start(const manifests::Attachment& link,
                                      const manifests::PoolSpec& spec, const BootImage& image,
                                      const manifests::NodeConfig& config,
                                      const std::string& folder) = 0;
  /// `gone` also where its process is no machine of ours. errors: io: it cannot be looked at now
  virtual Result<MachineState> state(const MachineRecord& machine) = 0;
  /// The tail of its console, for error messages.
  virtual std::string console_tail(const MachineRecord& machine, std::size_t lines) = 0;
  /// Ends it: asks first, then insists after `patience`. Gone already is fine. Its links go with
  /// it. errors: timeout: it does not end; integrity: its process is not recognised and left alone
  virtual Status stop(const MachineRecord& machine, std::chrono::milliseconds patience) = 0;
  /// Ends what runs in `folder` though no record says so: its deployer died between starting it and
  /// writing that down. Nothing there is fine. errors: timeout: it is frozen and cannot be asked
  virtual Status end_unrecorded(const std::string& folder, std::chrono::milliseconds patience) = 0;
  /// It is up: from now on its threads go before those of machines that still boot, and before most
  /// else on the host. Without the right to say so (CAP_SYS_NICE) all stays as it is.
  virtual void prefer(const MachineRecord& machine) = 0;
};

}  // namespace weir::pool
