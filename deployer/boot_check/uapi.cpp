#include "deployer/boot_check/uapi.h"

#include <sodium.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <optional>

namespace weir::boot_check {
namespace {

// Hex without a copy on the heap that nobody wipes.
void append_hex(std::string& to, Bytes bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (const std::uint8_t byte : bytes) {
    to += kDigits[byte >> 4];
    to += kDigits[byte & 15];
  }
}

template <class T>
Result<T> number(std::string_view key, std::string_view value) {
  T out{};
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), out);
  if (error != std::errc() || end != value.data() + value.size()) {
    return fail(Errc::invalid_input, "wireguard-go: " + std::string(key) + ": '" +
                                         std::string(value) + "' is not a number");
  }
  return out;
}

Status each_line(std::string_view text,
                 const std::function<Status(std::string_view, std::string_view)>& line) {
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const std::string_view one = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (one.empty()) continue;
    const auto equals = one.find('=');
    if (equals == std::string_view::npos) {
      return fail(Errc::invalid_input, "wireguard-go: answers with a line that is no setting");
    }
    TRY(line(one.substr(0, equals), one.substr(equals + 1)));
  }
  return {};
}

}  // namespace

Result<keys::Secret> uapi_set(const UapiDevice& device) {
  std::string text;
  text.reserve(4096);  // never grows past it, so no copy stays behind
  text += "set=1\nprivate_key=";
  append_hex(text, device.private_key.bytes());
  text += "\nreplace_peers=true\npublic_key=";
  append_hex(text, device.gateway.raw());
  text += "\npreshared_key=";
  append_hex(text, device.preshared_key.bytes());
  text += "\nendpoint=" + device.endpoint.string() + "\nreplace_allowed_ips=true\n";
  for (const Prefix& prefix : device.allowed_ips) text += "allowed_ip=" + prefix.string() + "\n";
  text += "\n";
  auto out = keys::Secret::copy_of(as_bytes(text));
  sodium_memzero(text.data(), text.size());
  return out;
}

Status parse_uapi_status(std::string_view answer) {
  std::optional<int> status;
  TRY(each_line(answer, [&](std::string_view key, std::string_view value) -> Status {
    if (key != "errno") return {};
    TRY_ASSIGN(status, number<int>(key, value));
    return {};
  }));
  if (!status) return fail(Errc::invalid_input, "wireguard-go: its answer has no errno");
  // The protocol's are negative on some systems.
  if (*status != 0) return fail_errno(Errc::kernel, std::abs(*status), "wireguard-go");
  return {};
}

Result<UapiPeer> parse_uapi_peer(std::string_view answer) {
  TRY(parse_uapi_status(answer));
  UapiPeer out;
  std::int64_t seconds = 0, nanoseconds = 0;
  bool peer = false;
  TRY(each_line(answer, [&](std::string_view key, std::string_view value) -> Status {
    if (key == "public_key") {
      peer = true;
    } else if (key == "last_handshake_time_sec") {
      TRY_ASSIGN(seconds, number<std::int64_t>(key, value));
    } else if (key == "last_handshake_time_nsec") {
      TRY_ASSIGN(nanoseconds, number<std::int64_t>(key, value));
    } else if (key == "rx_bytes") {
      TRY_ASSIGN(out.rx_bytes, number<std::uint64_t>(key, value));
    } else if (key == "tx_bytes") {
      TRY_ASSIGN(out.tx_bytes, number<std::uint64_t>(key, value));
    }
    return {};
  }));
  if (!peer) return fail(Errc::not_found, "wireguard-go: has no peer");
  constexpr std::int64_t kLastSecond = 9'000'000'000;
  if (seconds < 0 || seconds > kLastSecond || nanoseconds < 0 || nanoseconds >= 1'000'000'000) {
    return fail(Errc::invalid_input, "wireguard-go: its last handshake is at no time there is");
  }
  out.last_handshake_unix_ns = seconds * 1'000'000'000 + nanoseconds;
  return out;
}

}  // namespace weir::boot_check
