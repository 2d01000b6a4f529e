#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "builder/mirror/edge/download.h"

namespace weir::builder {

/// A small file, and which of its addresses had it.
struct DownloadedText {
  std::string text;
  std::size_t place = 0;
};

/// Fetches a small file of unknown content.
///
/// what     for errors: "suite bookworm"
/// urls     as `Download::urls`
/// sound    judges what came, and from which of the addresses; what it refuses counts as other
///          bytes than promised, and its error is told. May be empty
/// errors   as `download`, with `what` in front; exhausted: larger than `limit`
[[nodiscard]] Result<DownloadedText> download_text(
    const std::string& what, const std::vector<std::string>& urls, ByteCount limit,
    const DownloadPolicy& policy, const DownloadObserver& observer,
    const std::function<Status(const DownloadedText&)>& sound = {});

}  // namespace weir::builder
