#include <algorithm>

#include "deployer/probe/echo.h"
#include "deployer/probe/handshake.h"
#include "tests/fuzz/property.h"

// What a gateway, or anyone who says to be one, can send to a probe.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  using namespace weir::probe;
  static const Initiator initiator = [] {
    auto key = keys::Secret::of_size(32);
    MUST_HOLD(key.has_value());
    std::fill(key->writable().begin(), key->writable().end(), std::uint8_t{7});
    std::array<std::uint8_t, 32> gateway{};
    gateway[0] = 9;  // the base point
    auto out = Initiator::start({.private_key = *key,
                                 .gateway = PublicKey::from_raw(gateway),
                                 .preshared_key = nullptr,
                                 .ephemeral = *key,
                                 .index = 0x01020304,
                                 .timestamp = {},
                                 .cookie = {}});
    MUST_HOLD(out.has_value());
    return std::move(*out);
  }();
  const Bytes input(data, size);
  const auto type = type_of(input);
  MUST_HOLD(type.has_value() || receiver_of(input) == 0);
  MUST_HOLD(!initiator.finish(input));
  MUST_HOLD(!initiator.open_cookie(input));
  const Echo v4{*IpAddress::parse("10.8.0.9"), *IpAddress::parse("10.8.0.1"), 0x1234, 1};
  const Echo v6{*IpAddress::parse("fd00:8::9"), *IpAddress::parse("fd00:8::1"), 0x1234, 1};
  MUST_HOLD(!is_reply_to(v4, input) || !is_reply_to(v6, input));
  return 0;
}
