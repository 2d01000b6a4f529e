#include "deployer/orders/control.h"

#include <nlohmann/json.hpp>

namespace weir::deployer {
namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& json) {
  return json.dump(-1, ' ', true, Json::error_handler_t::replace);
}

Result<Json> parse_object(std::string_view line) {
  Json json = Json::parse(line, nullptr, false);
  if (json.is_object()) return json;
  return fail(Errc::invalid_input, "control: not a JSON object");
}

Result<std::string> text_of(const Json& json, const char* field) {
  const auto it = json.find(field);
  if (it == json.end()) return std::string();
  if (it->is_string()) return it->get<std::string>();
  return fail(Errc::invalid_input, std::string("control: ") + field + " is not text");
}

}  // namespace

std::string print(const ControlReply& reply) {
  if (reply.progress) return dump(Json{{"progress", *reply.progress}});
  Json out{{"exit_code", reply.exit_code},
           {"text", reply.text},
           {"json", reply.json},
           {"error", reply.error}};
  if (!reply.error_code.empty()) out["error_code"] = reply.error_code;
  return dump(out);
}

Result<ControlReply> parse_control_reply(std::string_view line) {
  TRY_ASSIGN(const Json json, parse_object(line));
  ControlReply out;
  if (json.contains("progress")) {
    TRY_ASSIGN(out.progress, text_of(json, "progress"));
    return out;
  }
  TRY_ASSIGN(out.text, text_of(json, "text"));
  TRY_ASSIGN(out.json, text_of(json, "json"));
  TRY_ASSIGN(out.error, text_of(json, "error"));
  TRY_ASSIGN(out.error_code, text_of(json, "error_code"));
  const auto code = json.find("exit_code");
  if (code == json.end() || !code->is_number_integer()) {
    return fail(Errc::invalid_input, "control: exit_code is missing");
  }
  out.exit_code = code->get<int>();
  return out;
}

}  // namespace weir::deployer
