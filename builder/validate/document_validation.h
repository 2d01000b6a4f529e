#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "builder/validate/schema_validation.h"
#include "manifests/base/result.h"

namespace weir::builder {

/// What a document's schema, and the parser that Weir's programs read it with, say of it.
struct DocumentVerdict {
  struct Finding {
    Violation violation;
    int line = 0;  ///< in a document of lines (YAML, JSON lines); else 0
    bool operator==(const Finding&) const = default;
  };
  std::string kind;
  std::vector<Finding> violations;  ///< of the schema, by line: the first 100 found
  std::size_t unlisted = 0;         ///< how many more there are
  std::string refusal;  ///< the parser's sentence, which begins with the file; empty: accepted
  [[nodiscard]] bool valid() const { return violations.empty() && refusal.empty(); }
};

/// A schema's name of docs/schemas, or "node-api#PeerDump" for one of that schema's messages.
[[nodiscard]] std::vector<std::string> document_kinds();

/// Tells which document a text is: by its `type`, by the language server's line
/// "# yaml-language-server: $schema=...", by fields that only one document has, and where the text
/// tells nothing, by the name of its file: "peers.jsonl", "gateway.lock.json".
/// errors: invalid_input, naming the kinds
[[nodiscard]] Result<std::string> kind_of_document(std::string_view text, std::string_view file);

/// Judges a document by its schema and by its parser. Documents inside it (the versions of a trust
/// file, the payload of an envelope) are judged too, their pointers behind its own.
///
/// kind     one of document_kinds(); empty: as kind_of_document tells
/// file     its path, with which the parser's sentence begins
/// errors   invalid_input: no such kind, or none can be told; bug
[[nodiscard]] Result<DocumentVerdict> validate_document(std::string_view text,
                                                        std::string_view kind,
                                                        std::string_view file);

}  // namespace weir::builder
