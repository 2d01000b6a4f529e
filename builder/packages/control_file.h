#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "manifests/base/result.h"

namespace weir::builder {

/// One paragraph of a Debian control file. Views into the text that was read.
class Stanza {
 public:
  /// The value of a field, any case of its name; a value of several lines keeps their line breaks
  /// and leading spaces. Spaces and tabs around the whole value are gone.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;
  /// errors: invalid_input: there is no such field, or it is empty
  [[nodiscard]] Result<std::string_view> need(std::string_view name) const;
  [[nodiscard]] std::size_t line() const { return line_; }  ///< where it starts, from 1

 private:
  friend class StanzaReader;
  std::size_t line_ = 0;
  std::vector<std::pair<std::string_view, std::string_view>> fields_;
};

/// Who wrote a control file. apt takes more of a person than an archive may say: any text before a
/// colon is a field's name, the last of several fields of a name counts, and a line of blanks
/// continues a field.
enum class ControlFile : std::uint8_t { archive, person };

/// Reads the paragraphs of a control file (Packages, Release; apt's sources) one by one.
/// source: Debian policy 5.1 (deb822); comments do not occur in these files and are refused
class StanzaReader {
 public:
  /// `text` must outlive the reader and its stanzas.
  explicit StanzaReader(std::string_view text, ControlFile kind = ControlFile::archive)
      : rest_(text), kind_(kind) {}

  /// The next paragraph, or nothing at the end.
  /// errors: invalid_input, with the line: no "Name: value", a NUL, an archive's field that stands
  /// twice; exhausted: a paragraph of more than 256 fields
  [[nodiscard]] Result<std::optional<Stanza>> next();
  /// After an error: goes to the end of the paragraph that it is in.
  void skip();
  /// Where the next paragraph begins, or the empty lines before it: bytes of the text.
  [[nodiscard]] std::size_t position() const { return position_; }
  /// The last line that was read; after an error, the one that it is about.
  [[nodiscard]] std::size_t line() const { return line_; }

 private:
  std::string_view take_line();
  [[nodiscard]] bool ends_paragraph(std::string_view line) const;
  std::string_view rest_;
  ControlFile kind_;
  std::size_t position_ = 0;
  std::size_t line_ = 0;
};

}  // namespace weir::builder
