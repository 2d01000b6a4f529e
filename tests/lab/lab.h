#pragma once

#include <map>
#include <string>
#include <vector>

#include "manifests/base/result.h"
#include "tests/lab/plan.h"
#include "tests/lab/process.h"
#include "tests/lab/traffic.h"

namespace weir::lab {

/// A lab that stands. Everything it makes is written down in its folder first (`lab.json`), so that
/// `tear_down` removes it also after a crash.
///
///   lab.json            name, programs, processes with their start times
///   fleet.yaml peers.jsonl gateway.identity gateway.seal
///   clients/NAME.key NAME.psk       WireGuard keys
///   state/              the deployer's
///   log/                wireguard-go's output
class Lab {
 public:
  struct Options {
    std::string folder;       ///< absolute; made if missing; held by one lab at a time
    std::string name;         ///< see plan_lab
    unsigned extra = 0;       ///< more clients
    std::string programs;     ///< folder of weir-keys and weir-deployer
    std::string store;        ///< absolute
    std::string trusted_key;  ///< absolute; minisign public key
    FleetOptions fleet;
  };
  /// Tears down what an earlier run left in the folder, then builds namespaces, keys and documents,
  /// and starts the server that the control client talks to. On failure nothing stays.
  static Result<Lab> build(const Options& options);
  /// Finds a lab that stands. errors: not_found
  static Result<Lab> find(const std::string& folder);

  [[nodiscard]] const LabPlan& plan() const { return plan_; }
  [[nodiscard]] const std::string& folder() const { return folder_; }
  [[nodiscard]] const FleetOptions& fleet() const { return fleet_; }
  [[nodiscard]] std::string path(const std::string& inside) const { return folder_ + "/" + inside; }
  [[nodiscard]] const std::string& gateway_key() const { return gateway_key_; }
  /// Clients connected from now on take the gateway for one with this key.
  void use_gateway_key(const std::string& key) { gateway_key_ = key; }
  [[nodiscard]] Result<ClientKeys> keys_of(const ClientPlan& client) const;

  /// Writes fleet.yaml anew, e.g. with another store.
  Status write_fleet(const FleetFiles& files, const FleetOptions& options) const;
  [[nodiscard]] FleetFiles fleet_files() const;
  /// Writes peers.jsonl without the named clients.
  Status write_peers(const std::vector<std::string>& left_out) const;

  /// Starts wireguard-go for a client and configures it. Connected already is fine.
  Status connect(const std::string& client);
  /// Waits until an echo request through the client's tunnel is answered.
  Status wait_for_tunnel(const std::string& client) const;

  /// The command line of `weir-deployer` on this lab's fleet.
  [[nodiscard]] Argv deployer(const Argv& command) const;
  /// Pings and streams for all connected clients, `control` included; plain and talker to each
  /// other.
  [[nodiscard]] std::vector<PingFlow> ping_flows() const;
  [[nodiscard]] std::vector<StreamFlow> stream_flows() const;

 private:
  struct Started {
    std::string what;
    ProcessId process;
  };
  Lab() = default;
  Status write_record() const;
  Status make_keys();
  Status start_wireguard(const std::string& netns, const std::string& interface,
                         const std::string& configuration);
  Status start_control_server();

  std::string folder_, programs_, store_, trusted_key_, gateway_key_;
  unsigned extra_ = 0;
  LabPlan plan_;
  FleetOptions fleet_;
  std::vector<Started> started_;
  std::vector<std::string> connected_;

  friend Status check_none_is_up(const std::string& folder);
  friend Status tear_down(const std::string& folder);
};

/// A lab that a person left running, and what runs inside, is not replaced unasked.
/// errors: busy: one is up in `folder`: a process of it runs
Status check_none_is_up(const std::string& folder);

/// Ends the fleet and every process, and removes every namespace and socket of the lab in `folder`.
/// No lab there is fine. Runs to its end also after an interrupt.
Status tear_down(const std::string& folder);

}  // namespace weir::lab
