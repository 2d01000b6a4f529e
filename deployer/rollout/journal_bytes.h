#pragma once

#include <bit>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "manifests/base/result.h"

/// The bytes of a journal, below what they mean. Each type has one `fields` (journal_fields.h) that
/// serves writing and reading alike; types that cannot be empty have a `Blank`.
namespace weir::deployer::journal {

/// Something of type T to read over.
template <class T>
struct Blank {
  static T make() { return T{}; }
};

class Writer {
 public:
  template <class... T>
  void operator()(const T&... values) {
    (put(values), ...);
  }
  [[nodiscard]] std::string bytes() && { return std::move(bytes_); }

  void number(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>(value | 0x80);
    bytes_ += static_cast<char>(value);
  }
  void raw(std::string_view bytes) { bytes_ += bytes; }

 private:
  template <class T>
  void put(const T& value) {
    if constexpr (std::is_enum_v<T>) {
      number(static_cast<std::uint64_t>(value));
    } else if constexpr (std::unsigned_integral<T>) {
      number(value);
    } else if constexpr (std::signed_integral<T>) {
      const auto wide = static_cast<std::int64_t>(value);
      number(static_cast<std::uint64_t>(wide) << 1 ^ static_cast<std::uint64_t>(wide >> 63));
    } else {
      fields(*this, value);
    }
  }
  template <class R, class P>
  void put(const std::chrono::duration<R, P>& value) {
    put(static_cast<std::int64_t>(value.count()));
  }
  void put(const std::string& text) {
    number(text.size());
    raw(text);
  }
  template <class T>
  void put(const std::optional<T>& value) {
    put(value.has_value());
    if (value) put(*value);
  }
  template <class A, class B>
  void put(const std::pair<A, B>& value) {
    put(value.first);
    put(value.second);
  }
  template <class T>
  void put(const std::vector<T>& values) {
    all(values);
  }
  template <class T>
  void put(const std::set<T>& values) {
    all(values);
  }
  template <class K, class V>
  void put(const std::map<K, V>& values) {
    all(values);
  }
  template <class... T>
  void put(const std::variant<T...>& value) {
    number(value.index());
    std::visit([&](const auto& it) { put(it); }, value);
  }
  template <class Range>
  void all(const Range& values) {
    number(values.size());
    for (const auto& value : values) put(value);
  }

  std::string bytes_;
};

/// Reads what a Writer wrote, and nothing else: after the first thing that no Writer writes it
/// reads nothing more, and `failed` says what it was.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  template <class... T>
  void operator()(T&... values) {
    (take(values), ...);
  }
  void refuse(std::string_view why) {
    if (failed_.empty()) failed_ = why;
    rest_ = {};
  }
  [[nodiscard]] const std::string& failed() const { return failed_; }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

  std::uint64_t number() {
    std::uint64_t out = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (rest_.empty()) break;
      const auto byte = static_cast<std::uint8_t>(rest_.front());
      rest_.remove_prefix(1);
      const std::uint64_t bits = byte & 0x7f;
      if (bits << shift >> shift != bits || (byte == 0 && shift != 0)) {
        refuse("a number that is too long");
        return 0;
      }
      out |= bits << shift;
      if ((byte & 0x80) == 0) return out;
    }
    refuse("the bytes end within a number");
    return 0;
  }
  std::string_view raw(std::uint64_t size) {
    if (size > rest_.size()) {
      refuse("the bytes end too early");
      return {};
    }
    const auto out = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return out;
  }

 private:
  template <class T>
  void take(T& value) {
    if constexpr (std::same_as<T, bool>) {
      const auto bit = number();
      if (bit > 1) refuse("a truth value that is neither 0 nor 1");
      value = bit == 1;
    } else if constexpr (std::is_enum_v<T>) {
      const auto one = number();
      if (one > last_of(*this, T{})) refuse("a value that its kind does not have");
      value = static_cast<T>(one);
    } else if constexpr (std::unsigned_integral<T>) {
      const auto wide = number();
      value = static_cast<T>(wide);
      if (value != wide) refuse("a number that is too large");
    } else if constexpr (std::signed_integral<T>) {
      const auto zigzag = number();
      const auto wide = std::bit_cast<std::int64_t>(zigzag >> 1 ^ (0 - (zigzag & 1)));
      value = static_cast<T>(wide);
      if (value != wide) refuse("a number that is too large");
    } else {
      fields(*this, value);
    }
  }
  template <class R, class P>
  void take(std::chrono::duration<R, P>& value) {
    std::int64_t count = 0;
    take(count);
    value = std::chrono::duration<R, P>(count);
  }
  void take(std::string& text) { text = raw(number()); }
  template <class T>
  void take(std::optional<T>& value) {
    bool there = false;
    take(there);
    value.reset();
    if (there) value = one<T>();
  }
  template <class T>
  void take(std::vector<T>& values) {
    values.clear();
    for (auto n = count(); n > 0 && failed_.empty(); --n) values.push_back(one<T>());
  }
  template <class T>
  void take(std::set<T>& values) {
    values.clear();
    for (auto n = count(); n > 0 && failed_.empty(); --n) {
      T value = one<T>();
      if (!values.empty() && !(*values.rbegin() < value)) refuse("a set that is not in order");
      values.insert(std::move(value));
    }
  }
  template <class K, class V>
  void take(std::map<K, V>& values) {
    values.clear();
    for (auto n = count(); n > 0 && failed_.empty(); --n) {
      K key = one<K>();
      V value = one<V>();
      if (!values.empty() && !(values.rbegin()->first < key)) refuse("a map that is not in order");
      values.insert_or_assign(std::move(key), std::move(value));
    }
  }
  template <class... T>
  void take(std::variant<T...>& value) {
    const auto index = number();
    if (index >= sizeof...(T)) return refuse("an alternative that is not known");
    alternative<0>(value, index);
  }
  template <std::size_t I, class... T>
  void alternative(std::variant<T...>& value, std::uint64_t index) {
    if constexpr (I < sizeof...(T)) {
      if (index != I) return alternative<I + 1>(value, index);
      value = one<std::variant_alternative_t<I, std::variant<T...>>>();
    }
  }
  template <class T>
  T one() {
    T out = Blank<T>::make();
    take(out);
    return out;
  }
  /// Every element takes at least one byte.
  std::uint64_t count() {
    const auto n = number();
    if (n <= rest_.size()) return n;
    refuse("more elements than bytes");
    return 0;
  }

  std::string_view rest_;
  std::string failed_;
};

}  // namespace weir::deployer::journal
