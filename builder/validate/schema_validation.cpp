#include "builder/validate/schema_validation.h"

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <stdexcept>
#include <unordered_map>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include "builder/validate/schema_words.h"

namespace weir::builder {
namespace {

using nlohmann::json;
using valijson::adapters::Adapter;
using valijson::adapters::NlohmannJsonAdapter;

// Each complaint of valijson holds a copy of its path.
constexpr std::size_t kMostPathBytes = 64U << 20;

json json_of(const Adapter& value) {
  if (value.isBool()) return value.getBool();
  if (value.isInteger()) return value.getInteger();
  if (value.isNumber()) return value.asDouble();
  if (value.isString()) return value.getString();
  if (value.isArray()) {
    json out = json::array();
    value.applyToArray([&](const Adapter& item) {
      out.push_back(json_of(item));
      return true;
    });
    return out;
  }
  if (value.isObject()) {
    json out = json::object();
    value.applyToObject([&](const std::string& key, const Adapter& item) {
      out[key] = json_of(item);
      return true;
    });
    return out;
  }
  return nullptr;
}

Path below(Path path, const std::string& key) {
  path.push_back("[" + key + "]");
  return path;
}

void complain(valijson::ValidationResults& results, const Path& path, const std::string& what) {
  results.pushError(path, std::string(kOurs) + what);
}

/// A keyword that judges nothing. It is visited after all of valijson's own of the same schema, and
/// puts into words what one of them complained of.
class Note : public valijson::constraints::PolyConstraint {
 public:
  Note(std::string_view complaint, json demand)
      : complaint_(complaint), demand_(std::move(demand)) {}

  bool validate(const Adapter& value, const Path& path,
                valijson::ValidationResults* results) const override {
    if (results != nullptr && has_complaint(*results, path)) explain(value, path, *results);
    return true;
  }

 protected:
  [[nodiscard]] const json& demand() const { return demand_; }

 private:
  std::string_view complaint_;
  json demand_;

  virtual void explain(const Adapter& value, const Path& path,
                       valijson::ValidationResults& results) const = 0;

  // What stands at the end of the list was said of `path` and what is inside it. One that was
  // explained, of a schema that `allOf` brings, is followed by its explanation.
  [[nodiscard]] bool has_complaint(const valijson::ValidationResults& results,
                                   const Path& path) const {
    int open = 0;
    for (auto at = results.end(); at != results.begin();) {
      --at;
      if (!is_inside(at->context, path)) break;
      if (at->context != path) continue;
      if (at->description == mark()) --open;
      if (at->description.starts_with(complaint_)) ++open;
    }
    return open > 0;
  }

 protected:
  [[nodiscard]] std::string mark() const { return std::string(kOurs) + std::string(complaint_); }
};

class Explanation final : public Note {
 public:
  Explanation(const Keyword& keyword, json demand)
      : Note(keyword.complaint, std::move(demand)), say_(keyword.say) {}

 private:
  std::string (*say_)(const json&, const json&);

  void explain(const Adapter& value, const Path& path,
               valijson::ValidationResults& results) const override {
    results.pushError(path, mark());
    complain(results, path, say_(demand(), json_of(value)));
  }
  Constraint* cloneInto(void* place) const override { return new (place) Explanation(*this); }
  [[nodiscard]] std::size_t sizeOf() const override { return sizeof(*this); }
};

class UnknownFields final : public Note {
 public:
  explicit UnknownFields(json known) : Note(kUnknownField, std::move(known)) {}

 private:
  void explain(const Adapter& value, const Path& path,
               valijson::ValidationResults& results) const override {
    results.pushError(path, mark());
    std::string known;
    for (const auto& [name, _] : demand().items()) known += (known.empty() ? "" : ", ") + name;
    value.applyToObject([&](const std::string& key, const Adapter&) {
      if (!demand().contains(key)) {
        complain(results, below(path, key), "unknown field; known here: " + known);
      }
      return true;
    });
  }
  Constraint* cloneInto(void* place) const override { return new (place) UnknownFields(*this); }
  [[nodiscard]] std::size_t sizeOf() const override { return sizeof(*this); }
};

/// `uniqueItems`, which valijson judges pair by pair.
class UniqueItems final : public valijson::constraints::PolyConstraint {
 public:
  bool validate(const Adapter& value, const Path& path,
                valijson::ValidationResults* results) const override {
    if (!value.isArray()) return true;
    bool unique = true;
    std::size_t index = 0;
    std::map<json, std::size_t> seen;
    value.applyToArray([&](const Adapter& item) {
      const auto [first, added] = seen.emplace(json_of(item), index);
      if (!added) {
        unique = false;
        if (results != nullptr) {
          complain(*results, below(path, std::to_string(index)),
                   "is the same as entry " + std::to_string(first->second));
        }
      }
      ++index;
      return true;
    });
    return unique;
  }

 private:
  Constraint* cloneInto(void* place) const override { return new (place) UniqueItems(*this); }
  [[nodiscard]] std::size_t sizeOf() const override { return sizeof(*this); }
};

/// `propertyNames`, of which valijson says nothing when it refuses.
class PropertyNames final : public valijson::constraints::PolyConstraint {
 public:
  explicit PropertyNames(std::shared_ptr<const SchemaJudge> names) : names_(std::move(names)) {}

  bool validate(const Adapter& value, const Path& path,
                valijson::ValidationResults* results) const override {
    if (!value.isObject()) return true;
    bool good = true;
    value.applyToObject([&](const std::string& key, const Adapter&) {
      const auto violations = names_->judge(key);
      if (violations && violations->empty()) return true;
      good = false;
      if (results == nullptr) return false;
      complain(*results, below(path, key),
               "is not a name for a field here: " +
                   (violations ? violations->front().what : violations.error().message));
      return true;
    });
    return good;
  }

 private:
  std::shared_ptr<const SchemaJudge> names_;
  Constraint* cloneInto(void* place) const override { return new (place) PropertyNames(*this); }
  [[nodiscard]] std::size_t sizeOf() const override { return sizeof(*this); }
};

template <class Make>
class Builder final : public valijson::ConstraintBuilder {
 public:
  explicit Builder(Make make) : make_(std::move(make)) {}
  valijson::constraints::Constraint* make(const Adapter& value) const override {
    return make_(json_of(value));
  }

 private:
  Make make_;
};

template <class Make>
void add(valijson::SchemaParser& parser, const char* keyword, Make make) {
  parser.addConstraintBuilder(keyword, new Builder<Make>(std::move(make)));
}

// The schema in terms that valijson keeps: numbers of its own two kinds, and the keywords that it
// judges badly under names of ours. No document has fields of their names with such values.
// NOLINTNEXTLINE(misc-no-recursion): as deep as the schema
json prepared(const json& schema, std::unordered_map<std::string, std::regex>& regexes) {
  if (schema.is_number_unsigned() && schema.get<std::uint64_t>() > INT64_MAX) {
    return schema.get<double>();
  }
  if (schema.is_array()) {
    json out = json::array();
    for (const json& item : schema) out.push_back(prepared(item, regexes));
    return out;
  }
  if (!schema.is_object()) return schema;
  json out = json::object();
  for (const auto& [key, value] : schema.items()) {
    const bool ours = (key == "uniqueItems" && value.is_boolean()) ||
                      (key == "propertyNames" && value.is_object());
    if (key == "pattern" && value.is_string()) {
      // libstdc++'s usual matcher recurses for every character of a text.
      regexes.emplace(value,
                      std::regex(value.get<std::string>(),
                                 std::regex::ECMAScript | std::regex_constants::__polynomial));
    }
    out[(ours ? std::string(kOurs) : "") + key] = prepared(value, regexes);
  }
  return out;
}

// Numbers as draft 7 sees them (1.0 is an integer) and valijson can hold them: what is above its 64
// signed bits becomes the largest, which every `maximum` of a schema treats alike.
// returns  the bytes of the paths to every value
// NOLINTNEXTLINE(misc-no-recursion): as deep as the document, which its reader limits
std::size_t normalise(json& value, std::size_t path) {
  std::size_t bytes = path;
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX) {
    value = INT64_MAX;
  } else if (value.is_number_float()) {
    const double number = value.get<double>();
    if (number == std::trunc(number) && std::abs(number) < 0x1p63) {
      value = static_cast<std::int64_t>(number);
    }
  } else if (value.is_structured()) {
    for (auto& [key, item] : value.items()) {
      bytes += normalise(item, path + sizeof(std::string) + key.size());
    }
  }
  return bytes;
}

}  // namespace

struct SchemaJudge::Compiled {
  valijson::Schema schema;
  // valijson adds to it what it does not find, and it finds all.
  mutable std::unordered_map<std::string, std::regex> regexes;
};

SchemaJudge::SchemaJudge(std::unique_ptr<Compiled> compiled) : compiled_(std::move(compiled)) {}
SchemaJudge::SchemaJudge(SchemaJudge&&) noexcept = default;
SchemaJudge& SchemaJudge::operator=(SchemaJudge&&) noexcept = default;
SchemaJudge::~SchemaJudge() = default;

Result<SchemaJudge> SchemaJudge::open(std::string_view text, std::string_view definition) {
  try {
    json schema = json::parse(text);
    const json definitions = schema.value("definitions", json::object());
    if (!definition.empty()) {
      if (!definitions.contains(definition)) {
        return fail(Errc::not_found,
                    "the schema has no definition '" + std::string(definition) + "'");
      }
      schema = {{"$ref", "#/definitions/" + std::string(definition)}, {"definitions", definitions}};
    }
    auto compiled = std::make_unique<Compiled>();
    valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
    for (const Keyword& keyword : keywords()) {
      add(parser, keyword.name,
          [&keyword](json demand) { return new Explanation(keyword, std::move(demand)); });
    }
    add(parser, "properties", [](json known) { return new UnknownFields(std::move(known)); });
    const std::string ours(kOurs);
    const std::string unique = ours + "uniqueItems";
    add(parser, unique.c_str(), [](const json&) { return new UniqueItems; });
    const std::string names = ours + "propertyNames";
    add(parser, names.c_str(), [&definitions](const json& demand) {
      auto judge =
          open(json({{"allOf", json::array({demand})}, {"definitions", definitions}}).dump(), "");
      if (!judge) throw std::runtime_error(judge.error().message);
      return new PropertyNames(std::make_shared<const SchemaJudge>(std::move(*judge)));
    });
    const json ready = prepared(schema, compiled->regexes);
    parser.populateSchema(NlohmannJsonAdapter(ready), compiled->schema);
    return SchemaJudge(std::move(compiled));
  } catch (const std::exception& error) {
    return fail(Errc::bug, std::string("a schema cannot be read: ") + error.what());
  }
}

Result<std::vector<Violation>> SchemaJudge::judge(json document) const {
  try {
    const std::size_t bytes = normalise(document, sizeof(std::string));
    const NlohmannJsonAdapter value(document);
    valijson::ValidationResults results;
    const bool listed = bytes <= kMostPathBytes;
    valijson::ValidationVisitor<NlohmannJsonAdapter> visitor(
        value, {"<root>"}, true, listed ? &results : nullptr, compiled_->regexes);
    if (visitor.validateSchema(compiled_->schema)) return std::vector<Violation>{};
    if (!listed) return std::vector<Violation>{{"", "is not valid, and too large to say where"}};
    std::vector<Complaint> complaints;
    for (valijson::ValidationResults::Error each; results.popError(each);) {
      complaints.push_back({std::move(each.context), std::move(each.description)});
    }
    auto out = violations_of(complaints);
    if (out.empty()) out.push_back({"", "is not valid by its schema"});
    return out;
  } catch (const std::exception& error) {
    return fail(Errc::bug, std::string("a schema cannot judge: ") + error.what());
  }
}

}  // namespace weir::builder
