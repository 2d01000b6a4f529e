#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/folders.h"
#include "tests/unit/images/scratch.h"

namespace weir::test {

/// A document for python3-jsonschema; `what` is a schema's name, or "node-api#PeerDump".
struct SchemaCase {
  std::string what;
  std::string text;
  bool yaml = false;
};

/// What the schemas say, in order: empty where a document is valid.
inline std::vector<std::string> judged_by_schema(const std::vector<SchemaCase>& cases) {
  nlohmann::json list = nlohmann::json::array();
  for (const SchemaCase& item : cases) {
    const auto hash = item.what.find('#');
    nlohmann::json entry = {
        {"schema", item.what.substr(0, hash)}, {"text", item.text}, {"yaml", item.yaml}};
    if (hash != std::string::npos) entry["definition"] = item.what.substr(hash + 1);
    list.push_back(std::move(entry));
  }
  const TemporaryFolder folder;
  REQUIRE(write_file(folder.path + "/cases", list.dump()).has_value());
  const auto answers = nlohmann::json::parse(
      must("/usr/bin/python3 -W ignore " + test::source_folder() + "/tests/schemas/validate.py " +
           test::source_folder() + "/docs/schemas < " + folder.path + "/cases"));
  std::vector<std::string> out;
  for (const auto& answer : answers) {
    out.push_back(answer.is_null() ? "" : answer.get<std::string>());
  }
  return out;
}

}  // namespace weir::test
