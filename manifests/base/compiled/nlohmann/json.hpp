#pragma once
#pragma GCC system_header

// <nlohmann/json.hpp>, which this folder stands in front of (CMakeLists.txt), without its cost: what
// the library's templates become for the values and texts used here is compiled once, in
// manifests/base/compiled_json.cpp, and not again in each file that says json.
#include_next <nlohmann/json.hpp>

#ifndef WEIR_COMPILES_JSON
#define WEIR_COMPILES_JSON extern
#endif

namespace nlohmann {

WEIR_COMPILES_JSON template class basic_json<>;
WEIR_COMPILES_JSON template class basic_json<ordered_map>;

namespace detail {

WEIR_COMPILES_JSON template class serializer<json>;
WEIR_COMPILES_JSON template class serializer<ordered_json>;
// What a std::string and a std::string_view are parsed through.
using TextInput = iterator_input_adapter<std::string::const_iterator>;
using ViewInput = iterator_input_adapter<const char*>;
WEIR_COMPILES_JSON template class lexer<json, TextInput>;
WEIR_COMPILES_JSON template class lexer<json, ViewInput>;
WEIR_COMPILES_JSON template class lexer<ordered_json, TextInput>;
WEIR_COMPILES_JSON template class lexer<ordered_json, ViewInput>;
WEIR_COMPILES_JSON template class parser<json, TextInput>;
WEIR_COMPILES_JSON template class parser<json, ViewInput>;
WEIR_COMPILES_JSON template class parser<ordered_json, TextInput>;
WEIR_COMPILES_JSON template class parser<ordered_json, ViewInput>;

}  // namespace detail
}  // namespace nlohmann
