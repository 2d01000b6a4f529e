#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "deployer/probe/blake2s.h"
#include "keys/signing/secret.h"
#include "manifests/base/digest.h"
#include "manifests/base/names.h"
#include "manifests/base/result.h"

/// WireGuard's initiator: Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s with WireGuard's messages.
/// source: the WireGuard white paper, sections 5.4 and 5.4.1 to 5.4.7
namespace weir::probe {

/// First byte of a message, the three after it being zero.
enum class MessageType : std::uint8_t { initiation = 1, response = 2, cookie_reply = 3, data = 4 };

inline constexpr std::size_t kInitiationSize = 148;
inline constexpr std::size_t kResponseSize = 92;
inline constexpr std::size_t kCookieReplySize = 64;
inline constexpr std::size_t kLeastDataSize = 32;

/// What kind of message these bytes can be, by type and size. errors: invalid_input
[[nodiscard]] Result<MessageType> type_of(Bytes datagram);
/// The receiver index of a response, cookie reply or data message; 0 where the bytes are none.
[[nodiscard]] std::uint32_t receiver_of(Bytes datagram);

/// A time as TAI64N, as WireGuard counts it (2^62 + 10 + Unix seconds; section 5.4.2, "TIMESTAMP").
[[nodiscard]] std::array<std::uint8_t, 12> tai64n(std::chrono::nanoseconds since_epoch);

/// The keys of an established session, from the initiator's side.
class Session {
 public:
  /// One data message around an inner IP packet, padded to 16 bytes; empty: a keepalive.
  [[nodiscard]] Result<std::string> seal(Bytes packet);
  /// The inner packet with its padding; empty for a keepalive.
  /// errors: integrity: it does not decrypt; invalid_input: not a data message
  [[nodiscard]] Result<std::string> open(Bytes datagram) const;

 private:
  friend class Initiator;
  Session(keys::Secret sending, keys::Secret receiving, std::uint32_t receiver)
      : sending_(std::move(sending)), receiving_(std::move(receiving)), receiver_(receiver) {}
  keys::Secret sending_, receiving_;
  std::uint32_t receiver_;
  std::uint64_t counter_ = 0;
};

/// 16 bytes that a gateway under load gives out; the next initiation carries a MAC made with them.
using Cookie = std::array<std::uint8_t, 16>;

/// One attempt at a handshake.
class Initiator {
 public:
  struct Inputs {
    const keys::Secret& private_key;  ///< ours, 32 bytes
    PublicKey gateway;
    const keys::Secret* preshared_key;         ///< 32 bytes, or null for none
    const keys::Secret& ephemeral;             ///< 32 random bytes, for this attempt alone
    std::uint32_t index;                       ///< by which the gateway will address us
    std::array<std::uint8_t, 12> timestamp{};  ///< newer than that of every earlier attempt
    std::optional<Cookie> cookie;
  };
  /// errors: invalid_input: a key of wrong size, or one with which no secret can be agreed on
  static Result<Initiator> start(const Inputs& inputs);

  /// The 148 bytes to send.
  [[nodiscard]] const std::string& message() const { return message_; }
  [[nodiscard]] std::uint32_t index() const { return index_; }

  /// The session a response opens.
  /// errors: integrity: it does not decrypt, which a wrong preshared key shows as; invalid_input:
  /// not a
  ///         response to this initiation
  [[nodiscard]] Result<Session> finish(Bytes response) const;
  /// What a cookie reply to this initiation holds. errors: as `finish`
  [[nodiscard]] Result<Cookie> open_cookie(Bytes reply) const;

 private:
  Initiator() : gateway_(PublicKey::from_raw({})), self_(PublicKey::from_raw({})) {}
  std::string message_;
  std::uint32_t index_ = 0;
  PublicKey gateway_, self_;
  keys::Secret private_key_, ephemeral_, preshared_key_, chaining_key_;
  Hash hash_{};
};

}  // namespace weir::probe
