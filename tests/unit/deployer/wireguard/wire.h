#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "manifests/base/digest.h"

/// Netlink messages put together byte by byte after linux/netlink.h and linux/wireguard.h, apart
/// from the code under test.
namespace weir::wireguard::wire {

using Raw = std::vector<std::uint8_t>;

inline void append(Raw& to, const Raw& more) {
  to.insert(to.end(), more.begin(), more.end());
}

inline Raw little(std::uint64_t value, std::size_t bytes) {
  Raw out;
  for (std::size_t i = 0; i < bytes; ++i)
    out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  return out;
}

inline Raw key(std::uint8_t fill) {
  return Raw(32, fill);
}

/// length (2), type (2), payload, padded to 4
inline Raw attribute(std::uint16_t type, const Raw& payload) {
  Raw out = little(payload.size() + 4, 2);
  append(out, little(type, 2));
  append(out, payload);
  while (out.size() % 4 != 0) out.push_back(0);
  return out;
}

/// NLA_F_NESTED is 0x8000.
inline Raw nested(std::uint16_t type, const std::vector<Raw>& items) {
  Raw inside;
  for (const Raw& item : items) append(inside, item);
  return attribute(static_cast<std::uint16_t>(type | 0x8000), inside);
}

/// length (4), type (2), flags (2), sequence (4), port (4), payload
inline Raw message(std::uint16_t type, std::uint16_t flags, std::uint32_t sequence,
                   const Raw& payload) {
  Raw out = little(16 + payload.size(), 4);
  append(out, little(type, 2));
  append(out, little(flags, 2));
  append(out, little(sequence, 4));
  append(out, little(0, 4));
  append(out, payload);
  while (out.size() % 4 != 0) out.push_back(0);
  return out;
}

/// command (1), version (1), reserved (2), attributes
inline Raw generic(std::uint8_t command, const std::vector<Raw>& attributes) {
  Raw out = {command, 1, 0, 0};
  for (const Raw& item : attributes) append(out, item);
  return out;
}

inline Raw text(const std::string& value) {
  Raw out(value.begin(), value.end());
  out.push_back(0);
  return out;
}

}  // namespace weir::wireguard::wire
