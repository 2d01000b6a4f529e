#include "manifests/messages/service_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "manifests/base/json_reader.h"
#include "manifests/base/names.h"
#include "manifests/base/printable.h"
#include "manifests/messages/node_api.h"

namespace weir::manifests {
namespace {

using nlohmann::json;

constexpr JsonLimits kReports{kLargestServices, 20'000, 8};
constexpr std::size_t kLongestReason = 1000, kMostRestarts = 3;

std::string one_line(const json& document) {
  return document.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<std::string> reason_in(JsonFields& object, std::string_view key) {
  TRY_ASSIGN(std::string text, object.string(key));
  if (text.size() > kLongestReason) return object.refuse(key, "longer than 1000 bytes");
  if (!is_printable(text)) {
    return object.refuse(key, "has characters that cannot be shown: " + quotation(text));
  }
  return text;
}

Result<std::vector<std::string>> texts(JsonFields& object, std::string_view key, std::size_t most) {
  TRY_ASSIGN(const json* list, object.array(key));
  if (list->size() > most) return object.refuse(key, "too many entries");
  std::vector<std::string> out;
  for (const json& item : *list) {
    if (!item.is_string()) return object.refuse(key, "must be strings");
    out.push_back(excerpt(item.get_ref<const std::string&>(), kLongestLine));
  }
  return out;
}

Result<ServiceReport> read_report(JsonFields& object) {
  ServiceReport out;
  TRY_ASSIGN(out.name, reason_in(object, "name"));
  TRY_ASSIGN(const std::string state, object.string("state"));
  const auto place = place_of_name(kServiceStateNames, state);
  if (!place) return object.refuse("state", "is no service's state: " + quotation(state));
  out.state = static_cast<ServiceState>(*place);
  if (object.has("waits_for")) {
    TRY_ASSIGN(out.waits_for, reason_in(object, "waits_for"));
  }
  TRY_ASSIGN(const auto in_state, object.natural("in_state_ms"));
  out.in_state = std::chrono::milliseconds(static_cast<std::int64_t>(in_state & INT64_MAX));
  TRY_ASSIGN(out.restarts, object.natural("restarts"));
  if (object.has("reason")) {
    TRY_ASSIGN(out.reason, reason_in(object, "reason"));
  }
  TRY_ASSIGN(out.files, texts(object, "files", kMostServices));
  TRY_ASSIGN(out.last_lines, texts(object, "last_lines", kLinesKept));
  return out;
}

}  // namespace

std::string print(const std::vector<ServiceReport>& services) {
  json list = json::array();
  for (const ServiceReport& service : services) {
    json entry{{"name", service.name},
               {"state", name_of(service.state)},
               {"in_state_ms", service.in_state.count()},
               {"restarts", service.restarts},
               {"files", service.files},
               {"last_lines", service.last_lines}};
    if (!service.waits_for.empty()) entry["waits_for"] = service.waits_for;
    if (!service.reason.empty()) entry["reason"] = service.reason;
    list.push_back(std::move(entry));
  }
  return one_line({{"services", std::move(list)}});
}

Result<std::vector<ServiceReport>> parse_service_reports(std::string_view text) {
  TRY_ASSIGN(const json document, parse_json(text, kReports));
  TRY_ASSIGN(auto root, JsonFields::open(document, {}));
  TRY_ASSIGN(const json* list, root.array("services"));
  if (list->size() > kMostServices) return root.refuse("services", "more than 64");
  std::vector<ServiceReport> out;
  for (const json& item : *list) {
    TRY_ASSIGN(auto fields, JsonFields::open(item, element_path("services", out.size())));
    TRY_ASSIGN(auto report, read_report(fields));
    out.push_back(std::move(report));
  }
  return out;
}

std::string print(const SealedFile& file) {
  return one_line({{"name", file.name}, {"sealed", file.sealed}});
}

Result<SealedFile> parse_sealed_file(std::string_view text) {
  TRY_ASSIGN(const json document, parse_json(text, kReports));
  TRY_ASSIGN(auto root, JsonFields::open(document, {}));
  SealedFile out;
  TRY_ASSIGN(out.name, root.string("name"));
  if (!check_name(out.name)) return root.refuse("name", "is no name of a node's file");
  TRY_ASSIGN(out.sealed, root.string("sealed"));
  return out;
}

Status check_told_services(const std::vector<ServiceSettings>& of_image,
                           const std::vector<ServiceReport>& told) {
  const auto has = [](const auto& list, const std::string& name) {
    return std::any_of(list.begin(), list.end(), [&](const auto& it) { return it.name == name; });
  };
  for (const ServiceSettings& service : of_image) {
    if (has(told, service.name)) continue;
    return fail(Errc::integrity,
                "service " + service.name +
                    " is in the image, and the node does not know of it: its weir-init or "
                    "weir-node does not fit the image; lock again with weir-builder lock … "
                    "--update weir-init weir-node, and build");
  }
  for (const ServiceReport& service : told) {
    if (has(of_image, service.name)) continue;
    return fail(Errc::integrity,
                "the node tells of service " + service.name + ", which its release does not have");
  }
  return {};
}

bool is_up(const ServiceReport& service) {
  return service.state == ServiceState::ready || service.state == ServiceState::ended;
}

bool is_given_up(const ServiceReport& service) {
  return service.state == ServiceState::failed ||
         (service.state == ServiceState::backing_off && service.restarts + 1 >= kMostRestarts);
}

std::string describe(const ServiceReport& service) {
  std::string out(name_of(service.state));
  if (!service.waits_for.empty()) out += " for " + service.waits_for;
  if (!service.reason.empty()) {
    out += std::string(is_up(service) ? ", was ended before: " : ", ") + service.reason;
  }
  if (service.restarts == 1) out += ", started again once";
  if (service.restarts > 1) {
    out += ", started again " + std::to_string(service.restarts) + " times";
  }
  return out;
}

std::string describe_whole(const ServiceReport& service, std::size_t lines) {
  std::string out = "service " + service.name + ": " + describe(service);
  const std::size_t all = service.last_lines.size();
  if (all == 0) return out + "; it said nothing";
  out += "; its last lines: ";
  for (std::size_t i = all - std::min(all, lines); i < all; ++i) {
    out += service.last_lines[i] + (i + 1 < all ? " | " : "");
  }
  return out;
}

}  // namespace weir::manifests
