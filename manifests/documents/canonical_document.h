#pragma once

#include <string>
#include <string_view>

#include "manifests/base/json_reader.h"
#include "manifests/base/result.h"

// For the .cpp files of signed statements, as json_reader.h.
namespace weir::manifests {

/// A document of which there is one text: read by `read`, and equal to what `print` makes of it.
///
/// what     how errors call the document: "rebuild statement"
/// errors   invalid_input: no JSON object, as `read`, or any other text than `print`'s
template <class T>
Result<T> parse_canonical(std::string_view text, const std::string& what,
                          Result<T> (*read)(JsonFields&)) {
  TRY_ASSIGN_IN(const nlohmann::json document, parse_json(text), what);
  TRY_ASSIGN_IN(JsonFields fields, JsonFields::open(document, ""), what);
  TRY_ASSIGN_IN(T statement, read(fields), what);
  if (print(statement) != text) {
    return fail(Errc::invalid_input, what + ": is not written in its canonical form");
  }
  return statement;
}

}  // namespace weir::manifests
