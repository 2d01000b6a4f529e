#pragma once

#include <optional>
#include <string>

#include "manifests/base/edge/file.h"
#include "manifests/base/result.h"

/// That an order is carried out, as it stands in the state folder for whoever only looks.
namespace weir::deployer {

struct RunningOrder {
  std::string process;
  std::string what;  ///< "deploy of gateway-6.12"; empty: not written down yet
};

/// Says so for as long as what it returns lives; the kernel ends it with the process.
/// errors: busy: another order runs; io
[[nodiscard]] Result<Fd> mark_order(const std::string& state_folder, const std::string& what);

/// Takes no lock, waits for nobody and makes nothing.
[[nodiscard]] std::optional<RunningOrder> running_order(const std::string& state_folder);

/// "an order is running (deploy of gateway-6.12, process 4711)".
[[nodiscard]] std::string print(const RunningOrder& order);
/// The same, and what whoever wants to order something can do.
[[nodiscard]] Error in_the_way(const RunningOrder& order);

}  // namespace weir::deployer
