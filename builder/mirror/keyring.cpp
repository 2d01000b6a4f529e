#include "builder/mirror/keyring.h"

#include <cstdint>
#include <optional>
#include <set>

#include "builder/mirror/lines.h"
#include "manifests/base/ascii.h"
#include "manifests/base/digest.h"

namespace weir::builder {
namespace {

constexpr std::string_view kBegin = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
constexpr int kPublicKey = 6;  // RFC 9580, section 5
constexpr std::string_view kEnd = "-----END PGP PUBLIC KEY BLOCK-----";

// RFC 9580, section 4.2: bit 7 is always set; public keys have tag 6, in both headers. A keybox of
// gpg has "KBXf" behind its first eight bytes.
bool is_binary(std::string_view text) {
  if (text.size() > 12 && text.substr(8, 4) == "KBXf") return true;
  if (text.empty()) return false;
  const auto tag = static_cast<std::uint8_t>(text.front());
  const int kind = (tag & 0x40) != 0 ? tag & 0x3f : (tag & 0x3c) >> 2;
  return (tag & 0x80) != 0 && kind == kPublicKey;
}

tl::unexpected<Error> damaged(std::string_view problem) {
  return fail(Errc::invalid_input, "is no OpenPGP keyring: " + std::string(problem));
}

// RFC 9580, section 6.2: headers, an empty line, base64, a checksum that may be missing.
Result<std::string> unarmoured(std::string_view text) {
  enum { outside, headers, data, behind } place = outside;
  std::string out, base64;
  Status status;
  each_line(text, [&](std::string_view raw) {
    std::string_view line = trimmed(raw, " \t\r");
    if (line == ".") line = {};
    if (!status) return;
    if (line == kBegin) {
      if (place != outside) status = damaged("a block begins in a block");
      place = headers;
      base64.clear();
    } else if (line == kEnd) {
      auto raw_bytes = parse_base64(base64);
      if (place == outside || !raw_bytes) {
        status = damaged("its armour is damaged");
        return;
      }
      out += *raw_bytes;
      place = outside;
    } else if (place == headers && line.find(':') == std::string_view::npos) {
      // Some leave the empty line out.
      place = data;
      base64 += line;
    } else if (place == data && line.starts_with('=') && line.size() == 5) {
      place = behind;
    } else if (place == data) {
      base64 += line;
    } else if (place == behind && !line.empty()) {
      status = damaged("its armour is damaged");
    }
  });
  TRY(status);
  if (place != outside) return damaged("its armour is cut off");
  return out;
}

struct Packet {
  int tag = 0;
  std::string_view body;
};

// Takes the next packet from a keyring; none: its end, or a length that keyrings do not have.
// RFC 9580, sections 4.2.1 and 4.2.2.
std::optional<Packet> take_packet(std::string_view& rest) {
  const auto byte = [&](std::size_t at) {
    return at < rest.size() ? static_cast<std::uint8_t>(rest[at]) : std::uint8_t{0};
  };
  const auto number = [&](std::size_t at, std::size_t bytes) {
    std::size_t out = 0;
    for (std::size_t i = 0; i < bytes; ++i) out = out << 8 | byte(at + i);
    return out;
  };
  if ((byte(0) & 0x80) == 0) return std::nullopt;
  Packet out;
  std::size_t start = 0, size = 0;
  if ((byte(0) & 0x40) != 0) {
    out.tag = byte(0) & 0x3f;
    if (byte(1) < 192) {
      start = 2;
      size = byte(1);
    } else if (byte(1) < 224) {
      start = 3;
      size = (std::size_t{byte(1)} - 192) * 256 + byte(2) + 192;
    } else if (byte(1) == 255) {
      start = 6;
      size = number(2, 4);
    } else {
      return std::nullopt;
    }
  } else {
    out.tag = (byte(0) & 0x3c) >> 2;
    const int kind = byte(0) & 3;
    if (kind == 3) return std::nullopt;
    const std::size_t width = std::size_t{1} << kind;
    start = 1 + width;
    size = number(1, width);
  }
  if (start > rest.size() || size > rest.size() - start) return std::nullopt;
  out.body = rest.substr(start, size);
  rest.remove_prefix(start + size);
  return out;
}

}  // namespace

bool share_a_key(const Keyring& one, const Keyring& other) {
  std::set<std::string_view> keys;
  std::string_view rest = one.bytes();
  while (const auto packet = take_packet(rest)) {
    if (packet->tag == kPublicKey) keys.insert(packet->body);
  }
  rest = other.bytes();
  while (const auto packet = take_packet(rest)) {
    if (packet->tag == kPublicKey && keys.contains(packet->body)) return true;
  }
  return false;
}

bool is_armoured_key(std::string_view text) {
  return text.find(kBegin) != std::string_view::npos;
}

Result<Keyring> Keyring::parse(std::string_view text) {
  if (is_binary(text)) return Keyring(std::string(text));
  if (!is_armoured_key(text)) return damaged("it is neither binary nor armoured");
  TRY_ASSIGN(std::string bytes, unarmoured(text));
  if (!is_binary(bytes)) return damaged("it holds no public key");
  return Keyring(std::move(bytes));
}

}  // namespace weir::builder
