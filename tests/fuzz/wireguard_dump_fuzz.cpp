#include <algorithm>
#include <cstring>

#include "deployer/wireguard/codec.h"
#include "tests/fuzz/property.h"

namespace {

using namespace weir;
using namespace weir::wireguard;

constexpr std::uint16_t kFamily = 31;
constexpr std::uint32_t kSequence = 77;

WgChange change_of(const WgDevice& device) {
  WgChange out{.interface = device.interface,
               .private_key = {},
               .listen_port = {},
               .fwmark = {},
               .peers = {}};
  for (const WgPeer& peer : device.peers) {
    out.peers.push_back({.public_key = peer.public_key,
                         .preshared_key = peer.preshared_key,
                         .endpoint = peer.endpoint,
                         .keepalive_seconds = peer.keepalive_seconds,
                         .allowed_ips = peer.allowed_ips});
  }
  return out;
}

bool same(const WgPeer& a, const WgPeer& b) {
  return a.public_key == b.public_key && a.preshared_key == b.preshared_key &&
         a.endpoint == b.endpoint && a.keepalive_seconds == b.keepalive_seconds &&
         a.allowed_ips == b.allowed_ips;
}

/// What a dump said can be said to the kernel, and means the same, however small the messages are.
void check_round_trip(const WgDevice& device) {
  const auto messages = encode_set_device(change_of(device), kFamily, ByteCount{512});
  if (!messages) return;  // a name no interface can have
  DumpDecoder again(kFamily, 0);
  for (const SecretBytes& message : *messages) MUST_HOLD(again.feed(message));
  constexpr std::uint8_t kDone[] = {20, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  MUST_HOLD(again.feed(kDone) && again.done());
  const auto read = std::move(again).finish();
  MUST_HOLD(read && std::equal(read->peers.begin(), read->peers.end(), device.peers.begin(),
                               device.peers.end(), same));
}

}  // namespace

// What the kernel answers to a dump: datagrams, each after its length (2 bytes, little endian).
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes whole(data, size);
  [[maybe_unused]] const auto family = decode_family(whole, kSequence);
  [[maybe_unused]] const auto ack = decode_ack(whole, kSequence);

  DumpDecoder decoder(kFamily, kSequence);
  for (Bytes rest = whole; rest.size() >= 2 && !decoder.done();) {
    const std::size_t length = std::min<std::size_t>(rest[0] | rest[1] << 8, rest.size() - 2);
    if (!decoder.feed(rest.subspan(2, length))) return 0;
    rest = rest.subspan(2 + length);
  }
  if (!decoder.done()) return 0;
  const auto device = std::move(decoder).finish();
  MUST_HOLD(device.has_value());
  check_round_trip(*device);
  return 0;
}
