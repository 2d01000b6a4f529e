#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "manifests/base/names.h"
#include "manifests/base/net.h"
#include "manifests/base/result.h"
#include "manifests/documents/attested_facts.h"
#include "manifests/documents/release.h"

/// The messages between deployer and node: JSON over HTTPS on the management link. The version is
/// the first path element; a deployer talks to nodes of its own version and of the one before.
///
///   GET  /v1/identity                        -> NodeIdentity
///   PUT  /v1/clock        ClockSetting       -> {}  after the private key only forward
///   PUT  /v1/private-key  SealedPrivateKey   -> {}
///   GET  /v1/peers                           -> PeerDump
///   POST /v1/peers        PeerDiff           -> {}  one SET_DEVICE sequence
///   POST /v1/prepare      PrepareRequest     -> {}  kicks each client from this node
///   POST /v1/commit       PeerSelection      -> {}  one keepalive edge each, nothing removed
///   POST /v1/give-up      PeerSelection      -> {}  peers removed and added without endpoint
///   POST /v1/drain        {}                 -> {}  stops initiating: keepalives off
///   GET  /v1/logs                            -> text/plain, newest last
///   GET  /v1/tool-dump                       -> text/plain: `wg show all dump`, secrets hidden
///   POST /v1/power-off    {}                 -> {}
///
/// A refusal is a 4xx or 5xx status with an `ApiError`. Format: docs/node-api.md.
namespace weir::manifests {

inline constexpr int kNodeApiVersion = 1;
inline constexpr std::uint16_t kNodeApiPort = 4433;
/// The longest message, and the longest of those that list peers.
inline constexpr ByteCount kLargestMessage{1ULL << 20}, kLargestPeerList{128ULL << 20};
/// The fw_cfg item from which a node learns who it is (/sys/firmware/qemu_fw_cfg/by_name/…/raw).
inline constexpr std::string_view kNodeConfigItem = "opt/org.weir/node";
/// Where an image carries the two programs: the kernel starts weir-init, which starts weir-node.
inline constexpr std::string_view kInitPath = "/init";
inline constexpr std::string_view kAgentPath = "/usr/lib/weir/weir-node";
/// Where an image carries the digest of the lock it was built from (71 characters and a newline).
inline constexpr std::string_view kLockDigestPath = "/usr/lib/weir/lock-digest";
/// The pinned tools of an image: one `package version` a line.
inline constexpr std::string_view kToolsPath = "/usr/lib/weir/tools";
/// Modules that weir-init loads, one name a line, in order; modules.dep leads to the rest.
inline constexpr std::string_view kModulesPath = "/usr/lib/weir/modules";

/// What one node needs to be itself; the fw_cfg item's JSON.
struct NodeConfig {
  NodeId node;
  std::optional<IpAddress> vip_v4, vip_v6;
  std::uint16_t port = 51820;                      ///< WireGuard's
  IpAddress node_v4, director_v4;                  ///< the data link, /31
  IpAddress node_v6, director_v6;                  ///< the data link, /127
  IpAddress node_management, director_management;  ///< /31
  std::string data_mac, management_mac;  ///< which NIC is which: "52:54:00:…", lower case
  std::vector<Prefix> clients;           ///< inner networks, routed to the device
  std::string tls_private_key;           ///< PEM, Ed25519; made for this boot, known to nobody else
  Digest client_pin;                     ///< SHA-256 of the deployer's SubjectPublicKeyInfo (DER)
  std::chrono::milliseconds clock_offset{0};  ///< rehearsal of a wrong clock
};

struct NodeIdentity {
  NodeId node;
  std::string boot_id;  ///< /proc/sys/kernel/random/boot_id
  Digest lock_digest;
  std::string kernel_release;
  std::string kernel_build_id;
  std::vector<LoadedModule> modules;
  std::vector<ReleasePackage> tools;  ///< architecture may be empty
  std::int64_t clock_unix_ns = 0;     ///< read while the answer was made
  PublicKey seal_key;                 ///< X25519, made at this boot; private keys are sealed to it
  std::optional<PublicKey> wireguard_key;  ///< of the device, once the private key has arrived
  std::string agent_version;
};

[[nodiscard]] AttestedFacts facts_of(const NodeIdentity& identity);

struct ClockSetting {
  std::int64_t unix_ns = 0;  ///< what the clock shall read on arrival
};

struct SealedPrivateKey {
  std::string sealed;  ///< base64 of crypto_box_seal(32 raw bytes, seal_key): 80 bytes
};

/// A peer as the node shall know it.
struct PeerSpec {
  PublicKey public_key;
  std::vector<Prefix> allowed_ips;
  std::optional<std::string> sealed_preshared_key;  ///< as SealedPrivateKey::sealed; absent: none
  std::optional<Endpoint> endpoint;                 ///< absent: left alone, or unknown when new
};

struct PeerDiff {
  std::vector<PeerSpec> put;  ///< added, or replaced in allowed IPs and preshared key
  std::vector<PublicKey> remove;
};

struct PeerState {
  PublicKey public_key;
  std::vector<Prefix> allowed_ips;
  bool has_preshared_key = false;
  std::optional<Endpoint> endpoint;
  std::int64_t last_handshake_unix_ns = 0;  ///< 0: never
  std::uint64_t rx_bytes = 0, tx_bytes = 0;
  std::uint16_t keepalive_seconds = 0;
  bool operator==(const PeerState&) const = default;
};

struct PeerDump {
  PublicKey device_key;
  std::int64_t clock_unix_ns = 0;  ///< the node's clock when it read the dump
  std::vector<PeerState> peers;    ///< by public key
};

struct PrepareRequest {
  struct Client {
    PublicKey public_key;
    Endpoint endpoint;
  };
  std::vector<Client> clients;
};

struct PeerSelection {
  std::vector<PublicKey> peers;
};

struct ApiError {
  std::string code;  ///< name_of(Errc)
  std::string message;
};

// print gives compact JSON; parse refuses unknown fields only in NodeConfig: messages may grow.
[[nodiscard]] std::string print(const NodeConfig&);
[[nodiscard]] std::string print(const NodeIdentity&);
[[nodiscard]] std::string print(const ClockSetting&);
[[nodiscard]] std::string print(const SealedPrivateKey&);
[[nodiscard]] std::string print(const PeerDiff&);
[[nodiscard]] std::string print(const PeerDump&);
[[nodiscard]] std::string print(const PrepareRequest&);
[[nodiscard]] std::string print(const PeerSelection&);
[[nodiscard]] std::string print(const ApiError&);

/// errors: invalid_input, naming the field; exhausted: more or deeper than the message can be
[[nodiscard]] Result<NodeConfig> parse_node_config(std::string_view json);
[[nodiscard]] Result<NodeIdentity> parse_node_identity(std::string_view json);
[[nodiscard]] Result<ClockSetting> parse_clock_setting(std::string_view json);
[[nodiscard]] Result<SealedPrivateKey> parse_sealed_private_key(std::string_view json);
[[nodiscard]] Result<PeerDiff> parse_peer_diff(std::string_view json);
[[nodiscard]] Result<PeerDump> parse_peer_dump(std::string_view json);
[[nodiscard]] Result<PrepareRequest> parse_prepare_request(std::string_view json);
[[nodiscard]] Result<PeerSelection> parse_peer_selection(std::string_view json);
[[nodiscard]] Result<ApiError> parse_api_error(std::string_view json);

}  // namespace weir::manifests
