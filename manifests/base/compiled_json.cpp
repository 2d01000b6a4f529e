#define WEIR_COMPILES_JSON
#include <nlohmann/json.hpp>
