#include "builder/validate/schema_words.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

namespace weir::builder {
namespace {

using nlohmann::json;

constexpr std::size_t kLongestExcerpt = 80;

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string excerpt(const json& value) {
  std::string text = dump(value);
  if (text.size() <= kLongestExcerpt) return text;
  std::size_t end = kLongestExcerpt;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end) + "...";
}

std::string in_words(const std::string& type) {
  static const std::map<std::string, std::string> kWords = {
      {"string", "a text"}, {"integer", "a whole number"}, {"number", "a number"},
      {"array", "a list"},  {"object", "an object"},       {"boolean", "true or false"},
      {"null", "null"}};
  const auto found = kWords.find(type);
  return found == kWords.end() ? type : found->second;
}

std::string kind_of(const json& value) {
  return value.is_object()           ? "an object"
         : value.is_array()          ? "a list"
         : value.is_string()         ? "a text"
         : value.is_number_integer() ? "a whole number"
         : value.is_number()         ? "a number"
         : value.is_boolean()        ? "true or false"
                                     : "null";
}

std::string joined(const json& list, std::string_view between) {
  std::string out;
  for (const json& item : list) out += (out.empty() ? "" : std::string(between)) + dump(item);
  return out;
}

// What a keyword demands, in words; `demand` is the keyword's value in the schema.

std::string say_type(const json& demand, const json& value) {
  std::string types;
  for (const json& type : demand.is_array() ? demand : json::array({demand})) {
    types += (types.empty() ? "" : " or ") + in_words(type.get<std::string>());
  }
  return "must be " + types + ", not " + kind_of(value);
}
std::string say_const(const json& demand, const json& value) {
  return "must be " + dump(demand) + ", not " + excerpt(value);
}
std::string say_enum(const json& demand, const json& value) {
  return "must be one of " + joined(demand, ", ") + ", not " + excerpt(value);
}
std::string say_pattern(const json& demand, const json& value) {
  return excerpt(value) + " does not match " + demand.get<std::string>();
}
std::string say_minimum(const json& demand, const json& value) {
  return "must be at least " + dump(demand) + ", not " + excerpt(value);
}
std::string say_maximum(const json& demand, const json& value) {
  return "must be at most " + dump(demand) + ", not " + excerpt(value);
}
std::string say_multiple(const json& demand, const json& value) {
  return "must be a multiple of " + dump(demand) + ", not " + excerpt(value);
}
std::string say_shortest(const json& demand, const json&) {
  return "must have at least " + dump(demand) + " characters";
}
std::string say_longest(const json& demand, const json&) {
  return "must have at most " + dump(demand) + " characters";
}
std::string say_fewest(const json& demand, const json&) {
  return "must have at least " + dump(demand) + " entries";
}
std::string say_most(const json& demand, const json&) {
  return "must have at most " + dump(demand) + " entries";
}
std::string say_contains(const json& demand, const json&) {
  return "has no entry that fits " + dump(demand);
}
std::string say_not(const json& demand, const json& value) {
  return excerpt(value) + " must not fit " + dump(demand);
}

constexpr Keyword kKeywords[] = {
    {"type", "Value type not permitted", say_type},
    {"const", "Failed to match expected value", say_const},
    {"enum", "Failed to match against any enum", say_enum},
    {"pattern", "Failed to match regex", say_pattern},
    {"minimum", "Expected number greater than", say_minimum},
    {"maximum", "Expected number less than", say_maximum},
    {"multipleOf", "Value should be a multiple", say_multiple},
    {"minLength", "String should be no fewer", say_shortest},
    {"maxLength", "String should be no more", say_longest},
    {"minItems", "Array should contain no fewer", say_fewest},
    {"maxItems", "Array should contain no more", say_most},
    {"minProperties", "Object should have no fewer", say_fewest},
    {"maxProperties", "Object should have no more", say_most},
    {"contains", "Failed to any values", say_contains},
    {"not", "Target should not validate", say_not},
};

std::string pointer_of(const Path& path) {
  std::string out;
  for (std::size_t i = 1; i < path.size(); ++i) {  // without "<root>"
    out += '/';
    for (const char c : std::string_view(path[i]).substr(1, path[i].size() - 2)) {
      out += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    }
  }
  return out;
}

// Of the text between the first two apostrophes.
std::string quoted(std::string_view text) {
  const auto start = text.find('\'');
  const auto end = text.rfind('\'');
  return std::string(start == end ? text : text.substr(start, end - start + 1));
}

/// Complaints on their way to violations. valijson tells every failure again for each value around
/// it, and an alternative's before it says that no alternative fits.
class Reader {
 public:
  void read(const Complaint& complaint) {
    const std::string_view text = complaint.what;
    const auto is = [&](std::string_view start) { return text.starts_with(start); };
    if (is(kOurs)) {
      const auto said = text.substr(kOurs.size());
      if (!explained(said)) add(complaint, std::string(said));
    } else if (is("Failed to validate against child schema #")) {
      list_.push_back({complaint.path, std::string(text.substr(text.find('#'))), true});
    } else if (is("Failed to validate against any")) {
      gather(complaint);
    } else if (is("Failed to validate against exactly one")) {
      add(complaint, "fits more than one alternative, of which only one may hold");
    } else if (is("Missing required property ")) {
      add(complaint, quoted(text) + " is missing");
    } else if (is("Missing dependency ")) {
      add(complaint, quoted(text) + " is missing, which another field here needs");
    } else if (!explained(text) && !is("Failed to validate")) {
      add(complaint, complaint.what);
    }
  }

  std::vector<Violation> violations() && {
    std::vector<Violation> out;
    for (Entry& entry : list_) {
      if (!entry.ends_alternative) out.push_back({pointer_of(entry.path), std::move(entry.what)});
    }
    return out;
  }

 private:
  struct Entry {
    Path path;
    std::string what;
    bool ends_alternative = false;
  };
  std::vector<Entry> list_;

  static bool explained(std::string_view text) {
    return text.starts_with(kUnknownField) ||
           std::any_of(std::begin(kKeywords), std::end(kKeywords),
                       [&](const Keyword& each) { return text.starts_with(each.complaint); });
  }

  void add(const Complaint& complaint, std::string what) {
    list_.push_back({complaint.path, std::move(what)});
  }

  // Makes one sentence of the alternatives that stand at the end of the list.
  void gather(const Complaint& complaint) {
    const Path& path = complaint.path;
    auto start = list_.end();
    bool first = false;
    while (start != list_.begin()) {
      const Entry& before = *std::prev(start);
      const bool end = before.ends_alternative && before.path == path;
      if (!is_inside(before.path, path) || (end && first)) break;
      first = first || (end && before.what == "#0.");
      --start;
    }
    std::string what;
    std::string alternative;
    for (auto at = start; at != list_.end(); ++at) {
      if (at->ends_alternative && at->path == path) {
        what += (what.empty() ? "" : "; or ") + alternative;
        alternative.clear();
      } else if (!at->ends_alternative) {
        const std::string where = pointer_of(at->path).substr(pointer_of(path).size());
        alternative +=
            (alternative.empty() ? "" : ", ") + (where.empty() ? "" : where + ": ") + at->what;
      }
    }
    list_.erase(start, list_.end());
    add(complaint, "fits none of the alternatives: " + what);
  }
};

}  // namespace

std::span<const Keyword> keywords() {
  return kKeywords;
}

bool is_inside(const Path& path, const Path& folder) {
  return path.size() >= folder.size() && std::equal(folder.begin(), folder.end(), path.begin());
}

std::vector<Violation> violations_of(std::span<const Complaint> complaints) {
  Reader reader;
  for (const Complaint& complaint : complaints) reader.read(complaint);
  return std::move(reader).violations();
}

}  // namespace weir::builder
