#include "deployer/orders/order.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "manifests/base/json_reader.h"

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
  TRY_ASSIGN_IN(const auto json, manifests::parse_json(line), "control");
  TRY_ASSIGN(auto fields, manifests::JsonFields::open(json, "control"));
  OrderWords words;
  TRY_ASSIGN(words.command, fields.string("command"));
  // What is empty would be as if nobody had said it.
  for (const auto& [name, word] : {std::pair("release", &words.release), {"to", &words.to}}) {
    if (!fields.has(name)) continue;
    TRY_ASSIGN(*word, fields.string(name));
    if (word->empty()) return fields.refuse(name, "is empty");
  }
  if (fields.has("strict")) {
    TRY_ASSIGN(words.strict, fields.boolean("strict"));
  }
  if (fields.has("allow_removals")) {
    TRY_ASSIGN(const auto peers, fields.natural("allow_removals"));
    if (peers > UINT32_MAX) return fields.refuse("allow_removals", "is more than 4294967295");
    words.allow_removals = static_cast<std::uint32_t>(peers);
  }
  TRY(fields.finish());
  return make_order(words);
}

}  // namespace weir::deployer
