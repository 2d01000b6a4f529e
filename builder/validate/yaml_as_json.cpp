#include "builder/validate/yaml_as_json.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "manifests/base/yaml_scalar.h"

namespace weir::builder {
namespace {

using manifests::YamlNode;
using manifests::YamlScalar;
using nlohmann::json;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

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

json number(std::string_view text) {
  const bool negative = text.starts_with('-');
  const std::string_view digits = text.substr(negative || text.starts_with('+') ? 1 : 0);
  if (digits.ends_with("f") || digits.ends_with("F")) return negative ? -kInfinity : kInfinity;
  if (digits.ends_with("n") || digits.ends_with("N")) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  return read<double>(negative ? text : digits).value_or(0);
}

json scalar(const YamlNode& node) {
  const std::string& text = node.scalar;
  if (node.quoted || text.empty()) return text;
  switch (manifests::kind_of_scalar(text)) {
    case YamlScalar::text:
      return text;
    case YamlScalar::boolean:
      return text[0] == 't' || text[0] == 'T';
    case YamlScalar::integer:
      return integer(text[0] == '+' ? std::string_view(text).substr(1) : text);
    case YamlScalar::based: {
      const auto value =
          read<std::uint64_t>(std::string_view(text).substr(2), text[1] == 'o' ? 8 : 16);
      return value ? json(*value) : json(text);
    }
    case YamlScalar::number:
      return number(text);
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
