#pragma once

#include <doctest/doctest.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "deployer/node_client/tls_key.h"
#include "deployer/orders/edge/orders.h"
#include "deployer/site/edge/site.h"
#include "deployer/state/sqlite/edge/sqlite_store.h"
#include "images/store/folder/edge/folder_store.h"
#include "keys/identity/wireguard_identity.h"
#include "manifests/base/edge/file.h"
#include "tests/unit/keys/trust/trust_fixture.h"

namespace weir::deployer {

/// A whole fleet without a machine: director, nodes, their machines and clients, all of which hold
/// state and behave as real ones do, as far as the deployer can tell. Documents, releases and the
/// state file are real, in a folder that goes with it.
class FakeFleet {
 public:
  struct Node {
    pool::MachineState machine = pool::MachineState::gone;
    bool answers = true;
    bool comes_up = true;  ///< its API answers once it was booted
    unsigned unseen = 0;   ///< looks at its machine that fail yet
    unsigned boots = 0;
    manifests::Release release = testing::release_named("none");
    std::array<std::uint8_t, 32> seal_public{}, seal_private{};
    std::optional<PublicKey> key;
    std::map<PublicKey, manifests::PeerState> peers;
    std::map<PublicKey, std::string> preshared;  ///< 32 raw bytes
    std::chrono::microseconds ahead{0};
    std::vector<manifests::ServiceReport> services;
    std::map<std::string, std::string> files;  ///< that it was given
    std::set<PublicKey> put;                   ///< peers that some diff changed or added since boot
  };
  struct Client {
    Endpoint endpoint;
    std::optional<NodeId> session;
    std::string preshared;
    unsigned lost = 0;  ///< sessions that ended under it
  };

  /// more  lines of its document that follow the pools blue and green: other pools first
  explicit FakeFleet(unsigned peers = 4, const std::string& more = "") : more_(more) {
    REQUIRE(sodium_init() >= 0);
    REQUIRE(::mkdtemp(folder.data()) != nullptr);
    REQUIRE(write_file(folder + "/release.pub", print(people_.pair(0).public_key)).has_value());
    put_release("one");
    put_release("two");
    for (unsigned n = 1; n <= peers; ++n) registry.insert(n);
    write();
  }
  FakeFleet(const FakeFleet&) = delete;
  FakeFleet& operator=(const FakeFleet&) = delete;
  ~FakeFleet() { std::filesystem::remove_all(folder); }

  static NodeId node(const char* name) { return *NodeId::parse(name); }
  static PublicKey key(unsigned n) {
    std::array<std::uint8_t, 32> raw{};
    raw[0] = static_cast<std::uint8_t>(n);
    raw[1] = static_cast<std::uint8_t>(n >> 8);
    raw[31] = 7;
    return PublicKey::from_raw(raw);
  }
  static std::string inner(unsigned n) {
    return "10.8." + std::to_string(n / 250) + "." + std::to_string(n % 250 + 1);
  }

  /// Documents, as `registry` and `preshared_keys` have them.
  void write() const {
    const std::string fleet =
        "name: t\nstate: state\nstore: store\ntrusted_keys: [release.pub]\nidentity: i\n"
        "peers: peers.jsonl\n"
        "director: {driver: nft, upstream_interface: up0" +
        of_director +
        "}\nvip: {ipv4: 198.51.100.1}\n"
        "fabric: {ipv4: 10.254.0.0/24, ipv6: 'fd00:fab::/64', management: 10.254.1.0/24}\n"
        "clients: [10.8.0.0/16]\npools:\n"
        "  - {name: blue, driver: vm, nodes: [blue-1]}\n"
        "  - {name: green, driver: vm, nodes: [green-1]" +
        of_green + "}\n" + more_;
    REQUIRE(write_file(folder + "/fleet.yaml", fleet).has_value());
    std::string lines;
    for (const unsigned n : registry) {
      const std::string name = "client-" + std::to_string(n);
      lines += R"({"name":")" + name + R"(","public_key":")" + key(n).string() +
               R"(","allowed_ips":[")" + inner(moved_inner.contains(n) ? n + 1000 : n) + R"("])";
      if (const auto secret = preshared_keys.find(n); secret != preshared_keys.end()) {
        lines += R"(,"preshared_key_file":")" + name + R"(.psk")";
        REQUIRE(write_file(folder + "/" + name + ".psk", base64_of(as_bytes(secret->second)), 0600)
                    .has_value());
      }
      lines += "}\n";
    }
    REQUIRE(write_file(folder + "/peers.jsonl", lines).has_value());
  }

  void put_release(const std::string& name) {
    manifests::Release release = testing::release_named(name);
    release.lock_digest = Digest::of(as_bytes(name));
    const std::string text = print(release);
    const std::string place = folder + "/store/releases/" + name;
    REQUIRE(images::FolderStore::open_or_create(folder + "/store").has_value());
    REQUIRE(make_folders(place).has_value());
    REQUIRE(write_file(place + "/release.json", text).has_value());
    REQUIRE(write_file(place + "/release.json.minisig", people_.sign(0, text)).has_value());
  }

  [[nodiscard]] std::unique_ptr<Site> site(
      SqliteStore::Access access = SqliteStore::Access::write) {
    auto documents = read_documents(folder + "/fleet.yaml");
    if (!documents) FAIL(documents.error().message);
    REQUIRE(make_folders(folder + "/state", 0700).has_value());
    auto site =
        Site::compose(std::move(*documents), reach(access), [this](const std::string& line) {
          const std::lock_guard guard(lock);
          said.push_back(line);
        });
    return site;
  }

  Result<Report> order(const Order& order) {
    const auto at = site();
    return run_order({*at, interrupted, std::chrono::steady_clock::now()}, order);
  }
  Report done(const Order& what) {
    auto report = order(what);
    if (!report) FAIL(report.error().message);
    std::string lines;
    for (const std::string& line : said) lines += line + "\n";
    CAPTURE(lines);
    CAPTURE((report->refusal ? report->refusal->text : ""));
    REQUIRE(report->outcome == Outcome::done);
    return std::move(*report);
  }
  [[nodiscard]] Result<Planned> plan(const Order& order,
                                     SqliteStore::Access access = SqliteStore::Access::write) {
    const auto at = site(access);
    return plan_on(*at, order, Seeing::forgotten);
  }

  /// A registered client that has a session with a node and uses it.
  void connect(unsigned n, const char* name) {
    const std::lock_guard guard(lock);
    const auto secret = preshared_keys.find(n);
    Client client{{IpAddress::v4({203, 0, 113, static_cast<std::uint8_t>(n)}), 5000},
                  node(name),
                  secret == preshared_keys.end() ? "" : secret->second};
    auto& peer = nodes.at(node(name)).peers.at(key(n));
    peer.endpoint = client.endpoint;
    peer.last_handshake_unix_ns = clock_ns() - 30'000'000'000;
    peer.rx_bytes = 5000;
    clients.insert_or_assign(key(n), client);
  }

  /// Statements in the state file, as another process would give them.
  void in_state(const std::string& sql) const {
    sqlite3* db = nullptr;
    REQUIRE(sqlite3_open((folder + "/state/fleet.db").c_str(), &db) == SQLITE_OK);
    CHECK(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
    sqlite3_close_v2(db);
  }

  static Order up(const char* release, AllowedRemovals allow = {}) {
    return UpOrder{*ReleaseName::parse(release), allow};
  }
  static constexpr const char* kKey = "HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw=";
  static Order deploy(const char* release, AllowedRemovals allow = {}) {
    return DeployOrder{*ReleaseName::parse(release), {}, false, allow};
  }
  static Order deploy_to(const char* pool, const char* release) {
    return DeployOrder{*ReleaseName::parse(release), *PoolName::parse(pool), false, {}};
  }

  std::string folder = "/tmp/weirt-fleet-XXXXXX";
  std::set<unsigned> registry;                     ///< clients by number
  std::string of_director;                         ///< more fields of its own
  std::string of_green;                            ///< more fields of that pool
  std::set<unsigned> moved_inner;                  ///< that have another allowed IP now
  std::map<unsigned, std::string> preshared_keys;  ///< 32 raw bytes
  std::atomic<bool> interrupted{false};
  Status identity_is;  ///< whether the fleet's could be opened
  /// What its file says, the older one first; nodes are given the one that is here at first.
  std::vector<const char*> identity_keys = {kKey};

  std::mutex lock;  ///< over what follows
  std::map<NodeId, Node> nodes = {{node("blue-1"), {}}, {node("green-1"), {}}};
  std::map<NodeId, std::vector<manifests::ServiceReport>> image_services;  ///< as it comes up
  std::map<std::string, std::vector<manifests::ServiceSettings>> release_services;  ///< by name
  std::map<PublicKey, Client> clients;
  std::string console;  ///< of every machine
  bool installed = false;
  director::Maker maker = director::Maker::us;  ///< of what is installed
  director::Intent steering;
  std::vector<std::string> said;
  using Hook = std::function<void(FakeFleet&, const NodeId&)>;
  Hook on_start = [](FakeFleet&, const NodeId&) {};
  Hook on_prepare = [](FakeFleet&, const NodeId&) {};  ///< under the lock, as the next
  Hook on_commit = [](FakeFleet&, const NodeId&) {};
  /// What the director answers to a call of this name instead of obeying; under the lock.
  std::function<Status(std::string_view)> director_says = [](std::string_view) { return Status(); };

 private:
  class FakeDirector;
  class FakeClient;
  class FakeMachines;

  static std::int64_t clock_ns() {
    return std::chrono::nanoseconds(std::chrono::system_clock::now().time_since_epoch()).count();
  }
  Reach reach(SqliteStore::Access access);

  std::string more_;
  testing::People people_{1};
  std::optional<manifests::Release> image_;  ///< what was read to be booted
};

}  // namespace weir::deployer

#include "tests/unit/deployer/fake_node.h"

namespace weir::deployer {

class FakeFleet::FakeDirector final : public director::Director {
 public:
  explicit FakeDirector(FakeFleet& fleet) : fleet_(fleet) {}
  Result<bool> installed() override {
    const std::lock_guard guard(fleet_.lock);
    TRY(fleet_.director_says("installed"));
    return fleet_.installed;
  }
  Result<director::Maker> maker() override {
    const std::lock_guard guard(fleet_.lock);
    return fleet_.maker;
  }
  Status check_upstream() override {
    const std::lock_guard guard(fleet_.lock);
    return fleet_.director_says("check_upstream");
  }
  Status install(const director::Intent& intent, const std::optional<director::Learned>&) override {
    const std::lock_guard guard(fleet_.lock);
    fleet_.installed = true;
    fleet_.steering = intent;
    return {};
  }
  Status attach(const NodeId&) override { return {}; }
  Status apply(const director::Delta& delta) override {
    const std::lock_guard guard(fleet_.lock);
    TRY(fleet_.director_says("apply"));
    if (!fleet_.installed) return fail(Errc::not_found, "director: not installed");
    if (!director::apply(fleet_.steering, delta)) {
      return fail(Errc::busy, "director: another version");
    }
    return {};
  }
  Result<director::Observed> read() override {
    const std::lock_guard guard(fleet_.lock);
    TRY(fleet_.director_says("read"));
    if (!fleet_.installed) return fail(Errc::not_found, "director: not installed");
    director::Observed out;
    out.steering = fleet_.steering;
    for (const auto& [key, client] : fleet_.clients) {
      if (client.session) out.learned.homes.insert_or_assign(client.endpoint, *client.session);
    }
    return out;
  }
  Status forget(const NodeId&) override {
    const std::lock_guard guard(fleet_.lock);
    return fleet_.director_says("forget");
  }
  Status nudge(const NodeId&, const IpAddress&) override { return {}; }
  Status remove() override {
    const std::lock_guard guard(fleet_.lock);
    TRY(fleet_.director_says("remove"));
    fleet_.installed = false;
    return {};
  }

 private:
  FakeFleet& fleet_;
};

class FakeFleet::FakeMachines final : public pool::MachineDriver {
 public:
  explicit FakeMachines(FakeFleet& fleet) : fleet_(fleet) {}
  Status check(const manifests::Attachment&, const pool::BootImage&) override { return {}; }
  Result<pool::MachineRecord> start(const manifests::Attachment& link, const manifests::PoolSpec&,
                                    const pool::BootImage&, const manifests::NodeConfig&,
                                    const std::string& place) override {
    fleet_.on_start(fleet_, link.node);
    const std::lock_guard guard(fleet_.lock);
    Node& node = fleet_.nodes.at(link.node);
    const unsigned boots = node.boots + 1;
    const bool comes_up = node.comes_up;
    const unsigned unseen = node.unseen;
    node = Node{};
    node.unseen = unseen;
    node.machine = pool::MachineState::running;
    node.boots = boots;
    node.answers = node.comes_up = comes_up;
    node.release = *fleet_.image_;
    node.services = fleet_.image_services[link.node];
    crypto_box_keypair(node.seal_public.data(), node.seal_private.data());
    return pool::MachineRecord{link.node, 1000 + static_cast<std::int64_t>(link.number), boots,
                               place};
  }
  Result<pool::MachineState> state(const pool::MachineRecord& machine) override {
    const std::lock_guard guard(fleet_.lock);
    Node& node = fleet_.nodes.at(machine.node);
    if (node.unseen != 0) {
      --node.unseen;
      return fail_errno(Errc::io, EMFILE, "/proc");
    }
    return node.machine;
  }
  std::string console_tail(const pool::MachineRecord&, std::size_t) override {
    const std::lock_guard guard(fleet_.lock);
    return fleet_.console;
  }
  Status stop(const pool::MachineRecord& machine, std::chrono::milliseconds) override {
    const std::lock_guard guard(fleet_.lock);
    fleet_.nodes.at(machine.node).machine = pool::MachineState::gone;
    return {};
  }
  Status end_unrecorded(const std::string&, std::chrono::milliseconds) override { return {}; }
  void prefer(const pool::MachineRecord&) override {}

 private:
  FakeFleet& fleet_;
};

inline Reach FakeFleet::reach(SqliteStore::Access access) {
  auto store = SqliteStore::open(folder + "/state/fleet.db", access);
  if (!store) FAIL(store.error().message);
  return Reach{
      .store = std::make_unique<SqliteStore>(std::move(*store)),
      .director = std::make_unique<FakeDirector>(*this),
      .client_key = {{}, Digest::of({})},
      .where = nullptr,
      .machines = std::make_unique<FakeMachines>(*this),
      .connect =
          [this](const manifests::Attachment& link, const StoredMachine&,
                 std::chrono::milliseconds) -> Result<std::unique_ptr<node_client::NodeClient>> {
        return std::make_unique<FakeClient>(*this, link.node);
      },
      .boot_image = [this](const manifests::Release& release) -> Result<pool::BootImage> {
        image_ = release;
        return pool::BootImage{};
      },
      .services = [this](const ReleaseName& name,
                         const Digest&) -> Result<std::vector<manifests::ServiceSettings>> {
        return release_services[name.string()];
      },
      .identity = []() -> Result<keys::WireGuardIdentity> {
        TRY_ASSIGN(auto secret,
                   keys::parse_wireguard_key("yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk="));
        TRY_ASSIGN(auto pair, keys::WireGuardKeyPair::of(std::move(secret)));
        return keys::WireGuardIdentity(std::move(pair));
      },
      .check_identity = [this] { return identity_is; },
      .identity_keys = [this]() -> Result<keys::IdentityKeys> {
        std::vector<PublicKey> keys;
        for (const char* text : identity_keys) keys.push_back(*PublicKey::parse(text));
        return keys::IdentityKeys::of(std::move(keys));
      },
      .probe = [](const probe::ProbeTarget&, const keys::Secret&,
                  const std::optional<keys::Secret>&) -> Result<probe::ProbeResult> {
        return fail(Errc::timeout, "probe: no handshake");
      }};
}

}  // namespace weir::deployer
