#include "deployer/probe/handshake.h"

#include <doctest/doctest.h>
#include <sodium.h>

#include <cstring>

#include "deployer/probe/echo.h"
#include "keys/identity/wireguard_identity.h"

// A conversation recorded with wireguard-go 0.0.20220316: it answered our initiation, decrypted our
// ping and the kernel behind it replied. The keys were made for the recording and have never been
// used since.
namespace weir::probe {
namespace {

constexpr const char* kClient = "CHWRV1QFhbHGXTNyKaiOUM4RFJ8sUco8dgnNQ45+sGY=";     // throw-away
constexpr const char* kPreshared = "hPMxir1mVwbpdKwvxq9Xpt7ctAHHHU9oAeIRE3nkeNU=";  // throw-away
constexpr const char* kEphemeral = "MKsF90o6n1yYCBG490B3ocLr3CKaKW08nsniPmJc32s=";  // throw-away
constexpr const char* kGateway = "0aW6s2wkllv1BTxZONYPM2vJb9wGKAI2tSHKmQtb9S0=";
constexpr const char* kTimestamp = "400000006b0313613a8023e3";
constexpr const char* kInitiation =
    "010000000403020174e27ae3aa2a03265c37daf59a62a49fc08459c2dc9485bacd674bd672551b7f2a12c25daee04d"
    "08d9ca22c1f10078afe6bde81a48be4daac3e7555a9dacf1a1ae13cc8a5c914981e1d0b12dff881c9e9763a67d580c"
    "c09cf105f9fb0af42ecda8712590a579c2414717b8227960efbd03e03086bb79d7e6f40bc536000000000000000000"
    "00000000000000";
constexpr const char* kResponse =
    "020000008200ef4204030201b1376d61011608ea3618e00a75a2b8437a775dee1fd51e63a58f9fc3bd45d66eeb0a99"
    "d7bd5f0c23b0c4b608000bd7e3be2db1d5896ce5115365b6916d832da100000000000000000000000000000000";
constexpr const char* kPing =
    "040000008200ef420000000000000000391851a5c3cecf1881dbc0cccc44365939965446f9334c0723fe01fe0da0e7"
    "53e62f3259f1408368cdae8ca51d058722784a539fddfa18c8a2c86a261bb5e817";
constexpr const char* kAnswer =
    "0400000004030201000000000000000068420cc17706ed0c73c0a82b6874177d48c4009ba1d2d888d661ec6af36f12"
    "3c9141c6dc09658fd715f7d1f470fa7f565f9889a70ceadcfc3be5198a7486dc00";

std::string raw(const char* hex) {
  return *parse_hex(hex);
}

keys::Secret key(const char* base64) {
  return *keys::parse_wireguard_key(base64);
}

Initiator recorded(const char* preshared_key = kPreshared,
                   const std::optional<Cookie>& cookie = {}) {
  const keys::Secret client = key(kClient), ephemeral = key(kEphemeral);
  const keys::Secret shared = key(preshared_key);
  Initiator::Inputs inputs{.private_key = client,
                           .gateway = *PublicKey::parse(kGateway),
                           .preshared_key = &shared,
                           .ephemeral = ephemeral,
                           .index = 0x01020304,
                           .timestamp = {},
                           .cookie = cookie};
  const std::string timestamp = raw(kTimestamp);
  std::memcpy(inputs.timestamp.data(), timestamp.data(), timestamp.size());
  auto out = Initiator::start(inputs);
  REQUIRE(out.has_value());
  return std::move(*out);
}

const Echo kEcho{*IpAddress::parse("10.8.0.9"), *IpAddress::parse("10.8.0.1"), 0x1234, 1};

}  // namespace

TEST_CASE("the recorded conversation replays byte for byte") {
  const Initiator initiator = recorded();
  CHECK(hex_of(as_bytes(initiator.message())) == kInitiation);
  auto session = initiator.finish(as_bytes(raw(kResponse)));
  REQUIRE_MESSAGE(session.has_value(), session.error().message);
  CHECK(hex_of(as_bytes(*session->seal(as_bytes(*echo_request(kEcho))))) == kPing);
  const auto packet = session->open(as_bytes(raw(kAnswer)));
  REQUIRE(packet.has_value());
  CHECK(is_reply_to(kEcho, as_bytes(*packet)));
}

TEST_CASE("every message has its own counter, and a keepalive is 32 bytes") {
  auto session = recorded().finish(as_bytes(raw(kResponse)));
  const std::string first = *session->seal({}), second = *session->seal({});
  CHECK(first.size() == 32);
  CHECK(first[8] == 0);
  CHECK(second[8] == 1);
  CHECK(first.substr(16) != second.substr(16));
}

TEST_CASE("a response with any bit changed opens no session") {
  const Initiator initiator = recorded();
  const std::string good = raw(kResponse);
  // What follows the first MAC is the second, which protects gateways, not us.
  for (std::size_t at = 0; at < 76; ++at) {
    for (int bit = 0; bit < 8; bit += 3) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ (1 << bit));
      CAPTURE(at);
      CHECK_FALSE(initiator.finish(as_bytes(bad)).has_value());
    }
  }
  for (std::size_t size = 0; size < good.size(); ++size) {
    CHECK_FALSE(initiator.finish(as_bytes(good).first(size)).has_value());
  }
}

TEST_CASE("another preshared key is named as such") {
  const auto session = recorded(kEphemeral).finish(as_bytes(raw(kResponse)));
  CHECK(session.error().code == Errc::integrity);
  CHECK(session.error().message.find("preshared key") != std::string::npos);
}

TEST_CASE("data with any bit changed does not open") {
  const auto session = recorded().finish(as_bytes(raw(kResponse)));
  const std::string good = raw(kAnswer);
  for (std::size_t at = 8; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 4);
    CAPTURE(at);
    CHECK(session->open(as_bytes(bad)).error().code == Errc::integrity);
  }
  CHECK(session->open(as_bytes(good).first(31)).error().code == Errc::invalid_input);
}

// The gateway's side of section 5.4.7, written out with libsodium.
TEST_CASE("a cookie is taken from the gateway's reply and goes into the next initiation") {
  const Initiator initiator = recorded();
  const Cookie cookie = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
  std::string reply = raw("0300000004030201") + std::string(24, 'n') + std::string(32, '\0');
  const std::string gateway = *parse_base64(kGateway);
  const Hash secret = blake2s({as_bytes("cookie--"), as_bytes(gateway)});
  crypto_aead_xchacha20poly1305_ietf_encrypt(reinterpret_cast<std::uint8_t*>(reply.data()) + 32,
                                             nullptr, cookie.data(), cookie.size(),
                                             as_bytes(initiator.message()).data() + 116, 16,
                                             nullptr, as_bytes(reply).data() + 8, secret.data());
  CHECK(initiator.open_cookie(as_bytes(reply)).value() == cookie);
  reply[63] = static_cast<char>(reply[63] ^ 1);
  CHECK(initiator.open_cookie(as_bytes(reply)).error().code == Errc::integrity);
  CHECK_FALSE(initiator.open_cookie(as_bytes(raw(kResponse))).has_value());

  const std::string with = recorded(kPreshared, cookie).message();
  CHECK(with.substr(0, 132) == initiator.message().substr(0, 132));
  CHECK(hex_of(as_bytes(with).subspan(132)) ==
        hex_of(blake2s_mac(cookie, as_bytes(with).first(132))));
}

TEST_CASE("messages are told apart by type and size") {
  CHECK(type_of(as_bytes(raw(kInitiation))).value() == MessageType::initiation);
  CHECK(type_of(as_bytes(raw(kResponse))).value() == MessageType::response);
  CHECK(type_of(as_bytes(raw(kAnswer))).value() == MessageType::data);
  CHECK(receiver_of(as_bytes(raw(kResponse))) == 0x01020304);
  CHECK(receiver_of(as_bytes(raw(kAnswer))) == 0x01020304);
  CHECK(receiver_of(as_bytes(raw(kInitiation))) == 0);
  for (const std::string& bad :
       {std::string(), std::string("\x04"), raw(kInitiation) + "x", raw(kResponse).substr(1),
        std::string(64, '\0'), "\x04\x01" + raw(kAnswer).substr(2)}) {
    CHECK_FALSE(type_of(as_bytes(bad)).has_value());
  }
}

TEST_CASE("TAI64N counts from 1970 as WireGuard does") {
  // 1 s and 2 ns after the epoch; 2^62 + 10 is WireGuard's zero.
  CHECK(hex_of(tai64n(std::chrono::nanoseconds(1'000'000'002))) == "400000000000000b00000002");
}

TEST_CASE("keys of wrong size and points without a secret are refused") {
  const keys::Secret good = key(kClient), shorter = *keys::Secret::of_size(31);
  const auto start = [&](const keys::Secret& own, const keys::Secret* shared, PublicKey gateway) {
    return Initiator::start({.private_key = own,
                             .gateway = gateway,
                             .preshared_key = shared,
                             .ephemeral = good,
                             .index = 1,
                             .timestamp = {},
                             .cookie = {}});
  };
  const PublicKey gateway = *PublicKey::parse(kGateway);
  CHECK(start(good, nullptr, gateway).has_value());
  CHECK_FALSE(start(shorter, nullptr, gateway).has_value());
  CHECK_FALSE(start(good, &shorter, gateway).has_value());
  CHECK_FALSE(start(good, nullptr, PublicKey::from_raw({})).has_value());
}

}  // namespace weir::probe
