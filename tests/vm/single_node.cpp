#include "tests/vm/single_node.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "deployer/node_client/edge/make_tls_key.h"
#include "deployer/pool/edge/boot_image.h"
#include "deployer/pool/vm/edge/vm_driver.h"
#include "images/store/folder/edge/folder_store.h"
#include "keys/identity/wireguard_identity.h"
#include "keys/trust/edge/trust_files.h"
#include "keys/trust/verified.h"
#include "tests/folders.h"
#include "tests/lab/process.h"
#include "tests/patience.h"
#include "tests/vm/fleet_fixture.h"
#include "tests/vm/must.h"
#include "tests/wireguard_go.h"

namespace weir::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kCallPatience = seconds(120);

IpAddress address(const char* text) {
  return must(IpAddress::parse(text));
}

manifests::Attachment the_link() {
  return {.director = must(DirectorId::parse("director")),
          .node = must(NodeId::parse("single-1")),
          .pool = must(PoolName::parse("blue")),
          .number = 1,
          .data_interface = "weir-d1",
          .management_interface = "weir-m1",
          .director_v4 = address("10.254.0.0"),
          .node_v4 = address(SingleNode::kNode4),
          .director_v6 = address("fd00:fab::"),
          .node_v6 = address("fd00:fab::1"),
          .director_management = address("10.254.1.0"),
          .node_management = address(SingleNode::kNodeManagement)};
}

manifests::NodeConfig config_of(const manifests::Attachment& link) {
  return {.node = link.node,
          .vip_v4 = address(SingleNode::kVip4),
          .vip_v6 = address(SingleNode::kVip6),
          .node_v4 = link.node_v4,
          .director_v4 = link.director_v4,
          .node_v6 = link.node_v6,
          .director_v6 = link.director_v6,
          .node_management = link.node_management,
          .director_management = link.director_management,
          .data_mac = "52:54:00:00:00:d1",
          .management_mac = "52:54:00:00:00:a1",
          .clients = {must(Prefix::parse(SingleNode::kClients4)),
                      must(Prefix::parse(SingleNode::kClients6))},
          .tls_private_key = {},
          .client_pin = Digest::of({})};
}

void must_run(const Output& output) {
  if (output.status != 0) FAIL(output.text);
}

}  // namespace

BakedRelease baked_release(const std::string& name) {
  const std::string baked = test::build_folder() + "/test-store";
  const auto store = must(images::FolderStore::open(baked + "/store"));
  const auto stored = must(store.read_release(must(ReleaseName::parse(name))));
  const auto key =
      must(keys::parse_public_key(must(read_file(baked + "/release.pub", ByteCount{4096}))));
  const auto verified =
      must(keys::verify_release(stored.json, stored.signature, {key}, must(keys::read_clock())));
  return {*verified, must(pool::make_boot_image(*verified, store))};
}

SingleNode::SingleNode(const pool::BootImage& image, const Options& options)
    : director_("director") {
  const auto link = the_link();
  auto config = config_of(link);
  config.clock_offset = options.clock_offset;
  const auto node_key = must(node_client::make_tls_key());
  const auto deployer_key = must(node_client::make_tls_key());
  config.tls_private_key = node_key.private_key_pem;
  config.client_pin = deployer_key.pin;
  must(write_file(folder_.path + "/deployer.key", deployer_key.private_key_pem, 0600));

  manifests::PoolSpec spec{link.pool, "vm", {link.node}};
  machine_.where = must(network::NetworkNamespace::open(director_.name()));
  machine_.driver = pool::make_vm_driver(*machine_.where);
  std::filesystem::create_directory(folder_.path + "/machine");
  machine_.record =
      must(machine_.driver->start(link, spec, image, config, folder_.path + "/machine"));
  must_run(director_.exec(
      "sh -c 'set -e; ip link set weir-d1 up; ip link set weir-m1 up; "
      "ip addr add 10.254.0.0/31 dev weir-d1; ip addr add fd00:fab::/127 dev weir-d1 nodad; "
      "ip addr add 10.254.1.0/31 dev weir-m1; ip addr add 203.0.113.10/32 dev lo; "
      "ip route add 198.51.100.1 via 10.254.0.1; ip route add 10.8.0.0/15 via 10.254.0.1; "
      "sysctl -q net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0'"));
  api_ = must(node_client::HttpsNodeClient::open(
      {.node = link.node,
       .address = link.node_management,
       .server_pin = node_key.pin,
       .client_key_path = folder_.path + "/deployer.key"},
      must(network::NetworkNamespace::open(director_.name())), seconds(2)));
  std::string trouble;
  const auto answers = [&] {
    const auto identity = api_->identity();
    trouble = identity ? "" : identity.error().message;
    return identity.has_value();
  };
  // As long as its console grows, it comes up.
  const bool settled =
      eventually([&] { return answers() || state() != pool::MachineState::running; },
                 [&] { return console().size(); });
  if (!settled || !trouble.empty()) {
    FAIL("the node did not come up: " << trouble << "\n" << console());
  }
  api_->set_timeout(kCallPatience);
}

SingleNode::Folder::Folder() : path("/tmp/weir-vm-node-XXXXXX") {
  REQUIRE(::mkdtemp(path.data()) != nullptr);
}

SingleNode::Folder::~Folder() {
  std::filesystem::remove_all(path);
}

SingleNode::Machine::~Machine() {
  if (!record) return;
  if (const auto stopped = driver->stop(*record, milliseconds(0)); !stopped) {
    MESSAGE(stopped.error().message);
  }
}

pool::MachineState SingleNode::state() {
  return must(machine_.driver->state(*machine_.record));
}

std::string SingleNode::console() {
  return machine_.driver->console_tail(*machine_.record, 20);
}

void SingleNode::arm(const keys::Secret& private_key) {
  must(api_->set_clock(std::chrono::system_clock::now().time_since_epoch()));
  const auto identity = must(api_->identity());
  const std::string sealed = must(keys::seal_to_node(private_key, identity.seal_key));
  must(api_->put_private_key({sealed}));
}

WgKeys make_wg_keys() {
  const auto line = [](const std::string& command) {
    const Output output = shell(command);
    REQUIRE(output.status == 0);
    return output.text.substr(0, output.text.find('\n'));
  };
  const std::string private_key = line("wg genkey");
  return {private_key, must(PublicKey::parse(line("echo " + private_key + " | wg pubkey")))};
}

std::string make_preshared_key() {
  const Output output = shell("wg genpsk");
  REQUIRE(output.status == 0);
  return output.text.substr(0, output.text.find('\n'));
}

keys::Secret secret_of(const std::string& base64_key) {
  return must(keys::Secret::copy_of(as_bytes(must(parse_base64(base64_key)))));
}

std::string seal(const std::string& base64_key, const PublicKey& seal_key) {
  return must(keys::seal_to_node(secret_of(base64_key), seal_key));
}

LiveClient::LiveClient(const SingleNode& node, const WgKeys& keys, const Options& options)
    : namespace_("client"), interface_("wv" + std::to_string(::getpid())) {
  must_run(node.director().exec(
      "sh -c 'set -e; ip link add weir-c type veth peer name outside netns " + namespace_.name() +
      "; ip addr add 192.0.2.1/24 dev weir-c; ip link set weir-c up'"));
  must_run(namespace_.exec(
      "sh -c 'set -e; ip addr add 192.0.2.2/24 dev outside; ip link set outside up; "
      "ip route add default via 192.0.2.1'"));
  const std::string log = "/tmp/weirt-" + interface_ + ".log";
  process_.id = must(lab::start(
      {"ip", "netns", "exec", namespace_.name(), "wireguard-go", "-f", interface_}, log));
  std::optional<int> ended;
  const bool told = eventually([&] {
    if (wireguard_go_listens(interface_)) return true;
    ended = lab::wait_for_exit(*process_.id, milliseconds(0));
    return ended.has_value();
  });
  const std::string said = shell("cat " + log + "; rm " + log).text;
  if (!told || ended)
    FAIL("wireguard-go did not start, exit " << ended.value_or(-1) << ": " << said);
  const std::string configuration =
      "[Interface]\nPrivateKey = " + keys.private_key +
      "\nListenPort = 5555\n[Peer]\nPublicKey = " + options.gateway.string() +
      "\nPresharedKey = " + options.preshared_key +
      "\nEndpoint = 198.51.100.1:51820\nAllowedIPs = 0.0.0.0/0\n";
  must(lab::must_run({"wg", "setconf", interface_, "/dev/stdin"}, {.input = configuration}));
  must_run(namespace_.exec("sh -c 'set -e; ip addr add " + options.inner + "/32 dev " + interface_ +
                           "; ip link set " + interface_ +
                           " mtu 1420 up; ip route add 203.0.113.0/24 dev " + interface_ +
                           "; ip route add 10.0.0.0/8 dev " + interface_ + "'"));
}

LiveClient::Process::~Process() {
  if (id) lab::end(*id, seconds(5));
}

Endpoint LiveClient::endpoint() const {
  return must(Endpoint::parse("192.0.2.2:5555"));
}

bool LiveClient::pings(const std::string& address) const {
  return exec("ping -n -c 1 -W 2 " + address).status == 0;
}

}  // namespace weir::test
