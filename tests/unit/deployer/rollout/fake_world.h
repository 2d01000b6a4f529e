#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "deployer/rollout/journal.h"
#include "deployer/rollout/rollout.h"

namespace weir::deployer {

/// A director, nodes and clients that behave as real ones do, as far as the engine can tell; with a
/// clock that a test winds. It holds state and checks the two promises: a client always has a
/// session that works, and nodes initiate only where they may.
class FakeWorld {
 public:
  static constexpr Instant kLatency{4};

  struct FakeClient {
    PublicKey key;
    Endpoint endpoint;
    NodeId session;                   ///< the node whose session it sends with
    std::optional<NodeId> next;       ///< a handshake that waits for its confirming packet
    std::set<NodeId> refuses;         ///< nodes it cannot handshake with (another preshared key)
    std::set<NodeId> deaf_to_commit;  ///< the confirming packet gets lost once for each
    bool talks = true;                ///< sends data all the time
    bool online = true;
  };

  static NodeId node(const std::string& name) { return *NodeId::parse(name); }
  static PublicKey key(unsigned n) {
    std::array<std::uint8_t, 32> raw{};
    raw[0] = static_cast<std::uint8_t>(n);
    raw[1] = static_cast<std::uint8_t>(n >> 8);
    raw[31] = 7;
    return PublicKey::from_raw(raw);
  }
  static Endpoint endpoint(unsigned n) {
    return {IpAddress::v4(
                {198, 51, static_cast<std::uint8_t>(100 + (n >> 8)), static_cast<std::uint8_t>(n)}),
            4000};
  }

  FakeWorld(unsigned pool_size, unsigned population) {
    for (unsigned i = 1; i <= pool_size; ++i) {
      blue.push_back(node("blue-" + std::to_string(i)));
      green.push_back(node("green-" + std::to_string(i)));
    }
    steering.revision = 1;
    steering.active = director::equal_weights(blue);
    for (unsigned n = 1; n <= population; ++n) {
      const NodeId& home = blue[n % blue.size()];
      FakeClient client{key(n), endpoint(n), home, {}, {}, {}, true, true};
      manifests::Peer peer{
          "client-" + std::to_string(n),
          key(n),
          {{IpAddress::v4({10, 0, static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n)}),
            32}},
          {},
          {}};
      registry.emplace(peer.public_key, peer);
      for (const auto* pool : {&blue, &green}) {
        for (const NodeId& id : *pool) add_peer(id, peer);
      }
      auto& state = peers[home].at(client.key);
      state.endpoint = client.endpoint;
      state.last_handshake_unix_ns = clock_ns() - 30'000'000'000;
      state.rx_bytes = 5000;
      learned_homes.insert_or_assign(client.endpoint, home);
      clients.emplace(client.key, client);
    }
  }

  Plan plan(Kind kind, bool forward = true) const {
    Plan out{.kind = kind,
             .from_pool = *PoolName::parse(forward ? "blue" : "green"),
             .to_pool = *PoolName::parse(forward ? "green" : "blue"),
             .from = forward ? blue : green,
             .to = forward ? green : blue,
             .peers = registry,
             .known = {},
             .policy = {},
             .release = {},
             .probe_source = {},
             .director = *DirectorId::parse("director")};
    for (const auto& [k, client] : clients)
      out.known.insert_or_assign(k, Known{client.endpoint, client.session});
    return out;
  }

  /// `up` of the blue pool.
  [[nodiscard]] Plan up_plan(Ground ground) const {
    Plan out{.kind = Kind::up,
             .from_pool = {},
             .to_pool = *PoolName::parse("blue"),
             .from = {},
             .to = blue,
             .peers = registry,
             .known = {},
             .policy = {},
             .release = release(),
             .probe_source = {},
             .director = *DirectorId::parse("director")};
    out.ground = ground;
    return out;
  }

  static manifests::Release release() {
    const Digest digest = Digest::of(as_bytes("lock"));
    return {.name = *ReleaseName::parse("new"),
            .architecture = "amd64",
            .source_epoch = 1763000000,
            .lock_digest = digest,
            .kernel = {"linux-image", "6.12-1", "6.12", std::string(40, 'a'), {digest, {9000}}},
            .modules = {{"wireguard", "linux-image", "1.0.0", "ABCDEF", "6.12 SMP",
                         std::string(40, 'b'), digest, "0a9eda18"}},
            .tools = {{"wireguard-tools", "1.0", "amd64"}},
            .packages = {{"wireguard-tools", "1.0", "amd64"}},
            .provides = {"debconf"},
            .layers = {{"wireguard-tools", {digest, {400}}, digest, {900}}},
            .command_line = "console=ttyS0",
            .sources = {{"bookworm", digest, "Sat, 06 Sep 2025 10:06:37 UTC"}},
            .builder_version = "0.1.0",
            .terms = {},
            .scan = {1, 1200, 60000000, {}, {}}};
  }

  /// A peer that the registry gains, and nobody else knows of.
  const manifests::Peer& add_to_registry(unsigned n) {
    manifests::Peer peer{"client-" + std::to_string(n),
                         key(n),
                         {{IpAddress::v4({10, 0, 9, static_cast<std::uint8_t>(n)}), 32}},
                         {},
                         {}};
    return registry.emplace(peer.public_key, peer).first->second;
  }

  /// A client of `peer` that connects to a node.
  void connect(const manifests::Peer& peer, unsigned n, const NodeId& to) {
    clients.emplace(peer.public_key,
                    FakeClient{peer.public_key, endpoint(n), to, {}, {}, {}, true, true});
    auto& state = peers[to].at(peer.public_key);
    state.endpoint = endpoint(n);
    state.last_handshake_unix_ns = clock_ns() - 1'000'000'000;
    state.rx_bytes = 5000;
    learned_homes.insert_or_assign(endpoint(n), to);
  }

  /// Everybody to green, where at most `allowed` of them may fail.
  [[nodiscard]] Plan deploy_plan(Permille allowed = {}) const {
    Plan out = plan(Kind::deploy);
    out.policy.max_failed = allowed;
    out.release = release();
    return out;
  }

  /// Runs a rollout to its end, or until `stop` says so. Bounded in time.
  State run(
      const Plan& plan, State state,
      const std::function<bool(const State&)>& stop = [](const State&) { return false; },
      Event event = {0, Tick{}}) {
    for (int i = 0; i < 400000; ++i) {
      if (journal != nullptr) journal->push_back({now, shortened(state, event), {}});
      Step next = step(plan, state, std::move(event), now);
      if (journal != nullptr) journal->back().commands = next.commands;
      for (std::string& line : next.said) log.push_back(std::move(line));
      for (Ordered& ordered : next.commands) accept(std::move(ordered));
      if (finished(state) || stop(state)) return state;
      event = advance();
    }
    problems.push_back("the rollout did not end");
    return state;
  }

  /// Brings nodes to the registry, as FeedNodes asks.
  NodesFed feed(const FeedNodes& it) {
    for (const NodeId& id : it.nodes) stale.erase(id);
    return feed_changes(it.nodes);
  }
  /// The same, but for preshared keys.
  NodesFed feed_changes(const std::vector<NodeId>& nodes) {
    NodesFed out;
    for (const NodeId& id : nodes) {
      Fed& fed = out.nodes[id];
      if (refuses_feed.contains(id)) {
        fed.error = Error{Errc::io, 0, "no space"};
        continue;
      }
      std::erase_if(peers[id], [&](const auto& peer) {
        if (registry.contains(peer.first)) return false;
        fed.removed.push_back(peer.first);
        return true;
      });
      for (const auto& [k, peer] : registry) {
        const auto there = peers[id].find(k);
        if (there == peers[id].end()) {
          add_peer(id, peer);
          fed.added.push_back(k);
        } else if (there->second.allowed_ips != peer.allowed_ips) {
          there->second.allowed_ips = peer.allowed_ips;
          fed.changed.push_back(k);
        }
      }
    }
    return out;
  }

  /// A frozen node goes on, and says what it was told to say.
  void thaw(const NodeId& id) {
    frozen.erase(id);
    for (auto& [_, client] : clients) {
      const bool held = steering.holds.contains({id, client.endpoint});
      if (client.next == id && !held) confirm(client, id);
    }
  }

  /// The deployer dies: orders that no node or director has seen yet are lost.
  void die() { pending_.clear(); }

  [[nodiscard]] std::size_t on(const std::vector<NodeId>& pool) const {
    return static_cast<std::size_t>(
        std::count_if(clients.begin(), clients.end(), [&](const auto& it) {
          return std::find(pool.begin(), pool.end(), it.second.session) != pool.end();
        }));
  }

  std::vector<NodeId> blue, green;
  std::map<PublicKey, manifests::Peer> registry;
  std::map<PublicKey, FakeClient> clients;
  std::map<NodeId, std::map<PublicKey, manifests::PeerState>> peers;
  std::map<NodeId, std::chrono::microseconds> clocks;  ///< ahead; 0 where it does not stand
  std::set<NodeId> old_agents;                         ///< refuse to have their clocks set
  std::set<NodeId> refuses_feed;
  std::set<PublicKey> rotated;  ///< have another preshared key since `stale` nodes were fed
  std::set<NodeId> stale;
  bool steers = true;
  director::Intent steering;
  std::map<Endpoint, NodeId> learned_homes;
  std::set<NodeId> frozen;
  std::set<NodeId> hung;                               ///< silent, though their machines run
  std::function<bool()> lost = [] { return false; };   ///< whether this packet gets lost
  std::function<bool()> fails = [] { return false; };  ///< whether this request to a node fails
  std::function<bool()> loses_director = [] { return false; };  ///< asked before each answer of it
  unsigned director_calls = 0;
  std::map<NodeId, Instant> slow_feeds;  ///< how long it takes in a hurry
  std::map<NodeId, Instant> slow_reads;  ///< how long a dump takes
  Instant boot_takes = kLatency;
  bool refuses_deltas = false;
  bool busy_once = false;  ///< somebody else changed the steering
  bool green_runs = false;
  bool probe_fails = false;
  std::vector<NodeId> boots;  ///< of the pool that is booted: those that did not run
  std::vector<NodeId> probed;
  std::vector<manifests::NodeIdentity> identities;
  Instant now{1000};
  std::vector<JournalRecord>* journal = nullptr;  ///< where each step is written down
  std::vector<std::string> log;
  std::vector<std::string> problems;

 private:
  static constexpr Instant kTick{20};
  static constexpr Instant kCallPatience{10000};
  static constexpr Instant kHurriedPatience{2000};

  [[nodiscard]] std::int64_t clock_ns() const {
    return 1'700'000'000'000'000'000 + std::chrono::nanoseconds(now).count();
  }

  void add_peer(const NodeId& id, const manifests::Peer& peer) {
    manifests::PeerState state{peer.public_key, peer.allowed_ips, false, {}, 0, 0, 0, 0};
    peers[id].insert_or_assign(peer.public_key, state);
  }

  void accept(Ordered ordered) {
    Instant takes = std::holds_alternative<BootPool>(ordered.command) ? boot_takes : kLatency;
    if (const auto* read = std::get_if<ReadPeers>(&ordered.command)) {
      if (const auto slow = slow_reads.find(read->node); slow != slow_reads.end()) {
        takes = slow->second;
      }
    }
    if (const auto* fed = std::get_if<FeedChanges>(&ordered.command)) {
      if (const auto slow = slow_feeds.find(fed->node); slow != slow_feeds.end()) {
        takes = slow->second;
      }
    }
    pending_.emplace_back(now + takes, std::move(ordered));
  }

  /// The next answer, or a tick; time passes and clients talk meanwhile.
  Event advance() {
    const Instant until = now + kTick;
    for (auto it = pending_.begin(); it != pending_.end(); ++it) {
      if (it->first > until) continue;
      if (blocked(it->second.command)) {
        const auto patience = gives_up(it->second.command);
        if (!patience || it->first + *patience > until) continue;
        Event event{it->second.id, Failed{Error{Errc::timeout, 0, "no answer"}}};
        pending_.erase(it);
        now = until;
        return event;
      }
      Ordered ordered = std::move(it->second);
      now = std::max(now, it->first);
      pending_.erase(it);
      talk();
      const bool refused = node_of(ordered.command) != nullptr && fails();
      Event event =
          refused ? Event{0, Failed{Error{Errc::io, 0, "no answer"}}} : perform(ordered.command);
      event.echo = ordered.id;
      return event;
    }
    now = until;
    talk();
    return {0, Tick{}};
  }

  [[nodiscard]] static const NodeId* node_of(const Command& command) {
    if (const auto* it = std::get_if<ReadPeers>(&command)) return &it->node;
    if (const auto* it = std::get_if<Kick>(&command)) return &it->node;
    if (const auto* it = std::get_if<Commit>(&command)) return &it->node;
    if (const auto* it = std::get_if<GiveUp>(&command)) return &it->node;
    if (const auto* it = std::get_if<FeedChanges>(&command)) return &it->node;
    if (const auto* it = std::get_if<FeedNodes>(&command); it != nullptr && it->nodes.size() == 1) {
      return &it->nodes.front();
    }
    if (const auto* it = std::get_if<ReadClocks>(&command);
        it != nullptr && it->nodes.size() == 1) {
      return &it->nodes.front();
    }
    return nullptr;
  }

  /// How long a call is waited for that is not made again; of the others it is never known whether
  /// they arrive.
  [[nodiscard]] static std::optional<Instant> gives_up(const Command& command) {
    if (std::holds_alternative<FeedChanges>(command)) return kHurriedPatience;
    if (std::holds_alternative<FeedNodes>(command)) return kCallPatience;
    if (std::holds_alternative<ReadClocks>(command)) return kCallPatience;
    return std::nullopt;
  }

  [[nodiscard]] bool blocked(const Command& command) const {
    const NodeId* id = node_of(command);
    return id != nullptr && (frozen.contains(*id) || hung.contains(*id));
  }

  void talk() {
    for (auto& [k, client] : clients) {
      if (!client.online || !client.talks) continue;
      if (frozen.contains(client.session)) continue;
      const auto known = peers[client.session].find(k);
      if (known == peers[client.session].end()) {
        if (registry.contains(k)) problems.push_back("a client lost its peer");
        continue;
      }
      auto& state = known->second;
      if (state.last_handshake_unix_ns == 0) problems.push_back("a client lost its session");
      state.rx_bytes += 100;
      learned_homes.insert_or_assign(client.endpoint, client.session);
    }
  }

  [[nodiscard]] bool may_initiate(const NodeId& id, const Endpoint& to) const {
    if (steering.kicks.contains({id, to})) return true;
    if (const auto home = steering.homes.find(to); home != steering.homes.end())
      return home->second == id;
    const auto learned = learned_homes.find(to);
    return learned != learned_homes.end() && learned->second == id;
  }

  Event perform(Command& command) {
    return std::visit([&](auto& it) { return on_command(it); }, command);
  }

  Event on_command(InstallDirector&);
  Event on_command(RemoveDirector&);
  Event on_command(BootPool&);
  Event on_command(ReadIdentities&);
  Event on_command(FeedNodes&);
  Event on_command(FeedChanges&);
  Event on_command(ReadClocks&);
  Event on_command(SetClocks&);
  Event on_command(ProbeNodes&);
  Event on_command(StopPool&);
  Event on_command(ReadDirector&);
  Event on_command(ReadHalted&);
  Event on_command(ReadPeers&);
  Event on_command(ForgetNode&);
  Event on_command(ApplyDelta&);
  Event on_command(Kick&);
  void confirm(FakeClient& client, const NodeId& id);
  Event on_command(Commit&);
  Event on_command(GiveUp&);
  Event on_command(Nudge&);

  std::deque<std::pair<Instant, Ordered>> pending_;
};

}  // namespace weir::deployer

#include "tests/unit/deployer/rollout/fake_world_answers.h"  // IWYU pragma: export
