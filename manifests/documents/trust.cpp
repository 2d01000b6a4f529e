#include "manifests/documents/trust.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "manifests/base/json_reader.h"
#include "manifests/base/printable.h"

namespace weir::manifests {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::string_view kTrustType = "weir.trust/1";
constexpr std::string_view kFileType = "weir.trust-file/1";
constexpr std::size_t kLargestDocument = 256 << 10;
constexpr std::size_t kMostKeys = 256, kMostChannels = 64;
constexpr std::size_t kMostVersions = 1000, kMostSignatures = 64;
// Whole numbers above this are not the same in every JSON reader (RFC 8259, section 6).
constexpr std::uint64_t kLargestVersion = (1ULL << 53) - 1;

constexpr std::array<std::pair<Role, std::string_view>, 6> kRoles = {{
    {Role::root, "root"},
    {Role::release, "release"},
    {Role::boot_check, "boot-check"},
    {Role::rebuild, "rebuild"},
    {Role::audit_checkpoint, "audit-checkpoint"},
    {Role::evidence, "evidence"},
}};

// minisign's public key: "Ed", 8 bytes of id, 32 of key (docs/keys.md).
constexpr std::size_t kKeySize = 42, kKeyAt = 10;

ordered_json to_json(const TrustKey& key) {
  return {{"name", key.name}, {"public_key", key.public_key}};
}

ordered_json to_json(const TrustRole& role) {
  return {{"threshold", role.threshold}, {"keys", role.keys}};
}

Result<std::string> label(JsonFields& fields, std::string_view key) {
  TRY_ASSIGN(std::string text, fields.string(key));
  if (text.empty() || text.size() > 200 || !is_printable(text)) {
    return fields.refuse(key, "must be one line of 1 to 200 bytes, none of them a control");
  }
  return text;
}

Result<TrustKey> read_key(JsonFields& fields) {
  TRY_ASSIGN(std::string name, label(fields, "name"));
  TRY_ASSIGN(std::string text, fields.string("public_key"));
  const auto raw = parse_base64(text);
  if (!raw || raw->size() != kKeySize || !raw->starts_with("Ed")) {
    return fields.refuse("public_key", "must be a minisign public key (RW...)");
  }
  return TrustKey{std::move(name), std::move(text)};
}

Result<TrustRole> read_role(JsonFields& fields) {
  TRY_ASSIGN(const std::uint64_t threshold, fields.natural("threshold"));
  TRY_ASSIGN(const json* items, fields.array("keys"));
  TrustRole out;
  for (std::size_t i = 0; i < items->size(); ++i) {
    if (!(*items)[i].is_string()) return fields.refuse(element_path("keys", i), "must be a string");
    auto id = (*items)[i].get<std::string>();
    if (std::find(out.keys.begin(), out.keys.end(), id) != out.keys.end()) {
      return fields.refuse(element_path("keys", i), "the key " + id + " is there twice");
    }
    out.keys.push_back(std::move(id));
  }
  if (threshold < 1 || threshold > out.keys.size()) {
    return fields.refuse("threshold", "must be from 1 to the number of keys, which is " +
                                          std::to_string(out.keys.size()) +
                                          ": no signature could ever be enough");
  }
  out.threshold = static_cast<std::uint32_t>(threshold);
  TRY(fields.finish());
  return out;
}

Result<std::map<Role, TrustRole>> read_roles(JsonFields& parent) {
  TRY_ASSIGN(JsonFields fields, parent.object("roles"));
  std::map<Role, TrustRole> out;
  for (const auto& [role, name] : kRoles) {
    if (!fields.has(name)) {
      if (role == Role::root || role == Role::release) return fields.refuse(name, "missing");
      continue;
    }
    TRY_ASSIGN(JsonFields item, fields.object(name));
    TRY_ASSIGN(TrustRole value, read_role(item));
    out.emplace(role, std::move(value));
  }
  TRY(fields.finish());
  return out;
}

Result<TrustChannel> read_channel(JsonFields& fields) {
  TRY_ASSIGN(const std::string text, fields.string("name"));
  TRY_ASSIGN_IN(ChannelName name, ChannelName::parse(text), fields.path_of("name"));
  TrustChannel out{std::move(name), std::nullopt};
  if (fields.has("release")) {
    TRY_ASSIGN(JsonFields role, fields.object("release"));
    TRY_ASSIGN(out.release, read_role(role));
  }
  return out;
}

Result<RevokedKey> read_revoked(JsonFields& fields) {
  TRY_ASSIGN(TrustKey key, read_key(fields));
  TRY_ASSIGN(std::string why, label(fields, "why"));
  return RevokedKey{std::move(key), std::move(why)};
}

// A key may be named once, valid or revoked, by its id and by its public key: two names for one
// key would let one person count twice, one name for two keys would make a revocation ambiguous.
class KeyRegister {
 public:
  Status add(const TrustKey& key, const std::string& where) {
    const std::string raw = *parse_base64(key.public_key);
    if (!raw_.insert(raw.substr(kKeyAt)).second) {
      return fail(Errc::invalid_input,
                  where + ": the public key " + key.public_key + " is in the trust twice");
    }
    if (!ids_.insert(key_id_of(key.public_key)).second) {
      return fail(Errc::invalid_input,
                  where + ": the key id " + key_id_of(key.public_key) + " is in the trust twice");
    }
    return {};
  }

 private:
  std::set<std::string> raw_, ids_;
};

Status check_role(const TrustRole& role, const std::set<std::string>& known,
                  const std::string& where) {
  for (std::size_t i = 0; i < role.keys.size(); ++i) {
    if (known.contains(role.keys[i])) continue;
    return fail(Errc::invalid_input, where + "." + element_path("keys", i) + ": '" +
                                         role.keys[i].substr(0, 40) +
                                         "' is not the id of a key in `keys` (revoked keys "
                                         "cannot have a role)");
  }
  return {};
}

Status check(const Trust& trust) {
  KeyRegister all;
  std::set<std::string> known;
  for (std::size_t i = 0; i < trust.keys.size(); ++i) {
    TRY(all.add(trust.keys[i], element_path("keys", i)));
    known.insert(key_id_of(trust.keys[i].public_key));
  }
  for (std::size_t i = 0; i < trust.revoked.size(); ++i) {
    TRY(all.add(trust.revoked[i].key, element_path("revoked", i)));
  }
  for (const auto& [role, value] : trust.roles) {
    TRY(check_role(value, known, "roles." + std::string(name_of(role))));
  }
  std::set<ChannelName> names;
  for (std::size_t i = 0; i < trust.channels.size(); ++i) {
    const TrustChannel& channel = trust.channels[i];
    const std::string where = element_path("channels", i);
    if (!names.insert(channel.name).second) {
      return fail(Errc::invalid_input,
                  where + ".name: '" + channel.name.string() + "' appears twice");
    }
    if (channel.release) TRY(check_role(*channel.release, known, where + ".release"));
  }
  if (trust.channels.empty()) return fail(Errc::invalid_input, "channels: must not be empty");
  return {};
}

Result<Trust> read_trust(JsonFields& fields) {
  TRY_ASSIGN(const std::string type, fields.string("type"));
  if (type != kTrustType) {
    return fields.refuse("type", "'" + type + "' is not '" + std::string(kTrustType) + "'");
  }
  Trust out;
  TRY_ASSIGN(out.version, fields.natural("version"));
  if (out.version < 1 || out.version > kLargestVersion) {
    return fields.refuse("version", "must be from 1 to 2^53 - 1");
  }
  TRY_ASSIGN(const std::string expires, fields.string("expires"));
  TRY_ASSIGN_IN(out.expires, UtcTime::parse(expires), "expires");
  TRY_ASSIGN(out.keys, objects<TrustKey>(fields, "keys", read_key, kMostKeys));
  TRY_ASSIGN(out.roles, read_roles(fields));
  TRY_ASSIGN(out.channels, objects<TrustChannel>(fields, "channels", read_channel, kMostChannels));
  TRY_ASSIGN(out.revoked, objects<RevokedKey>(fields, "revoked", read_revoked, kMostKeys));
  TRY(fields.finish());
  TRY(check(out));
  return out;
}

Result<SignedTrust> read_signed(JsonFields& fields) {
  TRY_ASSIGN(std::string document, fields.string("document"));
  TRY_ASSIGN(const json* items, fields.array("signatures"));
  if (items->size() > kMostSignatures) {
    return fail(Errc::exhausted,
                fields.path_of("signatures") + ": more than " + std::to_string(kMostSignatures));
  }
  SignedTrust out{std::move(document), {}};
  for (std::size_t i = 0; i < items->size(); ++i) {
    if (!(*items)[i].is_string()) {
      return fields.refuse(element_path("signatures", i), "must be a string");
    }
    out.signatures.push_back((*items)[i].get<std::string>());
  }
  return out;
}

std::string text_of(const ordered_json& document) {
  return document.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

void skip_space(std::string_view& text) {
  const auto end = text.find_first_not_of(" \t\r\n");
  text.remove_prefix(std::min(end, text.size()));
}

bool take(std::string_view& text, std::string_view word) {
  skip_space(text);
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

}  // namespace

std::string_view name_of(Role role) {
  return std::find_if(kRoles.begin(), kRoles.end(),
                      [&](const auto& it) { return it.first == role; })
      ->second;
}

Result<Role> parse_role(std::string_view name) {
  std::string known;
  for (const auto& [role, text] : kRoles) {
    if (text == name) return role;
    known += (known.empty() ? "" : ", ") + std::string(text);
  }
  return fail(Errc::invalid_input,
              "'" + std::string(name.substr(0, 40)) + "' is not a role (" + known + ")");
}

std::string key_id_of(std::string_view public_key) {
  const auto raw = parse_base64(public_key);
  if (!raw || raw->size() != kKeySize) return {};
  std::string id(raw->begin() + 2, raw->begin() + 10);
  std::reverse(id.begin(), id.end());
  std::string out = hex_of(as_bytes(id));
  for (char& c : out) c = c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

Result<Trust> parse_trust(std::string_view text) {
  if (text.size() > kLargestDocument) {
    return fail(Errc::exhausted, "trust: a version has at most 256 KiB");
  }
  TRY_IN(check_begins_with_type(text, kTrustType), "trust");
  TRY_ASSIGN_IN(const json document, parse_json(text), "trust");
  TRY_ASSIGN_IN(JsonFields fields, JsonFields::open(document, ""), "trust");
  TRY_ASSIGN_IN(Trust trust, read_trust(fields), "trust");
  return trust;
}

std::string print(const Trust& trust) {
  ordered_json keys = ordered_json::array();
  for (const TrustKey& key : trust.keys) keys.push_back(to_json(key));
  ordered_json roles = ordered_json::object();
  for (const auto& [role, value] : trust.roles) roles[std::string(name_of(role))] = to_json(value);
  ordered_json channels = ordered_json::array();
  for (const TrustChannel& channel : trust.channels) {
    ordered_json item = {{"name", channel.name.string()}};
    if (channel.release) item["release"] = to_json(*channel.release);
    channels.push_back(std::move(item));
  }
  ordered_json revoked = ordered_json::array();
  for (const RevokedKey& each : trust.revoked) {
    ordered_json item = to_json(each.key);
    item["why"] = each.why;
    revoked.push_back(std::move(item));
  }
  return text_of({{"type", kTrustType},
                  {"version", trust.version},
                  {"expires", trust.expires.string()},
                  {"keys", std::move(keys)},
                  {"roles", std::move(roles)},
                  {"channels", std::move(channels)},
                  {"revoked", std::move(revoked)}});
}

Result<TrustFile> parse_trust_file(std::string_view text) {
  if (text.size() > kLargestTrustFile.value) {
    return fail(Errc::exhausted, "trust file: larger than 8 MiB");
  }
  TRY_IN(check_begins_with_type(text, kFileType), "trust file");
  TRY_ASSIGN_IN(const json document, parse_json(text), "trust file");
  TRY_ASSIGN_IN(JsonFields fields, JsonFields::open(document, ""), "trust file");
  TRY_ASSIGN_IN(const std::string type, fields.string("type"), "trust file");
  TRY_ASSIGN_IN(auto versions, objects<SignedTrust>(fields, "versions", read_signed, kMostVersions),
                "trust file");
  TRY_IN(fields.finish(), "trust file");
  if (versions.empty()) {
    return fail(Errc::invalid_input, "trust file: versions: must not be empty");
  }
  return TrustFile{std::move(versions)};
}

std::string print(const TrustFile& file) {
  ordered_json versions = ordered_json::array();
  for (const SignedTrust& each : file.versions) {
    versions.push_back({{"document", each.document}, {"signatures", each.signatures}});
  }
  return text_of({{"type", kFileType}, {"versions", std::move(versions)}});
}

Status check_begins_with_type(std::string_view text, std::string_view type) {
  std::string_view rest = text;
  if (take(rest, "{") && take(rest, "\"type\"") && take(rest, ":") &&
      take(rest, "\"" + std::string(type) + "\"")) {
    return {};
  }
  return fail(Errc::invalid_input,
              "type: the document must begin with \"type\": \"" + std::string(type) + "\"");
}

}  // namespace weir::manifests
