#include "manifests/base/json_reader.h"

#include <vector>

#include "manifests/base/printable.h"

namespace weir::manifests {
namespace {

using nlohmann::json;

constexpr std::size_t kLongestLine = 4096;

// The library's text begins with "[json.exception.parse_error.101] parse error ".
std::string plain(std::string_view what) {
  const auto start = what.find("parse error ");
  return start == std::string_view::npos ? std::string(what) : std::string(what.substr(start + 12));
}

/// Builds the value from the parser's events, each of which costs the same whatever came before it,
/// and stops where the library would be lenient. (Its own callbacks search what is there already
/// after every object.) Each function returns false to stop.
class TreeBuilder : public nlohmann::json_sax<json> {
 public:
  TreeBuilder(const JsonLimits& limits, const StillWanted& wanted)
      : limits_(limits), wanted_(wanted) {}

  json root;
  Error error{Errc::invalid_input, 0, {}};

  bool null() override { return add(nullptr) != nullptr; }
  bool boolean(bool value) override { return add(value) != nullptr; }
  bool number_integer(number_integer_t value) override { return add(value) != nullptr; }
  bool number_unsigned(number_unsigned_t value) override { return add(value) != nullptr; }
  bool number_float(number_float_t value, const string_t&) override {
    return add(value) != nullptr;
  }
  bool string(string_t& value) override { return add(std::move(value)) != nullptr; }
  bool binary(binary_t&) override { return stop(Errc::bug, "binary in JSON"); }

  bool start_object(std::size_t) override { return enter(json::value_t::object); }
  bool end_object() override { return leave(); }
  bool start_array(std::size_t) override { return enter(json::value_t::array); }
  bool end_array() override { return leave(); }

  bool key(string_t& text) override {
    auto& members = open_.back()->get_ref<json::object_t&>();
    const auto [place, fresh] = members.emplace(std::move(text), nullptr);
    if (!fresh) {
      return stop(Errc::invalid_input, "the key " + quotation(place->first) + " appears twice");
    }
    member_ = &place->second;
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const json::exception& why) override {
    return stop(Errc::invalid_input, "not JSON " + excerpt(plain(why.what()), 200));
  }

 private:
  JsonLimits limits_;
  const StillWanted& wanted_;
  std::vector<json*> open_;  // arrays and objects that have not ended
  json* member_ = nullptr;   // the value of the key that was read last
  std::size_t elements_ = 0;

  bool stop(Errc code, std::string why) {
    error = {code, 0, std::move(why)};
    return false;
  }

  template <class Value>
  json* add(Value&& value) {
    if (++elements_ > limits_.elements) {
      stop(Errc::exhausted, "more than " + std::to_string(limits_.elements) + " values");
      return nullptr;
    }
    if (elements_ % kValuesAQuestion == 0 && wanted_ && !wanted_()) {
      stop(Errc::timeout, "not read to its end in time");
      return nullptr;
    }
    json* place = &root;
    if (!open_.empty() && open_.back()->is_array()) {
      place = &open_.back()->emplace_back(nullptr);
    } else if (!open_.empty()) {
      place = member_;
    }
    *place = json(std::forward<Value>(value));
    return place;
  }

  bool enter(json::value_t kind) {
    if (open_.size() == limits_.depth) {
      return stop(Errc::invalid_input, "nested deeper than " + std::to_string(limits_.depth));
    }
    json* place = add(kind);
    if (place != nullptr) open_.push_back(place);
    return place != nullptr;
  }

  bool leave() {
    open_.pop_back();
    return true;
  }
};

}  // namespace

Result<json> parse_json(std::string_view text, const JsonLimits& limits,
                        const StillWanted& wanted) {
  if (text.size() > limits.bytes.value) {
    return fail(Errc::exhausted, "larger than " + print(limits.bytes));
  }
  // The library takes it for the end of the text, whatever follows.
  if (text.find('\0') != std::string_view::npos) {
    return fail(Errc::invalid_input, "not JSON: a NUL byte");
  }
  // The library skips it.
  if (text.starts_with("\xef\xbb\xbf")) {
    return fail(Errc::invalid_input,
                "not JSON: it begins with a byte order mark (EF BB BF): remove these three bytes");
  }
  TreeBuilder builder(limits, wanted);
  try {
    if (!json::sax_parse(text, &builder)) return tl::unexpected(std::move(builder.error));
  } catch (const json::exception& error) {
    return fail(Errc::invalid_input, "not JSON " + excerpt(plain(error.what()), 200));
  }
  return std::move(builder.root);
}

Result<JsonFields> JsonFields::open(const json& value, std::string path) {
  if (!value.is_object()) {
    return fail(Errc::invalid_input, (path.empty() ? "the document" : path) + " is not an object");
  }
  return JsonFields(value, std::move(path));
}

std::string JsonFields::path_of(std::string_view key) const {
  return (path_.empty() ? "" : path_ + ".") + excerpt(key);
}

tl::unexpected<Error> JsonFields::refuse(std::string_view key, std::string_view why) const {
  return fail(Errc::invalid_input, path_of(key) + ": " + std::string(why));
}

bool JsonFields::has(std::string_view key) const {
  return value_->contains(key);
}

Result<const json*> JsonFields::field(std::string_view key) {
  const auto found = value_->find(key);
  if (found == value_->end()) return refuse(key, "missing");
  read_.emplace(key);
  return &*found;
}

Result<std::string> JsonFields::string(std::string_view key) {
  TRY_ASSIGN(const json* value, field(key));
  if (!value->is_string()) return refuse(key, "must be a string");
  return value->get_ref<const std::string&>();
}

Result<std::string> JsonFields::line(std::string_view key) {
  TRY_ASSIGN(std::string text, string(key));
  if (text.size() > kLongestLine) return refuse(key, "longer than 4096 bytes");
  if (!is_printable(text)) {
    return refuse(key, "has control characters, or others that cannot be seen: " + quotation(text));
  }
  return text;
}

Result<std::int64_t> JsonFields::integer(std::string_view key) {
  TRY_ASSIGN(const json* value, field(key));
  if (!value->is_number_integer() ||
      (value->is_number_unsigned() && value->get<std::uint64_t>() > INT64_MAX)) {
    return refuse(key, "must be a whole number of 64 bits");
  }
  return value->get<std::int64_t>();
}

Result<std::uint64_t> JsonFields::natural(std::string_view key) {
  TRY_ASSIGN(const json* value, field(key));
  // What does not fit is read as a floating-point number.
  if (value->is_number_float() && value->get<double>() >= 0x1p64) {
    return refuse(key, "is too large: must be below 2^64");
  }
  if (!value->is_number_unsigned()) return refuse(key, "must be a whole number, not negative");
  return value->get<std::uint64_t>();
}

Result<bool> JsonFields::boolean(std::string_view key) {
  TRY_ASSIGN(const json* value, field(key));
  if (!value->is_boolean()) return refuse(key, "must be true or false");
  return value->get<bool>();
}

Result<Digest> JsonFields::digest(std::string_view key) {
  TRY_ASSIGN(const std::string text, string(key));
  auto digest = Digest::parse(text);
  if (!digest || !text.starts_with("sha256:")) {
    return refuse(key, "must be \"sha256:\" and 64 lower-case hex digits");
  }
  return *digest;
}

Result<const json*> JsonFields::array(std::string_view key) {
  TRY_ASSIGN(const json* value, field(key));
  if (!value->is_array()) return refuse(key, "must be a list");
  return value;
}

Result<JsonFields> JsonFields::object(std::string_view key) {
  TRY_ASSIGN(const json* value, field(key));
  return open(*value, path_of(key));
}

Status JsonFields::finish() const {
  for (const auto& [key, _] : value_->items()) {
    if (!read_.contains(key)) return refuse(key, "unknown field");
  }
  return {};
}

std::string element_path(std::string_view path, std::size_t index) {
  return std::string(path) + "[" + std::to_string(index) + "]";
}

}  // namespace weir::manifests
