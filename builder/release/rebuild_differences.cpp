#include "builder/release/rebuild_differences.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "manifests/base/json_reader.h"

namespace weir::builder {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;
using Fields = std::vector<std::pair<std::string, std::string>>;

std::string label_of(const ordered_json& item, std::size_t index) {
  for (const char* key : {"name", "suite"}) {
    if (!item.is_object()) break;
    const auto found = item.find(key);
    if (found != item.end() && found->is_string()) return found->get<std::string>();
  }
  return std::to_string(index);
}

void flatten(const ordered_json& value, const std::string& path, Fields& out) {
  if (value.is_object() && !value.empty()) {
    for (const auto& [key, item] : value.items()) {
      std::string field = path.empty() ? "" : path + ".";
      field += key;
      flatten(item, field, out);
    }
  } else if (value.is_array() && !value.empty()) {
    for (std::size_t i = 0; i < value.size(); ++i) {
      flatten(value[i], path + "[" + label_of(value[i], i) + "]", out);
    }
  } else {
    out.emplace_back(path, value.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
  }
}

Result<Fields> fields_of(std::string_view text) {
  TRY(manifests::parse_json(text));  // within its limits
  Fields out;
  flatten(ordered_json::parse(text), "", out);
  return out;
}

}  // namespace

Result<std::vector<FieldDifference>> rebuild_differences(std::string_view stored,
                                                         std::string_view rebuilt) {
  TRY_ASSIGN_IN(const Fields before, fields_of(stored), "stored release");
  TRY_ASSIGN_IN(const Fields after, fields_of(rebuilt), "rebuilt release");
  const std::map<std::string, std::string> old(before.begin(), before.end()),
      now(after.begin(), after.end());
  std::vector<FieldDifference> out;
  for (const auto& [field, value] : before) {
    const auto found = now.find(field);
    const std::string other = found == now.end() ? "" : found->second;
    if (other != value) out.push_back({field, value, other});
  }
  for (const auto& [field, value] : after) {
    if (!old.contains(field)) out.push_back({field, "", value});
  }
  return out;
}

}  // namespace weir::builder
