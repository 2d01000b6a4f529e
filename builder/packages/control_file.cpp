#include "builder/packages/control_file.h"

#include <algorithm>
#include <string>

#include "manifests/base/ascii.h"

namespace weir::builder {
namespace {

constexpr std::string_view kBlank = " \t\r";
// Debian's paragraphs have some thirty; each field is held against all before it.
constexpr std::size_t kMostFields = 256;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

bool is_name(std::string_view text) {
  return !text.empty() && text.front() != '#' && text.front() != '-' &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

tl::unexpected<Error> refuse(std::size_t line, std::string_view problem) {
  return fail(Errc::invalid_input, "line " + std::to_string(line) + ": " + std::string(problem));
}

}  // namespace

std::optional<std::string_view> Stanza::find(std::string_view name) const {
  for (const auto& [key, value] : fields_) {
    if (same_name(key, name)) return value;
  }
  return std::nullopt;
}

Result<std::string_view> Stanza::need(std::string_view name) const {
  const auto value = find(name);
  if (!value || value->empty()) {
    return refuse(line_, "the paragraph has no field '" + std::string(name) + "'");
  }
  return *value;
}

std::string_view StanzaReader::take_line() {
  const auto end = std::min(rest_.find('\n'), rest_.size());
  const auto line = rest_.substr(0, end);
  const auto taken = std::min(rest_.size(), end + 1);
  rest_.remove_prefix(taken);
  position_ += taken;
  ++line_;
  return line;
}

bool StanzaReader::ends_paragraph(std::string_view line) const {
  const auto blank = kind_ == ControlFile::archive ? kBlank : "\r";
  return line.find_first_not_of(blank) == std::string_view::npos;
}

void StanzaReader::skip() {
  while (!rest_.empty()) {
    if (ends_paragraph(take_line())) return;
  }
}

Result<std::optional<Stanza>> StanzaReader::next() {
  Stanza out;
  while (!rest_.empty()) {
    const auto line = take_line();
    if (line.find('\0') != std::string_view::npos) return refuse(line_, "a NUL byte");
    if (ends_paragraph(line)) {
      if (!out.fields_.empty()) break;
      continue;
    }
    if (line.front() == ' ' || line.front() == '\t') {
      if (out.fields_.empty()) return refuse(line_, "continues a field that never began");
      // Lines of one field lie one behind the other, so its view just grows.
      auto& value = out.fields_.back().second;
      value = {value.data(), static_cast<std::size_t>(line.data() + line.size() - value.data())};
      continue;
    }
    const auto colon = line.find(':');
    const bool of_archive = kind_ == ControlFile::archive;
    if (colon == std::string_view::npos || (of_archive && !is_name(line.substr(0, colon)))) {
      return refuse(line_, "is not 'Field: value'");
    }
    const auto name = of_archive ? line.substr(0, colon) : trimmed(line.substr(0, colon));
    if (out.fields_.size() == kMostFields) {
      return fail(Errc::exhausted, "line " + std::to_string(line_) + ": more than " +
                                       std::to_string(kMostFields) + " fields in a paragraph");
    }
    if (out.fields_.empty()) out.line_ = line_;
    if (out.find(name)) {
      if (of_archive) return refuse(line_, "'" + std::string(name) + "' stands here twice");
      std::erase_if(out.fields_, [&](const auto& field) { return same_name(field.first, name); });
    }
    out.fields_.emplace_back(name, line.substr(colon + 1));
  }
  if (out.fields_.empty()) return std::nullopt;
  for (auto& [name, value] : out.fields_) value = trimmed(value);
  return out;
}

}  // namespace weir::builder
