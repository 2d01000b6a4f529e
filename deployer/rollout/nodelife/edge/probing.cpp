#include <sodium.h>

#include <algorithm>
#include <array>
#include <thread>

#include "deployer/rollout/nodelife/edge/pools.h"
#include "keys/identity/edge/identity_files.h"

namespace weir::deployer {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kProbePatience{15000};
constexpr int kAttempts = 3;
constexpr milliseconds kDumpPatience{2000};

Prefix alone(const IpAddress& address) {
  return {address, static_cast<std::uint8_t>(address.is_v4() ? 32 : 128)};
}

/// Peers that hold the probe's address: those of earlier probes that could not clean up.
std::vector<PublicKey> probes_in(const manifests::PeerDump& dump, const IpAddress& source) {
  std::vector<PublicKey> out;
  for (const auto& peer : dump.peers) {
    if (peer.allowed_ips == std::vector<Prefix>{alone(source)}) out.push_back(peer.public_key);
  }
  return out;
}

Status seen_by_node(node_client::NodeClient& client, const NodeId& node, const PublicKey& key) {
  const auto deadline = std::chrono::steady_clock::now() + kDumpPatience;
  for (;;) {
    TRY_ASSIGN(const auto dump, client.peers());
    for (const auto& peer : dump.peers) {
      if (peer.public_key == key && peer.last_handshake_unix_ns != 0 && peer.rx_bytes > 148)
        return {};
    }
    if (std::chrono::steady_clock::now() > deadline) {
      return fail(Errc::integrity, "node " + node.string() +
                                       " answered the probe, but its own WireGuard device shows no "
                                       "handshake with it");
    }
    std::this_thread::sleep_for(milliseconds(50));
  }
}

Status probe_node(Site& site, const NodeId& node, const manifests::ProbeSpec& spec) {
  TRY_ASSIGN(const auto client, site.connect(node, kProbePatience));
  TRY_ASSIGN(const auto about, client->identity());
  if (!about.wireguard_key) return fail(Errc::bug, "probed before it has a private key");
  TRY_ASSIGN(const auto before, client->peers());
  TRY_ASSIGN(const auto pair, keys::make_wireguard_key_pair());
  TRY_ASSIGN(auto preshared, keys::Secret::of_size(32));
  randombytes_buf(preshared.writable().data(), preshared.size());
  manifests::PeerDiff diff;
  diff.remove = probes_in(before, spec.source);
  manifests::PeerSpec peer{pair.public_key(), {alone(spec.source)}, {}, {}};
  TRY_ASSIGN(peer.sealed_preshared_key, keys::seal_to_node(preshared, about.seal_key));
  diff.put.push_back(std::move(peer));
  TRY_IN(client->apply(diff), "add the probe's peer");

  const manifests::Vip& vip = site.fleet().vip;
  const probe::ProbeTarget target{.gateway = {vip.ipv4 ? *vip.ipv4 : *vip.ipv6, vip.port},
                                  .mark = site.attachment(node).number,
                                  .gateway_key = *about.wireguard_key,
                                  .inner_source = spec.source,
                                  .inner_target = spec.target};
  std::optional<keys::Secret> secret(std::move(preshared));
  Result<probe::ProbeResult> result = fail(Errc::bug, "not probed");
  for (int attempt = 0; attempt < kAttempts && !result && !site.cancelled(); ++attempt) {
    result = site.probe(target, pair.private_key(), secret);
  }
  Status status = result ? seen_by_node(*client, node, pair.public_key())
                         : Status(tl::unexpected(result.error()));
  TRY_IN(client->apply({{}, {pair.public_key()}}), "remove the probe's peer");
  if (status) {
    site.say("probe through " + node.string() + ": handshake in " +
             std::to_string(result->handshake.count() / 1000) + " ms, echo in " +
             std::to_string(result->echo.count() / 1000) + " ms");
  }
  return status;
}

}  // namespace

Status probe_nodes(Site& site, const std::vector<NodeId>& nodes) {
  if (!site.fleet().probe) return {};
  // One after the other: they share the probe's inner address, which the director learns anew.
  for (const NodeId& node : nodes) {
    if (site.cancelled()) return fail(Errc::busy, "interrupted while probing");
    TRY_IN(probe_node(site, node, *site.fleet().probe), "probe of node " + node.string());
  }
  return {};
}

}  // namespace weir::deployer
