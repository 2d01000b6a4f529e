// weir-node, the agent of a node: makes the node what its configuration says, drives kernel
// WireGuard and serves the node API. All state is the kernel's, or lies in /run/weir: it may die
// and start at any time.
#include <fcntl.h>
#include <sodium.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <exception>
#include <memory>
#include <utility>

#include "deployer/node/api_service.h"
#include "deployer/node/edge/https_server.h"
#include "deployer/node/edge/image_services.h"
#include "deployer/node/edge/linux_world.h"
#include "deployer/node/edge/network_setup.h"
#include "deployer/node/edge/node_log.h"
#include "manifests/base/edge/file.h"
#include "manifests/base/edge/harden_process.h"

namespace weir::node {
namespace {

constexpr const char* kSealKeyPath = "/run/weir/seal-key";
constexpr std::chrono::seconds kFirstPause{10}, kLongestPause{3600};
constexpr const char* kClockMarkPath = "/run/weir/clock-offset-applied";

/// No secret of ours reaches a disk.
Status lock_memory() {
  if (::mlockall(MCL_CURRENT | MCL_FUTURE) != 0) return fail_errno(Errc::kernel, errno, "mlockall");
  return {};
}

Result<manifests::NodeConfig> read_config() {
  const std::string path =
      "/sys/firmware/qemu_fw_cfg/by_name/" + std::string(manifests::kNodeConfigItem) + "/raw";
  TRY_ASSIGN(std::string text, read_file(path, ByteCount{1U << 20}));
  auto config = manifests::parse_node_config(text);
  explicit_bzero(text.data(), text.size());
  if (!config) return tl::unexpected(std::move(config).error().in(path));
  return config;
}

/// The configuration, once it is there. A machine that nobody gives one, as a disk that boots by
/// itself, says so, and looks again ever more seldom.
Result<manifests::NodeConfig> await_config(const NodeLog& log) {
  std::string why =
      " (a release by itself is no gateway: weir-deployer boots it as a node, and gives that its "
      "configuration as QEMU's fw_cfg item " +
      std::string(manifests::kNodeConfigItem) + ")";
  for (auto pause = kFirstPause;; pause = std::min(pause * 2, kLongestPause)) {
    auto config = read_config();
    if (config || config.error().code != Errc::not_found) return config;
    log.say("configuration: none, this node needs a deployer" + std::exchange(why, {}) +
            "; looking again in " + std::to_string(pause.count()) + " s");
    ::sleep(static_cast<unsigned>(pause.count()));
  }
}

/// The key of this boot: made once, then kept in RAM for the agents that follow.
Result<SealKey> load_seal_key() {
  if (::sodium_init() < 0) return fail(Errc::bug, "libsodium cannot start");
  wireguard::SecretKey secret({});
  std::array<std::uint8_t, 32> raw{};
  const Fd existing(::open(kSealKeyPath, O_RDONLY | O_CLOEXEC));
  if (existing.valid()) {
    if (::read(existing.get(), raw.data(), raw.size()) != static_cast<ssize_t>(raw.size())) {
      return fail(Errc::integrity, std::string(kSealKeyPath) + ": not 32 bytes");
    }
  } else {
    std::array<std::uint8_t, 32> unused{};
    crypto_box_keypair(unused.data(), raw.data());
    const std::string_view text(reinterpret_cast<const char*>(raw.data()), raw.size());
    TRY(write_file(kSealKeyPath, text, 0600));
  }
  secret.assign(raw);
  sodium_memzero(raw.data(), raw.size());
  return SealKey::from_secret(secret);
}

Status rehearse_clock(const manifests::NodeConfig& config, NodeWorld& world) {
  if (config.clock_offset.count() == 0 || ::access(kClockMarkPath, F_OK) == 0) return {};
  const auto offset = std::chrono::nanoseconds(config.clock_offset).count();
  TRY(world.set_clock(world.clock_unix_ns() + offset));
  world.say("rehearsal: clock off by " + std::to_string(config.clock_offset.count()) + " ms");
  return write_file(kClockMarkPath, "", 0600);
}

Status run(const NodeLog& log) {
  TRY(lock_memory());
  TRY_ASSIGN_IN(manifests::NodeConfig config, await_config(log), "configuration");
  if (::sethostname(config.node.string().data(), config.node.string().size()) != 0) {
    return fail_errno(Errc::kernel, errno, "set the host name");
  }
  TRY_ASSIGN(auto services, ImageServices::read());
  TRY_ASSIGN_IN(const NodeInterfaces interfaces, set_up_network(config, services.open_ports()),
                "network");
  TRY(services.begin());
  TRY_ASSIGN(const auto here, network::NetworkNamespace::open({}));
  TRY_ASSIGN(auto socket, wireguard::WireGuardSocket::open(here));
  LinuxWorld world(std::move(socket), interfaces.wireguard, std::move(services), log);
  TRY(rehearse_clock(config, world));
  TRY_ASSIGN(const auto device, world.read_device());
  if (device.listen_port != config.port) {
    TRY(world.apply({.interface = interfaces.wireguard,
                     .private_key = {},
                     .listen_port = config.port,
                     .fwmark = {},
                     .peers = {}}));
  }
  TRY_ASSIGN_IN(SealKey seal_key, load_seal_key(), "seal key");
  TRY_ASSIGN(ApiService service, ApiService::open(config, std::move(seal_key), world));
  const ServerOptions options{.listen = {config.node_management, manifests::kNodeApiPort},
                              .interface = interfaces.management,
                              .tls_private_key = config.tls_private_key,
                              .client_pin = config.client_pin};
  TRY_ASSIGN(auto server,
             HttpsServer::open(
                 options, [&](const ApiRequest& request) { return service.handle(request); },
                 [&] { world.power_off(); }));
  log.say("node " + config.node.string() + " serves its API at " + options.listen.string() + ", " +
          std::to_string(device.peers.size()) + " peers");
  return server.run();
}

}  // namespace
}  // namespace weir::node

int main(int argc, char** argv) {
  if (argc > 1) {
    const bool help = std::strcmp(argv[1], "--help") == 0;
    constexpr std::string_view kText =
        "weir-node: the agent of a node. weir-init starts it; it takes no arguments and reads its\n"
        "configuration from QEMU's fw_cfg item opt/org.weir/node (docs/node-api.md).\n";
    const ssize_t written =
        ::write(help ? STDOUT_FILENO : STDERR_FILENO, kText.data(), kText.size());
    return help && written > 0 ? 0 : 2;
  }
  weir::harden_process();
  const weir::node::NodeLog log("node");
  try {
    const weir::Status status = weir::node::run(log);
    if (!status) log.say(status.error().message);
  } catch (const std::exception& error) {
    log.say(std::string("ended: ") + error.what());
  }
  return 1;
}
