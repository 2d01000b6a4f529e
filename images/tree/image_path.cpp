#include "images/tree/image_path.h"

namespace weir::images {
namespace {

constexpr std::size_t kLength = 1024;
constexpr std::size_t kDepth = 64;
constexpr std::size_t kComponent = 255;

}  // namespace

Result<ImagePath> ImagePath::parse(std::string_view text) {
  const auto shown = [&] { return "'" + std::string(text.substr(0, 200)) + "'"; };
  if (text.find_first_of(std::string_view("\0\n", 2)) != std::string_view::npos) {
    return fail(Errc::invalid_input, "a path with a NUL byte or a line break");
  }
  std::string out;
  std::size_t depth = 0;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t slash = std::min(text.find('/', at), text.size());
    const std::string_view part = text.substr(at, slash - at);
    at = slash + 1;
    if (part.empty() || part == ".") continue;
    if (part == "..") return fail(Errc::invalid_input, "path " + shown() + " contains '..'");
    if (part.size() > kComponent || ++depth > kDepth || out.size() + part.size() >= kLength) {
      return fail(Errc::exhausted, "path " + shown() + " is too long or too deep");
    }
    if (!out.empty()) out += '/';
    out += part;
  }
  return ImagePath(std::move(out));
}

ImagePath ImagePath::parent() const {
  const auto slash = text_.rfind('/');
  return slash == std::string::npos ? ImagePath() : ImagePath(text_.substr(0, slash));
}

std::string_view ImagePath::name() const {
  const auto slash = text_.rfind('/');
  return std::string_view(text_).substr(slash == std::string::npos ? 0 : slash + 1);
}

bool ImagePath::is_within(std::string_view folder) const {
  if (folder.empty()) return true;
  return text_.starts_with(folder) &&
         (text_.size() == folder.size() || text_[folder.size()] == '/');
}

}  // namespace weir::images
