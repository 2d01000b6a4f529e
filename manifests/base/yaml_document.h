#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
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
  [[nodiscard]] const std::vector<std::string>& keys() const { return node_->keys; }
  /// Every key of a mapping with its value, in document order.
  [[nodiscard]] std::vector<std::pair<std::string, YamlField>> members() const;

  [[nodiscard]] bool is_list() const { return node_->kind == YamlNode::Kind::sequence; }
  [[nodiscard]] Result<std::string> text() const;   ///< not empty, and `printable` as it is
  [[nodiscard]] Result<std::string> lines() const;  ///< any text, of several lines too, or none
  [[nodiscard]] Result<std::uint64_t> number(std::uint64_t least, std::uint64_t most) const;
  [[nodiscard]] Result<bool> boolean() const;  ///< "true" or "false"
  /// "250ms", "20s", "3m" or "1h", negative ones too.
  [[nodiscard]] Result<std::chrono::milliseconds> duration() const;
  /// What `parse` makes of the text: `field.as(IpAddress::parse)`.
  template <class T>
  [[nodiscard]] Result<T> as(Result<T> (*parse)(std::string_view)) const {
    TRY_ASSIGN(const std::string written, text());
    Result<T> value = parse(written);
    if (!value) return wrong(value.error());
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

}  // namespace weir::manifests
