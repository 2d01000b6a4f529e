#include <doctest/doctest.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/wireguard.h>

#include <map>

#include "deployer/wireguard/codec.h"
#include "tests/unit/deployer/wireguard/filled_keys.h"
#include "wire.h"

namespace weir::wireguard {
namespace {

using wire::attribute;
using wire::generic;
using wire::little;
using wire::nested;
using wire::Raw;

constexpr std::uint16_t kAsked = 31;
constexpr std::uint16_t kRequestAck = 1 | 4;

WgPeerChange step(std::uint8_t fill, WgPeerChange::Kind kind = WgPeerChange::Kind::put) {
  return WgPeerChange{.public_key = key_of(fill),
                      .kind = kind,
                      .preshared_key = {},
                      .endpoint = {},
                      .keepalive_seconds = {},
                      .allowed_ips = {}};
}

WgChange change_of(std::vector<WgPeerChange> peers) {
  WgChange out{.interface = "wg0",
               .private_key = {},
               .listen_port = {},
               .fwmark = {},
               .peers = std::move(peers)};
  return out;
}

std::vector<Prefix> addresses(std::size_t count) {
  std::vector<Prefix> out;
  for (std::size_t i = 0; i < count; ++i) {
    const bool v4 = i % 2 == 0;
    const auto base = *IpAddress::parse(v4 ? "10.0.0.0" : "fd00::");
    out.push_back(
        {base.plus(static_cast<std::uint32_t>(i)), static_cast<std::uint8_t>(v4 ? 32 : 128)});
  }
  return out;
}

// What a sequence of messages does, read with libmnl: an independent reader of the same header.
struct SeenPeer {
  std::uint8_t key;
  std::uint32_t flags;
  std::size_t allowed_ips;
  bool with_fields;  ///< preshared key, endpoint or keepalive
};

std::vector<const nlattr*> attributes_in(const void* payload, std::size_t size) {
  std::vector<const nlattr*> out;
  const auto* end = static_cast<const std::uint8_t*>(payload) + size;
  for (const auto* at = static_cast<const nlattr*>(payload);
       mnl_attr_ok(at, static_cast<int>(end - reinterpret_cast<const std::uint8_t*>(at)));
       at = mnl_attr_next(at)) {
    out.push_back(at);
  }
  return out;
}

std::vector<const nlattr*> attributes_in(const nlattr* nest) {
  return attributes_in(mnl_attr_get_payload(nest), mnl_attr_get_payload_len(nest));
}

std::vector<const nlattr*> attributes_in(const SecretBytes& message) {
  const auto* header = reinterpret_cast<const nlmsghdr*>(message.data());
  REQUIRE(mnl_nlmsg_ok(header, static_cast<int>(message.size())));
  REQUIRE(header->nlmsg_len == message.size());
  return attributes_in(mnl_nlmsg_get_payload_offset(header, sizeof(genlmsghdr)),
                       mnl_nlmsg_get_payload_len(header) - sizeof(genlmsghdr));
}

std::vector<SeenPeer> peers_of(const SecretBytes& message) {
  std::vector<SeenPeer> out;
  for (const nlattr* top : attributes_in(message)) {
    if (mnl_attr_get_type(top) != WGDEVICE_A_PEERS) continue;
    for (const nlattr* peer : attributes_in(top)) {
      SeenPeer seen{};
      for (const nlattr* field : attributes_in(peer)) {
        const auto type = mnl_attr_get_type(field);
        if (type == WGPEER_A_PUBLIC_KEY) {
          seen.key = *static_cast<const std::uint8_t*>(mnl_attr_get_payload(field));
        } else if (type == WGPEER_A_FLAGS) {
          seen.flags = mnl_attr_get_u32(field);
        } else if (type == WGPEER_A_ALLOWEDIPS) {
          seen.allowed_ips = attributes_in(field).size();
        } else {
          seen.with_fields = true;
        }
      }
      out.push_back(seen);
    }
  }
  return out;
}

bool equal(const SecretBytes& message, const Raw& expected) {
  return Raw(message.begin(), message.end()) == expected;
}

}  // namespace

TEST_CASE("a change of everything is one message, byte for byte") {
  WgPeerChange peer = step(0xaa);
  peer.preshared_key = secret_of(0x55);
  peer.endpoint = Endpoint::parse("192.0.2.7:4500").value();
  peer.keepalive_seconds = 25;
  peer.replace_allowed_ips = true;
  peer.allowed_ips = {Prefix::parse("10.64.0.2/32").value(), Prefix::parse("fd64::/64").value()};
  WgChange change = change_of({peer});
  change.private_key = secret_of(0x11);
  change.listen_port = 51820;
  change.fwmark = 0x1234;
  change.replace_peers = true;
  const auto messages = encode_set_device(change, kAsked);
  REQUIRE(messages.has_value());
  REQUIRE(messages->size() == 1);

  Raw inner6(16, 0);
  inner6[0] = 0xfd;
  inner6[1] = 0x64;
  const Raw expected = wire::message(
      kAsked, kRequestAck, 0,
      generic(
          1,
          {attribute(2, wire::text("wg0")), attribute(5, little(1, 4)),
           attribute(3, wire::key(0x11)), attribute(6, little(51820, 2)),
           attribute(7, little(0x1234, 4)),
           nested(
               8,
               {nested(0, {attribute(1, wire::key(0xaa)), attribute(3, little(2, 4)),
                           attribute(2, wire::key(0x55)),
                           attribute(4, {2, 0, 0x11, 0x94, 192, 0, 2, 7, 0, 0, 0, 0, 0, 0, 0, 0}),
                           attribute(5, little(25, 2)),
                           nested(9, {nested(0, {attribute(1, little(2, 2)),
                                                 attribute(2, {10, 64, 0, 2}), attribute(3, {32})}),
                                      nested(0, {attribute(1, little(10, 2)), attribute(2, inner6),
                                                 attribute(3, {64})})})})})}));
  CHECK(equal(messages->front(), expected));
}

TEST_CASE("an IPv6 endpoint is a sockaddr_in6 in network order") {
  WgPeerChange peer = step(1, WgPeerChange::Kind::update);
  peer.endpoint = Endpoint::parse("[2001:db8::1]:51820").value();
  const auto messages = encode_set_device(change_of({peer}), kAsked);
  Raw address = {10, 0, 0xca, 0x6c, 0, 0, 0, 0};
  wire::append(address, {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0});
  CHECK(equal(
      messages->front(),
      wire::message(
          kAsked, kRequestAck, 0,
          generic(1, {attribute(2, wire::text("wg0")),
                      nested(8, {nested(0, {attribute(1, wire::key(1)), attribute(3, little(4, 4)),
                                            attribute(4, address)})})}))));
}

TEST_CASE("removal, addition and the keepalive edge of one peer stay in order and together") {
  std::vector<WgPeerChange> steps;
  for (int client = 0; client < 300; ++client) {
    const auto fill = static_cast<std::uint8_t>(client % 250);
    steps.push_back(step(fill, WgPeerChange::Kind::remove));
    WgPeerChange put = step(fill);
    put.preshared_key = secret_of(9);
    put.allowed_ips = addresses(2);
    put.replace_allowed_ips = true;
    steps.push_back(put);
    for (const std::uint16_t seconds : {1, 0}) {
      WgPeerChange edge = step(fill, WgPeerChange::Kind::update);
      edge.keepalive_seconds = seconds;
      steps.push_back(edge);
    }
  }
  const auto messages = encode_set_device(change_of(steps), kAsked);
  REQUIRE(messages.has_value());
  CHECK(messages->size() > 1);
  std::size_t seen = 0;
  for (const SecretBytes& message : *messages) {
    CHECK(message.size() <= kMessageRoom.value);
    const auto peers = peers_of(message);
    CHECK(peers.size() % 4 == 0);
    for (const SeenPeer& peer : peers) {
      const WgPeerChange& wanted = steps.at(seen++);
      CHECK(peer.key == wanted.public_key.raw()[0]);
      CHECK(peer.allowed_ips == wanted.allowed_ips.size());
      const std::uint32_t flags = wanted.kind == WgPeerChange::Kind::remove ? WGPEER_F_REMOVE_ME
                                  : wanted.kind == WgPeerChange::Kind::update
                                      ? WGPEER_F_UPDATE_ONLY
                                      : WGPEER_F_REPLACE_ALLOWEDIPS;
      CHECK(peer.flags == flags);
    }
  }
  CHECK(seen == steps.size());
}

TEST_CASE("allowed IPs that do not fit go on in the next message, without clearing or fields") {
  for (const std::uint64_t room : {512U, 600U, 1000U, 4096U, 32768U}) {
    CAPTURE(room);
    WgPeerChange big = step(7);
    big.preshared_key = secret_of(9);
    big.keepalive_seconds = 5;
    big.replace_allowed_ips = true;
    big.allowed_ips = addresses(3000);
    WgChange change = change_of({step(6), big, step(8)});
    change.private_key = secret_of(1);
    change.replace_peers = true;
    const auto messages = encode_set_device(change, kAsked, ByteCount{room});
    REQUIRE(messages.has_value());
    std::size_t addresses_seen = 0, with_fields = 0, clears = 0, last = 0;
    for (std::size_t i = 0; i < messages->size(); ++i) {
      const SecretBytes& message = messages->at(i);
      CHECK(message.size() <= room);
      for (const nlattr* top : attributes_in(message)) {
        const auto type = mnl_attr_get_type(top);
        if (type == WGDEVICE_A_FLAGS || type == WGDEVICE_A_PRIVATE_KEY) CHECK(i == 0);
        if (type == WGDEVICE_A_FLAGS) ++clears;
      }
      for (const SeenPeer& peer : peers_of(message)) {
        CHECK(peer.key >= last);
        last = peer.key;
        if (peer.key != 7) continue;
        with_fields += peer.with_fields;
        CHECK(peer.flags ==
              (addresses_seen == 0 ? WGPEER_F_REPLACE_ALLOWEDIPS : WGPEER_F_UPDATE_ONLY));
        addresses_seen += peer.allowed_ips;
      }
    }
    CHECK(addresses_seen == 3000);
    CHECK(with_fields == 1);
    CHECK(clears == 1);
    CHECK(last == 8);
  }
}

TEST_CASE("what was encoded as a device reads back as a dump") {
  // Encoded attributes are a subset of those of a dump, so the decoder understands them.
  std::vector<WgPeerChange> steps;
  for (std::uint8_t i = 1; i < 200; ++i) {
    WgPeerChange peer = step(i);
    peer.allowed_ips = addresses(i);
    peer.endpoint = Endpoint{*IpAddress::parse(i % 2 == 0 ? "192.0.2.1" : "2001:db8::1"), i};
    peer.keepalive_seconds = i;
    if (i % 3 == 0) peer.preshared_key = secret_of(i);
    steps.push_back(peer);
  }
  const auto messages = encode_set_device(change_of(steps), kAsked, ByteCount{2000});
  REQUIRE(messages.has_value());
  DumpDecoder decoder(kAsked, 3);
  for (SecretBytes message : *messages) {
    stamp(message, 3);
    REQUIRE(decoder.feed(message).has_value());
  }
  REQUIRE(decoder.feed(wire::message(3, 0, 3, little(0, 4))).has_value());
  const auto device = std::move(decoder).finish();
  REQUIRE(device->peers.size() == steps.size());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    CHECK(device->peers[i].public_key == steps[i].public_key);
    CHECK(device->peers[i].allowed_ips == steps[i].allowed_ips);
    CHECK(device->peers[i].endpoint == steps[i].endpoint);
    CHECK(device->peers[i].preshared_key == steps[i].preshared_key);
    CHECK(device->peers[i].keepalive_seconds == steps[i].keepalive_seconds);
  }
}

TEST_CASE("the requests for a dump and for the family are the kernel's") {
  CHECK(equal(
      *encode_get_device("wg0", kAsked),
      wire::message(kAsked, 1 | 4 | 0x300, 0, generic(0, {attribute(2, wire::text("wg0"))}))));
  CHECK(equal(
      encode_get_family(),
      wire::message(16, kRequestAck, 0, generic(3, {attribute(2, wire::text("wireguard"))}))));
}

TEST_CASE("names no interface can have are refused") {
  for (const char* bad : {"", "sixteen-letters!"}) {
    CAPTURE(bad);
    CHECK_FALSE(encode_get_device(bad, kAsked).has_value());
    WgChange change = change_of({});
    change.interface = bad;
    CHECK_FALSE(encode_set_device(change, kAsked).has_value());
  }
}

}  // namespace weir::wireguard
