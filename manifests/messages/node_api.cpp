#include "manifests/messages/node_api.h"

#include <nlohmann/json.hpp>

#include "manifests/base/json_reader.h"
#include "manifests/base/printable.h"
#include "manifests/messages/peer_dump_reader.h"

namespace weir::manifests {
namespace {

using nlohmann::json;

// A node may answer anything, so each message has its own measure of what can be meant.
constexpr std::size_t kLongestWords = 255, kLongestSentence = 1000;
constexpr JsonLimits kSmall{kLargestMessage, 20'000, 8};
constexpr JsonLimits kList{kLargestPeerList, 4'000'000, 8};

// What a document may hold is UTF-8 at best; a hostile module name must not make printing throw.
std::string compact(const json& document) {
  return document.dump(-1, ' ', false, json::error_handler_t::replace);
}

/// A string that `parse` accepts.
template <class T>
Result<T> parsed(JsonFields& object, std::string_view key, Result<T> (*parse)(std::string_view)) {
  TRY_ASSIGN(const std::string text, object.string(key));
  auto value = parse(text);
  if (!value) return object.refuse(key, value.error().message);
  return value;
}

template <class T>
Result<std::optional<T>> parsed_if_there(JsonFields& object, std::string_view key,
                                         Result<T> (*parse)(std::string_view)) {
  if (!object.has(key)) return std::optional<T>();
  return parsed(object, key, parse).map([](T value) { return std::optional<T>(std::move(value)); });
}

Result<std::uint16_t> small(JsonFields& object, std::string_view key) {
  TRY_ASSIGN(const auto number, object.natural(key));
  if (number > UINT16_MAX) return object.refuse(key, "must be at most 65535");
  return static_cast<std::uint16_t>(number);
}

/// A short text for people: module names, versions, what the node calls itself.
Result<std::string> words(JsonFields& object, std::string_view key) {
  TRY_ASSIGN(std::string text, object.string(key));
  if (text.size() > kLongestWords) return object.refuse(key, "longer than 255 bytes");
  if (!is_printable(text)) {
    return object.refuse(
        key, "has control characters, or others that cannot be seen: " + quotation(text));
  }
  return text;
}

/// A list of objects, each as `read` understands it; unlike documents, answers may say more than is
/// asked: nodes of another version.
template <class T>
Result<std::vector<T>> open_objects(JsonFields& object, std::string_view key,
                                    Result<T> (*read)(JsonFields&),
                                    const StillWanted& wanted = {}) {
  TRY_ASSIGN(const json* list, object.array(key));
  std::vector<T> out;
  out.reserve(list->size());
  for (const json& item : *list) {
    if (out.size() % kValuesAQuestion == 0 && wanted && !wanted()) {
      return fail(Errc::timeout, object.path_of(key) + ": not understood in time");
    }
    TRY_ASSIGN(auto fields, JsonFields::open(item, element_path(object.path_of(key), out.size())));
    TRY_ASSIGN(T value, read(fields));
    out.push_back(std::move(value));
  }
  return out;
}

/// A list of strings that `parse` accepts.
template <class T>
Result<std::vector<T>> strings(JsonFields& object, std::string_view key,
                               Result<T> (*parse)(std::string_view)) {
  TRY_ASSIGN(const json* list, object.array(key));
  std::vector<T> out;
  out.reserve(list->size());
  for (const json& item : *list) {
    const std::string element = element_path(key, out.size());
    if (!item.is_string()) return object.refuse(element, "must be a string");
    auto value = parse(item.get_ref<const std::string&>());
    if (!value) return object.refuse(element, value.error().message);
    out.push_back(*std::move(value));
  }
  return out;
}

template <class List>
json strings_of(const List& list) {
  json out = json::array();
  for (const auto& item : list) out.push_back(item.string());
  return out;
}

Result<LoadedModule> read_module(JsonFields& object) {
  LoadedModule out;
  TRY_ASSIGN(out.name, words(object, "name"));
  TRY_ASSIGN(out.version, words(object, "version"));
  TRY_ASSIGN(out.srcversion, words(object, "srcversion"));
  TRY_ASSIGN(out.build_id, words(object, "build_id"));
  return out;
}

Result<ReleasePackage> read_package(JsonFields& object) {
  ReleasePackage out;
  TRY_ASSIGN(out.name, words(object, "name"));
  TRY_ASSIGN(out.version, words(object, "version"));
  TRY_ASSIGN(out.architecture, words(object, "architecture"));
  return out;
}

Result<PeerSpec> read_peer_spec(JsonFields& object) {
  TRY_ASSIGN(auto key, parsed(object, "public_key", &PublicKey::parse));
  TRY_ASSIGN(auto allowed_ips, strings(object, "allowed_ips", &Prefix::parse));
  TRY_ASSIGN(auto endpoint, parsed_if_there(object, "endpoint", &Endpoint::parse));
  std::optional<std::string> preshared_key;
  if (object.has("sealed_preshared_key")) {
    TRY_ASSIGN(preshared_key, object.string("sealed_preshared_key"));
  }
  return PeerSpec{key, std::move(allowed_ips), std::move(preshared_key), endpoint};
}

Result<PeerState> read_peer_state(JsonFields& object) {
  TRY_ASSIGN(auto key, parsed(object, "public_key", &PublicKey::parse));
  PeerState out{.public_key = key, .allowed_ips = {}, .endpoint = {}};
  TRY_ASSIGN(out.allowed_ips, strings(object, "allowed_ips", &Prefix::parse));
  TRY_ASSIGN(out.endpoint, parsed_if_there(object, "endpoint", &Endpoint::parse));
  TRY_ASSIGN(out.has_preshared_key, object.boolean("has_preshared_key"));
  TRY_ASSIGN(out.last_handshake_unix_ns, object.integer("last_handshake_unix_ns"));
  TRY_ASSIGN(out.rx_bytes, object.natural("rx_bytes"));
  TRY_ASSIGN(out.tx_bytes, object.natural("tx_bytes"));
  TRY_ASSIGN(out.keepalive_seconds, small(object, "keepalive_seconds"));
  return out;
}

Result<PrepareRequest::Client> read_client(JsonFields& object) {
  TRY_ASSIGN(auto key, parsed(object, "public_key", &PublicKey::parse));
  TRY_ASSIGN(auto endpoint, parsed(object, "endpoint", &Endpoint::parse));
  return PrepareRequest::Client{key, endpoint};
}

}  // namespace

std::string print(const NodeConfig& config) {
  json out = {{"node", config.node.string()},
              {"port", config.port},
              {"node_v4", config.node_v4.string()},
              {"director_v4", config.director_v4.string()},
              {"node_v6", config.node_v6.string()},
              {"director_v6", config.director_v6.string()},
              {"node_management", config.node_management.string()},
              {"director_management", config.director_management.string()},
              {"data_mac", config.data_mac},
              {"management_mac", config.management_mac},
              {"clients", strings_of(config.clients)},
              {"tls_private_key", config.tls_private_key},
              {"client_pin", config.client_pin.string()},
              {"clock_offset_ms", config.clock_offset.count()}};
  if (config.vip_v4) out["vip_v4"] = config.vip_v4->string();
  if (config.vip_v6) out["vip_v6"] = config.vip_v6->string();
  return compact(out);
}

Result<NodeConfig> parse_node_config(std::string_view text) {
  TRY_ASSIGN(const json document, parse_json(text, kSmall));
  TRY_ASSIGN(auto root, JsonFields::open(document, {}));
  TRY_ASSIGN(auto node, parsed(root, "node", &NodeId::parse));
  TRY_ASSIGN(auto client_pin, parsed(root, "client_pin", &Digest::parse));
  NodeConfig out{.node = std::move(node),
                 .vip_v4 = {},
                 .vip_v6 = {},
                 .node_v4 = {},
                 .director_v4 = {},
                 .node_v6 = {},
                 .director_v6 = {},
                 .node_management = {},
                 .director_management = {},
                 .data_mac = {},
                 .management_mac = {},
                 .clients = {},
                 .tls_private_key = {},
                 .client_pin = client_pin};
  TRY_ASSIGN(out.vip_v4, parsed_if_there(root, "vip_v4", &IpAddress::parse));
  TRY_ASSIGN(out.vip_v6, parsed_if_there(root, "vip_v6", &IpAddress::parse));
  TRY_ASSIGN(out.port, small(root, "port"));
  if (out.port == 0) return fail(Errc::invalid_input, "port: must not be 0");
  struct Address {
    std::string_view name;
    IpAddress* into;
    bool v4;
  };
  for (const Address& address : {Address{"node_v4", &out.node_v4, true},
                                 {"director_v4", &out.director_v4, true},
                                 {"node_v6", &out.node_v6, false},
                                 {"director_v6", &out.director_v6, false},
                                 {"node_management", &out.node_management, true},
                                 {"director_management", &out.director_management, true}}) {
    TRY_ASSIGN(*address.into, parsed(root, address.name, &IpAddress::parse));
    if (address.into->is_v4() != address.v4) {
      return fail(Errc::invalid_input, std::string(address.name) + ": must be an IPv" +
                                           (address.v4 ? "4" : "6") + " address");
    }
  }
  if (out.vip_v4 && out.vip_v4->is_v6()) {
    return fail(Errc::invalid_input, "vip_v4: must be an IPv4 address");
  }
  if (out.vip_v6 && out.vip_v6->is_v4()) {
    return fail(Errc::invalid_input, "vip_v6: must be an IPv6 address");
  }
  TRY_ASSIGN(out.data_mac, root.string("data_mac"));
  TRY_ASSIGN(out.management_mac, root.string("management_mac"));
  TRY_ASSIGN(out.clients, strings(root, "clients", &Prefix::parse));
  TRY_ASSIGN(out.tls_private_key, root.string("tls_private_key"));
  TRY_ASSIGN(const auto offset, root.integer("clock_offset_ms"));
  out.clock_offset = std::chrono::milliseconds(offset);
  TRY(root.finish());
  return out;
}

std::string print(const NodeIdentity& identity) {
  json modules = json::array();
  for (const LoadedModule& module : identity.modules) {
    modules.push_back({{"name", module.name},
                       {"version", module.version},
                       {"srcversion", module.srcversion},
                       {"build_id", module.build_id}});
  }
  json tools = json::array();
  for (const ReleasePackage& tool : identity.tools) {
    tools.push_back(
        {{"name", tool.name}, {"version", tool.version}, {"architecture", tool.architecture}});
  }
  json out = {{"node", identity.node.string()},
              {"boot_id", identity.boot_id},
              {"lock_digest", identity.lock_digest.string()},
              {"kernel_release", identity.kernel_release},
              {"kernel_build_id", identity.kernel_build_id},
              {"modules", std::move(modules)},
              {"tools", std::move(tools)},
              {"clock_unix_ns", identity.clock_unix_ns},
              {"seal_key", identity.seal_key.string()},
              {"agent_version", identity.agent_version}};
  if (identity.wireguard_key) out["wireguard_key"] = identity.wireguard_key->string();
  return compact(out);
}

Result<NodeIdentity> parse_node_identity(std::string_view text) {
  TRY_ASSIGN(const json document, parse_json(text, kSmall));
  TRY_ASSIGN(auto root, JsonFields::open(document, {}));
  TRY_ASSIGN(auto node, parsed(root, "node", &NodeId::parse));
  TRY_ASSIGN(auto lock_digest, parsed(root, "lock_digest", &Digest::parse));
  TRY_ASSIGN(auto seal_key, parsed(root, "seal_key", &PublicKey::parse));
  NodeIdentity out{.node = std::move(node),
                   .boot_id = {},
                   .lock_digest = lock_digest,
                   .kernel_release = {},
                   .kernel_build_id = {},
                   .modules = {},
                   .tools = {},
                   .seal_key = seal_key,
                   .wireguard_key = {},
                   .agent_version = {}};
  TRY_ASSIGN(out.boot_id, words(root, "boot_id"));
  TRY_ASSIGN(out.kernel_release, words(root, "kernel_release"));
  TRY_ASSIGN(out.kernel_build_id, words(root, "kernel_build_id"));
  TRY_ASSIGN(out.modules, open_objects(root, "modules", read_module));
  TRY_ASSIGN(out.tools, open_objects(root, "tools", read_package));
  TRY_ASSIGN(out.clock_unix_ns, root.integer("clock_unix_ns"));
  TRY_ASSIGN(out.wireguard_key, parsed_if_there(root, "wireguard_key", &PublicKey::parse));
  TRY_ASSIGN(out.agent_version, words(root, "agent_version"));
  return out;
}

AttestedFacts facts_of(const NodeIdentity& identity) {
  return {identity.lock_digest, identity.kernel_release, identity.kernel_build_id, identity.modules,
          identity.tools};
}

std::string print(const ClockSetting& setting) {
  return compact({{"unix_ns", setting.unix_ns}});
}

Result<ClockSetting> parse_clock_setting(std::string_view text) {
  TRY_ASSIGN(const json document, parse_json(text, kSmall));
  TRY_ASSIGN(auto root, JsonFields::open(document, {}));
  TRY_ASSIGN(const auto unix_ns, root.integer("unix_ns"));
  return ClockSetting{unix_ns};
}

std::string print(const SealedPrivateKey& key) {
  return compact({{"sealed", key.sealed}});
}

Result<SealedPrivateKey> parse_sealed_private_key(std::string_view text) {
  TRY_ASSIGN(const json document, parse_json(text, kSmall));
  TRY_ASSIGN(auto root, JsonFields::open(document, {}));
  TRY_ASSIGN(auto sealed, root.string("sealed"));
  return SealedPrivateKey{std::move(sealed)};
}

std::string print(const PeerDiff& diff) {
  json put = json::array();
  for (const PeerSpec& peer : diff.put) {
    json item = {{"public_key", peer.public_key.string()},
                 {"allowed_ips", strings_of(peer.allowed_ips)}};
    if (peer.sealed_preshared_key) item["sealed_preshared_key"] = *peer.sealed_preshared_key;
    if (peer.endpoint) item["endpoint"] = peer.endpoint->string();
    put.push_back(std::move(item));
  }
  return compact({{"put", std::move(put)}, {"remove", strings_of(diff.remove)}});
}

Result<PeerDiff> parse_peer_diff(std::string_view text) {
  TRY_ASSIGN(const json document, parse_json(text, kList));
  TRY_ASSIGN(auto root, JsonFields::open(document, {}));
  PeerDiff out;
  TRY_ASSIGN(out.put, open_objects(root, "put", read_peer_spec));
  TRY_ASSIGN(out.remove, strings(root, "remove", &PublicKey::parse));
  return out;
}

std::string print(const PeerDump& dump) {
  json peers = json::array();
  for (const PeerState& peer : dump.peers) {
    json item = {{"public_key", peer.public_key.string()},
                 {"allowed_ips", strings_of(peer.allowed_ips)},
                 {"has_preshared_key", peer.has_preshared_key},
                 {"last_handshake_unix_ns", peer.last_handshake_unix_ns},
                 {"rx_bytes", peer.rx_bytes},
                 {"tx_bytes", peer.tx_bytes},
                 {"keepalive_seconds", peer.keepalive_seconds}};
    if (peer.endpoint) item["endpoint"] = peer.endpoint->string();
    peers.push_back(std::move(item));
  }
  return compact({{"device_key", dump.device_key.string()},
                  {"clock_unix_ns", dump.clock_unix_ns},
                  {"peers", std::move(peers)}});
}

Result<PeerDump> parse_peer_dump(std::string_view text) {
  return parse_wanted_peer_dump(text, {});
}

Result<PeerDump> parse_wanted_peer_dump(std::string_view text, const StillWanted& wanted) {
  TRY_ASSIGN(const json document, parse_json(text, kList, wanted));
  TRY_ASSIGN(auto root, JsonFields::open(document, {}));
  TRY_ASSIGN(auto device_key, parsed(root, "device_key", &PublicKey::parse));
  TRY_ASSIGN(const auto clock, root.integer("clock_unix_ns"));
  TRY_ASSIGN(auto peers, open_objects(root, "peers", read_peer_state, wanted));
  return PeerDump{device_key, clock, std::move(peers)};
}

std::string print(const PrepareRequest& request) {
  json clients = json::array();
  for (const PrepareRequest::Client& client : request.clients) {
    clients.push_back(
        {{"public_key", client.public_key.string()}, {"endpoint", client.endpoint.string()}});
  }
  return compact({{"clients", std::move(clients)}});
}

Result<PrepareRequest> parse_prepare_request(std::string_view text) {
  TRY_ASSIGN(const json document, parse_json(text, kList));
  TRY_ASSIGN(auto root, JsonFields::open(document, {}));
  TRY_ASSIGN(auto clients, open_objects(root, "clients", read_client));
  return PrepareRequest{std::move(clients)};
}

std::string print(const PeerSelection& selection) {
  return compact({{"peers", strings_of(selection.peers)}});
}

Result<PeerSelection> parse_peer_selection(std::string_view text) {
  TRY_ASSIGN(const json document, parse_json(text, kList));
  TRY_ASSIGN(auto root, JsonFields::open(document, {}));
  TRY_ASSIGN(auto peers, strings(root, "peers", &PublicKey::parse));
  return PeerSelection{std::move(peers)};
}

std::string print(const ApiError& error) {
  return compact({{"code", error.code}, {"message", error.message}});
}

Result<ApiError> parse_api_error(std::string_view text) {
  TRY_ASSIGN(const json document, parse_json(text, kSmall));
  TRY_ASSIGN(auto root, JsonFields::open(document, {}));
  ApiError out;
  TRY_ASSIGN(out.code, words(root, "code"));
  TRY_ASSIGN(const std::string message, root.string("message"));
  out.message = excerpt(message, kLongestSentence);
  return out;
}

}  // namespace weir::manifests
