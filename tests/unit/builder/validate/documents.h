#pragma once

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "builder/validate/document_validation.h"
#include "tests/folders.h"
#include "tests/schemas/judge.h"
#include "tests/text.h"

/// Documents, good and bad, that schemas and parsers have to judge alike.
namespace weir::builder {

struct Document {
  test::SchemaCase schema;
  bool good;
};

inline void check_documents(const std::vector<Document>& documents) {
  std::vector<test::SchemaCase> cases;
  cases.reserve(documents.size());
  for (const Document& document : documents) cases.push_back(document.schema);
  const auto answers = test::judged_by_schema(cases);
  REQUIRE(answers.size() == cases.size());
  for (std::size_t i = 0; i < cases.size(); ++i) {
    CAPTURE(cases[i].what);
    CAPTURE(cases[i].text.substr(0, 3000));
    const std::string& schema = answers[i];
    const auto verdict = validate_document(cases[i].text, cases[i].what, "x");
    REQUIRE(verdict.has_value());
    CAPTURE(schema);
    CAPTURE(verdict->refusal);
    CHECK(schema.empty() == documents[i].good);
    CHECK(verdict->violations.empty() == documents[i].good);
    CHECK(verdict->refusal.empty() == documents[i].good);
  }
}

inline std::string corpus_text(const std::string& name) {
  return test::bytes_of(test::source_folder() + "/tests/fuzz/corpus/" + name);
}
inline std::string example_text(const std::string& name) {
  return test::bytes_of(test::source_folder() + "/examples/" + name);
}

/// `good`, and the same with each of these replacements, all of them wrong.
inline std::vector<Document> with_mistakes(
    const test::SchemaCase& good, const std::vector<std::pair<std::string, std::string>>& list) {
  std::vector<Document> out = {{good, true}};
  for (const auto& [from, to] : list) {
    out.push_back({{good.what, test::replaced(good.text, from, to), good.yaml}, false});
  }
  return out;
}

}  // namespace weir::builder
