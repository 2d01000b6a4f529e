#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/wireguard.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

#include "deployer/wireguard/codec.h"

namespace weir::wireguard {
namespace {

/// One message under construction; every `put` says whether it still fitted.
class Builder {
 public:
  Builder(std::uint16_t type, std::uint16_t flags, std::uint8_t command, std::uint8_t version,
          std::size_t room)
      : bytes_(room), room_(room) {
    header_ = mnl_nlmsg_put_header(bytes_.data());
    header_->nlmsg_type = type;
    header_->nlmsg_flags = flags;
    auto* generic =
        static_cast<genlmsghdr*>(mnl_nlmsg_put_extra_header(header_, sizeof(genlmsghdr)));
    generic->cmd = command;
    generic->version = version;
  }

  bool put(std::uint16_t type, const void* data, std::size_t size) {
    return mnl_attr_put_check(header_, room_, type, size, data);
  }
  template <class Number>
  bool put_number(std::uint16_t type, Number number) {
    return put(type, &number, sizeof number);
  }
  bool put_text(std::uint16_t type, const std::string& text) {
    return put(type, text.c_str(), text.size() + 1);
  }
  nlattr* open_nest(std::uint16_t type) { return mnl_attr_nest_start_check(header_, room_, type); }
  void close_nest(nlattr* nest) { mnl_attr_nest_end(header_, nest); }

  [[nodiscard]] std::uint32_t mark() const { return header_->nlmsg_len; }
  void back_to(std::uint32_t mark) { header_->nlmsg_len = mark; }

  SecretBytes take() && {
    bytes_.resize(header_->nlmsg_len);
    return std::move(bytes_);
  }

 private:
  SecretBytes bytes_;
  std::size_t room_;
  nlmsghdr* header_;
};

bool put_endpoint(Builder& to, const Endpoint& endpoint) {
  if (endpoint.address.is_v4()) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(endpoint.port);
    std::memcpy(&address.sin_addr, endpoint.address.raw().data(), 4);
    return to.put(WGPEER_A_ENDPOINT, &address, sizeof address);
  }
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(endpoint.port);
  std::memcpy(&address.sin6_addr, endpoint.address.raw().data(), 16);
  return to.put(WGPEER_A_ENDPOINT, &address, sizeof address);
}

bool put_allowed_ip(Builder& to, const Prefix& prefix) {
  const std::uint32_t mark = to.mark();
  nlattr* nest = to.open_nest(0);
  const bool fits =
      nest != nullptr &&
      to.put_number<std::uint16_t>(WGALLOWEDIP_A_FAMILY,
                                   prefix.address.is_v4() ? AF_INET : AF_INET6) &&
      to.put(WGALLOWEDIP_A_IPADDR, prefix.address.raw().data(), prefix.address.raw().size()) &&
      to.put_number<std::uint8_t>(WGALLOWEDIP_A_CIDR_MASK, prefix.length);
  if (!fits) {
    to.back_to(mark);
    return false;
  }
  to.close_nest(nest);
  return true;
}

/// Puts a step from its `first` allowed IP on, as far as it fits.
/// returns the next allowed IP to put; nullopt when not even the peer itself fitted (nothing was
/// put)
std::optional<std::size_t> put_peer(Builder& to, const WgPeerChange& peer, std::size_t first) {
  const bool removal = peer.kind == WgPeerChange::Kind::remove;
  // Where a peer goes on it exists already, so it is updated; that also keeps a peer that was only
  // to be updated from coming into being halfway.
  const bool goes_on = first > 0;
  std::uint32_t flags = 0;
  if (removal) flags |= WGPEER_F_REMOVE_ME;
  if (goes_on || peer.kind == WgPeerChange::Kind::update) flags |= WGPEER_F_UPDATE_ONLY;
  if (!removal && !goes_on && peer.replace_allowed_ips) flags |= WGPEER_F_REPLACE_ALLOWEDIPS;

  const std::uint32_t mark = to.mark();
  nlattr* nest = to.open_nest(0);
  bool fits = nest != nullptr && to.put(WGPEER_A_PUBLIC_KEY, peer.public_key.raw().data(), 32) &&
              (flags == 0 || to.put_number(WGPEER_A_FLAGS, flags));
  if (!removal && !goes_on) {
    fits = fits &&
           (!peer.preshared_key ||
            to.put(WGPEER_A_PRESHARED_KEY, peer.preshared_key->raw().data(), 32)) &&
           (!peer.endpoint || put_endpoint(to, *peer.endpoint)) &&
           (!peer.keepalive_seconds ||
            to.put_number(WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, *peer.keepalive_seconds));
  }
  std::size_t next = first;
  if (fits && !removal && first < peer.allowed_ips.size()) {
    nlattr* list = to.open_nest(WGPEER_A_ALLOWEDIPS);
    while (list != nullptr && next < peer.allowed_ips.size() &&
           put_allowed_ip(to, peer.allowed_ips[next])) {
      ++next;
    }
    fits = list != nullptr && next > first;
    if (fits) to.close_nest(list);
  }
  if (!fits) {
    to.back_to(mark);
    return std::nullopt;
  }
  to.close_nest(nest);
  return next;
}

std::size_t wanted_ips(const WgPeerChange& peer) {
  return peer.kind == WgPeerChange::Kind::remove ? 0 : peer.allowed_ips.size();
}

Builder start_set(const WgChange& change, std::uint16_t family, std::size_t room) {
  Builder out(family, NLM_F_REQUEST | NLM_F_ACK, WG_CMD_SET_DEVICE, WG_GENL_VERSION, room);
  out.put_text(WGDEVICE_A_IFNAME, change.interface);
  return out;
}

Status check_interface(const std::string& name) {
  if (name.empty() || name.size() > 15 || name.find('\0') != std::string::npos) {
    return fail(Errc::invalid_input, "'" + name.substr(0, 40) + "' is not an interface name");
  }
  return {};
}

/// Writes steps at peers into messages, opening a new one whenever the present one is full.
class PeerWriter {
 public:
  PeerWriter(const WgChange& change, std::uint16_t family, std::size_t room, Builder first)
      : change_(change), family_(family), room_(room), message_(std::move(first)) {}

  void put(std::size_t begin, std::size_t end) {
    open();
    const std::uint32_t mark = message_->mark();
    if (try_all(begin, end)) return;
    // Steps at one peer belong together: once more, in a message of their own.
    message_->back_to(mark);
    if (!fresh_) flush();
    for (std::size_t i = begin; i < end; ++i) put_split(change_.peers[i]);
  }

  std::vector<SecretBytes> finish() && {
    flush();
    return std::move(done_);
  }

 private:
  void open() {
    if (!message_) {
      message_.emplace(start_set(change_, family_, room_));
      fresh_ = true;
    }
    if (list_ == nullptr) list_ = message_->open_nest(WGDEVICE_A_PEERS);
  }

  void flush() {
    if (!message_) return;
    if (list_ != nullptr) message_->close_nest(list_);
    done_.push_back(std::move(*message_).take());
    message_.reset();
    list_ = nullptr;
  }

  bool try_all(std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const WgPeerChange& peer = change_.peers[i];
      const auto next = put_peer(*message_, peer, 0);
      if (!next || *next < wanted_ips(peer)) return false;
    }
    fresh_ = false;
    return true;
  }

  void put_split(const WgPeerChange& peer) {
    // An empty message always takes a step and at least one allowed IP (kLeastRoom), so this ends.
    for (std::size_t next = 0;;) {
      open();
      if (const auto put = put_peer(*message_, peer, next)) {
        next = *put;
        fresh_ = false;
        if (next >= wanted_ips(peer)) return;
      }
      flush();
    }
  }

  const WgChange& change_;
  std::uint16_t family_;
  std::size_t room_;
  std::optional<Builder> message_;
  nlattr* list_ = nullptr;
  bool fresh_ = false;  ///< the message holds nothing but the interface's name
  std::vector<SecretBytes> done_;
};

// Headers (20), name (20), all device fields (60) and one whole step with an IPv6 address (200).
constexpr std::uint64_t kLeastRoom = 512;

}  // namespace

Result<std::vector<SecretBytes>> encode_set_device(const WgChange& change, std::uint16_t family,
                                                   ByteCount room) {
  TRY(check_interface(change.interface));
  if (room.value < kLeastRoom || room.value > kMessageRoom.value) {
    return fail(Errc::bug, "netlink messages of " + print(room) + " are not possible");
  }
  Builder first = start_set(change, family, room.value);
  if (change.replace_peers) {
    first.put_number<std::uint32_t>(WGDEVICE_A_FLAGS, WGDEVICE_F_REPLACE_PEERS);
  }
  if (change.private_key) first.put(WGDEVICE_A_PRIVATE_KEY, change.private_key->raw().data(), 32);
  if (change.listen_port) first.put_number(WGDEVICE_A_LISTEN_PORT, *change.listen_port);
  if (change.fwmark) first.put_number(WGDEVICE_A_FWMARK, *change.fwmark);

  PeerWriter writer(change, family, room.value, std::move(first));
  const auto& peers = change.peers;
  for (std::size_t begin = 0; begin < peers.size();) {
    std::size_t end = begin + 1;
    while (end < peers.size() && peers[end].public_key == peers[begin].public_key) ++end;
    writer.put(begin, end);
    begin = end;
  }
  return std::move(writer).finish();
}

Result<SecretBytes> encode_get_device(const std::string& interface, std::uint16_t family) {
  TRY(check_interface(interface));
  Builder out(family, NLM_F_REQUEST | NLM_F_ACK | NLM_F_DUMP, WG_CMD_GET_DEVICE, WG_GENL_VERSION,
              64);
  out.put_text(WGDEVICE_A_IFNAME, interface);
  return std::move(out).take();
}

SecretBytes encode_get_family() {
  Builder out(GENL_ID_CTRL, NLM_F_REQUEST | NLM_F_ACK, CTRL_CMD_GETFAMILY, 1, 64);
  out.put_text(CTRL_ATTR_FAMILY_NAME, WG_GENL_NAME);
  return std::move(out).take();
}

void stamp(SecretBytes& message, std::uint32_t sequence) {
  constexpr std::size_t kAt = offsetof(nlmsghdr, nlmsg_seq);
  if (message.size() >= sizeof(nlmsghdr))
    std::memcpy(message.data() + kAt, &sequence, sizeof sequence);
}

}  // namespace weir::wireguard
