#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "manifests/base/result.h"

namespace weir::manifests {

/// One value of a YAML document, with the line it stands on.
struct YamlNode {
  enum class Kind : std::uint8_t { null, scalar, sequence, mapping } kind = Kind::null;
  int line = 0;                   ///< from 1
  std::string scalar;             ///< as written, quotes removed
  bool quoted = false;            ///< a text whatever it looks like: in quotes, or a block
  std::vector<std::string> keys;  ///< of a mapping, in document order
  std::vector<int> key_lines;
  std::vector<YamlNode> items;  ///< of a sequence; of a mapping: the values, parallel to `keys`
};

/// Reads one YAML document. Stricter than YAML: keys are text and stand once in a mapping; anchors,
/// aliases, tags and second documents are refused, so that what a reader sees is all there is.
///
/// file     stands in front of errors, "fleet.yaml:12: pools: ..."
/// errors   invalid_input (also what is not UTF-8); exhausted: more than a MiB or 100,000 values,
/// or
///          nested deeper than 32
[[nodiscard]] Result<YamlNode> parse_yaml(std::string_view text, std::string_view file);

/// A value on its way into a typed document: the node, and how a person finds it. Holds pointers
/// into the tree that `root` was given, and must not outlive it.
class YamlField {
 public:
  static YamlField root(const YamlNode& node, std::string_view file);

  /// "pools[1].nodes[0]"; empty at the root.
  [[nodiscard]] const std::string& path() const { return path_; }
  /// "file:line: path", for errors about what it names.
  [[nodiscard]] std::string where() const;
  /// "file:line: path: what" as an error.
  [[nodiscard]] tl::unexpected<Error> wrong(std::string_view what) const;
  /// The same around another function's error.
  [[nodiscard]] tl::unexpected<Error> wrong(const Error& error) const;

  /// errors: invalid_input, for a value that is not a mapping, or a key that is not one of `known`
  [[nodiscard]] Status only(std::initializer_list<std::string_view> known) const;
  /// A field of a mapping; an explicit null counts as absent.
  [[nodiscard]] std::optional<YamlField> find(std::string_view key) const;
  [[nodiscard]] Result<YamlField> at(
      std::string_view key) const;                             ///< errors: invalid_input, if absent
  [[nodiscard]] Result<std::vector<YamlField>> items() const;  ///< of a sequence
  [[nodiscard]] bool is_mapping() const { return node_->kind == YamlNode::Kind::mapping; }
  /// Every key of a mapping with its value, in document order.
  /// errors: invalid_input: not a mapping; `shape` says of what: "NAME: {...}"
  [[nodiscard]] Result<std::vector<std::pair<std::string, YamlField>>> members(
      std::string_view shape = "key: value") const;

  [[nodiscard]] bool is_list() const { return node_->kind == YamlNode::Kind::sequence; }
  /// Not empty, and `printable` as it is. What YAML takes for a number or a truth value without
  /// quotes is none.
  [[nodiscard]] Result<std::string> text() const;
  [[nodiscard]] Result<std::string> word() const;   ///< the same, but 7 and true are texts too
  [[nodiscard]] Result<std::string> lines() const;  ///< any text, of several lines too, or none
  /// The text, if `valid`; `what` says in the error what it should be: "a package name".
  [[nodiscard]] Result<std::string> text_if(bool (*valid)(std::string_view),
                                            std::string_view what) const;
  [[nodiscard]] Result<std::string> word_if(bool (*valid)(std::string_view),
                                            std::string_view what) const;
  [[nodiscard]] Result<std::uint64_t> number(std::uint64_t least, std::uint64_t most) const;
  [[nodiscard]] Result<bool> boolean() const;  ///< "true" or "false"
  /// "250ms", "20s", "3m" or "1h", negative ones too.
  [[nodiscard]] Result<std::chrono::milliseconds> duration() const;
  /// What `parse` makes of the text: `field.as(IpAddress::parse)`.
  template <class T>
  [[nodiscard]] Result<T> as(Result<T> (*parse)(std::string_view)) const {
    TRY_ASSIGN(const std::string written, word());
    Result<T> value = parse(written);
    if (!value) return wrong(value.error());
    TRY(text());
    return value;
  }

 private:
  YamlField(const YamlNode* node, int line, std::shared_ptr<const std::string> file,
            std::string path)
      : node_(node), line_(line), file_(std::move(file)), path_(std::move(path)) {}
  const YamlNode* node_;
  int line_;
  std::shared_ptr<const std::string> file_;
  std::string path_;
};

/// `text_if` of a field that has to be there.
[[nodiscard]] Result<std::string> text_at(const YamlField& map, std::string_view key,
                                          bool (*valid)(std::string_view), std::string_view what);

/// A list below `name` of what `parse` reads, which `key` tells apart; absent: empty.
template <class T, class Key>
[[nodiscard]] Result<std::vector<T>> distinct_at(const YamlField& map, std::string_view name,
                                                 Result<T> (*parse)(const YamlField&), Key key) {
  std::vector<T> out;
  const auto field = map.find(name);
  if (!field) return out;
  TRY_ASSIGN(const auto items, field->items());
  std::set<std::decay_t<std::invoke_result_t<Key, const T&>>> seen;
  for (const auto& item : items) {
    TRY_ASSIGN(T value, parse(item));
    if (!seen.insert(std::invoke(key, value)).second) {
      return item.wrong("the same as an entry above");
    }
    out.push_back(std::move(value));
  }
  return out;
}

}  // namespace weir::manifests
