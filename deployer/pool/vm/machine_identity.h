#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "deployer/pool/machines.h"

namespace weir::pool {

/// What the kernel tells of a process (proc(5)).
struct ProcessFacts {
  std::optional<std::string> executable;  ///< /proc/PID/exe; absent where we may not see it
  std::vector<std::string> arguments;     ///< /proc/PID/cmdline
  std::uint32_t user = 0;                 ///< the real one
  bool holds_console = false;  ///< the console log in the record's folder: that very file
};

/// Whether a process is the QEMU that `record` names: run by QEMU's program, as a user that only
/// nodes have, under this node's name, and in the record's folder. That it lives there, its name or
/// the console log that it holds says; of a copy of a fleet's folder, neither does. pid and start
/// time alone say nothing: both come from the record, and can fit any process after a reboot.
[[nodiscard]] bool is_machine(const ProcessFacts& facts, const MachineRecord& record);

/// Whether a node's process has given up its memory and is about to end: it has no command line any
/// more, but may still hold its links.
[[nodiscard]] bool is_ending(const ProcessFacts& facts);

/// Reads /proc/PID/cmdline.
[[nodiscard]] std::vector<std::string> parse_command_line(std::string_view text);

/// Reads the real user id of /proc/PID/status. errors: invalid_input
[[nodiscard]] Result<std::uint32_t> parse_real_user(std::string_view status);

}  // namespace weir::pool
