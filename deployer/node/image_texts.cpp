#include "deployer/node/image_texts.h"

#include "deployer/node/module_plan.h"

namespace weir::node {
namespace {

/// Calls `see(number, line)` for every line that is not empty.
template <class See>
Status each_line(std::string_view text, See see) {
  for (int number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    if (end > 0) TRY(see(number, text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return {};
}

}  // namespace

std::vector<std::string> parse_module_names(std::string_view text) {
  std::vector<std::string> out;
  const auto take = [&out](int, std::string_view line) -> Status {
    out.push_back(module_name(line));
    return {};
  };
  [[maybe_unused]] const Status never_fails = each_line(text, take);
  return out;
}

Result<std::vector<manifests::ReleasePackage>> parse_tools(std::string_view text) {
  std::vector<manifests::ReleasePackage> out;
  TRY(each_line(text, [&out](int number, std::string_view line) -> Status {
    const auto space = line.find(' ');
    if (space == std::string_view::npos || space == 0 || space + 1 == line.size() ||
        line.find(' ', space + 1) != std::string_view::npos) {
      return fail(Errc::invalid_input,
                  "line " + std::to_string(number) + " is not `package version`");
    }
    out.push_back({std::string(line.substr(0, space)), std::string(line.substr(space + 1)), ""});
    return {};
  }));
  return out;
}

}  // namespace weir::node
