#include "manifests/documents/trust_state.h"

#include <utility>

#include "manifests/base/json_reader.h"

namespace weir::manifests {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::string_view kTrustStateType = "weir.trust-state/3";
constexpr std::string_view kOneVersion = "weir.trust-state/2";  ///< knew the newest version only

Result<SeenTrust> read_seen_trust(JsonFields& fields) {
  TRY_ASSIGN(const std::uint64_t version, fields.natural("version"));
  TRY_ASSIGN(const Digest digest, fields.digest("digest"));
  TRY(fields.finish());
  return SeenTrust{version, digest};
}

Result<SeenRelease> read_seen_release(JsonFields& fields) {
  TRY_ASSIGN(std::string name, fields.line("release"));
  TRY_ASSIGN(const Digest digest, fields.digest("digest"));
  SeenRelease out{std::move(name), digest, {}};
  TRY_ASSIGN(const json* items, fields.array("signers"));
  for (std::size_t i = 0; i < items->size(); ++i) {
    if (!(*items)[i].is_string()) {
      return fields.refuse(element_path("signers", i), "must be a string");
    }
    out.signers.push_back((*items)[i].get<std::string>());
  }
  return out;
}

// Does not finish the fields: before there were several, a channel had a version's.
Result<SeenVersion> read_version(JsonFields& fields) {
  TRY_ASSIGN(const std::uint64_t version, fields.natural("version"));
  TRY_ASSIGN(auto releases, objects<SeenRelease>(fields, "releases", read_seen_release));
  if (releases.empty()) return fields.refuse("releases", "must not be empty");
  for (std::size_t i = 1; i < releases.size(); ++i) {
    if (!(releases[i - 1].name < releases[i].name)) {
      return fields.refuse(element_path("releases", i) + ".release",
                           "is out of order or there twice");
    }
  }
  return SeenVersion{version, std::move(releases)};
}

Result<SeenVersions> read_versions(JsonFields& fields) {
  TRY_ASSIGN(auto out, objects<SeenVersion>(fields, "versions", read_version, kMostSeenVersions));
  if (out.empty()) return fields.refuse("versions", "must not be empty");
  for (std::size_t i = 1; i < out.size(); ++i) {
    if (out[i - 1].version <= out[i].version) {
      return fields.refuse(element_path("versions", i) + ".version",
                           "is out of order: the newest comes first");
    }
  }
  return out;
}

Status read_seen_channel(JsonFields& fields, bool one_version,
                         std::map<ChannelName, SeenVersions>& out) {
  TRY_ASSIGN(const std::string text, fields.line("channel"));
  TRY_ASSIGN_IN(ChannelName channel, ChannelName::parse(text), fields.path_of("channel"));
  SeenVersions versions;
  if (one_version) {
    TRY_ASSIGN(auto version, read_version(fields));
    versions.push_back(std::move(version));
  } else {
    TRY_ASSIGN(versions, read_versions(fields));
  }
  TRY(fields.finish());
  if (out.contains(channel)) return fields.refuse("channel", "is there twice");
  out.emplace(std::move(channel), std::move(versions));
  return {};
}

Result<TrustState> read_trust_state(JsonFields& fields) {
  TRY_ASSIGN(const std::string type, fields.line("type"));
  if (type != kTrustStateType && type != kOneVersion) {
    return fields.refuse("type", "'" + type + "' is not '" + std::string(kTrustStateType) +
                                     "': another version of Weir wrote it");
  }
  TrustState out;
  if (fields.has("trust")) {
    TRY_ASSIGN(JsonFields trust, fields.object("trust"));
    TRY_ASSIGN(out.trust, read_seen_trust(trust));
  }
  TRY_ASSIGN(const json* items, fields.array("channels"));
  for (std::size_t i = 0; i < items->size(); ++i) {
    TRY_ASSIGN(JsonFields item, JsonFields::open((*items)[i], element_path("channels", i)));
    TRY(read_seen_channel(item, type == kOneVersion, out.channels));
  }
  TRY(fields.finish());
  return out;
}

ordered_json json_of(const SeenVersion& seen) {
  ordered_json releases = ordered_json::array();
  for (const SeenRelease& each : seen.releases) {
    releases.push_back(
        {{"release", each.name}, {"digest", each.digest.string()}, {"signers", each.signers}});
  }
  return {{"version", seen.version}, {"releases", std::move(releases)}};
}

}  // namespace

Result<TrustState> parse_trust_state(std::string_view text) {
  TRY_ASSIGN_IN(const json document, parse_json(text), "trust state");
  TRY_ASSIGN_IN(JsonFields fields, JsonFields::open(document, ""), "trust state");
  TRY_ASSIGN_IN(TrustState state, read_trust_state(fields), "trust state");
  return state;
}

std::string print(const TrustState& state) {
  ordered_json out = {{"type", kTrustStateType}};
  if (state.trust) {
    out["trust"] = {{"version", state.trust->version}, {"digest", state.trust->digest.string()}};
  }
  ordered_json channels = ordered_json::array();
  for (const auto& [channel, seen] : state.channels) {
    ordered_json versions = ordered_json::array();
    for (const SeenVersion& each : seen) versions.push_back(json_of(each));
    channels.push_back({{"channel", channel.string()}, {"versions", std::move(versions)}});
  }
  out["channels"] = std::move(channels);
  return out.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace weir::manifests
