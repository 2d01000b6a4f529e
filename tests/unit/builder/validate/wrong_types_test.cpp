// What a schema refuses, the reader of the same document refuses too: of every value of a document,
// with every type put in its place, with a field more, a field less and an entry twice.
#include <doctest/doctest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <set>

#include "builder/validate/schemas.h"
#include "builder/validate/yaml_as_json.h"
#include "manifests/documents/fleet.h"
#include "manifests/documents/image_manifest.h"
#include "manifests/documents/reviewed_list.h"
#include "tests/unit/builder/validate/documents.h"

namespace weir::builder {
namespace {

using nlohmann::json;
using Reads = std::function<bool(const std::string&)>;

template <auto parse>
bool reads(const std::string& text) {
  return parse(text, "x").has_value();
}

const std::vector<json>& strangers() {
  static const std::vector<json> all = {"",
                                        "x",
                                        " ",
                                        "a\nb",
                                        std::string(200000, 'x'),
                                        true,
                                        0,
                                        -1,
                                        7,
                                        1.5,
                                        70000,
                                        json::array(),
                                        json::object(),
                                        json::array({"a"}),
                                        json::array({1, 1}),
                                        json::array({json::array()}),
                                        json::array({nullptr}),
                                        {{"a", "b"}},
                                        {{"a", json::array({"b"})}},
                                        {{"a", {{"b", "c"}}}}};
  return all;
}

// Every document that differs from `whole` in one place.
void each_changed(const json& whole, const std::function<void(const json&)>& see) {
  const json flat = whole.flatten();
  std::set<std::string> visited;
  for (const auto& [pointer, value] : flat.items()) {
    for (json::json_pointer at(pointer); !at.empty(); at = at.parent_pointer()) {
      if (!visited.insert(at.to_string()).second) continue;
      json changed = whole;
      for (const json& stranger : strangers()) {
        changed[at] = stranger;
        see(changed);
      }
      changed[at] = whole[at];
      if (whole[at].is_array() && !whole[at].empty()) {
        changed[at].push_back(whole[at].back());
        see(changed);
      } else if (whole[at].is_object()) {
        changed[at]["ufo"] = "x";
        see(changed);
        changed = whole;
        for (const auto& [key, gone] : whole[at].items()) {
          changed[at].erase(key);
          see(changed);
          changed[at][key] = gone;
        }
      }
    }
  }
}

void refused_alike(const std::string& kind, const std::string& text, const Reads& reads) {
  const auto schema = schema_text(kind);
  REQUIRE(schema.has_value());
  const auto judge = SchemaJudge::open(*schema, "");
  REQUIRE(judge.has_value());
  const auto good = manifests::parse_yaml(text, "x");
  REQUIRE(good.has_value());
  std::set<std::string> seen;
  std::size_t refused = 0;
  each_changed(yaml_as_json(*good), [&](const json& changed) {
    const std::string changed_text = changed.dump();
    if (!seen.insert(changed_text).second) return;
    const auto tree = manifests::parse_yaml(changed_text, "x");
    if (!tree) return;  // nobody reads it
    const auto violations = judge->judge(yaml_as_json(*tree));
    REQUIRE(violations.has_value());
    if (violations->empty()) return;
    ++refused;
    if (!reads(changed_text)) return;
    const std::string pointer = violations->front().pointer, what = violations->front().what;
    const json shown = yaml_as_json(*tree);
    CAPTURE(kind);
    CAPTURE(pointer);
    CAPTURE(what);
    FAIL_CHECK(shown.at(json::json_pointer(pointer)).dump().substr(0, 200));
  });
  CHECK(refused > 100);
}

}  // namespace

TEST_CASE("no reader takes a manifest, a list or a fleet that the schema refuses") {
  for (const char* name : {"services", "everything", "sources", "module_sources", "dkms"}) {
    CAPTURE(name);
    refused_alike("image-manifest", corpus_text("image_manifest/" + std::string(name)),
                  reads<manifests::parse_image_manifest>);
  }
  refused_alike("reviewed-list", corpus_text("image_manifest/list"),
                reads<manifests::parse_reviewed_list>);
  refused_alike("fleet", example_text("fleet.yaml"), reads<manifests::parse_fleet>);
}

}  // namespace weir::builder
