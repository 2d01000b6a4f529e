#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "manifests/base/edge/file.h"
#include "manifests/base/secret_bytes.h"

/// What is left of a secret in this process.
namespace weir::test {

inline char with_other_case(char c) {
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return letter ? static_cast<char>(c ^ 0x20) : c;
}

/// Whether any memory that this process can write holds a text. It is given with the other case of
/// each letter (`tr A-Za-z a-zA-Z`), so that the question itself does not hold it.
inline bool memory_holds(const std::string& other_case) {
  const auto is_it = [](char asked, char there) { return with_other_case(asked) == there; };
  const Fd memory(::open("/proc/self/mem", O_RDONLY | O_CLOEXEC));
  REQUIRE(memory.valid());
  std::ifstream maps("/proc/self/maps");
  SecretBytes piece(1 << 20);
  for (std::string line; std::getline(maps, line);) {
    if (line.find(" rw") == std::string::npos) continue;
    const auto begin = std::stoull(line, nullptr, 16);
    const auto end = std::stoull(line.substr(line.find('-') + 1), nullptr, 16);
    // Pieces overlap, so that nothing lies across two of them.
    for (auto at = begin; at < end; at += piece.size() - other_case.size()) {
      const auto want = std::min<std::uint64_t>(piece.size(), end - at);
      const ssize_t n = ::pread(memory.get(), piece.data(), want, static_cast<off_t>(at));
      if (n <= 0) break;
      const auto last = piece.begin() + n;
      if (std::search(piece.begin(), last, other_case.begin(), other_case.end(),
                      [&](std::uint8_t there, char asked) {
                        return is_it(asked, static_cast<char>(there));
                      }) != last) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace weir::test
