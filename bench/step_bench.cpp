// How much time a rollout spends inside `step`: everybody of a fake world is moved from one pool to
// the other, and the processor's time in each call is summed. bench/step.sh builds this file twice,
// against the present engine and, with WEIR_BASELINE, against that of commit 419a97a.
#include <time.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#ifndef WEIR_BASELINE  // whose header comes with the command line
#include "deployer/rollout/rollout.h"
#endif

namespace {

using namespace weir;
using namespace weir::deployer;

constexpr unsigned kNodes = 2;  // of each pool
constexpr Instant kLatency{4};
constexpr Instant kTick{20};
constexpr std::int64_t kEpochNs = 1'700'000'000'000'000'000;

#ifdef WEIR_BASELINE
using Intent = director::Steering;
bool is_over(const State& state) {
  return state.task == Task::finished;
}
bool went_well(const State& state) {
  return state.outcome == Outcome::done;
}
std::vector<Ordered> run_step(const Plan& plan, State& state, Event event, Instant now) {
  Step next = step(plan, std::move(state), event, now);
  state = std::move(next.state);
  return std::move(next.commands);
}
bool patch_in_place(Intent& intent, const director::Delta& delta) {
  auto patched = director::patch(intent, delta);
  if (patched) intent = std::move(*patched);
  return patched.has_value();
}
std::vector<NodeId> active_of(const std::vector<NodeId>& nodes) {
  return nodes;
}
void set_first(Intent& intent) {
  intent.version = 1;
}
#else
using director::Intent;
bool is_over(const State& state) {
  return finished(state);
}
bool went_well(const State& state) {
  return state.rollout.outcome == Outcome::done;
}
std::vector<Ordered> run_step(const Plan& plan, State& state, Event event, Instant now) {
  return std::move(step(plan, state, std::move(event), now).commands);
}
bool patch_in_place(Intent& intent, const director::Delta& delta) {
  return director::apply(intent, delta).has_value();
}
std::vector<director::Bucket> active_of(const std::vector<NodeId>& nodes) {
  return director::equal_weights(nodes);
}
void set_first(Intent& intent) {
  intent.revision = 1;
}
#endif

std::int64_t processor_ns() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

PublicKey key_of(std::uint32_t n) {
  std::uint64_t mixed = n;
  std::array<std::uint8_t, 32> raw{};
  for (std::uint8_t& byte : raw) {  // splitmix64: keys look random, as real ones do
    mixed += 0x9e3779b97f4a7c15;
    std::uint64_t z = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    byte = static_cast<std::uint8_t>(z ^ (z >> 31));
  }
  return PublicKey::from_raw(raw);
}

Endpoint endpoint_of(std::uint32_t n) {
  return {IpAddress::v4({198, 18, static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n)}),
          static_cast<std::uint16_t>(4000 + (n >> 16))};
}

/// One peer on one node.
struct Session {
  bool endpoint = false;
  std::int64_t handshake_ns = 0;
  std::uint64_t rx = 0;
  Instant talks_since{-1};  ///< the client sends here since then; negative: it does not
};

class World {
 public:
  explicit World(std::uint32_t population) {
    for (unsigned i = 1; i <= kNodes; ++i) {
      from.push_back(*NodeId::parse("blue-" + std::to_string(i)));
      to.push_back(*NodeId::parse("green-" + std::to_string(i)));
    }
    set_first(steering_);
    steering_.active = active_of(from);
    for (const auto* pool : {&from, &to}) {
      for (const NodeId& node : *pool) sessions_[node].resize(population);
    }
    for (std::uint32_t n = 0; n < population; ++n) {
      const manifests::Peer peer{
          "client-" + std::to_string(n),
          key_of(n),
          {{IpAddress::v4({10, 0, static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n)}),
            32}},
          {},
          {}};
      registry.emplace(peer.public_key, peer);
    }
    numbers_.reserve(population);
    for (std::uint32_t n = 0; n < population; ++n) by_key_.emplace(key_of(n), n);
    for (const auto& [key, n] : by_key_) {
      keys_.push_back(key);
      numbers_.push_back(n);
      Session& session = sessions_.at(from[n % from.size()])[n];
      session = {true, kEpochNs - 30'000'000'000, 5000, Instant{0}};
      learned_.insert_or_assign(endpoint_of(n), from[n % from.size()]);
    }
    for (std::uint32_t n = 0; n < population; ++n) home_.push_back(from[n % from.size()]);
  }

  /// The next answer, or a tick.
  Event advance() {
    const Instant until = now + kTick;
    for (auto it = pending_.begin(); it != pending_.end(); ++it) {
      if (it->first > until) continue;
      Ordered ordered = std::move(it->second);
      now = std::max(now, it->first);
      pending_.erase(it);
      Event event = std::visit([&](auto& command) { return answer(command); }, ordered.command);
      event.echo = ordered.id;
      return event;
    }
    now = until;
    return {0, Tick{}};
  }
  void accept(Ordered ordered) {
    // A node needs its time for a dump.
    const bool dump = std::holds_alternative<ReadPeers>(ordered.command);
    const Instant takes = dump ? Instant(5 + registry.size() / 800) : kLatency;
    pending_.emplace_back(now + takes, std::move(ordered));
  }

  std::vector<NodeId> from, to;
  std::map<PublicKey, manifests::Peer> registry;
  Instant now{1000};

 private:
  [[nodiscard]] std::int64_t clock_ns() const {
    return kEpochNs + std::chrono::nanoseconds(now).count();
  }
  [[nodiscard]] std::uint64_t rx_of(const Session& it) const {
    if (it.talks_since < Instant{0}) return it.rx;
    return it.rx + static_cast<std::uint64_t>((now - it.talks_since).count()) * 100;
  }
  /// The client uses `node`'s session from now on.
  void talk_to(std::uint32_t n, const NodeId& node) {
    Session& old = sessions_.at(home_[n])[n];
    old.rx = rx_of(old);
    old.talks_since = Instant{-1};
    home_[n] = node;
    sessions_.at(node)[n].talks_since = now;
    learned_.insert_or_assign(endpoint_of(n), node);
  }

  template <class T>
  Event answer(T&) {
    return {0, Done{}};
  }
  Event answer(ReadIdentities&) { return {0, IdentitiesRead{}}; }
  Event answer(ReadClocks&) { return {0, ClocksRead{}}; }
  Event answer(ReadHalted&) { return {0, HaltedRead{}}; }
#ifndef WEIR_BASELINE
  Event answer(BootPool&) {
    return {0, Booted{}};
  }
  Event answer(FeedNodes& it) {
    NodesFed out;
    for (const NodeId& node : it.nodes) out.nodes[node];
    return {0, std::move(out)};
  }
#endif
  Event answer(ReadDirector&) {
    DirectorRead out;
    out.observed.steering = steering_;
    out.observed.learned.homes = learned_;
    return {0, std::move(out)};
  }
  Event answer(ReadPeers& it) {
    manifests::PeerDump dump{key_of(0), clock_ns(), {}};
    dump.peers.reserve(keys_.size());
    const auto& sessions = sessions_.at(it.node);
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      const std::uint32_t n = numbers_[i];
      const Session& session = sessions[n];
      manifests::PeerState state{keys_[i],
                                 registry.at(keys_[i]).allowed_ips,
                                 false,
                                 {},
                                 session.handshake_ns,
                                 rx_of(session),
                                 0,
                                 0};
      if (session.endpoint) state.endpoint = endpoint_of(n);
      dump.peers.push_back(std::move(state));
    }
    return {0, PeersRead{std::move(dump)}};
  }
  Event answer(ApplyDelta& it) {
    if (!patch_in_place(steering_, it.delta)) std::abort();
    return {0, Done{}};
  }
  Event answer(Kick& it) {
    for (const auto& client : it.clients) {
      sessions_.at(it.node)[by_key_.at(client.public_key)] = {true, clock_ns(), 92, Instant{-1}};
    }
    return {0, Done{}};
  }
  Event answer(Commit& it) {
    for (const PublicKey& key : it.peers) talk_to(by_key_.at(key), it.node);
    return {0, Done{}};
  }

  Intent steering_;
  std::map<Endpoint, NodeId> learned_;
  std::map<NodeId, std::vector<Session>> sessions_;
  std::map<PublicKey, std::uint32_t> by_key_;
  std::vector<PublicKey> keys_;  // in order, as dumps are
  std::vector<std::uint32_t> numbers_;
  std::vector<NodeId> home_;
  std::deque<std::pair<Instant, Ordered>> pending_;
};

}  // namespace

int main(int argc, char** argv) {
  const auto population = static_cast<std::uint32_t>(argc > 1 ? std::atoi(argv[1]) : 250);
  World world(population);
  Plan plan{.kind = Kind::deploy,
            .from_pool = *PoolName::parse("blue"),
            .to_pool = *PoolName::parse("green"),
            .from = world.from,
            .to = world.to,
            .peers = world.registry,
            .known = {},
            .policy = {},
            .release = {},
            .probe_source = {},
#ifndef WEIR_BASELINE
            .director = *DirectorId::parse("director")
#endif
  };
  const Digest digest = Digest::of(as_bytes("lock"));
  plan.release = manifests::Release{.name = *ReleaseName::parse("new"),
                                    .architecture = "amd64",
                                    .source_epoch = 0,
                                    .lock_digest = digest,
                                    .kernel = {"linux", "1", "6.12", "aa", {digest, {}}},
                                    .modules = {},
                                    .tools = {},
                                    .packages = {},
                                    .provides = {},
                                    .layers = {},
                                    .command_line = {},
                                    .sources = {},
                                    .builder_version = {}};
  State state = start(plan);
  Event event{0, Tick{}};
  std::int64_t spent = 0;
  std::size_t steps = 0;
  while (true) {
    const std::int64_t before = processor_ns();
    std::vector<Ordered> commands = run_step(plan, state, std::move(event), world.now);
    spent += processor_ns() - before;
    if (++steps > 1'000'000) break;
    for (Ordered& ordered : commands) world.accept(std::move(ordered));
    if (is_over(state)) break;
    event = world.advance();
  }
  if (!went_well(state)) {
    std::fprintf(stderr, "weir-bench-step: the rollout did not end well\n");
    return 1;
  }
  std::printf("%u %zu %.3f\n", population, steps, static_cast<double>(spent) / 1e6);
  return 0;
}
