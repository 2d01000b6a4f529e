#include "deployer/node/edge/small_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdio>

#include "manifests/base/edge/file.h"

namespace weir::node {

std::optional<std::string> text_of(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return std::nullopt;
  std::string out;
  std::array<char, 16384> piece{};
  for (ssize_t n = 0; (n = ::read(file.get(), piece.data(), piece.size())) > 0;) {
    out.append(piece.data(), static_cast<std::size_t>(n));
  }
  return out;
}

bool put_text(const std::string& path, std::string_view text) {
  const std::string unfinished = path + ".new";
  {
    const Fd file(::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!file.valid()) return false;
    while (!text.empty()) {
      const ssize_t n = ::write(file.get(), text.data(), text.size());
      if (n <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  return ::rename(unfinished.c_str(), path.c_str()) == 0;
}

}  // namespace weir::node
