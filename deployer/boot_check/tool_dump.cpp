#include "deployer/boot_check/tool_dump.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <string>
#include <vector>

namespace weir::boot_check {
namespace {

constexpr std::size_t kPeerFields = 9;
enum : std::size_t { kKey = 1, kPresharedKey = 2, kHandshake = 5, kReceived = 6, kSent = 7 };

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> out;
  for (;;) {
    const auto end = std::min(text.find(separator), text.size());
    out.push_back(text.substr(0, end));
    if (end == text.size()) return out;
    text.remove_prefix(end + 1);
  }
}

// A number that is at least `least`.
bool reaches(std::string_view text, std::uint64_t least) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value >= least;
}

}  // namespace

Status check_tool_dump(std::string_view dump, const manifests::PeerState& seen) {
  const auto refuse = [](const std::string& what) {
    return fail(Errc::integrity,
                "the image's wg does not see what its agent sees of the kernel's "
                "WireGuard: it " +
                    what + "; pin a kernel and tools that fit each other");
  };
  std::vector<std::vector<std::string_view>> peers;
  for (const std::string_view line : split(dump, '\n')) {
    auto fields = split(line, '\t');
    if (fields.size() == kPeerFields) peers.push_back(std::move(fields));
  }
  if (peers.size() != 1) return refuse("shows " + std::to_string(peers.size()) + " peers, not one");
  const auto& peer = peers.front();
  if (peer[kKey] != seen.public_key.string()) return refuse("shows another public key");
  if (peer[kPresharedKey] == "(none)") return refuse("shows no preshared key");
  const auto handshake = static_cast<std::uint64_t>(seen.last_handshake_unix_ns / 1'000'000'000);
  if (!reaches(peer[kHandshake], handshake)) return refuse("shows another handshake");
  if (!reaches(peer[kReceived], seen.rx_bytes) || !reaches(peer[kSent], seen.tx_bytes)) {
    return refuse("shows fewer bytes");
  }
  return {};
}

}  // namespace weir::boot_check
