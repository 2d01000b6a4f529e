#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "manifests/base/result.h"

namespace weir::builder {

/// What a document has that its schema does not allow.
struct Violation {
  std::string pointer;  ///< where, as a JSON pointer (RFC 6901); empty for the whole document
  std::string what;     ///< one line
  bool operator==(const Violation&) const = default;
};

/// A JSON Schema of docs/schemas (draft 7, `$ref` within the file), ready to judge documents.
class SchemaJudge {
 public:
  /// `definition`: judge by that entry of the schema's definitions; empty: by the whole.
  /// errors: not_found: no such definition; bug: not a schema that valijson can read
  static Result<SchemaJudge> open(std::string_view schema, std::string_view definition);

  /// Every violation, pointer and text cut at 300 bytes, one for a value that is none of several
  /// alternatives; none where the document is valid. One that
  /// is invalid and has paths of more than 8 MiB has a single violation that says so.
  /// errors: bug: valijson gave up
  [[nodiscard]] Result<std::vector<Violation>> judge(nlohmann::json document) const;

  SchemaJudge(SchemaJudge&&) noexcept;
  SchemaJudge& operator=(SchemaJudge&&) noexcept;
  ~SchemaJudge();

 private:
  struct Compiled;
  explicit SchemaJudge(std::unique_ptr<Compiled> compiled);
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace weir::builder
