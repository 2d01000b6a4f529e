#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::builder {

/// Whether a lock was held to the signed indices that it names.
enum class IndexCheck : std::uint8_t {
  checked,     ///< now: signatures, digests, and every package
  remembered,  ///< before, with this keyring and by this builder
  absent,      ///< not here: the cache or the keyring is not there
};

/// "checked", "remembered", "absent".
[[nodiscard]] std::string_view name_of(IndexCheck check);

struct IndexVerdict {
  IndexCheck check = IndexCheck::absent;
  std::string missing{};  ///< of an absent one: "suite bookworm: its InRelease is not in the cache"
};

}  // namespace weir::builder
