#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "builder/mirror/edge/mirror.h"
#include "manifests/base/edge/program.h"
#include "manifests/base/result.h"

namespace weir::builder {

/// What the commands that fetch take beside their own options.
struct FetchOptions {
  MirrorRequest request;
  std::optional<std::uint32_t> within;  ///< seconds
};

/// What a command fetches.
enum class Fetched : std::uint8_t {
  indices,   ///< today's
  packages,  ///< those of a lock, which a snapshot service has too
};

/// `options` with --mirror, --snapshot (of packages) and --fetch-within at `place`; `given`
/// outlives the parsing.
[[nodiscard]] std::vector<Option> with_fetching(std::vector<Option> options, std::size_t place,
                                                Fetched fetched, FetchOptions& given);

/// What they ask for; the time that fetching has begins now. errors: invalid_input
[[nodiscard]] Result<MirrorRequest> request_of(const FetchOptions& given);

}  // namespace weir::builder
