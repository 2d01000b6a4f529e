#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "builder/layers/image_checks.h"
#include "builder/layers/made_places.h"

namespace weir::builder {

/// Names to numbers, as the image's /etc/passwd and /etc/group will have them. Debian's groups get
/// in by owning something.
struct Accounts {
  struct User {
    std::uint32_t id = 0, group_id = 0;
  };
  std::map<std::string, User> users;
  std::map<std::string, std::uint32_t> groups;
};

/// What systemd-tmpfiles would have made of an image at its first start: of two of one name that of
/// /etc counts, files in the order of their names, of two lines that make one path the first.
///
/// files    texts by path ("usr/lib/tmpfiles.d/chrony.conf")
/// below    all that stands in the image before
/// decided  paths that somebody else decides; lines on them count as done
/// epoch    time of what is made, Unix seconds
/// source   tmpfiles.d(5)
[[nodiscard]] MadePlaces apply_tmpfiles(const std::map<std::string, std::string>& files,
                                        const Overlay& below, const std::set<std::string>& decided,
                                        const Accounts& accounts, std::int64_t epoch);

}  // namespace weir::builder
