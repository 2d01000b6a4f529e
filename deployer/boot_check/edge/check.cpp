#include "deployer/boot_check/edge/check.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "deployer/boot_check/edge/console_watch.h"
#include "deployer/boot_check/edge/enclosure.h"
#include "deployer/boot_check/edge/exchange.h"
#include "deployer/boot_check/edge/wireguard_go.h"
#include "deployer/boot_check/edge/wires.h"
#include "deployer/boot_check/timeline.h"
#include "deployer/boot_check/tool_dump.h"
#include "deployer/node_client/edge/https_node_client.h"
#include "deployer/node_client/edge/make_tls_key.h"
#include "deployer/pool/vm/edge/qmp.h"
#include "deployer/pool/vm/edge/vm_driver.h"
#include "keys/identity/edge/identity_files.h"
#include "keys/signing/edge/key_files.h"
#include "manifests/base/edge/file.h"

namespace weir::boot_check {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr const char* kFolder = "/run/weir";
constexpr const char* kTunnel = "wg0";
constexpr std::size_t kBytesEachWay = 256 << 10;
constexpr milliseconds kPeerPatience{10000};
constexpr milliseconds kDataPatience{60000};
// How often a person is told what is waited for.
constexpr milliseconds kTellTerminal{2000}, kTellLog{10000};
constexpr milliseconds kConnect{200};
constexpr milliseconds kCall{20000};
constexpr milliseconds kLookAgain{25};
constexpr milliseconds kQmpPatience{10000};
constexpr milliseconds kLastWords{500};  ///< a kernel that gives up still says why
constexpr std::size_t kPanicLines = 8;

// The machine ends with the object; it could not outlive the process namespace anyway.
struct Machine {
  std::unique_ptr<pool::MachineDriver> driver;
  std::optional<pool::MachineRecord> record;
  Machine() = default;
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  ~Machine() {
    if (record) [[maybe_unused]]
      const auto stopped = driver->stop(*record, milliseconds(0));
  }
  [[nodiscard]] std::string last_words(std::size_t lines = 3) const {
    std::string tail = driver->console_tail(*record, lines);
    std::replace(tail.begin(), tail.end(), '\n', '|');
    return tail.empty() ? "" : "; its console ends with: " + tail;
  }
};

// A class of its own because everything happens on one time line.
class Check {
 public:
  Check(const CheckRequest& request, const Say& say) : request_(request), say_(say) {}

  Result<manifests::BootCheckStatement> run() {
    auto out = run_steps();
    if (out || !console_) return out;
    // Whatever failed, failed because of this.
    const std::string panic = console_->panic();
    if (panic.empty() || !machine_.record) return out;
    std::this_thread::sleep_for(kLastWords);
    return fail(Errc::kernel,
                "the node's kernel gave up: " + panic + machine_.last_words(kPanicLines));
  }

 private:
  Result<manifests::BootCheckStatement> run_steps() {
    TRY(make_folders(kFolder, 0700));
    TRY_ASSIGN_IN(wires_, Wires::lay(), "network");
    TRY_ASSIGN(const std::string peer_name, WireGuardGo::version());
    TRY_ASSIGN(auto peer,
               WireGuardGo::start(wires_->client, kTunnel,
                                  std::string(kFolder) + "/wireguard-go.log", kPeerPatience));
    TRY_IN(wires_->raise_tunnel(kTunnel), "tunnel");
    TRY_IN(power_on(), "boot");
    TRY_ASSIGN_IN(const manifests::NodeIdentity identity, wait_for_answer(), "boot");
    TRY_IN(configure(identity, peer), "configure");
    TRY_ASSIGN_IN(auto traffic, move_data(peer), "peer");
    TRY_ASSIGN_IN(const manifests::PeerState seen, read_counters(traffic), "counters");
    TRY_IN(ask_tool(seen), "tool");
    if (auto up = bring_up(identity); !up) {
      // What it said is in there.
      if (request_.log >= 0) (void)keep_log();
      return tl::unexpected(std::move(up).error().in("services"));
    }
    if (request_.log >= 0) TRY_IN(keep_log(), "node log");
    TRY_ASSIGN(const std::string machine, describe_machine());
    const auto now = std::chrono::duration_cast<std::chrono::seconds>(
        std::chrono::system_clock::now().time_since_epoch());
    return manifests::BootCheckStatement{
        .release = request_.release,
        .release_digest = request_.release_digest,
        .checked_at = UtcTime{now.count()},
        .checker_version = WEIR_VERSION,
        .machine = machine,
        .peer = peer_name,
        .facts = manifests::facts_of(identity),
        .traffic = traffic,
        .timeline = timeline_of(times_, read_console(console_->finish()))};
  }

  [[nodiscard]] milliseconds since_power_on(steady_clock::time_point at) const {
    return std::chrono::duration_cast<milliseconds>(at - power_on_);
  }
  [[nodiscard]] milliseconds now() const { return since_power_on(steady_clock::now()); }

  [[nodiscard]] steady_clock::time_point deadline() const { return power_on_ + request_.timeout; }
  // Of a step that may take `most`.
  [[nodiscard]] milliseconds patience(milliseconds most) const {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline() - steady_clock::now());
    return std::clamp(left, milliseconds(1), most);
  }

  Status power_on() {
    machine_.driver = pool::make_vm_driver(wires_->router);
    TRY_ASSIGN(const auto node_key, node_client::make_tls_key());
    TRY_ASSIGN(const auto our_key, node_client::make_tls_key());
    const std::string key_path = std::string(kFolder) + "/client.key";
    TRY(write_file(key_path, our_key.private_key_pem, 0600));
    manifests::NodeConfig config = node_config();
    config.tls_private_key = node_key.private_key_pem;
    config.client_pin = our_key.pin;
    const manifests::Attachment link = node_attachment();
    manifests::PoolSpec spec{link.pool, "vm", {link.node}};
    spec.memory = request_.memory;
    say_("booting release " + request_.release.string());
    power_on_ = steady_clock::now();
    power_on_clock_ = std::chrono::system_clock::now();
    const std::string folder = std::string(kFolder) + "/machine";
    console_.emplace(folder + "/console.log", power_on_);
    TRY_ASSIGN(machine_.record, machine_.driver->start(link, spec, request_.image, config, folder));
    times_.machine = now();
    TRY(wires_->attach_node());
    TRY_ASSIGN(auto where, network::NetworkNamespace::open({}));
    TRY_ASSIGN(client_, node_client::HttpsNodeClient::open({.node = link.node,
                                                            .address = link.node_management,
                                                            .server_pin = node_key.pin,
                                                            .client_key_path = key_path},
                                                           std::move(where), kCall));
    return {};
  }

  Result<manifests::NodeIdentity> wait_for_answer() {
    Error last{Errc::timeout, 0, "its node API never answered"};
    const IpAddress address = node_attachment().node_management;
    while (steady_clock::now() < deadline()) {
      if (interrupted()) return fail(Errc::busy, "interrupted");
      if (!console_->panic().empty()) return fail(Errc::kernel, "the node's kernel gave up");
      if (accepts_connections(wires_->router, address, manifests::kNodeApiPort, kConnect)) {
        auto identity = client_->identity();
        if (identity) {
          times_.answer = now();
          say_("the node answers: kernel " + identity->kernel_release);
          return std::move(*identity);
        }
        last = std::move(identity).error();
      }
      TRY_ASSIGN(const auto state, machine_.driver->state(*machine_.record));
      if (state == pool::MachineState::gone) {
        return fail(Errc::io, "the machine ended by itself" + machine_.last_words());
      }
      std::this_thread::sleep_for(kLookAgain);
    }
    return fail(Errc::timeout, "the node did not come up in " +
                                   std::to_string(request_.timeout.count() / 1000) +
                                   " s: " + last.message + machine_.last_words());
  }

  // As the deployer feeds a node: clock, private key, peers; then the same for the client.
  Status configure(const manifests::NodeIdentity& identity, WireGuardGo& peer) {
    TRY_ASSIGN(const auto gateway, keys::make_wireguard_key_pair());
    TRY_ASSIGN(const auto own, keys::make_wireguard_key_pair());
    TRY_ASSIGN(const auto preshared_key, keys::random_secret(32));
    TRY_IN(client_->set_clock(std::chrono::system_clock::now().time_since_epoch()), "set clock");
    TRY_ASSIGN(auto sealed, keys::seal_to_node(gateway.private_key(), identity.seal_key));
    TRY_IN(client_->put_private_key({std::move(sealed)}), "give private key");
    manifests::PeerSpec spec{own.public_key(), client_addresses(), {}, {}};
    TRY_ASSIGN(spec.sealed_preshared_key, keys::seal_to_node(preshared_key, identity.seal_key));
    TRY_IN(client_->apply({.put = {std::move(spec)}, .remove = {}}), "give the peer");
    UapiDevice device{.private_key = own.private_key(),
                      .gateway = gateway.public_key(),
                      .preshared_key = preshared_key,
                      .endpoint = gateway_endpoint(),
                      .allowed_ips = {}};
    for (const IpAddress& address : upstream_addresses()) {
      device.allowed_ips.push_back(
          {address, address.is_v4() ? std::uint8_t{32} : std::uint8_t{128}});
    }
    TRY(peer.configure(device));
    times_.configured = now();
    say_("the device has its key and its peer");
    return {};
  }

  Result<manifests::BootTraffic> move_data(WireGuardGo& peer) {
    manifests::BootTraffic out;
    bool first = true;
    for (const IpAddress& upstream : upstream_addresses()) {
      TRY_ASSIGN(const Exchanged moved, exchange(wires_->client, wires_->router, upstream,
                                                 kBytesEachWay, patience(kDataPatience)));
      if (first) times_.first_data = since_power_on(moved.first_byte);
      first = false;
      times_.last_data = since_power_on(moved.last_byte);
      out.sent += moved.each_way;
      out.received += moved.each_way;
      say_(print(ByteCount{moved.each_way}) + " went each way between the peer and " +
           upstream.string());
    }
    TRY_ASSIGN(const UapiPeer seen, peer.read_peer());
    if (seen.last_handshake_unix_ns == 0) {
      return fail(Errc::integrity, "data went both ways, but wireguard-go knows of no handshake");
    }
    const std::chrono::nanoseconds at(seen.last_handshake_unix_ns);
    times_.handshake =
        std::chrono::duration_cast<milliseconds>(at - power_on_clock_.time_since_epoch());
    out.peer_rx_bytes = seen.rx_bytes;
    out.peer_tx_bytes = seen.tx_bytes;
    return out;
  }

  // The node's side of it, as its kernel tells over netlink.
  Result<manifests::PeerState> read_counters(manifests::BootTraffic& traffic) {
    TRY_ASSIGN(const manifests::PeerDump dump, client_->peers());
    if (dump.peers.size() != 1) {
      return fail(Errc::integrity, "the node has " + std::to_string(dump.peers.size()) +
                                       " peers, not the one it was given");
    }
    const manifests::PeerState& state = dump.peers.front();
    if (state.last_handshake_unix_ns == 0) {
      return fail(Errc::integrity, "the node's kernel saw no handshake");
    }
    traffic.node_rx_bytes = state.rx_bytes;
    traffic.node_tx_bytes = state.tx_bytes;
    if (std::min(traffic.node_rx_bytes, traffic.peer_tx_bytes) < traffic.sent ||
        std::min(traffic.node_tx_bytes, traffic.peer_rx_bytes) < traffic.received) {
      return fail(Errc::integrity, "data went both ways, but not all of it through the tunnel");
    }
    return state;
  }

  // That `wg` and the pinned module speak one version of their netlink family, nothing but talking
  // shows: the version is a number in the tool's code.
  Status ask_tool(const manifests::PeerState& seen) {
    const auto dump = client_->tool_dump();
    if (!dump && dump.error().code == Errc::not_found) {
      say_("the image has no wg that could be asked");
      return {};
    }
    if (!dump) return tl::unexpected(dump.error());
    TRY(check_tool_dump(*dump, seen));
    say_("the image's own wg sees the same peer");
    return {};
  }

  Status bring_up(const manifests::NodeIdentity& identity) {
    TRY_ASSIGN(const auto told, client_->services());
    TRY(check_told_services(request_.services, told));
    const auto every = ::isatty(STDERR_FILENO) == 1 ? kTellTerminal : kTellLog;
    return bring_up_services(*client_, identity.seal_key, request_.files, deadline(), every, say_);
  }

  Status keep_log() {
    TRY_ASSIGN(const std::string log, client_->logs());
    std::string_view text = log;
    while (!text.empty()) {
      const ssize_t n = ::write(request_.log, text.data(), text.size());
      if (n < 0 && errno != EINTR) return fail_errno(Errc::io, errno, "write");
      if (n > 0) text.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
  }

  // "QEMU 7.2.22, software emulation"
  Result<std::string> describe_machine() {
    TRY_ASSIGN(auto qmp, pool::QmpClient::open(machine_.record->folder, kQmpPatience));
    TRY_ASSIGN(const std::string version, qmp.run("query-version"));
    TRY_ASSIGN(const std::string kvm, qmp.run("query-kvm"));
    const auto told = nlohmann::json::parse(version, nullptr, false);
    const auto accelerated = nlohmann::json::parse(kvm, nullptr, false);
    const auto number = [&](const char* part) {
      const auto at = nlohmann::json::json_pointer(std::string("/qemu/") + part);
      return told.is_object() && told.contains(at) && told[at].is_number()
                 ? std::to_string(told[at].get<int>())
                 : std::string("?");
    };
    const bool enabled = accelerated.is_object() && accelerated.contains("enabled") &&
                         accelerated["enabled"] == true;
    return "QEMU " + number("major") + "." + number("minor") + "." + number("micro") +
           (enabled ? ", KVM" : ", software emulation");
  }

  const CheckRequest& request_;
  const Say& say_;
  std::optional<Wires> wires_;
  Machine machine_;
  std::optional<ConsoleWatch> console_;
  std::optional<node_client::HttpsNodeClient> client_;
  steady_clock::time_point power_on_;
  std::chrono::system_clock::time_point power_on_clock_;
  HostTimes times_;
};

}  // namespace

Result<manifests::BootCheckStatement> check(const CheckRequest& request, const Say& say) {
  return Check(request, say).run();
}

}  // namespace weir::boot_check
