#include "builder/mirror/web_page.h"

#include <algorithm>

#include "manifests/base/ascii.h"
#include "manifests/base/printable.h"

namespace weir::builder {
std::optional<std::string> web_page(std::string_view head) {
  if (head.starts_with("\xef\xbb\xbf")) head.remove_prefix(3);
  head = trimmed(head);
  const std::string small = ascii_lower(head);
  const bool xml = small.starts_with("<?xml") && small.find("<html") != std::string::npos;
  const bool html = small.starts_with("<!doctype html") || small.starts_with("<html") ||
                    small.starts_with("<head") || small.starts_with("<body") ||
                    (small.starts_with("<!--") && small.find("<html") != std::string::npos);
  if (!html && !xml) return std::nullopt;
  const auto open = small.find("<title");
  const auto begin = small.find('>', std::min(open, small.size()));
  const auto end = small.find("</title", std::min(begin, small.size()));
  if (end == std::string::npos) return "a web page";
  const auto title = trimmed(head.substr(begin + 1, end - begin - 1));
  if (title.empty()) return "a web page";
  return "a web page, " + quotation(title);
}

std::string page_in_place(const std::string& page) {
  return "the server answered with " + page +
         ", in place of the file: perhaps a login page stands between";
}

}  // namespace weir::builder
