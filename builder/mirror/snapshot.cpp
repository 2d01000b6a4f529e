#include "builder/mirror/snapshot.h"

#include <algorithm>
#include <array>

#include "builder/mirror/address.h"
#include "manifests/base/utc_time.h"

namespace weir::builder {
namespace {

constexpr std::string_view kTime = "{time}", kArchive = "{archive}";
constexpr std::int64_t kHour = 3600;

std::string replaced(std::string_view text, std::string_view what, std::string_view by) {
  std::string out;
  for (;;) {
    const auto at = text.find(what);
    out.append(text.substr(0, at));
    if (at == std::string_view::npos) return out;
    out.append(by);
    text.remove_prefix(at + what.size());
  }
}

// ISO 8601's basic form: "20250520T000000Z".
std::string compact(std::int64_t time) {
  std::string out = UtcTime{time}.string();
  std::erase_if(out, [](char c) { return c == '-' || c == ':'; });
  return out;
}

}  // namespace

Status check_snapshot(std::string_view scheme) {
  const auto address =
      parse_address(replaced(replaced(scheme, kTime, "20000101T000000Z"), kArchive, "debian"));
  TRY(address);
  if (!address->is_spoken()) {
    return fail(Errc::invalid_input, print(*address) + " is neither http, https, file nor copy");
  }
  if (scheme.find(kTime) != std::string_view::npos) return {};
  return fail(Errc::invalid_input, print(*address) + " has no {time} in it");
}

Result<std::vector<std::string>> snapshot_addresses(std::string_view scheme,
                                                    std::string_view archive, std::int64_t date) {
  TRY(check_snapshot(scheme));
  if (archive.empty() && scheme.find(kArchive) != std::string_view::npos) {
    return fail(Errc::not_found,
                "what {archive} stands for is not known, since no mirror is: write it out");
  }
  std::vector<std::string> out;
  for (const std::int64_t hours : {6, 30, 0}) {
    out.push_back(
        replaced(replaced(scheme, kTime, compact(date + hours * kHour)), kArchive, archive));
  }
  return out;
}

}  // namespace weir::builder
