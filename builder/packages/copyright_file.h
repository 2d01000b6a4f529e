#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weir::builder {

/// The licences that a package's copyright file declares, as one SPDX expression: the conjunction
/// of what it says of its files, "BSD-2-Clause AND (GPL-2.0-only OR MIT)". Names with one meaning
/// become SPDX's; all others become LicenseRef-NAME.
///
/// text      usr/share/doc/PACKAGE/copyright
/// returns   empty: the file is not machine-readable, or leaves out what licence some files have;
///           over 4 MiB, a list of licences over 4 KiB and a paragraph of more than 256 fields
///           count as not machine-readable
/// source    Debian's machine-readable debian/copyright files, version 1.0 ("DEP-5"), chapters 6
///           and 7; SPDX specification 2.3, annex D and its list of licences
[[nodiscard]] std::string declared_licenses(std::string_view text);

/// One synopsis of such a file, "GPL-2+ or Artistic-2.0, and BSD-3-clause", as SPDX expression.
/// What is not a list of names becomes one LicenseRef.
[[nodiscard]] std::string license_expression(std::string_view synopsis);

/// The LicenseRef-NAMEs of an expression, sorted.
[[nodiscard]] std::vector<std::string> license_references(std::string_view expression);

}  // namespace weir::builder
