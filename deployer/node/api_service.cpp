#include "deployer/node/api_service.h"

#include <algorithm>

#include "deployer/node/peer_plan.h"

namespace weir::node {
namespace {

int status_of(Errc code) {
  switch (code) {
    case Errc::invalid_input:
      return 400;
    case Errc::unauthorized:
      return 403;
    case Errc::not_found:
      return 404;
    case Errc::busy:
      return 409;
    case Errc::exhausted:
      return 413;
    default:
      return 500;
  }
}

ApiResponse refusal(int status, const Error& error) {
  return {.status = status,
          .body = print(manifests::ApiError{std::string(name_of(error.code)), error.message})};
}

ApiResponse text(std::string body) {
  return {.content_type = "text/plain; charset=utf-8", .body = std::move(body)};
}

}  // namespace

struct ApiService::Call {
  std::string_view method, target;
  Handler handler;
};

const ApiService::Call ApiService::kCalls[] = {
    {"GET", "/v1/identity", &ApiService::identity},
    {"PUT", "/v1/clock", &ApiService::set_clock},
    {"PUT", "/v1/private-key", &ApiService::put_private_key},
    {"GET", "/v1/peers", &ApiService::dump_peers},
    {"POST", "/v1/peers", &ApiService::apply_diff},
    {"POST", "/v1/prepare", &ApiService::prepare},
    {"POST", "/v1/commit", &ApiService::commit},
    {"POST", "/v1/give-up", &ApiService::give_up},
    {"POST", "/v1/drain", &ApiService::drain},
    {"GET", "/v1/services", &ApiService::services},
    {"PUT", "/v1/file", &ApiService::put_file},
    {"GET", "/v1/logs", &ApiService::logs},
    {"GET", "/v1/tool-dump", &ApiService::tool_dump},
    {"POST", "/v1/power-off", &ApiService::power_off},
};

Result<ApiService> ApiService::open(const manifests::NodeConfig& config, SealKey seal_key,
                                    NodeWorld& world) {
  ApiService out(config, std::move(seal_key), world);
  TRY_ASSIGN(const auto device, world.read_device());
  out.device_key_ = device.public_key;
  return out;
}

ApiResponse ApiService::handle(const ApiRequest& request) {
  bool known = false;
  for (const Call& call : kCalls) {
    if (call.target != request.target) continue;
    known = true;
    if (call.method != request.method) continue;
    auto response = (this->*call.handler)(request.body);
    if (response) return *std::move(response);
    const Error& error = response.error();
    // What a caller got wrong may quote a client's address: that is not for the log.
    world_->say(
        "refused " + std::string(call.method) + " " + std::string(call.target) + ": " +
        (error.code == Errc::invalid_input ? std::string(name_of(error.code)) : error.message));
    return refusal(status_of(error.code), error);
  }
  if (known) return refusal(405, {Errc::invalid_input, 0, "the call takes another method"});
  return refusal(404, {Errc::not_found, 0, "no such call in version 1 of the node API"});
}

Result<ApiResponse> ApiService::identity(std::string_view) {
  TRY_ASSIGN(auto facts, world_->facts());
  manifests::NodeIdentity out{.node = node_,
                              .boot_id = std::move(facts.boot_id),
                              .lock_digest = facts.lock_digest,
                              .kernel_release = std::move(facts.kernel_release),
                              .kernel_build_id = std::move(facts.kernel_build_id),
                              .modules = std::move(facts.modules),
                              .tools = std::move(facts.tools),
                              .seal_key = seal_key_.public_key(),
                              .wireguard_key = device_key_,
                              .agent_version = WEIR_VERSION};
  out.clock_unix_ns = world_->clock_unix_ns();
  return ApiResponse{.body = print(out)};
}

Result<ApiResponse> ApiService::set_clock(std::string_view body) {
  TRY_ASSIGN(const auto setting, manifests::parse_clock_setting(body));
  const std::int64_t wanted = setting.unix_ns + std::chrono::nanoseconds(clock_offset_).count();
  if (device_key_ && wanted < world_->clock_unix_ns()) {
    return fail(Errc::busy,
                "once the private key is there the clock is only set forward: handshakes carry the "
                "time, and clients refuse one that runs backwards");
  }
  TRY(world_->set_clock(wanted));
  world_->say("clock set");
  return ApiResponse{};
}

Result<ApiResponse> ApiService::put_private_key(std::string_view body) {
  TRY_ASSIGN(const auto message, manifests::parse_sealed_private_key(body));
  TRY_ASSIGN(const auto key, seal_key_.open(message.sealed));
  TRY_ASSIGN(const PublicKey public_key, public_key_of(key));
  if (device_key_ == public_key) return ApiResponse{};
  if (device_key_) {
    return fail(Errc::busy, "the node has another private key; boot it anew to change it");
  }
  TRY_ASSIGN(const auto device, world_->read_device());
  TRY(world_->apply({.interface = device.interface,
                     .private_key = key,
                     .listen_port = {},
                     .fwmark = {},
                     .peers = {}}));
  device_key_ = public_key;
  world_->say("private key arrived, public key " + public_key.string());
  return ApiResponse{};
}

Result<wireguard::WgDevice> ApiService::keyed_device() {
  if (!device_key_) return fail(Errc::busy, "the private key has not arrived yet");
  return world_->read_device();
}

Status ApiService::perform(std::string_view what, const wireguard::WgChange& change) {
  if (change.peers.empty()) return {};
  TRY(world_->apply(change));
  world_->say(std::string(what) + ": " + std::to_string(change.peers.size()) + " steps");
  return {};
}

Result<ApiResponse> ApiService::dump_peers(std::string_view) {
  const std::int64_t clock = world_->clock_unix_ns();
  TRY_ASSIGN(const auto device, keyed_device());
  TRY_ASSIGN(const auto dump, describe(device, clock));
  return ApiResponse{.body = print(dump)};
}

Result<ApiResponse> ApiService::apply_diff(std::string_view body) {
  TRY_ASSIGN(const auto diff, manifests::parse_peer_diff(body));
  TRY_ASSIGN(const auto device, keyed_device());
  PresharedKeys preshared_keys;
  for (const manifests::PeerSpec& peer : diff.put) {
    if (!peer.sealed_preshared_key) continue;
    TRY_ASSIGN_IN(auto key, seal_key_.open(*peer.sealed_preshared_key),
                  "peer " + peer.public_key.string());
    preshared_keys.emplace(peer.public_key, std::move(key));
  }
  TRY_ASSIGN(const auto change, plan_diff(device, diff, preshared_keys));
  TRY(perform("peers", change));
  return ApiResponse{};
}

Result<ApiResponse> ApiService::prepare(std::string_view body) {
  TRY_ASSIGN(const auto request, manifests::parse_prepare_request(body));
  TRY_ASSIGN(const auto device, keyed_device());
  TRY_ASSIGN(const auto change, plan_prepare(device, request));
  TRY(perform("prepare", change));
  return ApiResponse{};
}

Result<ApiResponse> ApiService::commit(std::string_view body) {
  TRY_ASSIGN(const auto selection, manifests::parse_peer_selection(body));
  TRY_ASSIGN(const auto device, keyed_device());
  TRY_ASSIGN(const auto change, plan_commit(device, selection));
  TRY(perform("commit", change));
  return ApiResponse{};
}

Result<ApiResponse> ApiService::give_up(std::string_view body) {
  TRY_ASSIGN(const auto selection, manifests::parse_peer_selection(body));
  TRY_ASSIGN(const auto device, keyed_device());
  TRY_ASSIGN(const auto change, plan_give_up(device, selection));
  TRY(perform("give up", change));
  return ApiResponse{};
}

Result<ApiResponse> ApiService::drain(std::string_view) {
  TRY_ASSIGN(const auto device, keyed_device());
  TRY(perform("drain", plan_drain(device)));
  return ApiResponse{};
}

Result<ApiResponse> ApiService::services(std::string_view) {
  TRY_ASSIGN(const auto services, world_->services());
  return ApiResponse{.body = print(services)};
}

Result<ApiResponse> ApiService::put_file(std::string_view body) {
  TRY_ASSIGN(const auto message, manifests::parse_sealed_file(body));
  TRY_ASSIGN(const auto content, seal_key_.open_bytes(message.sealed));
  TRY(world_->put_file(message.name, content));
  return ApiResponse{};
}

Result<ApiResponse> ApiService::logs(std::string_view) {
  TRY_ASSIGN(auto lines, world_->logs());
  return text(std::move(lines));
}

Result<ApiResponse> ApiService::tool_dump(std::string_view) {
  TRY_ASSIGN(const auto dump, world_->tool_dump());
  return text(hide_secrets({reinterpret_cast<const char*>(dump.data()), dump.size()}));
}

Result<ApiResponse> ApiService::power_off(std::string_view) {
  world_->say("asked to power off");
  return ApiResponse{.ends_node = true};
}

std::string hide_secrets(std::string_view dump) {
  constexpr std::string_view kHidden = "(hidden)", kNone = "(none)";
  std::string out;
  while (!dump.empty()) {
    const auto end = std::min(dump.find('\n'), dump.size());
    std::string_view line = dump.substr(0, end);
    dump.remove_prefix(std::min(end + 1, dump.size()));
    // A device has 5 fields, the second of which is its private key; a peer has 9, with its public
    // key second and its preshared key third.
    const auto tabs = std::count(line.begin(), line.end(), '\t');
    if (tabs != 4 && tabs != 8) continue;
    const int secret = tabs == 4 ? 1 : 2;
    for (int field = 0; field <= tabs; ++field) {
      const auto stop = std::min(line.find('\t'), line.size());
      const std::string_view value = line.substr(0, stop);
      line.remove_prefix(std::min(stop + 1, line.size()));
      if (field > 0) out += '\t';
      out += field == secret && value != kNone ? kHidden : value;
    }
    out += '\n';
  }
  return out;
}

}  // namespace weir::node
