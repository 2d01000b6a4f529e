#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "deployer/network/edge/network_namespace.h"
#include "deployer/node_client/edge/https_node_client.h"
#include "deployer/pool/edge/boot_image.h"
#include "deployer/pool/machines.h"
#include "keys/signing/secret.h"
#include "manifests/base/edge/process_id.h"
#include "manifests/documents/release.h"
#include "tests/netns/temporary_namespace.h"

namespace weir::test {

/// A baked release of the store that the fixture `test_store` made, its signature checked.
struct BakedRelease {
  manifests::Release release;
  pool::BootImage image;
};
[[nodiscard]] BakedRelease baked_release(const std::string& name);

/// One node, booted from a release, with a namespace in the director's place: addresses, but no
/// steering. Everything is gone when it goes. Fails the test where it does not come up.
class SingleNode {
 public:
  struct Options {
    std::chrono::milliseconds clock_offset{0};
  };
  SingleNode(const pool::BootImage& image, const Options& options);
  SingleNode(const SingleNode&) = delete;
  SingleNode& operator=(const SingleNode&) = delete;
  ~SingleNode() = default;

  node_client::HttpsNodeClient& api() { return *api_; }
  [[nodiscard]] const TemporaryNamespace& director() const { return director_; }
  [[nodiscard]] pool::MachineState state();
  [[nodiscard]] std::string console();
  /// Sets the clock and pushes a private key, both as the deployer does.
  void arm(const keys::Secret& private_key);

  static constexpr const char* kVip4 = "198.51.100.1";
  static constexpr const char* kVip6 = "2001:db8:51::1";
  static constexpr const char* kNode4 = "10.254.0.1";
  static constexpr const char* kNodeManagement = "10.254.1.1";
  static constexpr const char* kUpstream = "203.0.113.10";  ///< an address of the namespace itself
  static constexpr const char* kClients4 = "10.8.0.0/15";
  static constexpr const char* kClients6 = "fd00:8::/32";

 private:
  // Members of their own, so that they go also when the constructor fails the test halfway.
  struct Folder {
    std::string path;
    Folder();
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder();
  };
  struct Machine {
    std::optional<network::NetworkNamespace> where;
    std::unique_ptr<pool::MachineDriver> driver;
    std::optional<pool::MachineRecord> record;
    Machine() = default;
    Machine(const Machine&) = delete;
    Machine& operator=(const Machine&) = delete;
    ~Machine();
  };
  Folder folder_;
  TemporaryNamespace director_;
  Machine machine_;
  std::optional<node_client::HttpsNodeClient> api_;
};

/// A key pair made by the `wg` tool.
struct WgKeys {
  std::string private_key;  ///< base64
  PublicKey public_key;
};
[[nodiscard]] WgKeys make_wg_keys();
[[nodiscard]] std::string make_preshared_key();
/// crypto_box_seal of a key in base64 to a node.
[[nodiscard]] std::string seal(const std::string& base64_key, const PublicKey& seal_key);
[[nodiscard]] keys::Secret secret_of(const std::string& base64_key);

/// A wireguard-go client in a namespace of its own, behind a link to the director's.
class LiveClient {
 public:
  struct Options {
    std::string preshared_key;
    PublicKey gateway;
    std::string inner;  ///< IPv4 address
  };
  LiveClient(const SingleNode& node, const WgKeys& keys, const Options& options);

  [[nodiscard]] Endpoint endpoint() const;
  /// Runs a command where the client is.
  [[nodiscard]] Output exec(const std::string& command) const { return namespace_.exec(command); }
  [[nodiscard]] bool pings(const std::string& address) const;

 private:
  struct Process {
    std::optional<ProcessId> id;
    Process() = default;
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;
    ~Process();
  };
  TemporaryNamespace namespace_;
  std::string interface_;
  Process process_;
};

}  // namespace weir::test
