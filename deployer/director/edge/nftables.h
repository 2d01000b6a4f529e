#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "deployer/director/ruleset.h"
#include "deployer/network/edge/network_namespace.h"
#include "manifests/result.h"

namespace weir::director {

/// Runs nft commands in a namespace: one transaction, all or nothing.
/// errors: kernel: refused, with nft's own message; unauthorized: not root there
Status apply_commands(const network::NetworkNamespace& where, const std::string& commands);

/// Table `inet weir` as it stands: those sets that `wanted` names, and the counters. Consistent: no
/// transaction came in between.
/// errors: not_found: no such table; busy: transactions kept coming; io, integrity
Result<Ruleset> read_ruleset(const network::NetworkNamespace& where,
                             const std::function<bool(const std::string&)>& wanted);

/// Deletes elements that packets taught. Those that are gone meanwhile, or expire while this runs,
/// are no error: the rest is deleted in ever smaller transactions. errors: not_found: no such set;
/// io
Status delete_learned(const network::NetworkNamespace& where,
                      const std::map<std::string, std::vector<std::string>>& keys);

}  // namespace weir::director
