#include "manifests/base/yaml_document.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <sstream>

#include "manifests/base/printable.h"
#include "manifests/base/utf8.h"
#include "manifests/base/yaml_scalar.h"

namespace weir::manifests {
namespace {

constexpr std::size_t kLargest = 1U << 20;
constexpr std::size_t kDeepest = 32;
constexpr std::size_t kMostValues = 100'000;

std::string place(std::string_view file, int line) {
  return std::string(file) + ":" + std::to_string(line) + ": ";
}

/// Thrown out of yaml-cpp's callbacks and caught in parse_yaml.
struct Refused {
  Errc code;
  int line;
  std::string what;
};

/// Builds the tree from the parser's events. A mapping's keys arrive as ordinary values in turn.
class YamlTreeBuilder : public YAML::EventHandler {
 public:
  YamlNode root;
  bool seen = false;

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    plain(mark, anchor);
    add(leaf(YamlNode::Kind::null, mark));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw Refused{Errc::invalid_input, line_of(mark), "aliases are not allowed, write it out"};
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    plain(mark, anchor, tag);
    YamlNode node = leaf(YamlNode::Kind::scalar, mark);
    node.scalar = value;
    node.quoted = tag == "!";
    add(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    plain(mark, anchor, tag);
    open(leaf(YamlNode::Kind::sequence, mark));
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    plain(mark, anchor, tag);
    open(leaf(YamlNode::Kind::mapping, mark));
  }
  void OnMapEnd() override { close(); }

 private:
  std::vector<YamlNode> stack_;
  std::vector<std::set<std::string>> seen_keys_;  // of each in `stack_`
  std::size_t values_ = 0;

  static int line_of(const YAML::Mark& mark) { return mark.line + 1; }

  static YamlNode leaf(YamlNode::Kind kind, const YAML::Mark& mark) {
    YamlNode node;
    node.kind = kind;
    node.line = line_of(mark);
    return node;
  }

  // "?" is the parser's word for "no tag", "!" for a quoted text.
  static void plain(const YAML::Mark& mark, YAML::anchor_t anchor, const std::string& tag = "?") {
    if (anchor != YAML::NullAnchor) {
      throw Refused{Errc::invalid_input, line_of(mark), "anchors are not allowed"};
    }
    if (!tag.empty() && tag != "?" && tag != "!") {
      throw Refused{Errc::invalid_input, line_of(mark), "tags are not allowed"};
    }
  }

  void open(YamlNode node) {
    if (awaits_key()) {
      throw Refused{Errc::invalid_input, node.line, "a key must be text"};
    }
    if (stack_.size() == kDeepest) throw Refused{Errc::exhausted, node.line, "nested too deeply"};
    stack_.push_back(std::move(node));
    seen_keys_.emplace_back();
  }

  void close() {
    YamlNode node = std::move(stack_.back());
    stack_.pop_back();
    seen_keys_.pop_back();
    add(std::move(node));
  }

  [[nodiscard]] bool awaits_key() const {
    return !stack_.empty() && stack_.back().kind == YamlNode::Kind::mapping &&
           stack_.back().keys.size() == stack_.back().items.size();
  }

  void add(YamlNode node) {
    if (++values_ > kMostValues) {
      throw Refused{Errc::exhausted, node.line, "more than 100,000 values"};
    }
    if (stack_.empty()) {
      root = std::move(node);
      seen = true;
      return;
    }
    YamlNode& parent = stack_.back();
    if (!awaits_key()) {
      parent.items.push_back(std::move(node));
      return;
    }
    if (node.kind != YamlNode::Kind::scalar) {
      throw Refused{Errc::invalid_input, node.line, "a key must be text"};
    }
    if (!seen_keys_.back().insert(node.scalar).second) {
      throw Refused{Errc::invalid_input, node.line, excerpt(node.scalar) + ": given twice"};
    }
    parent.keys.push_back(std::move(node.scalar));
    parent.key_lines.push_back(node.line);
  }
};

}  // namespace

Result<YamlNode> parse_yaml(std::string_view text, std::string_view file) {
  if (text.size() > kLargest) {
    return fail(Errc::exhausted, std::string(file) + ": larger than a MiB");
  }
  if (const auto broken = find_broken_utf8(text); broken != std::string_view::npos) {
    const auto line =
        std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(broken), '\n');
    return fail(Errc::invalid_input, place(file, static_cast<int>(line) + 1) + "is not UTF-8");
  }
  try {
    std::istringstream in{std::string(text)};
    YAML::Parser parser(in);
    YamlTreeBuilder builder;
    if (!parser.HandleNextDocument(builder) || !builder.seen) {
      return fail(Errc::invalid_input, place(file, 1) + "the document is empty");
    }
    YamlTreeBuilder second;
    if (parser.HandleNextDocument(second)) {
      return fail(Errc::invalid_input, place(file, second.root.line) + "a second document");
    }
    return std::move(builder.root);
  } catch (const Refused& refused) {
    return fail(refused.code, place(file, refused.line) + refused.what);
  } catch (const YAML::Exception& error) {
    std::string what = excerpt(error.msg, 200);
    if (what == YAML::ErrorMsg::END_OF_MAP_FLOW) {
      what +=
          ": a brace is not closed, or a text in {…} that has braces or commas itself needs "
          "quotes, as \"{node}.key\"";
    }
    return fail(Errc::invalid_input, place(file, error.mark.line + 1) + what);
  } catch (const std::exception& error) {
    return fail(Errc::invalid_input, std::string(file) + ": " + excerpt(error.what(), 200));
  }
}

YamlField YamlField::root(const YamlNode& node, std::string_view file) {
  return {&node, node.line, std::make_shared<const std::string>(file), ""};
}

std::string YamlField::where() const {
  return place(*file_, line_) + excerpt(path_, 200);
}

tl::unexpected<Error> YamlField::wrong(std::string_view what) const {
  return fail(Errc::invalid_input, where() + (path_.empty() ? "" : ": ") + std::string(what));
}

tl::unexpected<Error> YamlField::wrong(const Error& error) const {
  auto out = wrong(error.message);
  out.value().code = error.code;
  return out;
}

Status YamlField::only(std::initializer_list<std::string_view> known) const {
  if (node_->kind != YamlNode::Kind::mapping) return wrong("must be a mapping (key: value)");
  for (std::size_t i = 0; i < node_->keys.size(); ++i) {
    if (std::find(known.begin(), known.end(), node_->keys[i]) != known.end()) continue;
    std::string list;
    for (std::string_view name : known) list += (list.empty() ? "" : ", ") + std::string(name);
    const YamlField key(&node_->items[i], node_->key_lines[i], file_,
                        path_.empty() ? node_->keys[i] : path_ + "." + node_->keys[i]);
    return key.wrong("unknown field; known here: " + list);
  }
  return {};
}

std::optional<YamlField> YamlField::find(std::string_view key) const {
  for (std::size_t i = 0; i < node_->keys.size(); ++i) {
    if (node_->keys[i] != key) continue;
    const YamlNode& value = node_->items[i];
    if (value.kind == YamlNode::Kind::null) return std::nullopt;
    const bool text = value.kind == YamlNode::Kind::scalar;
    return YamlField(&value, text ? value.line : node_->key_lines[i], file_,
                     path_.empty() ? std::string(key) : path_ + "." + std::string(key));
  }
  return std::nullopt;
}

Result<std::vector<std::pair<std::string, YamlField>>> YamlField::members(
    std::string_view shape) const {
  if (!is_mapping()) return wrong("must be a mapping (" + std::string(shape) + ")");
  std::vector<std::pair<std::string, YamlField>> out;
  for (std::size_t i = 0; i < node_->keys.size(); ++i) {
    const YamlNode& value = node_->items[i];
    const bool text = value.kind == YamlNode::Kind::scalar;
    const std::string& key = node_->keys[i];
    out.emplace_back(key, YamlField(&value, text ? value.line : node_->key_lines[i], file_,
                                    path_.empty() ? key : path_ + "." + key));
  }
  return out;
}

Result<YamlField> YamlField::at(std::string_view key) const {
  if (node_->kind != YamlNode::Kind::mapping) return wrong("must be a mapping (key: value)");
  if (auto field = find(key)) return *field;
  return wrong(std::string(key) + " is missing");
}

Result<std::vector<YamlField>> YamlField::items() const {
  if (node_->kind != YamlNode::Kind::sequence) return wrong("must be a list");
  std::vector<YamlField> out;
  for (std::size_t i = 0; i < node_->items.size(); ++i) {
    const YamlNode& item = node_->items[i];
    out.push_back(YamlField(&item, item.line, file_, path_ + "[" + std::to_string(i) + "]"));
  }
  return out;
}

Result<std::string> YamlField::text() const {
  TRY_ASSIGN(std::string value, word());
  if (!node_->quoted && kind_of_scalar(value) != YamlScalar::text) {
    return wrong("must be a text, and " + value + " is none for YAML: put it into quotes");
  }
  return value;
}

Result<std::string> YamlField::word() const {
  if (node_->kind != YamlNode::Kind::scalar) return wrong("must be one value");
  const std::string& value = node_->scalar;
  if (value.empty()) return wrong("must not be empty");
  if (!is_printable(value)) {
    return wrong("has control characters, or others that cannot be seen: " + quotation(value));
  }
  return value;
}

Result<std::string> YamlField::lines() const {
  if (node_->kind != YamlNode::Kind::scalar) return wrong("must be one value");
  return node_->scalar;
}

Result<std::uint64_t> YamlField::number(std::uint64_t least, std::uint64_t most) const {
  TRY_ASSIGN(const std::string written, word());
  std::uint64_t value = 0;
  const char* end = written.data() + written.size();
  const auto [rest, error] = std::from_chars(written.data(), end, value);
  if (node_->quoted) return wrong("must be a number, without quotes");
  if (error != std::errc{} || rest != end || value < least || value > most) {
    return wrong("must be a whole number from " + std::to_string(least) + " to " +
                 std::to_string(most) + ", not " + quotation(written, 40));
  }
  return value;
}

Result<bool> YamlField::boolean() const {
  TRY_ASSIGN(const std::string written, word());
  if (node_->quoted) return wrong("must be true or false, without quotes");
  if (written != "true" && written != "false") {
    return wrong("must be true or false, not " + quotation(written, 40));
  }
  return written == "true";
}

Result<std::chrono::milliseconds> YamlField::duration() const {
  TRY_ASSIGN(const std::string written, word());
  std::int64_t value = 0;
  const char* end = written.data() + written.size();
  const auto [rest, error] = std::from_chars(written.data(), end, value);
  const std::string_view unit(rest, static_cast<std::size_t>(end - rest));
  const std::int64_t scale = unit == "ms"  ? 1
                             : unit == "s" ? 1000
                             : unit == "m" ? 60'000
                             : unit == "h" ? 3'600'000
                                           : 0;
  constexpr std::int64_t kDay = 86'400'000;
  if (error != std::errc{} || scale == 0 || value > kDay / scale || value < -kDay / scale) {
    return wrong("must be a duration of at most a day, such as 250ms, 20s, 3m or 1h, not " +
                 quotation(written, 40));
  }
  return std::chrono::milliseconds(value * scale);
}

Result<std::string> YamlField::text_if(bool (*valid)(std::string_view),
                                       std::string_view what) const {
  TRY(word_if(valid, what));
  return text();
}

Result<std::string> YamlField::word_if(bool (*valid)(std::string_view),
                                       std::string_view what) const {
  TRY_ASSIGN(auto value, word());
  if (!valid(value)) return wrong(quotation(value) + " is not " + std::string(what));
  return value;
}

Result<std::string> text_at(const YamlField& map, std::string_view key,
                            bool (*valid)(std::string_view), std::string_view what) {
  TRY_ASSIGN(const auto field, map.at(key));
  return field.text_if(valid, what);
}

}  // namespace weir::manifests
