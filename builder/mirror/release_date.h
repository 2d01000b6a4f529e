#pragma once

#include <cstdint>
#include <string_view>

#include "manifests/base/result.h"

namespace weir::builder {

/// A date of a Release file as Unix seconds, in each of the forms that apt takes: "Sat, 21 Nov 2026
/// 02:10:46 UTC", also with numbers of one digit and the zones GMT, Z and +0000; "Saturday,
/// 21-Nov-26 02:10:46 GMT"; "Sat Nov 21 02:10:46 2026". The day of the week may be wrong.
/// errors   invalid_input, also for any zone but UTC
/// source   RFC 9110, section 5.6.7; apt-pkg, RFC1123StrToTime
[[nodiscard]] Result<std::int64_t> parse_date(std::string_view text);

}  // namespace weir::builder
