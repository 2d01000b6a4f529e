#pragma once

#include <algorithm>
#include <array>
#include <concepts>

#include "deployer/rollout/journal.h"
#include "deployer/rollout/journal_bytes.h"

/// What a journal's types consist of, in the order in which it stands there (docs/journal.md).
/// Types may gain alternatives at their ends; whatever else changes is another format.
namespace weir::deployer::journal {

/// One of these, for writing or for reading.
template <class T, class... U>
concept Is = (std::same_as<std::remove_const_t<T>, U> || ...);
/// Says all by being there.
template <class T>
concept Empty = std::is_empty_v<T>;

// ---- values with insides of their own -----------------------------------------------------------

template <class Tag>
struct Blank<Name<Tag>> {
  static Name<Tag> make() { return *Name<Tag>::parse("blank"); }
};
template <>
struct Blank<PublicKey> {
  static PublicKey make() { return PublicKey::from_raw({}); }
};
template <>
struct Blank<Digest> {
  static Digest make() { return Digest::from_raw({}); }
};

template <class Tag>
void fields(Writer& a, const Name<Tag>& it) {
  a(it.string());
}
template <class Tag>
void fields(Reader& a, Name<Tag>& it) {
  std::string text;
  a(text);
  if (!a.failed().empty()) return;
  auto name = Name<Tag>::parse(text);
  if (!name) return a.refuse("a name that cannot be one");
  it = std::move(*name);
}

template <class T>
requires Is<T, PublicKey> || Is<T, Digest>
void fields(Writer& a, const T& it) {
  a.raw({reinterpret_cast<const char*>(it.raw().data()), it.raw().size()});
}
template <class T>
requires Is<T, PublicKey> || Is<T, Digest>
void fields(Reader& a, T& it) {
  std::array<std::uint8_t, 32> raw{};
  const auto bytes = a.raw(raw.size());
  std::copy(bytes.begin(), bytes.end(), raw.begin());
  it = T::from_raw(raw);
}

inline void fields(Writer& a, const IpAddress& it) {
  a(it.is_v6());
  a.raw(it.raw());
}
inline void fields(Reader& a, IpAddress& it) {
  bool v6 = false;
  a(v6);
  const auto bytes = a.raw(v6 ? 16 : 4);
  if (v6) {
    std::array<std::uint8_t, 16> raw{};
    std::copy(bytes.begin(), bytes.end(), raw.begin());
    it = IpAddress::v6(raw);
  } else {
    std::array<std::uint8_t, 4> raw{};
    std::copy(bytes.begin(), bytes.end(), raw.begin());
    it = IpAddress::v4(raw);
  }
}
inline void fields(Writer& a, const Prefix& it) {
  a(it.address, it.length);
}
inline void fields(Reader& a, Prefix& it) {
  a(it.address, it.length);
  if (!Prefix::parse(it.string())) a.refuse("an address block that cannot be one");
}
void fields(auto& a, Is<Endpoint> auto& it) {
  a(it.address, it.port);
}

inline void fields(Writer& a, const manifests::Release& it) {
  a(print(it));
}
inline void fields(Reader& a, manifests::Release& it) {
  std::string text;
  a(text);
  if (!a.failed().empty()) return;
  auto release = manifests::parse_release(text);
  if (!release || print(*release) != text) return a.refuse("a release that cannot be one");
  it = std::move(*release);
}
template <>
struct Blank<manifests::Release> {
  static manifests::Release make() {
    const Digest digest = Blank<Digest>::make();
    return {.name = Blank<ReleaseName>::make(),
            .architecture = {},
            .source_epoch = 0,
            .lock_digest = digest,
            .kernel = {{}, {}, {}, {}, {digest, {}}},
            .modules = {},
            .tools = {},
            .packages = {},
            .provides = {},
            .layers = {},
            .command_line = {},
            .sources = {},
            .builder_version = {}};
  }
};

constexpr std::uint64_t last_of(const Reader&, Errc) {
  return static_cast<std::uint64_t>(Errc::bug);
}
constexpr std::uint64_t last_of(const Reader&, Kind) {
  return static_cast<std::uint64_t>(Kind::up);
}

void fields(auto& a, Is<Error> auto& it) {
  a(it.code, it.sys, it.message);
}
template <>
struct Blank<Failed> {
  static Failed make() { return {Error{}}; }
};

// ---- steering -----------------------------------------------------------------------------------

template <>
struct Blank<director::Bucket> {
  static director::Bucket make() { return {Blank<NodeId>::make()}; }
};
template <>
struct Blank<director::Grant> {
  static director::Grant make() { return {Blank<NodeId>::make(), {}}; }
};
void fields(auto& a, Is<director::Bucket> auto& it) {
  a(it.node, it.weight);
}
void fields(auto& a, Is<director::Grant> auto& it) {
  a(it.node, it.client);
}
void fields(auto& a, Is<director::Intent> auto& it) {
  a(it.revision, it.active, it.homes, it.kicks, it.holds, it.assigned);
}
void fields(auto& a, Is<director::Delta> auto& it) {
  a(it.from, it.to, it.active, it.homes, it.kicks, it.holds, it.assigned);
}
void fields(auto& a, Is<director::Learned> auto& it) {
  a(it.indices, it.homes, it.inner, it.index_collisions);
}
void fields(auto& a, Is<director::Observed> auto& it) {
  a(it.steering, it.learned, it.counters);
}

// ---- commands -----------------------------------------------------------------------------------

template <class T>
requires Is<T, ReadPeers, ForgetNode, FeedChanges>
struct Blank<T> {
  static T make() { return {Blank<NodeId>::make()}; }
};
template <class T>
requires Is<T, Kick, Commit, GiveUp, Nudge>
struct Blank<T> {
  static T make() { return {Blank<NodeId>::make(), {}}; }
};
using Kicked = manifests::PrepareRequest::Client;
template <>
struct Blank<Kicked> {
  static Kicked make() { return {Blank<PublicKey>::make(), {}}; }
};
void fields(auto& a, Is<Kicked> auto& it) {
  a(it.public_key, it.endpoint);
}
void fields(auto&, Empty auto&) {}
void fields(auto& a, Is<InstallDirector> auto& it) {
  a(it.intent, it.seeded);
}
void fields(auto& a, Is<ReadIdentities, FeedNodes, ReadClocks, ProbeNodes> auto& it) {
  a(it.nodes);
}
void fields(auto& a, Is<SetClocks> auto& it) {
  a(it.ahead);
}
void fields(auto& a, Is<ReadPeers, ForgetNode, FeedChanges> auto& it) {
  a(it.node);
}
void fields(auto& a, Is<ApplyDelta> auto& it) {
  a(it.delta);
}
void fields(auto& a, Is<Kick> auto& it) {
  a(it.node, it.clients);
}
void fields(auto& a, Is<Commit, GiveUp> auto& it) {
  a(it.node, it.peers);
}
void fields(auto& a, Is<Nudge> auto& it) {
  a(it.node, it.inner);
}
void fields(auto& a, Is<Ordered> auto& it) {
  a(it.id, it.command);
}

// ---- events -------------------------------------------------------------------------------------

template <>
struct Blank<manifests::PeerState> {
  static manifests::PeerState make() {
    return {Blank<PublicKey>::make(), {}, false, {}, 0, 0, 0, 0};
  }
};
template <>
struct Blank<manifests::PeerDump> {
  static manifests::PeerDump make() { return {Blank<PublicKey>::make(), 0, {}}; }
};
template <>
struct Blank<PeersRead> {
  static PeersRead make() { return {Blank<manifests::PeerDump>::make()}; }
};
template <>
struct Blank<manifests::NodeIdentity> {
  static manifests::NodeIdentity make() {
    return {.node = Blank<NodeId>::make(),
            .boot_id = {},
            .lock_digest = Blank<Digest>::make(),
            .kernel_release = {},
            .kernel_build_id = {},
            .modules = {},
            .tools = {},
            .clock_unix_ns = 0,
            .seal_key = Blank<PublicKey>::make(),
            .wireguard_key = {},
            .agent_version = {}};
  }
};
void fields(auto& a, Is<manifests::PeerState> auto& it) {
  a(it.public_key, it.allowed_ips, it.has_preshared_key, it.endpoint, it.last_handshake_unix_ns,
    it.rx_bytes, it.tx_bytes, it.keepalive_seconds);
}
void fields(auto& a, Is<manifests::PeerDump> auto& it) {
  a(it.device_key, it.clock_unix_ns, it.peers);
}
void fields(auto& a, Is<manifests::LoadedModule> auto& it) {
  a(it.name, it.version, it.srcversion, it.build_id);
}
void fields(auto& a, Is<manifests::ReleasePackage> auto& it) {
  a(it.name, it.version, it.architecture);
}
void fields(auto& a, Is<manifests::NodeIdentity> auto& it) {
  a(it.node, it.boot_id, it.lock_digest, it.kernel_release, it.kernel_build_id, it.modules,
    it.tools, it.clock_unix_ns, it.seal_key, it.wireguard_key, it.agent_version);
}
void fields(auto& a, Is<Failed> auto& it) {
  a(it.error);
}
void fields(auto& a, Is<Fed> auto& it) {
  a(it.error, it.added, it.changed, it.removed);
}
void fields(auto& a, Is<Booted, IdentitiesRead, NodesFed> auto& it) {
  a(it.nodes);
}
void fields(auto& a, Is<ClocksRead> auto& it) {
  a(it.ahead);
}
void fields(auto& a, Is<DirectorRead> auto& it) {
  a(it.observed);
}
void fields(auto& a, Is<HaltedRead> auto& it) {
  a(it.halted);
}
void fields(auto& a, Is<PeersRead> auto& it) {
  a(it.dump);
}
void fields(auto& a, Is<PeersChanged> auto& it) {
  a(it.clock_unix_ns, it.put, it.removed);
}
void fields(auto& a, Is<Event> auto& it) {
  a(it.echo, it.what);
}
void fields(auto& a, Is<JournalRecord> auto& it) {
  a(it.now, it.event, it.commands);
}

// ---- plan ---------------------------------------------------------------------------------------

template <>
struct Blank<manifests::Peer> {
  static manifests::Peer make() { return {{}, Blank<PublicKey>::make(), {}, {}, {}}; }
};
template <>
struct Blank<Known> {
  static Known make() { return {{}, Blank<NodeId>::make()}; }
};
template <>
struct Blank<Plan> {
  static Plan make() {
    return {.from_pool = {},
            .to_pool = Blank<PoolName>::make(),
            .from = {},
            .to = {},
            .peers = {},
            .known = {},
            .policy = {},
            .release = {},
            .probe_source = {},
            .director = Blank<DirectorId>::make()};
  }
};
void fields(auto& a, Is<manifests::Peer> auto& it) {
  a(it.name, it.public_key, it.allowed_ips, it.preshared_key_file, it.labels);
}
void fields(auto& a, Is<Known> auto& it) {
  a(it.endpoint, it.node);
}
void fields(auto& a, Is<Permille> auto& it) {
  a(it.value);
}
void fields(auto& a, Is<manifests::RolloutPolicy> auto& it) {
  a(it.max_failed, it.batch, it.prepare_timeout, it.commit_timeout, it.boot_timeout,
    it.max_clock_skew);
}
void fields(auto& a, Is<Ground> auto& it) {
  a(it.steers, it.settled);
}
void fields(auto& a, Is<Plan> auto& it) {
  a(it.kind, it.strict, it.from_pool, it.to_pool, it.from, it.to, it.peers, it.known, it.policy,
    it.release, it.probe_source, it.ground, it.director, it.wrong_clocks);
}

}  // namespace weir::deployer::journal
