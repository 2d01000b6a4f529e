#include "builder/commands/edge/json_output.h"

#include <cstdio>
#include <nlohmann/json.hpp>

namespace weir::builder {

void print_result(const nlohmann::ordered_json& result) {
  using nlohmann::ordered_json;
  std::puts(result.dump(2, ' ', true, ordered_json::error_handler_t::replace).c_str());
}

}  // namespace weir::builder
