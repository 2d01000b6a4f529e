#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "deployer/director/nft/ruleset.h"
#include "manifests/base/digest.h"
#include "manifests/base/result.h"

namespace weir::director {

// nfnetlink messages about table `inet weir`, made and taken apart with libnftnl. Replies are one
// or more messages as the kernel sent them, without the closing NLMSG_DONE or acknowledgement.
// Source: linux/netfilter/nf_tables.h

[[nodiscard]] std::string request_generation(std::uint32_t sequence);
[[nodiscard]] std::string request_sets(std::uint32_t sequence);
[[nodiscard]] std::string request_elements(const std::string& set, std::uint32_t sequence);
[[nodiscard]] std::string request_counters(std::uint32_t sequence);
/// Rules of table `weir` of one family (NFPROTO_INET, NFPROTO_IPV4, NFPROTO_IPV6).
[[nodiscard]] std::string request_rules(std::uint8_t family, std::uint32_t sequence);
/// Asks for one element, which is answered or refused with ENOENT.
[[nodiscard]] std::string request_element(const std::string& set, const std::string& key,
                                          std::uint32_t sequence);

/// Keys to delete, in all the sets they stand in.
using Keys = std::map<std::string, std::vector<std::string>>;

/// One transaction that deletes all these keys or none. The kernel answers every message that it
/// refuses, and in the end the one that carries `last`.
struct Deletion {
  std::string messages;
  std::uint32_t last = 0;
};
[[nodiscard]] Deletion request_deletion(const Keys& keys, std::uint32_t sequence);

// errors: integrity, where a reply is not what the request asked for
[[nodiscard]] Result<std::uint32_t> parse_generation(Bytes reply);
[[nodiscard]] Result<std::vector<std::string>> parse_sets(Bytes reply);
[[nodiscard]] Result<std::vector<Element>> parse_elements(Bytes reply);
[[nodiscard]] Result<std::map<std::string, std::uint64_t>> parse_counters(Bytes reply);
/// By chain, the kernel's own encoding of its rules' expressions, one after the other.
[[nodiscard]] Result<std::map<std::string, std::string>> parse_rules(Bytes reply);

}  // namespace weir::director
