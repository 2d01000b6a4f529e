#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace weir {

/// What a caller may branch on. Everything else about a failure is for the person who reads it.
enum class Errc : std::uint8_t {
  invalid_input,  ///< a document, argument or packet that is not what it should be
  not_found,      ///< it does not exist
  integrity,      ///< bytes differ from what was promised: digest, size, pin, attested fact
  unauthorized,   ///< a signature, key or permission is missing or wrong
  exhausted,      ///< a stated limit was reached: disk, entries, bytes, attempts
  busy,           ///< another process holds it
  timeout,        ///< nothing wrong was seen, but not in time
  io,             ///< the system or the network refused
  kernel,         ///< the kernel refused a request of ours
  bug,            ///< Weir broke its own rules
};

[[nodiscard]] std::string_view name_of(Errc code);

/// A failure as a value: a code, the errno where there was one, and a sentence that gains context
/// on its way up ("deploy: node green-2: set peers: No such device").
struct [[nodiscard]] Error {
  Errc code{};
  int sys = 0;                ///< errno, 0 where none was involved
  std::string message;        ///< one line, no full stop
  std::string_view reason{};  ///< a finer code, where the room that refuses has one; static

  /// The same failure with "`where`: " put in front.
  Error in(std::string_view where) &&;
  /// The same failure with "; `way_on`" behind it: what its reader can do.
  Error then(std::string_view way_on) &&;
};

template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

/// The same, where something was not found with what to do about that (`Error::then`).
template <class T>
[[nodiscard]] Result<T> if_missing(Result<T> result, std::string_view way_on) {
  if (result || result.error().code != Errc::not_found) return result;
  return tl::unexpected(std::move(result).error().then(way_on));
}

[[nodiscard]] tl::unexpected<Error> fail(Errc code, std::string message);
/// `message` gains ": " and the errno's text. Read errno before anything else can change it.
[[nodiscard]] tl::unexpected<Error> fail_errno(Errc code, int sys, std::string_view message);

#define WEIR_CONCAT_(a, b) a##b
#define WEIR_CONCAT(a, b) WEIR_CONCAT_(a, b)

/// TRY(expr): leaves the function with expr's error. For a `Status` or a value nobody needs.
#define TRY(expr)                                                          \
  do {                                                                     \
    auto&& weir_try_ = (expr);                                             \
    if (!weir_try_) return ::tl::unexpected(std::move(weir_try_).error()); \
  } while (0)

/// TRY_IN(expr, where): the same, with context.
#define TRY_IN(expr, where)                                                          \
  do {                                                                               \
    auto&& weir_try_ = (expr);                                                       \
    if (!weir_try_) return ::tl::unexpected(std::move(weir_try_).error().in(where)); \
  } while (0)

/// TRY_ASSIGN(auto x, expr): declares x from expr's value, or leaves with its error.
#define TRY_ASSIGN(decl, expr) TRY_ASSIGN_(WEIR_CONCAT(weir_result_, __LINE__), decl, expr)
#define TRY_ASSIGN_(tmp, decl, expr)                         \
  auto tmp = (expr);                                         \
  if (!tmp) return ::tl::unexpected(std::move(tmp).error()); \
  decl = std::move(*tmp)

/// TRY_ASSIGN_IN(auto x, expr, where): the same, with context.
#define TRY_ASSIGN_IN(decl, expr, where) \
  TRY_ASSIGN_IN_(WEIR_CONCAT(weir_result_, __LINE__), decl, expr, where)
#define TRY_ASSIGN_IN_(tmp, decl, expr, where)                         \
  auto tmp = (expr);                                                   \
  if (!tmp) return ::tl::unexpected(std::move(tmp).error().in(where)); \
  decl = std::move(*tmp)

}  // namespace weir
