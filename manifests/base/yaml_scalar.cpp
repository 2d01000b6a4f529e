#include "manifests/base/yaml_scalar.h"

#include <algorithm>
#include <initializer_list>

namespace weir::manifests {
namespace {

bool is_in(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

bool all_of(std::string_view text, std::string_view characters) {
  return !text.empty() && text.find_first_not_of(characters) == std::string_view::npos;
}

bool all_digits(std::string_view text) {
  return all_of(text, "0123456789");
}

std::string_view without_sign(std::string_view text) {
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) text.remove_prefix(1);
  return text;
}

// "( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?"
bool is_float(std::string_view text) {
  const auto exponent = text.find_first_of("eE");
  if (exponent != std::string_view::npos) {
    if (!all_digits(without_sign(text.substr(exponent + 1)))) return false;
    text = text.substr(0, exponent);
  }
  const auto point = text.find('.');
  if (point == std::string_view::npos) return all_digits(text);
  const std::string_view whole = text.substr(0, point), rest = text.substr(point + 1);
  return whole.empty() ? all_digits(rest) : all_digits(whole) && (rest.empty() || all_digits(rest));
}

}  // namespace

YamlScalar kind_of_scalar(std::string_view text) {
  if (is_in(text, {"true", "True", "TRUE", "false", "False", "FALSE"})) return YamlScalar::boolean;
  if (text.starts_with("0o") && all_of(text.substr(2), "01234567")) return YamlScalar::based;
  if (text.starts_with("0x") && all_of(text.substr(2), "0123456789abcdefABCDEF")) {
    return YamlScalar::based;
  }
  const std::string_view unsigned_text = without_sign(text);
  if (all_digits(unsigned_text)) return YamlScalar::integer;
  const bool number = is_float(unsigned_text) || is_in(unsigned_text, {".inf", ".Inf", ".INF"}) ||
                      is_in(text, {".nan", ".NaN", ".NAN"});
  return number ? YamlScalar::number : YamlScalar::text;
}

bool is_plain_text(std::string_view word) {
  return kind_of_scalar(word) == YamlScalar::text &&
         !is_in(word, {"", "~", "null", "Null", "NULL"});
}

}  // namespace weir::manifests
