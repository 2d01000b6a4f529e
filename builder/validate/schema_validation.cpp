#include "builder/validate/schema_validation.h"

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <unordered_map>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include "builder/validate/schema_choices.h"
#include "manifests/base/printable.h"

namespace weir::builder {
namespace {

using nlohmann::json;
using valijson::adapters::Adapter;
using valijson::adapters::NlohmannJsonAdapter;

// Each complaint of valijson holds a copy of its path, and a value may have several.
constexpr std::size_t kMostPathBytes = 8U << 20;
// Of a pointer or complaint: both quote the document.
constexpr std::size_t kMostText = 300;
constexpr const char* kUniqueItems = "weir: uniqueItems";

using Path = std::vector<std::string>;

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
          Path entry = path;
          entry.push_back("[" + std::to_string(index) + "]");
          results->pushError(entry, "Is the same as entry " + std::to_string(first->second) + ".");
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

class UniqueItemsBuilder final : public valijson::ConstraintBuilder {
 public:
  valijson::constraints::Constraint* make(const Adapter&) const override { return new UniqueItems; }
};

// The schema in terms that valijson keeps: numbers of its own two kinds, and `uniqueItems` under a
// name of ours. No document has a field of that name with such a value.
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
    const bool unique = key == "uniqueItems" && value.is_boolean();
    if (key == "pattern" && value.is_string()) {
      // libstdc++'s usual matcher recurses for every character of a text.
      regexes.emplace(value,
                      std::regex(value.get<std::string>(),
                                 std::regex::ECMAScript | std::regex_constants::__polynomial));
    }
    out[unique ? kUniqueItems : key] = prepared(value, regexes);
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

// valijson tells every failure again for each value around it.
bool only_repeats(std::string_view complaint) {
  return complaint.starts_with("Failed to validate") &&
         !complaint.starts_with("Failed to validate against any") &&
         !complaint.starts_with("Failed to validate against exactly one");
}

// Of "<root>", "[layers]", "[3]".
std::string pointer_of(const Path& path) {
  std::string out;
  for (std::size_t i = 1; i < path.size(); ++i) {
    out += '/';
    for (const char c : std::string_view(path[i]).substr(1, path[i].size() - 2)) {
      out += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    }
  }
  return out;
}

}  // namespace

struct SchemaJudge::Compiled {
  json text;
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
    parser.addConstraintBuilder(kUniqueItems, new UniqueItemsBuilder);
    const json ready = prepared(schema, compiled->regexes);
    parser.populateSchema(NlohmannJsonAdapter(ready), compiled->schema);
    compiled->text = std::move(schema);
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
    std::vector<Violation> out;
    std::set<std::pair<std::string, std::string>> seen;
    for (valijson::ValidationResults::Error each; results.popError(each);) {
      if (only_repeats(each.description)) continue;
      const auto [told, fresh] = seen.emplace(excerpt(pointer_of(each.context), kMostText),
                                              excerpt(each.description, kMostText));
      if (fresh) out.push_back({told->first, told->second});
    }
    if (out.empty()) out.push_back({"", "is not valid by its schema"});
    return one_for_each_choice(out, compiled_->text);
  } catch (const std::exception& error) {
    return fail(Errc::bug, std::string("a schema cannot judge: ") + error.what());
  }
}

}  // namespace weir::builder
