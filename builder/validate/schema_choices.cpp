#include "builder/validate/schema_choices.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>

namespace weir::builder {
namespace {

using nlohmann::json;

constexpr std::size_t kDeepest = 32;

bool is_choice(std::string_view what) {
  return what.starts_with("Failed to validate against any") ||
         what.starts_with("Failed to validate against exactly one");
}

bool is_below(std::string_view pointer, std::string_view above) {
  return pointer.size() > above.size() && pointer.starts_with(above) &&
         pointer[above.size()] == '/';
}

const json& resolved(const json& whole, const json& schema) {
  const json* at = &schema;
  for (std::size_t i = 0; i < kDeepest && at->is_object() && at->contains("$ref"); ++i) {
    const std::string to = at->at("$ref").get<std::string>();
    at = &whole.at(json::json_pointer(to.substr(to.find('#') + 1)));
  }
  return *at;
}

// A schema, and those that hold for the same value.
// NOLINTNEXTLINE(misc-no-recursion): as deep as the schema, at most kDeepest
void add_all(const json& whole, const json& schema, std::vector<const json*>& out,
             std::size_t depth = 0) {
  const json& here = resolved(whole, schema);
  if (depth == kDeepest || !here.is_object()) return;
  out.push_back(&here);
  for (const char* word : {"allOf", "oneOf", "anyOf"}) {
    if (!here.contains(word)) continue;
    for (const json& each : here.at(word)) add_all(whole, each, out, depth + 1);
  }
}

std::vector<const json*> schemas_at(const json& whole, const std::string& pointer) {
  std::vector<const json*> here;
  add_all(whole, whole, here);
  json::json_pointer rest(pointer);
  std::vector<std::string> keys;
  for (; !rest.empty(); rest.pop_back()) keys.insert(keys.begin(), rest.back());
  for (const std::string& key : keys) {
    std::vector<const json*> next;
    for (const json* schema : here) {
      const auto properties = schema->find("properties");
      if (properties != schema->end() && properties->contains(key)) {
        add_all(whole, properties->at(key), next);
        continue;
      }
      for (const char* word : {"items", "additionalProperties"}) {
        if (schema->contains(word)) add_all(whole, schema->at(word), next);
      }
    }
    here = std::move(next);
  }
  return here;
}

const json* alternatives_of(const json& schema) {
  for (const char* word : {"oneOf", "anyOf"}) {
    if (schema.contains(word)) return &schema.at(word);
  }
  return nullptr;
}

std::string listed(const std::vector<std::string>& names, std::string_view last) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    out += (i == 0 ? "" : i + 1 == names.size() ? std::string(last) : ", ") + names[i];
  }
  return out;
}

// Where each alternative only asks for fields: these.
std::vector<std::string> fields_chosen_of(const json& alternatives) {
  std::vector<std::string> out;
  for (const json& each : alternatives) {
    if (each.size() != 1 || !each.contains("required")) return {};
    out.push_back(listed(each.at("required").get<std::vector<std::string>>(), " with "));
  }
  return out;
}

std::string describe_mapping(const json& schema) {
  std::vector<std::string> must = schema.value("required", std::vector<std::string>());
  const json* alternatives = alternatives_of(schema);
  const auto chosen =
      alternatives == nullptr ? std::vector<std::string>() : fields_chosen_of(*alternatives);
  std::string out = "a mapping";
  if (!must.empty()) out += " with " + listed(must, " and ");
  if (!chosen.empty())
    out += (must.empty() ? " with one of " : " and one of ") + listed(chosen, ", ");
  std::vector<std::string> may;
  const json properties = schema.value("properties", json::object());
  for (const auto& [name, _] : properties.items()) {
    const auto is_it = [&, &field = name](const std::string& other) { return other == field; };
    if (std::none_of(must.begin(), must.end(), is_it) &&
        std::none_of(chosen.begin(), chosen.end(), is_it)) {
      may.push_back(name);
    }
  }
  if (!may.empty()) out += ", and maybe " + listed(may, ", ");
  return out;
}

std::string describe(const json& whole, const json& schema) {
  const json& here = resolved(whole, schema);
  if (here.contains("const")) return here.at("const").dump();
  if (here.contains("enum")) {
    std::vector<std::string> names;
    for (const json& each : here.at("enum")) names.push_back(each.dump());
    return "one of " + listed(names, ", ");
  }
  const std::string type = here.contains("type") && here.at("type").is_string()
                               ? here.at("type").get<std::string>()
                               : "";
  if (type == "object" || here.contains("properties")) return describe_mapping(here);
  if (type == "array") return "a list";
  if (type == "boolean") return "true or false";
  if (type == "integer" || type == "number") {
    std::string out = type == "integer" ? "a whole number" : "a number";
    if (here.contains("minimum")) out += " from " + here.at("minimum").dump();
    if (here.contains("maximum")) out += " to " + here.at("maximum").dump();
    return out;
  }
  if (here.contains("pattern")) return "a text like " + here.at("pattern").get<std::string>();
  return type == "string" ? "a text" : here.value("description", "something else");
}

// Whether every mapping among the alternatives must have what a complaint misses.
bool all_miss(const json& whole, const std::string& pointer, const std::string& what) {
  constexpr std::string_view kMissing = "Missing required property '";
  if (!what.starts_with(kMissing)) return false;
  const std::string name = what.substr(kMissing.size(), what.rfind('\'') - kMissing.size());
  bool any = false, all = true;
  for (const json* schema : schemas_at(whole, pointer)) {
    const json* alternatives = alternatives_of(*schema);
    if (alternatives == nullptr) continue;
    for (const json& each : *alternatives) {
      const json& here = resolved(whole, each);
      if (!here.contains("properties")) continue;
      const auto required = here.value("required", std::vector<std::string>());
      any = true;
      all = all && std::find(required.begin(), required.end(), name) != required.end();
    }
  }
  return any && all;
}

std::string describe_choice(const json& whole, const std::string& pointer) {
  for (const json* schema : schemas_at(whole, pointer)) {
    const json* alternatives = alternatives_of(*schema);
    if (alternatives == nullptr) continue;
    if (const auto fields = fields_chosen_of(*alternatives); !fields.empty()) {
      return "Must be " + describe_mapping(*schema) + ".";
    }
    std::vector<std::string> all;
    for (const json& each : *alternatives) all.push_back(describe(whole, each));
    return "Must be " + listed(all, ", or ") + ".";
  }
  return "Is none of what is allowed here.";
}

}  // namespace

// NOLINTNEXTLINE(misc-no-recursion): each call has those deeper in the document
std::vector<Violation> one_for_each_choice(const std::vector<Violation>& violations,
                                           const json& schema) {
  std::set<std::string> choices;
  for (const Violation& each : violations) {
    if (is_choice(each.what)) choices.insert(each.pointer);
  }
  std::vector<Violation> out;
  std::map<std::string, std::vector<Violation>> inside;
  std::vector<std::string> order;
  for (const Violation& each : violations) {
    const auto outermost = std::find_if(choices.begin(), choices.end(), [&](const auto& pointer) {
      return each.pointer == pointer || is_below(each.pointer, pointer);
    });
    if (outermost == choices.end()) {
      out.push_back(each);
      continue;
    }
    const auto [group, fresh] = inside.try_emplace(*outermost);
    if (fresh) order.push_back(*outermost);
    if (each.pointer != *outermost || all_miss(schema, each.pointer, each.what)) {
      group->second.push_back(each);
    }
  }
  for (const std::string& pointer : order) {
    const auto& deeper = inside.at(pointer);
    if (std::none_of(deeper.begin(), deeper.end(),
                     [&](const Violation& each) { return each.pointer != pointer; })) {
      out.push_back({pointer, describe_choice(schema, pointer)});
      continue;
    }
    for (Violation& each : one_for_each_choice(deeper, schema)) out.push_back(std::move(each));
  }
  return out;
}

}  // namespace weir::builder
