#include "manifests/base/paths.h"

#include <algorithm>

#include "manifests/base/printable.h"

namespace weir {
namespace {

constexpr std::size_t kLongestPath = 4095, kLongestName = 255, kLongestInterface = 15;

bool dots(std::string_view text) {
  return text == "." || text == "..";
}

}  // namespace

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string path_at(const std::string& folder, const std::string& path) {
  if (path.starts_with('/')) return path;
  return (folder == "/" ? "" : folder) + "/" + path;
}

Result<std::string> parse_path(std::string_view text) {
  if (text.starts_with('~')) {
    return fail(Errc::invalid_input,
                quotation(text) +
                    " begins with `~`, which only a shell understands: write the whole path, or "
                    "`./" +
                    excerpt(text) + "` if a name really begins so");
  }
  if (text.empty() || text.size() > kLongestPath || !is_printable(text)) {
    return fail(Errc::invalid_input,
                quotation(text) + " is not a path (1 to 4095 bytes, no control characters)");
  }
  return std::string(text);
}

Result<std::string> parse_interface_name(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._-+@").find(c) != std::string_view::npos;
  };
  if (text.empty() || text.size() > kLongestInterface || dots(text) ||
      !std::all_of(text.begin(), text.end(), allowed)) {
    return fail(Errc::invalid_input,
                quotation(text) + " is not an interface name (1 to 15 letters, digits and ._-+@)");
  }
  return std::string(text);
}

Result<std::string> parse_namespace_name(std::string_view text) {
  if (text.empty() || text.size() > kLongestName || dots(text) || !is_printable(text) ||
      text.find('/') != std::string_view::npos) {
    return fail(Errc::invalid_input, quotation(text) + " is not a network namespace's name");
  }
  return std::string(text);
}

}  // namespace weir
