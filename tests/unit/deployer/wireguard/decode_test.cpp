#include <doctest/doctest.h>

#include <cerrno>

#include "deployer/wireguard/codec.h"
#include "wire.h"

namespace weir::wireguard {
namespace {

using wire::attribute;
using wire::generic;
using wire::little;
using wire::nested;
using wire::Raw;

constexpr std::uint16_t kFamily = 31;
constexpr std::uint32_t kSequence = 77;
constexpr std::uint16_t kMulti = 2;      // NLM_F_MULTI
constexpr std::uint16_t kDumpIntr = 16;  // NLM_F_DUMP_INTR

Raw part(const std::vector<Raw>& attributes, std::uint16_t flags = kMulti) {
  return wire::message(kFamily, flags, kSequence, generic(0, attributes));
}

Raw done(std::int32_t code = 0, std::uint16_t flags = kMulti) {
  return wire::message(3, flags, kSequence, little(static_cast<std::uint32_t>(code), 4));
}

Raw v4(std::uint8_t last, std::uint8_t length) {
  return nested(
      0, {attribute(1, little(2, 2)), attribute(2, {10, 64, 0, last}), attribute(3, {length})});
}

Raw v6() {
  Raw address(16, 0);
  address[0] = 0xfd;
  address[15] = 9;
  return nested(0, {attribute(1, little(10, 2)), attribute(2, address), attribute(3, {128})});
}

// A peer with everything: preshared key 2, sockaddr_in6 endpoint 3, keepalive 5, time 6, bytes 7
// and 8.
Raw whole_peer(std::uint8_t fill) {
  Raw endpoint = {10, 0, 0xca, 0x6c, 0, 0, 0, 0};
  wire::append(endpoint, {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0});
  Raw time = little(1'760'000'000, 8);
  wire::append(time, little(123'456'789, 8));
  return nested(
      0, {attribute(1, wire::key(fill)), attribute(2, wire::key(0x55)), attribute(4, endpoint),
          attribute(5, little(25, 2)), attribute(6, time), attribute(7, little(UINT64_MAX, 8)),
          attribute(8, little(180, 8)), attribute(10, little(1, 4)), nested(9, {v4(2, 32), v6()})});
}

std::vector<Raw> device_attributes() {
  return {attribute(1, little(4, 4)),     attribute(2, wire::text("wg0")),
          attribute(3, wire::key(0x11)),  attribute(4, wire::key(0x22)),
          attribute(6, little(51820, 2)), attribute(7, little(0xca6c, 4))};
}

Result<WgDevice> decode(const std::vector<Raw>& datagrams) {
  DumpDecoder decoder(kFamily, kSequence);
  for (const Raw& datagram : datagrams) TRY(decoder.feed(datagram));
  return std::move(decoder).finish();
}

}  // namespace

TEST_CASE("a dump gives device and peer, every field") {
  auto first = device_attributes();
  first.push_back(nested(8, {whole_peer(0xaa)}));
  const auto device = decode({part(first), done()});
  REQUIRE(device.has_value());
  CHECK(device->interface == "wg0");
  CHECK(device->index == 4);
  CHECK(device->private_key->raw()[0] == 0x11);
  CHECK(device->public_key->raw()[31] == 0x22);
  CHECK(device->listen_port == 51820);
  CHECK(device->fwmark == 51820);
  REQUIRE(device->peers.size() == 1);
  const WgPeer& peer = device->peers[0];
  CHECK(peer.public_key.raw()[0] == 0xaa);
  CHECK(peer.preshared_key->raw()[7] == 0x55);
  CHECK(peer.endpoint->string() == "[2001:db8::1]:51820");
  CHECK(peer.keepalive_seconds == 25);
  CHECK(peer.last_handshake_unix_ns == 1'760'000'000'123'456'789);
  CHECK(peer.rx_bytes == UINT64_MAX);
  CHECK(peer.tx_bytes == 180);
  REQUIRE(peer.allowed_ips.size() == 2);
  CHECK(peer.allowed_ips[0].string() == "10.64.0.2/32");
  CHECK(peer.allowed_ips[1].string() == "fd00::9/128");
}

TEST_CASE("zeros mean none: keys, handshake time") {
  const auto device =
      decode({part({attribute(2, wire::text("wg0")), attribute(3, wire::key(0)),
                    attribute(4, wire::key(0)),
                    nested(8, {nested(0, {attribute(1, wire::key(1)), attribute(2, wire::key(0)),
                                          attribute(6, Raw(16, 0))})})}),
              done()});
  REQUIRE(device.has_value());
  CHECK_FALSE(device->private_key.has_value());
  CHECK_FALSE(device->public_key.has_value());
  CHECK_FALSE(device->peers[0].preshared_key.has_value());
  CHECK_FALSE(device->peers[0].endpoint.has_value());
  CHECK(device->peers[0].last_handshake_unix_ns == 0);
}

TEST_CASE("a peer goes on in the next message, which need not name the interface") {
  auto first = device_attributes();
  first.push_back(nested(
      8, {whole_peer(0xaa), nested(0, {attribute(1, wire::key(0xbb)), nested(9, {v4(3, 32)})})}));
  Raw second = part({nested(8, {nested(0, {attribute(1, wire::key(0xbb)), nested(9, {v4(4, 32)})}),
                                nested(0, {attribute(1, wire::key(0xcc))})})});
  wire::append(
      second,
      part({attribute(2, wire::text("wg0")),
            nested(8, {nested(0, {attribute(1, wire::key(0xcc)), nested(9, {v4(5, 32)})})})}));
  const auto device = decode({part(first), second, done()});
  REQUIRE(device.has_value());
  REQUIRE(device->peers.size() == 3);
  CHECK(device->peers[0].allowed_ips.size() == 2);
  REQUIRE(device->peers[1].allowed_ips.size() == 2);
  CHECK(device->peers[1].allowed_ips[1].string() == "10.64.0.4/32");
  REQUIRE(device->peers[2].allowed_ips.size() == 1);
  CHECK(device->peers[2].allowed_ips[0].string() == "10.64.0.5/32");
}

TEST_CASE("a dump during which peers changed says so, wherever the flag stands") {
  for (const bool at_end : {false, true}) {
    DumpDecoder decoder(kFamily, kSequence);
    const std::uint16_t early = at_end ? kMulti : kMulti | kDumpIntr;
    const std::uint16_t late = at_end ? kMulti | kDumpIntr : kMulti;
    REQUIRE(decoder.feed(part(device_attributes(), early)).has_value());
    CHECK_FALSE(decoder.done());
    REQUIRE(decoder.feed(done(0, late)).has_value());
    CHECK(decoder.done());
    CHECK(decoder.interrupted());
  }
}

TEST_CASE("errors of the kernel keep their errno") {
  const auto at_once =
      decode({wire::message(2, 0, kSequence, little(static_cast<std::uint32_t>(-ENODEV), 4))});
  REQUIRE_FALSE(at_once.has_value());
  CHECK(at_once.error().code == Errc::kernel);
  CHECK(at_once.error().sys == ENODEV);
  CHECK(decode({done(-EOPNOTSUPP)}).error().sys == EOPNOTSUPP);
}

TEST_CASE("an acknowledgement inside a dump and other sequences are skipped") {
  Raw other = wire::message(kFamily, kMulti, kSequence - 1, {1, 2, 3});
  wire::append(other, wire::message(2, 0, kSequence, little(0, 4)));
  const auto device = decode({other, part(device_attributes()), done()});
  REQUIRE(device.has_value());
  CHECK(device->interface == "wg0");
}

TEST_CASE("what is cut or of wrong size is refused, at every length") {
  auto attributes = device_attributes();
  attributes.push_back(nested(8, {whole_peer(0xaa)}));
  const Raw good = part(attributes);
  for (std::size_t length = 1; length < good.size(); ++length) {
    CAPTURE(length);
    const Raw cut(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(length));
    DumpDecoder decoder(kFamily, kSequence);
    CHECK_FALSE(decoder.feed(cut).has_value());
  }
  const auto refused = [](const Raw& attribute_bytes) {
    DumpDecoder decoder(kFamily, kSequence);
    const auto status = decoder.feed(part({attribute_bytes}));
    return !status && status.error().code == Errc::invalid_input;
  };
  CHECK(refused(attribute(4, Raw(31, 1))));
  CHECK(refused(attribute(2, {'w', 'g'})));
  CHECK(refused(attribute(2, {'w', 0, 'g', 0})));
  CHECK(refused(nested(8, {nested(0, {attribute(5, little(1, 2))})})));  // a peer without key
  CHECK(refused(nested(8, {nested(0, {attribute(1, wire::key(1)), nested(9, {v4(2, 33)})})})));
  CHECK(refused(nested(8, {nested(0, {attribute(1, wire::key(1)),
                                      attribute(4, little(2, 2))})})));  // a sockaddr of 2 bytes
  CHECK(refused(Raw{3, 0, 1, 0}));                                       // shorter than its header
  DumpDecoder decoder(kFamily, kSequence);
  CHECK_FALSE(decoder.feed(wire::message(kFamily + 1, 0, kSequence, generic(0, {}))).has_value());
}

TEST_CASE("a dump is not used before its end") {
  DumpDecoder decoder(kFamily, kSequence);
  REQUIRE(decoder.feed(part(device_attributes())).has_value());
  CHECK_FALSE(std::move(decoder).finish().has_value());
}

TEST_CASE("the family's number is found in the controller's answer") {
  Raw answer =
      wire::message(16, 0, 5,
                    generic(1, {attribute(2, wire::text("wireguard")),
                                attribute(1, little(kFamily, 2)), attribute(3, little(1, 4))}));
  CHECK(decode_family(answer, 5) == kFamily);
  const Raw missing = wire::message(2, 0, 5, little(static_cast<std::uint32_t>(-ENOENT), 4));
  CHECK(decode_family(missing, 5).error().sys == ENOENT);
  CHECK_FALSE(decode_family(answer, 6).has_value());
}

TEST_CASE("acknowledgements belong to a sequence") {
  const Raw ack = wire::message(2, 0x100, 9, little(0, 4));
  CHECK(decode_ack(ack, 9)->value() == 0);
  CHECK_FALSE(decode_ack(ack, 8)->has_value());
  const Raw refused = wire::message(2, 0, 9, little(static_cast<std::uint32_t>(-EINVAL), 4));
  CHECK(decode_ack(refused, 9)->value() == EINVAL);
  CHECK_FALSE(decode_ack(wire::message(2, 0, 9, {1, 0}), 9).has_value());
}

}  // namespace weir::wireguard
