// Where functions are declared, where they are defined, and whether the product calls them.
#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/architecture/tree.h"

namespace weir::architecture {
namespace {

bool in_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

/// The name of the free function that `statement` declares or defines; empty for anything else.
std::string function_name(std::string_view statement) {
  for (const std::string_view other :
       {"class ", "struct ", "enum ", "union ", "using ", "extern ", "static ", "typedef "}) {
    if (statement.substr(0, other.size()) == other) return {};
  }
  int angles = 0;
  for (std::size_t i = 0; i < statement.size(); ++i) {
    const char c = statement[i];
    if (c == '=') return {};
    if (c == '<') ++angles;
    if (c == '>') --angles;
    if (c != '(' || angles != 0) continue;
    std::size_t from = i;
    while (from > 0 && in_name(statement[from - 1])) --from;
    const bool of_a_class = from > 0 && statement[from - 1] == ':';
    if (from == i || from == 0 || of_a_class) return {};
    const std::string name(statement.substr(from, i - from));
    return std::islower(static_cast<unsigned char>(name[0])) != 0 ? name : std::string{};
  }
  return {};
}

struct Function {
  std::string name;
  bool defined = false;  ///< with a body
};

/// The free functions of a source that others can call: those outside anonymous namespaces.
std::vector<Function> functions_in(const std::string& code) {
  enum class Scope { named, anonymous, other };
  std::vector<Function> out;
  std::vector<Scope> scopes;
  std::string statement;
  for (const char c : code) {
    const bool outside =
        std::all_of(scopes.begin(), scopes.end(), [](Scope s) { return s == Scope::named; });
    if (c == '{' || c == ';') {
      const auto name = outside ? function_name(statement) : std::string{};
      if (!name.empty()) out.push_back({name, c == '{'});
    }
    if (c == '{') {
      const bool space = statement.rfind("namespace", 0) == 0;
      const bool anonymous = statement.find_first_not_of(' ', 9) == std::string::npos;
      scopes.push_back(!space ? Scope::other : anonymous ? Scope::anonymous : Scope::named);
    }
    if (c == '}' && !scopes.empty()) scopes.pop_back();
    if (c == '{' || c == ';' || c == '}') {
      statement.clear();
    } else if (!statement.empty() || std::isspace(static_cast<unsigned char>(c)) == 0) {
      statement += c == '\n' ? ' ' : c;
    }
  }
  return out;
}

struct Place {
  const Source* declared = nullptr;  ///< the header
  std::vector<const Source*> defined;
  std::size_t mentioned = 0;  ///< as declaration or definition
};

/// Functions whose name only one header declares, once: of others a text cannot tell which is
/// meant.
std::map<std::string, Place> places() {
  std::map<std::string, Place> out;
  std::set<std::string> ambiguous;
  for (const Source& source : sources()) {
    for (const Function& function : functions_in(source.code)) {
      Place& place = out[function.name];
      ++place.mentioned;
      if (source.header) {
        if (place.declared != nullptr) ambiguous.insert(function.name);
        place.declared = &source;
      }
      if (function.defined) place.defined.push_back(&source);
    }
  }
  for (const std::string& name : ambiguous) out.erase(name);
  std::erase_if(out, [](const auto& entry) { return entry.second.declared == nullptr; });
  return out;
}

std::map<std::string, std::size_t> count_names() {
  std::map<std::string, std::size_t> out;
  for (const Source& source : sources()) {
    const std::string& code = source.code;
    for (std::size_t i = 0; i < code.size(); ++i) {
      const std::size_t from = i;
      while (i < code.size() && in_name(code[i])) ++i;
      if (i > from) ++out[code.substr(from, i - from)];
    }
  }
  return out;
}

bool has_own_source(const Source& header) {
  return std::any_of(sources().begin(), sources().end(), [&](const Source& source) {
    return !source.header && source.room == header.room && source.stem == header.stem;
  });
}

}  // namespace

TEST_CASE("what a header declares is defined in the source of its name, or else in its room") {
  const auto all = places();
  REQUIRE(all.size() > 200);
  for (const auto& [name, place] : all) {
    if (place.defined.size() != 1) continue;
    const Source& header = *place.declared;
    const Source& source = *place.defined[0];
    if (&header == &source) continue;
    const auto& shown = name;
    CAPTURE(shown);
    CAPTURE(header.path);
    CAPTURE(source.path);
    CHECK(header.room == source.room);
    if (has_own_source(header)) CHECK(header.stem == source.stem);
  }
}

TEST_CASE("the product includes every header of the product") {
  for (const Source& header : sources()) {
    if (!header.header) continue;
    CAPTURE(header.path);
    CHECK(std::any_of(sources().begin(), sources().end(), [&](const Source& source) {
      const bool own = source.room == header.room && source.stem == header.stem;
      return !own && std::find(source.includes.begin(), source.includes.end(), header.path) !=
                         source.includes.end();
    }));
  }
}

TEST_CASE("the product calls what its headers declare; what only tests call lies in tests") {
  const auto count = count_names();
  for (const auto& [name, place] : places()) {
    const auto& shown = name;
    CAPTURE(shown);
    const auto& shown_path = place.declared->path;
    CAPTURE(shown_path);
    CHECK(count.at(name) > place.mentioned);
  }
}

}  // namespace weir::architecture
