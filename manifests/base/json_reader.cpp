#include "manifests/base/json_reader.h"

#include <vector>

namespace weir::manifests {
namespace {

using nlohmann::json;

constexpr int kDepth = 32;

struct Refused {
  std::string why;
};

// Sees every event of a parse and stops it where the library would be lenient.
class Strictness {
 public:
  void see(int depth, json::parse_event_t event, const json& parsed) {
    if (depth > kDepth) throw Refused{"nested deeper than " + std::to_string(kDepth)};
    switch (event) {
      case json::parse_event_t::object_start:
        keys_.emplace_back();
        break;
      case json::parse_event_t::object_end:
        keys_.pop_back();
        break;
      case json::parse_event_t::key:
        if (!keys_.back().insert(parsed.get_ref<const std::string&>()).second) {
          throw Refused{"the key '" + parsed.get_ref<const std::string&>() + "' appears twice"};
        }
        break;
      default:
        break;
    }
  }

 private:
  std::vector<std::set<std::string>> keys_;
};

// The library's text begins with "[json.exception.parse_error.101] parse error ".
std::string plain(std::string_view what) {
  const auto start = what.find("parse error ");
  return start == std::string_view::npos ? std::string(what) : std::string(what.substr(start + 12));
}

}  // namespace

Result<json> parse_json(std::string_view text) {
  // The library takes it for the end of the text, whatever follows.
  if (text.find('\0') != std::string_view::npos) {
    return fail(Errc::invalid_input, "not JSON: a NUL byte");
  }
  try {
    Strictness strictness;
    return json::parse(text, [&](int depth, json::parse_event_t event, json& parsed) {
      strictness.see(depth, event, parsed);
      return true;
    });
  } catch (const Refused& refused) {
    return fail(Errc::invalid_input, refused.why);
  } catch (const json::exception& error) {
    return fail(Errc::invalid_input, "not JSON " + plain(error.what()));
  }
}

Result<JsonFields> JsonFields::open(const json& value, std::string path) {
  if (!value.is_object()) {
    return fail(Errc::invalid_input, (path.empty() ? "the document" : path) + " is not an object");
  }
  return JsonFields(value, std::move(path));
}

std::string JsonFields::path_of(std::string_view key) const {
  return (path_.empty() ? "" : path_ + ".") + std::string(key);
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
