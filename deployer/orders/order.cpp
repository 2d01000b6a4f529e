#include "deployer/orders/order.h"

#include <nlohmann/json.hpp>

namespace weir::deployer {
namespace {

using Json = nlohmann::ordered_json;

struct Words {
  OrderWords operator()(const UpOrder& it) const {
    return {"up", it.release.string(), {}, false, it.allow_removals};
  }
  OrderWords operator()(const DeployOrder& it) const {
    return {"deploy", it.release.string(), it.to ? it.to->string() : std::string(), it.strict,
            it.allow_removals};
  }
  OrderWords operator()(const RollbackOrder& it) const {
    return {"rollback", {}, {}, false, it.allow_removals};
  }
  OrderWords operator()(const DownOrder&) const { return {"down", {}, {}, false, {}}; }
};

tl::unexpected<Error> wrong(const std::string& what) {
  return fail(Errc::invalid_input, what);
}

Result<std::string> text_of(const Json& value, const std::string& field) {
  if (value.is_string()) return value.get<std::string>();
  return wrong("control: " + field + " is not text");
}

}  // namespace

Result<Order> make_order(const OrderWords& words) {
  const bool up = words.command == "up";
  const bool deploy = words.command == "deploy";
  const bool rollback = words.command == "rollback";
  if (!up && !deploy && !rollback && words.command != "down") {
    return wrong("no order '" + words.command + "'");
  }
  if (words.strict && !deploy) return wrong("--strict is for deploy");
  if (!words.to.empty() && !deploy) return wrong("--to is for deploy");
  if (words.allow_removals && words.command == "down") {
    return wrong("--allow-removals is for up, deploy and rollback");
  }
  if (!up && !deploy) {
    if (!words.release.empty()) return wrong(words.command + " takes no --release");
    if (rollback) return Order(RollbackOrder{words.allow_removals});
    return Order(DownOrder{});
  }
  if (words.release.empty()) return wrong(words.command + " needs --release NAME");
  TRY_ASSIGN_IN(auto release, ReleaseName::parse(words.release), "--release");
  if (up) return Order(UpOrder{std::move(release), words.allow_removals});
  DeployOrder out{std::move(release), {}, words.strict, words.allow_removals};
  if (!words.to.empty()) {
    TRY_ASSIGN_IN(out.to, PoolName::parse(words.to), "--to");
  }
  return Order(std::move(out));
}

std::string_view name_of(const Order& order) {
  struct Name {
    std::string_view operator()(const UpOrder&) const { return "up"; }
    std::string_view operator()(const DeployOrder&) const { return "deploy"; }
    std::string_view operator()(const RollbackOrder&) const { return "rollback"; }
    std::string_view operator()(const DownOrder&) const { return "down"; }
  };
  return std::visit(Name{}, order);
}

const ReleaseName* release_of(const Order& order) {
  struct Release {
    const ReleaseName* operator()(const UpOrder& it) const { return &it.release; }
    const ReleaseName* operator()(const DeployOrder& it) const { return &it.release; }
    const ReleaseName* operator()(const RollbackOrder&) const { return nullptr; }
    const ReleaseName* operator()(const DownOrder&) const { return nullptr; }
  };
  return std::visit(Release{}, order);
}

AllowedRemovals allowed_removals(const Order& order) {
  return std::visit(Words{}, order).allow_removals;
}

std::string print(const Order& order) {
  const OrderWords words = std::visit(Words{}, order);
  Json out{{"command", words.command}};
  if (!words.release.empty()) out["release"] = words.release;
  if (!words.to.empty()) out["to"] = words.to;
  if (words.strict) out["strict"] = true;
  if (words.allow_removals) out["allow_removals"] = *words.allow_removals;
  return out.dump(-1, ' ', true, Json::error_handler_t::replace);
}

Result<Order> parse_order(std::string_view line) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) return wrong("control: not a JSON object");
  OrderWords words;
  for (const auto& [name, value] : json.items()) {
    if (name == "command") {
      TRY_ASSIGN(words.command, text_of(value, name));
    } else if (name == "release") {
      TRY_ASSIGN(words.release, text_of(value, name));
    } else if (name == "to") {
      TRY_ASSIGN(words.to, text_of(value, name));
    } else if (name == "strict") {
      if (!value.is_boolean()) return wrong("control: strict is not true or false");
      words.strict = value.get<bool>();
    } else if (name == "allow_removals") {
      if (!value.is_number_unsigned() || value.get<std::uint64_t>() > UINT32_MAX) {
        return wrong("control: allow_removals is not a number of peers");
      }
      words.allow_removals = value.get<std::uint32_t>();
    } else {
      return wrong("control: unknown field " + name);
    }
  }
  return make_order(words);
}

}  // namespace weir::deployer
