#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "manifests/base/digest.h"
#include "manifests/base/names.h"
#include "manifests/base/result.h"
#include "manifests/base/still_wanted.h"

// A heavy header: for the .cpp files that parse documents, never for headers.
namespace weir::manifests {

/// How much of a document is read before it is refused.
struct JsonLimits {
  ByteCount bytes{256ULL << 20};
  std::size_t elements = 1'000'000;  ///< values of any kind, in all
  std::size_t depth = 32;
};

/// One JSON value and nothing after it, by RFC 8259 and stricter: duplicate keys and a byte order
/// mark are refused. What it costs grows with the text alone.
///
/// wanted   asked with every `kValuesAQuestion` values
/// errors   invalid_input, with line and column or the key, also nested too deeply; exhausted: too
///          many bytes or elements; timeout: not wanted any more
[[nodiscard]] Result<nlohmann::json> parse_json(std::string_view text,
                                                const JsonLimits& limits = {},
                                                const StillWanted& wanted = {});

inline constexpr std::size_t kValuesAQuestion = 1000;

/// Reads an object field by field, so that every refusal names its field ("kernel.image.size") and
/// no field goes unread. Holds a reference: the value must outlive it.
class JsonFields {
 public:
  /// errors: invalid_input: not an object. `path` is how errors call it, empty for the document.
  static Result<JsonFields> open(const nlohmann::json& value, std::string path);

  // errors: invalid_input: the field is missing or of another kind
  [[nodiscard]] Result<std::string> string(std::string_view key);
  /// A string that a person is shown: `printable` as it is, of at most 4096 bytes.
  [[nodiscard]] Result<std::string> line(std::string_view key);
  [[nodiscard]] Result<std::int64_t> integer(std::string_view key);
  [[nodiscard]] Result<std::uint64_t> natural(std::string_view key);
  [[nodiscard]] Result<bool> boolean(std::string_view key);
  [[nodiscard]] Result<Digest> digest(std::string_view key);
  [[nodiscard]] Result<const nlohmann::json*> array(std::string_view key);
  [[nodiscard]] Result<JsonFields> object(std::string_view key);

  [[nodiscard]] bool has(std::string_view key) const;
  /// "kernel.image" + "size"; for errors about a field's content.
  [[nodiscard]] std::string path_of(std::string_view key) const;
  [[nodiscard]] tl::unexpected<Error> refuse(std::string_view key, std::string_view why) const;
  /// errors: invalid_input: a field that nothing has asked for
  [[nodiscard]] Status finish() const;

 private:
  JsonFields(const nlohmann::json& value, std::string path)
      : value_(&value), path_(std::move(path)) {}
  Result<const nlohmann::json*> field(std::string_view key);
  const nlohmann::json* value_;
  std::string path_;
  std::set<std::string, std::less<>> read_;
};

/// "layers" and 3: "layers[3]".
[[nodiscard]] std::string element_path(std::string_view path, std::size_t index);

/// An array of objects, each read by `read`, none with a field left over.
/// errors: as `read`; exhausted: more than `most`
template <class T>
Result<std::vector<T>> objects(JsonFields& fields, std::string_view key,
                               Result<T> (*read)(JsonFields&), std::size_t most = SIZE_MAX) {
  TRY_ASSIGN(const nlohmann::json* items, fields.array(key));
  if (items->size() > most) {
    return fail(Errc::exhausted,
                fields.path_of(key) + ": more than " + std::to_string(most) + " entries");
  }
  std::vector<T> out;
  for (std::size_t i = 0; i < items->size(); ++i) {
    TRY_ASSIGN(JsonFields item,
               JsonFields::open((*items)[i], element_path(fields.path_of(key), i)));
    TRY_ASSIGN(T value, read(item));
    TRY(item.finish());
    out.push_back(std::move(value));
  }
  return out;
}

}  // namespace weir::manifests
