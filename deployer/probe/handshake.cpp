#include "deployer/probe/handshake.h"

#include <sodium.h>

#include <algorithm>

#include "keys/identity/wireguard_identity.h"

namespace weir::probe {
namespace {

using keys::Secret;

constexpr std::string_view kConstruction = "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s";
constexpr std::string_view kIdentifier = "WireGuard v1 zx2c4 Jason@zx2c4.com";
constexpr std::string_view kLabelMac1 = "mac1----";
constexpr std::string_view kLabelCookie = "cookie--";
constexpr std::size_t kTag = crypto_aead_chacha20poly1305_ietf_ABYTES;

// Offsets (section 5.4.2 to 5.4.7).
constexpr std::size_t kInitiationMac1 = 116, kInitiationMac2 = 132;
constexpr std::size_t kResponseReceiver = 8, kResponseEphemeral = 12, kResponseEmpty = 44,
                      kResponseMac1 = 60;
constexpr std::size_t kCookieNonce = 8, kCookieBox = 32;
constexpr std::size_t kDataCounter = 8, kDataPacket = 16;

std::string little_endian(std::uint64_t value, std::size_t bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
  return out;
}

std::uint32_t load32(Bytes in) {
  return in[0] | static_cast<std::uint32_t>(in[1]) << 8 | static_cast<std::uint32_t>(in[2]) << 16 |
         static_cast<std::uint32_t>(in[3]) << 24;
}

std::string header(MessageType type, std::uint32_t index) {
  return little_endian(static_cast<std::uint32_t>(type), 4) + little_endian(index, 4);
}

/// ChaCha20-Poly1305 with WireGuard's nonce: 32 zero bits and a 64-bit counter.
std::string seal_with(const Secret& key, std::uint64_t counter, Bytes plain, Bytes also) {
  const std::string nonce = std::string(4, '\0') + little_endian(counter, 8);
  std::string out(plain.size() + kTag, '\0');
  crypto_aead_chacha20poly1305_ietf_encrypt(reinterpret_cast<std::uint8_t*>(out.data()), nullptr,
                                            plain.data(), plain.size(), also.data(), also.size(),
                                            nullptr, as_bytes(nonce).data(), key.bytes().data());
  return out;
}

bool open_with(const Secret& key, Bytes nonce, Bytes sealed, Bytes also, std::string& plain) {
  plain.assign(sealed.size() - kTag, '\0');
  return crypto_aead_chacha20poly1305_ietf_decrypt(
             reinterpret_cast<std::uint8_t*>(plain.data()), nullptr, nullptr, sealed.data(),
             sealed.size(), also.data(), also.size(), nonce.data(), key.bytes().data()) == 0;
}

Result<Secret> agree(const Secret& own, Bytes other) {
  TRY_ASSIGN(Secret out, Secret::of_size(32));
  if (crypto_scalarmult_curve25519(out.writable().data(), own.bytes().data(), other.data()) != 0) {
    return fail(Errc::invalid_input, "no secret can be agreed on with this public key");
  }
  return out;
}

Result<Secret> copy(const Secret& key, const char* what) {
  if (key.size() != 32) return fail(Errc::invalid_input, std::string(what) + " must have 32 bytes");
  return Secret::copy_of(key.bytes());
}

Bytes part(Bytes datagram, std::size_t at, std::size_t size) {
  return datagram.subspan(at, size);
}

}  // namespace

Result<MessageType> type_of(Bytes datagram) {
  if (datagram.size() >= kLeastDataSize && datagram[1] == 0 && datagram[2] == 0 &&
      datagram[3] == 0) {
    const std::size_t size = datagram.size();
    switch (datagram[0]) {
      case 1:
        if (size == kInitiationSize) return MessageType::initiation;
        break;
      case 2:
        if (size == kResponseSize) return MessageType::response;
        break;
      case 3:
        if (size == kCookieReplySize) return MessageType::cookie_reply;
        break;
      case 4:
        return MessageType::data;
      default:
        break;
    }
  }
  return fail(Errc::invalid_input, "not a WireGuard message");
}

std::uint32_t receiver_of(Bytes datagram) {
  const auto type = type_of(datagram);
  if (!type || *type == MessageType::initiation) return 0;
  return load32(datagram.subspan(*type == MessageType::response ? kResponseReceiver : 4));
}

std::array<std::uint8_t, 12> tai64n(std::chrono::nanoseconds since_epoch) {
  const auto count = static_cast<std::uint64_t>(since_epoch.count());
  const std::uint64_t seconds = 0x400000000000000aULL + count / 1'000'000'000;
  const std::uint64_t nanoseconds = count % 1'000'000'000;
  std::array<std::uint8_t, 12> out{};
  for (std::size_t i = 0; i < 8; ++i) out[i] = static_cast<std::uint8_t>(seconds >> (56 - 8 * i));
  for (std::size_t i = 0; i < 4; ++i) {
    out[8 + i] = static_cast<std::uint8_t>(nanoseconds >> (24 - 8 * i));
  }
  return out;
}

Result<Initiator> Initiator::start(const Inputs& inputs) {
  Initiator out;
  out.index_ = inputs.index;
  out.gateway_ = inputs.gateway;
  TRY_ASSIGN(out.private_key_, copy(inputs.private_key, "the private key"));
  TRY_ASSIGN(out.ephemeral_, copy(inputs.ephemeral, "the ephemeral key"));
  if (inputs.preshared_key != nullptr) {
    TRY_ASSIGN(out.preshared_key_, copy(*inputs.preshared_key, "the preshared key"));
  } else {
    TRY_ASSIGN(out.preshared_key_, Secret::of_size(32));
  }
  TRY_ASSIGN(out.self_, keys::public_key_of(out.private_key_));
  TRY_ASSIGN(const PublicKey ephemeral, keys::public_key_of(out.ephemeral_));
  const Bytes gateway = inputs.gateway.raw();

  Hash chaining_key = blake2s({as_bytes(kConstruction)});
  out.hash_ = blake2s({chaining_key, as_bytes(kIdentifier)});
  out.hash_ = blake2s({out.hash_, gateway});
  std::string message = header(MessageType::initiation, inputs.index);
  const auto append = [&](Bytes bytes) { message.append(bytes.begin(), bytes.end()); };

  append(ephemeral.raw());
  out.hash_ = blake2s({out.hash_, ephemeral.raw()});
  TRY_ASSIGN(auto keys, kdf(chaining_key, ephemeral.raw(), 1));

  const auto encrypted = [&](const Secret& own, Bytes plain) -> Status {
    TRY_ASSIGN(const Secret agreed, agree(own, gateway));
    TRY_ASSIGN(keys, kdf(keys[0].bytes(), agreed.bytes(), 2));
    const std::string sealed = seal_with(keys[1], 0, plain, out.hash_);
    append(as_bytes(sealed));
    out.hash_ = blake2s({out.hash_, as_bytes(sealed)});
    return {};
  };
  TRY(encrypted(out.ephemeral_, out.self_.raw()));
  TRY(encrypted(out.private_key_, inputs.timestamp));
  out.chaining_key_ = std::move(keys[0]);

  append(blake2s_mac(blake2s({as_bytes(kLabelMac1), gateway}), as_bytes(message)));
  append(inputs.cookie ? blake2s_mac(*inputs.cookie, as_bytes(message)) : Mac{});
  out.message_ = std::move(message);
  return out;
}

Result<Session> Initiator::finish(Bytes response) const {
  const auto type = type_of(response);
  if (!type || *type != MessageType::response || receiver_of(response) != index_) {
    return fail(Errc::invalid_input, "not a response to this initiation");
  }
  const Mac expected =
      blake2s_mac(blake2s({as_bytes(kLabelMac1), self_.raw()}), part(response, 0, kResponseMac1));
  if (sodium_memcmp(expected.data(), response.data() + kResponseMac1, expected.size()) != 0) {
    return fail(Errc::integrity, "the response is not meant for this key (its first MAC is wrong)");
  }
  const Bytes ephemeral = part(response, kResponseEphemeral, 32);
  TRY_ASSIGN(const Secret both_ephemeral, agree(ephemeral_, ephemeral));
  TRY_ASSIGN(const Secret own_static, agree(private_key_, ephemeral));
  TRY_ASSIGN(auto keys, kdf(chaining_key_.bytes(), ephemeral, 1));
  Hash hash = blake2s({hash_, ephemeral});
  TRY_ASSIGN(keys, kdf(keys[0].bytes(), both_ephemeral.bytes(), 1));
  TRY_ASSIGN(keys, kdf(keys[0].bytes(), own_static.bytes(), 1));
  TRY_ASSIGN(keys, kdf(keys[0].bytes(), preshared_key_.bytes(), 3));
  hash = blake2s({hash, keys[1].bytes()});
  std::string empty;
  const std::array<std::uint8_t, 12> nonce{};
  if (!open_with(keys[2], nonce, part(response, kResponseEmpty, kTag), hash, empty)) {
    return fail(Errc::integrity,
                "the response does not decrypt: the preshared key there is another one");
  }
  TRY_ASSIGN(auto session, kdf(keys[0].bytes(), {}, 2));
  return Session(std::move(session[0]), std::move(session[1]), load32(response.subspan(4)));
}

Result<Cookie> Initiator::open_cookie(Bytes reply) const {
  const auto type = type_of(reply);
  if (!type || *type != MessageType::cookie_reply || receiver_of(reply) != index_) {
    return fail(Errc::invalid_input, "not a cookie reply to this initiation");
  }
  const Hash key = blake2s({as_bytes(kLabelCookie), gateway_.raw()});
  const Bytes mac1 = as_bytes(message_).subspan(kInitiationMac1, kInitiationMac2 - kInitiationMac1);
  Cookie out{};
  const Bytes box = reply.subspan(kCookieBox);
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(out.data(), nullptr, nullptr, box.data(),
                                                 box.size(), mac1.data(), mac1.size(),
                                                 reply.data() + kCookieNonce, key.data()) != 0) {
    return fail(Errc::integrity, "the cookie reply does not decrypt");
  }
  return out;
}

Result<std::string> Session::seal(Bytes packet) {
  std::string padded(packet.begin(), packet.end());
  padded.resize((padded.size() + 15) / 16 * 16, '\0');
  const std::uint64_t counter = counter_++;
  return header(MessageType::data, receiver_) + little_endian(counter, 8) +
         seal_with(sending_, counter, as_bytes(padded), {});
}

Result<std::string> Session::open(Bytes datagram) const {
  const auto type = type_of(datagram);
  if (!type || *type != MessageType::data) return fail(Errc::invalid_input, "not a data message");
  std::array<std::uint8_t, 12> nonce{};
  std::copy_n(datagram.begin() + kDataCounter, 8, nonce.begin() + 4);
  std::string plain;
  if (!open_with(receiving_, nonce, datagram.subspan(kDataPacket), {}, plain)) {
    return fail(Errc::integrity, "a data message does not decrypt");
  }
  return plain;
}

}  // namespace weir::probe
