#include "manifests/trust_state.h"

#include <utility>

#include "manifests/json_reader.h"

namespace weir::manifests {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::string_view kType = "weir.trust-state/1";

Result<SeenTrust> read_trust(JsonFields& fields) {
  TRY_ASSIGN(const std::uint64_t version, fields.natural("version"));
  TRY_ASSIGN(const Digest digest, fields.digest("digest"));
  TRY(fields.finish());
  return SeenTrust{version, digest};
}

Status read_channel(JsonFields& fields, std::map<ChannelName, SeenRelease>& out) {
  TRY_ASSIGN(const std::string text, fields.string("channel"));
  TRY_ASSIGN_IN(ChannelName channel, ChannelName::parse(text), fields.path_of("channel"));
  TRY_ASSIGN(const std::uint64_t version, fields.natural("version"));
  TRY_ASSIGN(std::string name, fields.string("release"));
  TRY_ASSIGN(const Digest digest, fields.digest("digest"));
  TRY_ASSIGN(const json* items, fields.array("signers"));
  SeenRelease seen{version, std::move(name), digest, {}};
  for (std::size_t i = 0; i < items->size(); ++i) {
    if (!(*items)[i].is_string()) {
      return fields.refuse(element_path("signers", i), "must be a string");
    }
    seen.signers.push_back((*items)[i].get<std::string>());
  }
  TRY(fields.finish());
  if (out.contains(channel)) return fields.refuse("channel", "is there twice");
  out.emplace(std::move(channel), std::move(seen));
  return {};
}

Result<TrustState> read(JsonFields& fields) {
  TRY_ASSIGN(const std::string type, fields.string("type"));
  if (type != kType) {
    return fields.refuse("type", "'" + type + "' is not '" + std::string(kType) + "'");
  }
  TrustState out;
  if (fields.has("trust")) {
    TRY_ASSIGN(JsonFields trust, fields.object("trust"));
    TRY_ASSIGN(out.trust, read_trust(trust));
  }
  TRY_ASSIGN(const json* items, fields.array("channels"));
  for (std::size_t i = 0; i < items->size(); ++i) {
    TRY_ASSIGN(JsonFields item, JsonFields::open((*items)[i], element_path("channels", i)));
    TRY(read_channel(item, out.channels));
  }
  TRY(fields.finish());
  return out;
}

}  // namespace

Result<TrustState> parse_trust_state(std::string_view text) {
  TRY_ASSIGN_IN(const json document, parse_json(text), "trust state");
  TRY_ASSIGN_IN(JsonFields fields, JsonFields::open(document, ""), "trust state");
  TRY_ASSIGN_IN(TrustState state, read(fields), "trust state");
  return state;
}

std::string print(const TrustState& state) {
  ordered_json out = {{"type", kType}};
  if (state.trust) {
    out["trust"] = {{"version", state.trust->version}, {"digest", state.trust->digest.string()}};
  }
  ordered_json channels = ordered_json::array();
  for (const auto& [channel, seen] : state.channels) {
    channels.push_back({{"channel", channel.string()},
                        {"version", seen.version},
                        {"release", seen.name},
                        {"digest", seen.digest.string()},
                        {"signers", seen.signers}});
  }
  out["channels"] = std::move(channels);
  return out.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace weir::manifests
