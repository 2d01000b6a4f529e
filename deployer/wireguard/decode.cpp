#include <linux/genetlink.h>
#include <linux/wireguard.h>
#include <netinet/in.h>

#include <cstring>
#include <utility>

#include "deployer/wireguard/codec.h"

namespace weir::wireguard {
namespace {

constexpr std::uint16_t kTypeMask = 0x3fff;  // without NLA_F_NESTED and NLA_F_NET_BYTEORDER

tl::unexpected<Error> malformed(std::string_view what) {
  return fail(Errc::invalid_input, "netlink: malformed " + std::string(what));
}

std::size_t aligned(std::size_t length) {
  return (length + 3) & ~std::size_t{3};
}

template <class T>
Result<T> scalar(Bytes payload, std::string_view what) {
  static_assert(std::is_trivially_copyable_v<T>);
  if (payload.size() != sizeof(T)) return malformed(what);
  T out;
  std::memcpy(&out, payload.data(), sizeof out);
  return out;
}

using RawKey = std::array<std::uint8_t, 32>;

/// Calls `see(type, payload)` for every attribute.
template <class See>
Status each_attribute(Bytes bytes, See see) {
  while (!bytes.empty()) {
    nlattr header{};
    if (bytes.size() < sizeof header) return malformed("attribute");
    std::memcpy(&header, bytes.data(), sizeof header);
    if (header.nla_len < sizeof header || header.nla_len > bytes.size())
      return malformed("attribute");
    TRY(see(header.nla_type & kTypeMask,
            bytes.subspan(sizeof header, header.nla_len - sizeof header)));
    bytes = bytes.subspan(std::min(aligned(header.nla_len), bytes.size()));
  }
  return {};
}

struct Message {
  nlmsghdr header{};
  Bytes payload;
};

/// Calls `see(message)` for every message of a datagram, until it returns false.
template <class See>
Status each_message(Bytes bytes, See see) {
  while (!bytes.empty()) {
    Message message;
    if (bytes.size() < sizeof message.header) return malformed("message");
    std::memcpy(&message.header, bytes.data(), sizeof message.header);
    const std::size_t length = message.header.nlmsg_len;
    if (length < sizeof message.header || length > bytes.size()) return malformed("message");
    message.payload = bytes.subspan(sizeof message.header, length - sizeof message.header);
    TRY_ASSIGN(const bool more, see(message));
    if (!more) return {};
    bytes = bytes.subspan(std::min(aligned(length), bytes.size()));
  }
  return {};
}

/// The errno inside NLMSG_ERROR and NLMSG_DONE, as a positive number.
Result<int> errno_of(const Message& message) {
  // NLMSG_DONE may come without one.
  if (message.header.nlmsg_type == NLMSG_DONE && message.payload.empty()) return 0;
  if (message.payload.size() < sizeof(int)) return malformed("error");
  TRY_ASSIGN(const int negative, scalar<int>(message.payload.first(sizeof(int)), "error"));
  if (negative > 0 || negative < -4095) return malformed("error");
  return -negative;
}

Result<Bytes> attributes_of(const Message& message) {
  if (message.payload.size() < sizeof(genlmsghdr)) return malformed("generic header");
  return message.payload.subspan(sizeof(genlmsghdr));
}

Result<std::string> text(Bytes payload) {
  std::string out(reinterpret_cast<const char*>(payload.data()), payload.size());
  if (out.empty() || out.find('\0') != out.size() - 1) return malformed("text");
  out.pop_back();
  return out;
}

Result<Endpoint> endpoint(Bytes payload) {
  sa_family_t family = 0;
  if (payload.size() >= sizeof family) std::memcpy(&family, payload.data(), sizeof family);
  if (family == AF_INET && payload.size() >= sizeof(sockaddr_in)) {
    TRY_ASSIGN(const auto raw, scalar<sockaddr_in>(payload.first(sizeof(sockaddr_in)), "endpoint"));
    std::array<std::uint8_t, 4> address{};
    std::memcpy(address.data(), &raw.sin_addr, address.size());
    return Endpoint{IpAddress::v4(address), ntohs(raw.sin_port)};
  }
  if (family == AF_INET6 && payload.size() >= sizeof(sockaddr_in6)) {
    TRY_ASSIGN(const auto raw,
               scalar<sockaddr_in6>(payload.first(sizeof(sockaddr_in6)), "endpoint"));
    std::array<std::uint8_t, 16> address{};
    std::memcpy(address.data(), &raw.sin6_addr, address.size());
    return Endpoint{IpAddress::v6(address), ntohs(raw.sin6_port)};
  }
  return malformed("endpoint");
}

Result<std::int64_t> unix_ns(Bytes payload) {
  struct Timespec {  // struct __kernel_timespec
    std::int64_t seconds, nanoseconds;
  };
  TRY_ASSIGN(const auto time, scalar<Timespec>(payload, "time of handshake"));
  std::int64_t out = 0;
  if (time.nanoseconds < 0 || time.nanoseconds >= 1'000'000'000 ||
      __builtin_mul_overflow(time.seconds, 1'000'000'000, &out) ||
      __builtin_add_overflow(out, time.nanoseconds, &out)) {
    return malformed("time of handshake");
  }
  return out;
}

Result<Prefix> allowed_ip(Bytes payload) {
  std::optional<std::uint16_t> family;
  std::optional<std::uint8_t> length;
  Bytes address;
  TRY(each_attribute(payload, [&](int type, Bytes value) -> Status {
    if (type == WGALLOWEDIP_A_FAMILY) {
      TRY_ASSIGN(family, scalar<std::uint16_t>(value, "family"));
    } else if (type == WGALLOWEDIP_A_CIDR_MASK) {
      TRY_ASSIGN(length, scalar<std::uint8_t>(value, "prefix length"));
    } else if (type == WGALLOWEDIP_A_IPADDR) {
      address = value;
    }
    return {};
  }));
  if (family == AF_INET && length && *length <= 32 && address.size() == 4) {
    TRY_ASSIGN(const auto raw, (scalar<std::array<std::uint8_t, 4>>(address, "address")));
    return Prefix{IpAddress::v4(raw), *length};
  }
  if (family == AF_INET6 && length && *length <= 128 && address.size() == 16) {
    TRY_ASSIGN(const auto raw, (scalar<std::array<std::uint8_t, 16>>(address, "address")));
    return Prefix{IpAddress::v6(raw), *length};
  }
  return malformed("allowed IP");
}

Result<std::optional<SecretKey>> secret(Bytes payload) {
  if (payload.size() != sizeof(RawKey)) return malformed("key");
  SecretKey key{RawKey{}};
  key.assign(payload.first<32>());
  return key.is_zero() ? std::optional<SecretKey>() : std::optional<SecretKey>(key);
}

/// The key a peer's attributes begin with or hold somewhere.
Result<PublicKey> public_key_of(Bytes payload) {
  std::optional<RawKey> key;
  TRY(each_attribute(payload, [&](int type, Bytes value) -> Status {
    if (type == WGPEER_A_PUBLIC_KEY) {
      TRY_ASSIGN(key, scalar<RawKey>(value, "peer's key"));
    }
    return {};
  }));
  if (!key) return malformed("peer: it has no key");
  return PublicKey::from_raw(*key);
}

Status read_peer(Bytes payload, WgPeer& peer) {
  return each_attribute(payload, [&](int type, Bytes value) -> Status {
    switch (type) {
      case WGPEER_A_PRESHARED_KEY: {
        TRY_ASSIGN(peer.preshared_key, secret(value));
        break;
      }
      case WGPEER_A_ENDPOINT: {
        TRY_ASSIGN(peer.endpoint, endpoint(value));
        break;
      }
      case WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL: {
        TRY_ASSIGN(peer.keepalive_seconds, scalar<std::uint16_t>(value, "keepalive"));
        break;
      }
      case WGPEER_A_LAST_HANDSHAKE_TIME: {
        TRY_ASSIGN(peer.last_handshake_unix_ns, unix_ns(value));
        break;
      }
      case WGPEER_A_RX_BYTES: {
        TRY_ASSIGN(peer.rx_bytes, scalar<std::uint64_t>(value, "byte count"));
        break;
      }
      case WGPEER_A_TX_BYTES: {
        TRY_ASSIGN(peer.tx_bytes, scalar<std::uint64_t>(value, "byte count"));
        break;
      }
      case WGPEER_A_ALLOWEDIPS: {
        TRY(each_attribute(value, [&](int, Bytes item) -> Status {
          TRY_ASSIGN(Prefix prefix, allowed_ip(item));
          peer.allowed_ips.push_back(prefix);
          return {};
        }));
        break;
      }
      default:
        break;
    }
    return {};
  });
}

Status read_device(Bytes payload, WgDevice& device) {
  return each_attribute(payload, [&](int type, Bytes value) -> Status {
    switch (type) {
      case WGDEVICE_A_IFNAME: {
        TRY_ASSIGN(std::string name, text(value));
        if (!device.interface.empty() && name != device.interface) {
          return fail(Errc::invalid_input,
                      "netlink: a dump of " + device.interface + " goes on with " + name);
        }
        device.interface = std::move(name);
        break;
      }
      case WGDEVICE_A_IFINDEX: {
        TRY_ASSIGN(device.index, scalar<std::uint32_t>(value, "interface index"));
        break;
      }
      case WGDEVICE_A_PRIVATE_KEY: {
        TRY_ASSIGN(device.private_key, secret(value));
        break;
      }
      case WGDEVICE_A_PUBLIC_KEY: {
        TRY_ASSIGN(const RawKey raw, scalar<RawKey>(value, "device's key"));
        if (raw != RawKey{}) device.public_key = PublicKey::from_raw(raw);
        break;
      }
      case WGDEVICE_A_LISTEN_PORT: {
        TRY_ASSIGN(device.listen_port, scalar<std::uint16_t>(value, "port"));
        break;
      }
      case WGDEVICE_A_FWMARK: {
        TRY_ASSIGN(device.fwmark, scalar<std::uint32_t>(value, "mark"));
        break;
      }
      case WGDEVICE_A_PEERS:
        TRY(each_attribute(value, [&](int, Bytes item) -> Status {
          TRY_ASSIGN(const PublicKey key, public_key_of(item));
          if (device.peers.empty() || device.peers.back().public_key != key) {
            WgPeer fresh{.public_key = key, .preshared_key = {}, .endpoint = {}, .allowed_ips = {}};
            device.peers.push_back(std::move(fresh));
          }
          return read_peer(item, device.peers.back());
        }));
        break;
      default:
        break;
    }
    return {};
  });
}

Result<std::optional<std::uint16_t>> family_in(const Message& message) {
  std::optional<std::uint16_t> family;
  TRY_ASSIGN(const Bytes attributes, attributes_of(message));
  TRY(each_attribute(attributes, [&](int type, Bytes value) -> Status {
    if (type == CTRL_ATTR_FAMILY_ID) {
      TRY_ASSIGN(family, scalar<std::uint16_t>(value, "family"));
    }
    return {};
  }));
  return family;
}

}  // namespace

Status DumpDecoder::feed(Bytes datagram) {
  return each_message(datagram, [&](const Message& message) -> Result<bool> {
    if (message.header.nlmsg_seq != sequence_) return true;
    if ((message.header.nlmsg_flags & NLM_F_DUMP_INTR) != 0) interrupted_ = true;
    switch (message.header.nlmsg_type) {
      case NLMSG_NOOP:
        return true;
      case NLMSG_OVERRUN:
        return fail(Errc::io, "netlink: the dump was overrun");
      case NLMSG_ERROR:
      case NLMSG_DONE: {
        TRY_ASSIGN(const int sys, errno_of(message));
        if (sys != 0) return fail_errno(Errc::kernel, sys, "dump of the WireGuard device");
        done_ = done_ || message.header.nlmsg_type == NLMSG_DONE;
        return !done_;
      }
      default:
        break;
    }
    if (message.header.nlmsg_type != family_) return malformed("dump: a message of another family");
    TRY_ASSIGN(const Bytes attributes, attributes_of(message));
    TRY(read_device(attributes, device_));
    return true;
  });
}

Result<WgDevice> DumpDecoder::finish() && {
  if (!done_) return fail(Errc::bug, "a WireGuard dump was used before its end");
  return std::move(device_);
}

Result<std::uint16_t> decode_family(Bytes datagram, std::uint32_t sequence) {
  std::optional<std::uint16_t> family;
  TRY(each_message(datagram, [&](const Message& message) -> Result<bool> {
    if (message.header.nlmsg_seq != sequence) return true;
    if (message.header.nlmsg_type == NLMSG_ERROR) {
      TRY_ASSIGN(const int sys, errno_of(message));
      if (sys != 0) return fail_errno(Errc::kernel, sys, "generic netlink family wireguard");
      return true;
    }
    TRY_ASSIGN(family, family_in(message));
    return true;
  }));
  if (!family) return malformed("family");
  return *family;
}

Result<std::optional<int>> decode_ack(Bytes datagram, std::uint32_t sequence) {
  std::optional<int> out;
  TRY(each_message(datagram, [&](const Message& message) -> Result<bool> {
    if (message.header.nlmsg_seq != sequence || message.header.nlmsg_type != NLMSG_ERROR)
      return true;
    TRY_ASSIGN(out, errno_of(message));
    return false;
  }));
  return out;
}

}  // namespace weir::wireguard
