#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "deployer/wireguard/device.h"
#include "manifests/base/digest.h"
#include "manifests/base/names.h"
#include "manifests/base/result.h"

namespace weir::wireguard {

/// Largest message we write, and what a read needs: the kernel fills dumps up to 32 KiB.
inline constexpr ByteCount kMessageRoom{32768};

/// Encodes `change` as the messages that perform it.
///
/// family   generic netlink's number of "wireguard"
/// room     bytes a message, 512 at least and 32768 at most
/// returns  whole netlink messages (NLM_F_REQUEST | NLM_F_ACK, sequence 0: see `stamp`) to be sent
/// in order, at least
///          one; only the first clears peers. Steps at one peer that follow each other share a
///          message where they fit into one
/// errors   invalid_input: interface name of 0 or more than 15 bytes
/// source   linux/wireguard.h, WG_CMD_SET_DEVICE
[[nodiscard]] Result<std::vector<SecretBytes>> encode_set_device(const WgChange& change,
                                                                 std::uint16_t family,
                                                                 ByteCount room = kMessageRoom);

/// The request whose answer `DumpDecoder` reads. errors: as above
[[nodiscard]] Result<SecretBytes> encode_get_device(const std::string& interface,
                                                    std::uint16_t family);

/// Puts the messages of one dump together.
///
/// A peer whose allowed IPs did not fit goes on in the next message with nothing but its key and
/// further allowed IPs; continuation messages need not carry the interface. source:
/// linux/wireguard.h, WG_CMD_GET_DEVICE
class DumpDecoder {
 public:
  /// Messages of other sequences, left over from a dump that was given up, are skipped.
  DumpDecoder(std::uint16_t family, std::uint32_t sequence)
      : family_(family), sequence_(sequence) {}

  /// Takes what one read gave: one or more netlink messages, four-byte aligned.
  /// errors: kernel, with the errno: the dump failed (ENODEV: no such device, EOPNOTSUPP: not a
  ///         WireGuard device); invalid_input: malformed
  Status feed(Bytes datagram);

  [[nodiscard]] bool done() const { return done_; }
  /// The kernel saw the peers change meanwhile (NLM_F_DUMP_INTR): dump again.
  [[nodiscard]] bool interrupted() const { return interrupted_; }
  /// errors: bug: not done
  [[nodiscard]] Result<WgDevice> finish() &&;

 private:
  std::uint16_t family_;
  std::uint32_t sequence_;
  bool done_ = false, interrupted_ = false;
  WgDevice device_;
};

/// Writes the sequence number into a message's header.
void stamp(SecretBytes& message, std::uint32_t sequence);

/// Asks for the number of the generic netlink family "wireguard". source: linux/genetlink.h
[[nodiscard]] SecretBytes encode_get_family();
/// errors: kernel, with the errno (ENOENT: the module is not loaded); invalid_input: malformed
[[nodiscard]] Result<std::uint16_t> decode_family(Bytes datagram, std::uint32_t sequence);

/// The errno of an acknowledgement, 0 for success; nullopt: not one. errors: invalid_input:
/// malformed
[[nodiscard]] Result<std::optional<int>> decode_ack(Bytes datagram, std::uint32_t sequence);

}  // namespace weir::wireguard
