#pragma once

#include <doctest/doctest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "manifests/base/edge/file.h"

/// Folders and foreign programs for tests that compare with independent tools.
namespace weir::test {

struct TemporaryFolder {
  std::string path = (std::filesystem::temp_directory_path() / "weir-images-XXXXXX").string();
  TemporaryFolder() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
};

/// What a shell command prints, both streams together.
inline std::string output_of(const std::string& command, int* status = nullptr) {
  std::FILE* pipe = ::popen(("{ " + command + "\n} 2>&1").c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string out;
  std::array<char, 4096> piece{};
  while (const std::size_t n = std::fread(piece.data(), 1, piece.size(), pipe)) {
    out.append(piece.data(), n);
  }
  const int result = ::pclose(pipe);
  if (status != nullptr) *status = result;
  return out;
}

/// The same, and the command must succeed.
inline std::string must(const std::string& command) {
  int status = -1;
  std::string out = output_of(command, &status);
  CAPTURE(command);
  CAPTURE(out);
  REQUIRE(status == 0);
  return out;
}

inline std::string bytes_of(const std::string& path) {
  auto bytes = read_file(path, ByteCount{1ULL << 30});
  REQUIRE_MESSAGE(bytes.has_value(), path);
  return std::move(*bytes);
}

}  // namespace weir::test
