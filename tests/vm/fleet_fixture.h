#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/lab/demo.h"
#include "tests/patience.h"

namespace weir::test {

/// A lab whose blue pool runs gateway-6.1, from the store that the fixture `test_store` baked. One
/// a test program: booting costs the time. Everything is gone when it goes.
class BlueFleet {
 public:
  /// Ends the test program where it may not make namespaces (77, or 1 with WEIR_REQUIRE_ALL), and
  /// fails it where the pool does not come up.
  explicit BlueFleet(const lab::FleetOptions& options, unsigned extra = 0);
  BlueFleet(const BlueFleet&) = delete;
  BlueFleet& operator=(const BlueFleet&) = delete;
  ~BlueFleet();

  [[nodiscard]] lab::Lab& lab() { return *lab_; }

  /// Runs weir-deployer on this fleet; its progress goes to the test's standard error.
  lab::Output order(const lab::Argv& command);
  /// The same, and what it wrote to standard error is in `err`.
  lab::Output order_quietly(const lab::Argv& command);
  [[nodiscard]] nlohmann::json status();
  /// "running", "frozen" or "gone", of a node's machine, as status tells it.
  [[nodiscard]] std::string machine(const std::string& node);
  [[nodiscard]] std::int64_t machine_pid(const std::string& node);

  /// Steering as nft prints it, without counters and times; from the director's own namespace.
  [[nodiscard]] std::string dump_steering();
  /// Every peer of every node of a pool as the nodes' kernels have them, over the node API.
  [[nodiscard]] std::string dump_peers(const std::string& pool);

  /// Writes fleet.yaml anew with other options, or another store.
  void use(const lab::FleetOptions& options);
  void use_store(const std::string& store);
  /// A copy of the baked store that a test may spoil.
  [[nodiscard]] std::string copy_store();
  [[nodiscard]] std::string baked(const std::string& inside) const;

 private:
  std::string folder_;
  std::optional<lab::Lab> lab_;
  lab::FleetOptions options_;
  std::string store_;
};

inline constexpr const char* kBlueRelease = "gateway-6.1";
inline constexpr const char* kGreenRelease = "gateway-6.12";

}  // namespace weir::test
