#include "deployer/node/api_service.h"

#include <doctest/doctest.h>
#include <sodium.h>

#include "fake_world.h"

namespace weir::node {
namespace {

manifests::NodeConfig config_of(std::chrono::milliseconds clock_offset = {}) {
  return {.node = NodeId::parse("green-1").value(),
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
          .client_pin = Digest::of({}),
          .clock_offset = clock_offset};
}

SealKey seal_key() {
  std::array<std::uint8_t, 32> raw{};
  raw.fill(7);
  return SealKey::from_secret(wireguard::SecretKey(raw)).value();
}

std::string sealed_text(const std::string& message) {
  std::string out(message.size() + crypto_box_SEALBYTES, '\0');
  crypto_box_seal(reinterpret_cast<unsigned char*>(out.data()), as_bytes(message).data(),
                  message.size(), seal_key().public_key().raw().data());
  return base64_of(as_bytes(out));
}

std::string sealed(std::uint8_t fill) {
  return sealed_text(std::string(32, static_cast<char>(fill)));
}

std::string put_key(std::uint8_t fill) {
  return print(manifests::SealedPrivateKey{sealed(fill)});
}

struct Node {
  FakeWorld world;
  ApiService service;
  explicit Node(const wireguard::WgDevice& kernel = FakeWorld().device,
                std::chrono::milliseconds offset = {})
      : world(kernel), service(ApiService::open(config_of(offset), seal_key(), world).value()) {}

  ApiResponse call(std::string_view method, std::string_view target, std::string_view body = "{}") {
    return service.handle({.method = method, .target = target, .body = body});
  }
};

std::string code_of(const ApiResponse& response) {
  return manifests::parse_api_error(response.body).value().code;
}

}  // namespace

TEST_CASE("identity states the facts and the seal key, and the device's key once there is one") {
  Node node;
  const auto before = manifests::parse_node_identity(node.call("GET", "/v1/identity").body);
  REQUIRE(before.has_value());
  CHECK(before->node.string() == "green-1");
  CHECK(before->lock_digest == Digest::of(as_bytes("lock")));
  CHECK(before->modules[0].build_id == "98e75bb6");
  CHECK(before->clock_unix_ns == node.world.clock);
  CHECK(before->seal_key == seal_key().public_key());
  CHECK_FALSE(before->wireguard_key.has_value());
  REQUIRE(node.call("PUT", "/v1/private-key", put_key(9)).status == 200);
  const auto after = manifests::parse_node_identity(node.call("GET", "/v1/identity").body);
  CHECK(after->wireguard_key == node.world.device.public_key);
}

TEST_CASE("peers wait for the private key, the clock does not") {
  Node node(FakeWorld().device, std::chrono::milliseconds(-5000));
  for (const auto& [method, target] : {std::pair{"GET", "/v1/peers"}, {"POST", "/v1/drain"}}) {
    const auto response = node.call(method, target);
    CHECK(response.status == 409);
    CHECK(code_of(response) == "busy");
  }
  CHECK(node.call("PUT", "/v1/clock", R"({"unix_ns":1000000000000})").status == 200);
  CHECK(node.world.clock == 995'000'000'000);  // the rehearsed offset stays
  REQUIRE(node.call("PUT", "/v1/private-key", put_key(9)).status == 200);
  CHECK(node.call("PUT", "/v1/clock", R"({"unix_ns":5})").status == 409);
  CHECK(node.world.clock == 995'000'000'000);
  CHECK_MESSAGE(node.call("PUT", "/v1/clock", R"({"unix_ns":1000250000000})").status == 200,
                "a clock that fell behind is set forward");
  CHECK(node.world.clock == 995'250'000'000);
  CHECK(node.call("GET", "/v1/peers").status == 200);
}

TEST_CASE("the same private key again is fine, another one is refused") {
  Node node;
  REQUIRE(node.call("PUT", "/v1/private-key", put_key(9)).status == 200);
  CHECK(node.call("PUT", "/v1/private-key", put_key(9)).status == 200);
  CHECK(node.call("PUT", "/v1/private-key", put_key(8)).status == 409);
  CHECK(node.call("PUT", "/v1/private-key", R"({"sealed":"AAAA"})").status == 400);
  CHECK(node.world.device.private_key->raw()[0] == 9);
}

TEST_CASE("an agent that starts again goes on with what the kernel holds") {
  Node first;
  REQUIRE(first.call("PUT", "/v1/private-key", put_key(9)).status == 200);
  const std::string key = first.world.device.public_key->string();
  Node second(first.world.device);
  CHECK(manifests::parse_node_identity(second.call("GET", "/v1/identity").body)
            ->wireguard_key->string() == key);
  CHECK(second.call("GET", "/v1/peers").status == 200);
  CHECK(second.call("PUT", "/v1/private-key", put_key(9)).status == 200);
}

TEST_CASE("peers are put, prepared, committed and given up over the API") {
  Node node;
  REQUIRE(node.call("PUT", "/v1/private-key", put_key(9)).status == 200);
  const std::string key = PublicKey::from_raw({1}).string();
  const std::string diff = R"({"put":[{"public_key":")" + key +
                           R"(","allowed_ips":["10.8.0.2/32"],"sealed_preshared_key":")" +
                           sealed(3) + R"("}],"remove":[]})";
  REQUIRE(node.call("POST", "/v1/peers", diff).status == 200);
  CHECK(node.world.device.peers.at(0).preshared_key->raw()[5] == 3);
  const std::string selection = R"({"peers":[")" + key + R"("]})";
  const std::string prepare =
      R"({"clients":[{"public_key":")" + key + R"(","endpoint":"192.0.2.9:9"}]})";
  REQUIRE(node.call("POST", "/v1/prepare", prepare).status == 200);
  CHECK(node.world.sent.size() == 1);
  node.world.device.peers[0].last_handshake_unix_ns = 1;
  REQUIRE(node.call("POST", "/v1/commit", selection).status == 200);
  CHECK(node.world.sent.size() == 2);
  const auto dump = manifests::parse_peer_dump(node.call("GET", "/v1/peers").body);
  CHECK(dump->peers.at(0).tx_bytes == 180);
  CHECK(dump->peers[0].endpoint->string() == "192.0.2.9:9");
  REQUIRE(node.call("POST", "/v1/give-up", selection).status == 200);
  CHECK_FALSE(node.world.device.peers.at(0).endpoint.has_value());
  for (const std::string& line : node.world.said) CHECK(line.find("192.0.2") == std::string::npos);
}

TEST_CASE("refusals carry a status and a code, and quote no client in the log") {
  Node node;
  CHECK(node.call("GET", "/v2/peers").status == 404);
  CHECK(node.call("DELETE", "/v1/peers").status == 405);
  REQUIRE(node.call("PUT", "/v1/private-key", put_key(9)).status == 200);
  const auto response =
      node.call("POST", "/v1/prepare",
                R"({"clients":[{"public_key":")" + PublicKey::from_raw({1}).string() +
                    R"(","endpoint":"192.0.2.9"}]})");
  CHECK(response.status == 400);
  CHECK(code_of(response) == "invalid input");
  CHECK(response.body.find("clients[0].endpoint") != std::string::npos);
  for (const std::string& line : node.world.said) CHECK(line.find("192.0.2") == std::string::npos);
  CHECK(node.call("POST", "/v1/commit",
                  R"({"peers":[")" + PublicKey::from_raw({5}).string() + R"("]})")
            .status == 404);
}

TEST_CASE("power-off is answered first") {
  Node node;
  const auto response = node.call("POST", "/v1/power-off");
  CHECK(response.status == 200);
  CHECK(response.ends_node);
  CHECK_FALSE(node.world.powered_off);
}

TEST_CASE("the tool's dump shows no private and no preshared key") {
  Node node;
  node.world.tool_output =
      "wg0\tPRIVATE=\tPUBLIC=\t51820\toff\n"
      "wg0\tPEER1=\tPRESHARED=\t192.0.2.1:5\t10.8.0.2/32,fd00::2/128\t17\t92\t180\toff\n"
      "wg0\tPEER2=\t(none)\t(none)\t(none)\t0\t0\t0\t25\n"
      "something of another version\tPRIVATE=\n";
  const auto response = node.call("GET", "/v1/tool-dump");
  CHECK(response.content_type.starts_with("text/plain"));
  CHECK(response.body ==
        "wg0\t(hidden)\tPUBLIC=\t51820\toff\n"
        "wg0\tPEER1=\t(hidden)\t192.0.2.1:5\t10.8.0.2/32,fd00::2/128\t17\t92\t180\toff\n"
        "wg0\tPEER2=\t(none)\t(none)\t(none)\t0\t0\t0\t25\n");
}

TEST_CASE("a node's file comes sealed, to services that ask for it, and is not in what is said") {
  Node node;
  const auto put = [&](const std::string& name, const std::string& box) {
    return node.call("PUT", "/v1/file", print(manifests::SealedFile{name, box}));
  };
  const std::string secret = "token hoPhahB4uuQu\n";
  CHECK(put("key", sealed_text(secret)).status == 200);
  CHECK(node.world.files.at("key") == secret);
  CHECK(put("key", sealed_text("")).status == 200);
  CHECK(code_of(put("other", sealed_text(secret))) == "not found");
  std::string changed = sealed_text(secret);
  changed[20] = changed[20] == 'A' ? 'B' : 'A';
  CHECK(put("key", changed).status == 403);
  CHECK(put("key", "AAAA").status == 400);
  CHECK(put("key", sealed_text(std::string((256 << 10) + 1, 'x'))).status == 400);
  for (const std::string& line : node.world.said) {
    CHECK(line.find("hoPhahB4uuQu") == std::string::npos);
  }
}

TEST_CASE("services are told") {
  Node node;
  const auto services = manifests::parse_service_reports(node.call("GET", "/v1/services").body);
  REQUIRE(services.has_value());
  CHECK(services->at(0).name == "unbound");
}

}  // namespace weir::node
