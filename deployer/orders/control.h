#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "manifests/base/result.h"

/// What passes over `<state>/control.sock`: one JSON object a line (docs/deployer.md). A client
/// sends an order (order.h), and may send an interruption after it; the server answers with
/// progress and one result.
namespace weir::deployer {

struct ControlReply {
  std::optional<std::string> progress;  ///< a line for the person; everything else is then absent
  std::string text, json;               ///< the result, as `print_text` and `print_json` have it
  std::string error;                    ///< one sentence, empty where there is none
  std::string error_code{};             ///< `name_of(Errc)`, where the order itself failed
  int exit_code = 0;
  bool operator==(const ControlReply&) const = default;
};

inline constexpr std::string_view kControlInterrupt = "{\"command\":\"interrupt\"}";

[[nodiscard]] std::string print(const ControlReply& reply);
/// errors: invalid_input, naming the field
[[nodiscard]] Result<ControlReply> parse_control_reply(std::string_view line);

}  // namespace weir::deployer
