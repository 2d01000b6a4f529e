#include "builder/validate/yaml_as_json.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace weir::builder {
namespace {

using manifests::YamlNode;
using nlohmann::json;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

bool all_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

template <class Number>
std::optional<Number> read(std::string_view text, auto... how) {
  Number value{};
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value, how...);
  if (error != std::errc{} || rest != end) return std::nullopt;
  return value;
}

json integer(std::string_view text) {
  if (const auto value = read<std::int64_t>(text)) return *value;
  if (const auto value = read<std::uint64_t>(text)) return *value;
  return read<double>(text).value_or(0);  // beyond 64 bits, as a JSON parser has it
}

// "[-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?"
bool is_float(std::string_view text) {
  const auto exponent = text.find_first_of("eE");
  if (exponent != std::string_view::npos) {
    std::string_view power = text.substr(exponent + 1);
    if (!power.empty() && (power[0] == '+' || power[0] == '-')) power.remove_prefix(1);
    if (!all_digits(power)) return false;
    text = text.substr(0, exponent);
  }
  const auto point = text.find('.');
  if (point == std::string_view::npos) return all_digits(text);
  const std::string_view whole = text.substr(0, point);
  const std::string_view rest = text.substr(point + 1);
  return whole.empty() ? all_digits(rest) : all_digits(whole) && (rest.empty() || all_digits(rest));
}

json scalar(const YamlNode& node) {
  const std::string& text = node.scalar;
  if (node.quoted || text.empty()) return text;
  for (const char* word : {"true", "True", "TRUE"}) {
    if (text == word) return true;
  }
  for (const char* word : {"false", "False", "FALSE"}) {
    if (text == word) return false;
  }
  if (text.starts_with("0o") || text.starts_with("0x")) {
    const auto value =
        read<std::uint64_t>(std::string_view(text).substr(2), text[1] == 'o' ? 8 : 16);
    return value ? json(*value) : json(text);
  }
  std::string_view digits = text;
  if (digits[0] == '+' || digits[0] == '-') digits.remove_prefix(1);
  const std::string_view number = text[0] == '+' ? digits : std::string_view(text);
  if (all_digits(digits)) return integer(number);
  if (!digits.empty() && is_float(digits)) return read<double>(number).value_or(0);
  for (const char* word : {".inf", ".Inf", ".INF"}) {
    if (digits == word) return text[0] == '-' ? -kInfinity : kInfinity;
  }
  for (const char* word : {".nan", ".NaN", ".NAN"}) {
    if (text == word) return std::numeric_limits<double>::quiet_NaN();
  }
  return text;
}

}  // namespace

json yaml_as_json(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::null:
      return nullptr;
    case YamlNode::Kind::scalar:
      return scalar(node);
    case YamlNode::Kind::sequence: {
      json out = json::array();
      for (const YamlNode& item : node.items) out.push_back(yaml_as_json(item));
      return out;
    }
    case YamlNode::Kind::mapping: {
      json out = json::object();
      for (std::size_t i = 0; i < node.keys.size(); ++i) {
        // As those who read documents take it: a field that is null is absent.
        if (node.items[i].kind == YamlNode::Kind::null) continue;
        out[node.keys[i]] = yaml_as_json(node.items[i]);
      }
      return out;
    }
  }
  return nullptr;
}

int line_of(const YamlNode& root, std::string_view pointer) {
  const YamlNode* node = &root;
  int line = root.line;
  while (pointer.starts_with('/')) {
    pointer.remove_prefix(1);
    const auto end = std::min(pointer.find('/'), pointer.size());
    std::string key;
    for (std::size_t i = 0; i < end; ++i) {
      const bool escaped = pointer[i] == '~' && i + 1 < end;
      key += escaped ? (pointer[i + 1] == '1' ? '/' : '~') : pointer[i];
      if (escaped) ++i;
    }
    pointer.remove_prefix(end);
    if (node->kind == YamlNode::Kind::mapping) {
      const auto found = std::find(node->keys.begin(), node->keys.end(), key);
      if (found == node->keys.end()) return line;
      const auto at = static_cast<std::size_t>(found - node->keys.begin());
      line = node->key_lines[at];
      node = &node->items[at];
    } else {
      const auto at = read<std::size_t>(key);
      if (node->kind != YamlNode::Kind::sequence || !at || *at >= node->items.size()) return line;
      node = &node->items[*at];
      line = node->line;
    }
  }
  return line;
}

}  // namespace weir::builder
