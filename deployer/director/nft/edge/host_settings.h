#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "deployer/network/edge/network_namespace.h"
#include "deployer/steering/steering.h"
#include "manifests/base/result.h"

namespace weir::director {

/// Settings below /proc/sys/net by their place in a fixed list; the places are kept in the ruleset,
/// so the list may grow at its end and must not change otherwise.
using Settings = std::map<std::uint32_t, std::uint32_t>;

/// What the director's whole host (or namespace) needs to be a router whose policy routing decides:
/// forwarding on, source validation and redirects off. Reads what stands there now.
Result<Settings> read_host_settings(const network::NetworkNamespace& where,
                                    const Topology& topology);
Status apply_host_settings(const network::NetworkNamespace& where, const Topology& topology);
/// Puts back what `read_host_settings` found. Settings of interfaces that are gone are skipped.
Status restore_host_settings(const network::NetworkNamespace& where, const Topology& topology,
                             const Settings& saved);

/// What one link to a node needs, before it gets addresses: no source validation, no redirects, no
/// router advertisements, no duplicate address detection, quick neighbour resolution.
Status apply_link_settings(const network::NetworkNamespace& where, const std::string& interface);

}  // namespace weir::director
