#include "manifests/yaml_reader.h"

#include <yaml-cpp/eventhandler.h>

#include <algorithm>
#include <charconv>
#include <sstream>

namespace weir::manifests::yaml {
namespace {

constexpr std::size_t kMaxBytes = 1 << 20;
constexpr std::size_t kMaxDepth = 20;

std::string line_of(const YAML::Mark& mark) {
  return "line " + std::to_string(mark.line + 1);
}

// Looks at the events before a tree is made of them.
class Gate : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { enter(mark, "", anchor); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { refuse(mark, "an alias"); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string&) override {
    enter(mark, tag, anchor);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    enter(mark, tag, anchor);
    deeper(mark);
  }
  void OnSequenceEnd() override { --depth_; }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    enter(mark, tag, anchor);
    deeper(mark);
  }
  void OnMapEnd() override { --depth_; }

  std::string problem;

 private:
  void refuse(const YAML::Mark& mark, const std::string& what) {
    if (problem.empty()) problem = line_of(mark) + ": " + what + " is not allowed here";
  }
  void enter(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor) refuse(mark, "an anchor");
    if (!tag.empty() && tag != "?" && tag != "!") refuse(mark, "a tag");
  }
  void deeper(const YAML::Mark& mark) {
    if (++depth_ > kMaxDepth) refuse(mark, "nesting over " + std::to_string(kMaxDepth) + " levels");
  }
  std::size_t depth_ = 0;
};

std::string joined(const std::vector<std::string_view>& names) {
  std::string out;
  for (const auto name : names) {
    if (!out.empty()) out += ", ";
    out += name;
  }
  return out;
}

}  // namespace

tl::unexpected<Error> Field::refuse(const std::string& problem) const {
  return refuse(Error{Errc::invalid_input, 0, problem});
}

tl::unexpected<Error> Field::refuse(Error error) const {
  std::string where = node.IsDefined() && !node.Mark().is_null() ? line_of(node.Mark()) : "";
  if (!name.empty()) where += (where.empty() ? "" : ": ") + name;
  return tl::unexpected(where.empty() ? std::move(error) : std::move(error).in(where));
}

Result<Field> parse(std::string_view text) {
  if (text.size() > kMaxBytes) return fail(Errc::exhausted, "larger than 1 MiB");
  try {
    std::istringstream events{std::string(text)};
    YAML::Parser parser(events);
    Gate gate;
    if (!parser.HandleNextDocument(gate)) return fail(Errc::invalid_input, "the document is empty");
    if (!gate.problem.empty()) return fail(Errc::invalid_input, gate.problem);
    Gate second;
    if (parser.HandleNextDocument(second)) {
      return fail(Errc::invalid_input, "more than one document");
    }
    return Field{YAML::Load(std::string(text)), ""};
  } catch (const YAML::Exception& e) {
    return fail(Errc::invalid_input,
                (e.mark.is_null() ? std::string() : line_of(e.mark) + ": ") + e.msg);
  }
}

Result<Map> Map::of(const Field& field) {
  if (!field.node.IsMap()) return field.refuse("must be a mapping");
  Map out;
  out.self_ = field;
  for (const auto& entry : field.node) {
    const Field key{entry.first, field.name};
    if (!entry.first.IsScalar()) return key.refuse("a key must be a plain name");
    std::string name = entry.first.Scalar();
    if (out.find(name) != nullptr) return key.refuse("'" + name + "' stands here twice");
    Field value{entry.second, field.name.empty() ? name : field.name + "." + name};
    out.entries_.emplace_back(std::move(name), std::move(value));
  }
  return out;
}

Result<Map> Map::of(const Field& field, const std::vector<std::string_view>& known) {
  TRY_ASSIGN(auto out, of(field));
  for (const auto& [key, value] : out.entries_) {
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      return value.refuse("unknown field; known here: " + joined(known));
    }
  }
  return out;
}

const Field* Map::find(std::string_view key) const {
  for (const auto& [name, field] : entries_) {
    if (name == key) return &field;
  }
  return nullptr;
}

Result<Field> Map::need(std::string_view key) const {
  if (const Field* field = find(key)) return *field;
  return self_.refuse("'" + std::string(key) + "' is missing");
}

Result<std::string> text(const Field& field) {
  if (!field.node.IsScalar() || field.node.Scalar().empty()) return field.refuse("must be a text");
  return field.node.Scalar();
}

Result<bool> boolean(const Field& field) {
  if (field.node.IsScalar() && field.node.Scalar() == "true") return true;
  if (field.node.IsScalar() && field.node.Scalar() == "false") return false;
  return field.refuse("must be true or false");
}

Result<std::uint64_t> number(const Field& field, std::uint64_t max) {
  std::uint64_t out = 0;
  if (field.node.IsScalar()) {
    const std::string& text = field.node.Scalar();
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, out);
    if (error == std::errc{} && rest == end && !text.empty() && out <= max) return out;
  }
  return field.refuse("must be a number of at most " + std::to_string(max));
}

Result<std::vector<Field>> list(const Field& field) {
  if (!field.node.IsSequence()) return field.refuse("must be a list");
  std::vector<Field> out;
  for (const auto& entry : field.node) {
    out.push_back({entry, field.name + "[" + std::to_string(out.size()) + "]"});
  }
  return out;
}

Result<std::vector<std::string>> texts(const Field& field) {
  TRY_ASSIGN(const auto entries, list(field));
  std::vector<std::string> out;
  for (const Field& entry : entries) {
    TRY_ASSIGN(auto value, text(entry));
    if (std::find(out.begin(), out.end(), value) != out.end()) {
      return entry.refuse("'" + value + "' stands here twice");
    }
    out.push_back(std::move(value));
  }
  return out;
}

}  // namespace weir::manifests::yaml
