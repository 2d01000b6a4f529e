#include "manifests/documents/archive_path.h"

#include <algorithm>

#include "manifests/base/printable.h"

namespace weir::manifests {
namespace {

constexpr std::size_t kLongest = 1024;

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._+~%:@=,!()").find(c) != std::string_view::npos;
}

bool is_segment(std::string_view text) {
  return !text.empty() && text != "." && text != ".." &&
         std::all_of(text.begin(), text.end(), is_plain);
}

template <class Visit>
void each_segment(std::string_view path, Visit visit) {
  for (;;) {
    const auto end = std::min(path.find('/'), path.size());
    visit(path.substr(0, end));
    if (end == path.size()) return;
    path.remove_prefix(end + 1);
  }
}

}  // namespace

bool is_archive_path(std::string_view path) {
  bool good = path.size() <= kLongest;
  each_segment(path, [&](std::string_view segment) { good = good && is_segment(segment); });
  return good;
}

Result<std::string> parse_archive_path(std::string_view text) {
  std::string out;
  each_segment(text, [&](std::string_view segment) {
    if (segment.empty() || segment == ".") return;
    if (!out.empty()) out += '/';
    out += segment;
  });
  if (!text.ends_with('/') && is_archive_path(out)) return out;
  return fail(Errc::invalid_input, quotation(text.substr(0, 200)) +
                                       " is not a file of the archive whose name is of letters, "
                                       "digits and -._+~%:@=,!() only");
}

}  // namespace weir::manifests
