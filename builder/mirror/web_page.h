#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weir::builder {

/// How much of an answer's beginning `web_page` wants.
inline constexpr std::size_t kPageHead = 2048;

/// Whether what a server sent is a page for people, which no file of an archive is: the login page
/// of a portal or a proxy, an error page that is not called one.
///
/// head     the answer's beginning
/// returns  what to call it: "a web page, 'Guest network: sign in'"
[[nodiscard]] std::optional<std::string> web_page(std::string_view head);

/// What is said of it.
///
/// page  as `web_page` calls it
[[nodiscard]] std::string page_in_place(const std::string& page);

}  // namespace weir::builder
