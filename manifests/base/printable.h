#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace weir {

/// Text from outside as one line that a terminal, a log and a page show as it is, and that acts on
/// none of them: control characters of both sets (C0, DEL, C1), line and paragraph separators, what
/// turns the direction of writing, what cannot be seen, and bytes that are not UTF-8 become escapes
/// such as \n, \x1b and \u{202e}. Everything else stays. What it returns it would return again.
///
/// source   ECMA-48, section 5 (C0, C1); Unicode, PropList.txt (Bidi_Control), UnicodeData.txt (Zl,
///          Zp), DerivedCoreProperties.txt (Default_Ignorable_Code_Point)
[[nodiscard]] std::string printable(std::string_view text);

/// Whether `printable` leaves it as it is: what names in documents must be.
[[nodiscard]] bool is_printable(std::string_view text);

/// `printable` for text of several lines: newlines stay.
[[nodiscard]] std::string printable_lines(std::string_view text);

/// What an error quotes of text from outside: printable, and cut to `most` bytes, between
/// characters, with "..." behind it where it was longer.
[[nodiscard]] std::string excerpt(std::string_view text, std::size_t most = 80);

/// An excerpt in single quotes.
[[nodiscard]] std::string quotation(std::string_view text, std::size_t most = 80);

/// A text as one word of a POSIX shell, for commands that a reader may paste; it stays as it is
/// where a shell would take it so.
///
/// source   POSIX.1-2017, Shell Command Language, section 2.2.2 (single quotes)
[[nodiscard]] std::string shell_word(std::string_view text);

}  // namespace weir
