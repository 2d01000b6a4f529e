#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::manifests {

inline constexpr std::size_t kMostServices = 64;

/// What a service's end means: it is started again whatever it was, where it failed, or not.
enum class Restart : std::uint8_t { always, on_failure, never };
inline constexpr std::array<std::string_view, 3> kRestartNames = {"always", "on-failure", "never"};

/// By what a service counts as ready: it ran for a second; a TCP port takes connections; a file is
/// there; it said a text; a command ends with 0.
enum class ReadyBy : std::uint8_t { started, tcp, file, log, command };
inline constexpr std::array<std::string_view, 5> kReadyNames = {"started", "tcp", "file", "log",
                                                                "command"};

struct Readiness {
  ReadyBy by = ReadyBy::started;
  std::string text{};                  ///< "127.0.0.1:53", a path, or what it says
  std::vector<std::string> command{};  ///< run as the service's user
  std::chrono::milliseconds within{30000};
  bool operator==(const Readiness&) const = default;
};

/// A port of the node on its management link that the director may talk to, or one of the
/// director's that the service asks, and whose answers come in.
struct OpenPort {
  bool tcp = true;  ///< else UDP
  std::uint16_t port = 0;
  bool asked = false;  ///< the port of others
  bool operator==(const OpenPort&) const = default;
};

/// The place of a name in one of the lists above.
template <std::size_t size>
[[nodiscard]] constexpr std::optional<std::size_t> place_of_name(
    const std::array<std::string_view, size>& names, std::string_view name) {
  for (std::size_t i = 0; i < size; ++i) {
    if (names[i] == name) return i;
  }
  return std::nullopt;
}

/// Capabilities by their number. source: linux/capability.h
inline constexpr std::array<std::string_view, 41> kCapabilityNames = {"CAP_CHOWN",
                                                                      "CAP_DAC_OVERRIDE",
                                                                      "CAP_DAC_READ_SEARCH",
                                                                      "CAP_FOWNER",
                                                                      "CAP_FSETID",
                                                                      "CAP_KILL",
                                                                      "CAP_SETGID",
                                                                      "CAP_SETUID",
                                                                      "CAP_SETPCAP",
                                                                      "CAP_LINUX_IMMUTABLE",
                                                                      "CAP_NET_BIND_SERVICE",
                                                                      "CAP_NET_BROADCAST",
                                                                      "CAP_NET_ADMIN",
                                                                      "CAP_NET_RAW",
                                                                      "CAP_IPC_LOCK",
                                                                      "CAP_IPC_OWNER",
                                                                      "CAP_SYS_MODULE",
                                                                      "CAP_SYS_RAWIO",
                                                                      "CAP_SYS_CHROOT",
                                                                      "CAP_SYS_PTRACE",
                                                                      "CAP_SYS_PACCT",
                                                                      "CAP_SYS_ADMIN",
                                                                      "CAP_SYS_BOOT",
                                                                      "CAP_SYS_NICE",
                                                                      "CAP_SYS_RESOURCE",
                                                                      "CAP_SYS_TIME",
                                                                      "CAP_SYS_TTY_CONFIG",
                                                                      "CAP_MKNOD",
                                                                      "CAP_LEASE",
                                                                      "CAP_AUDIT_WRITE",
                                                                      "CAP_AUDIT_CONTROL",
                                                                      "CAP_SETFCAP",
                                                                      "CAP_MAC_OVERRIDE",
                                                                      "CAP_MAC_ADMIN",
                                                                      "CAP_SYSLOG",
                                                                      "CAP_WAKE_ALARM",
                                                                      "CAP_BLOCK_SUSPEND",
                                                                      "CAP_AUDIT_READ",
                                                                      "CAP_PERFMON",
                                                                      "CAP_BPF",
                                                                      "CAP_CHECKPOINT_RESTORE"};

}  // namespace weir::manifests
