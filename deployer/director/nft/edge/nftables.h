#pragma once

#include <functional>
#include <string>

#include "deployer/director/nft/netlink.h"
#include "deployer/director/nft/ruleset.h"
#include "deployer/network/edge/network_namespace.h"
#include "manifests/base/result.h"

namespace weir::director {

/// Runs nft commands in a namespace: one transaction, all or nothing.
/// errors: kernel: refused, with nft's own message; unauthorized: not root there
Status apply_commands(const network::NetworkNamespace& where, const std::string& commands);

/// Our tables as they stand: rules, counters and those sets that `wanted` names. Consistent: no
/// transaction came in between.
/// errors: not_found: no such table; busy: transactions kept coming; io, integrity
Result<Ruleset> read_ruleset(const network::NetworkNamespace& where,
                             const std::function<bool(const std::string&)>& wanted);

/// Those of the keys that are there. One question a key, no transaction.
Result<Keys> read_present(const network::NetworkNamespace& where, const Keys& keys);

/// Deletes elements that packets taught, all in one transaction (each costs the kernel a grace
/// period, some 20 ms). Those that are gone meanwhile, or expire while this runs, are no error.
/// errors: not_found: no such set; busy: elements kept expiring; io
Status delete_learned(const network::NetworkNamespace& where, Keys keys);

}  // namespace weir::director
