#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "manifests/base/names.h"
#include "manifests/base/net.h"
#include "manifests/base/result.h"

namespace weir::manifests {

/// A WireGuard client as the registry knows it: one line of peers.jsonl.
struct Peer {
  std::string name;  ///< for people; unique where it is not empty
  PublicKey public_key;
  std::vector<Prefix>
      allowed_ips;  ///< inner addresses; of blocks inside each other the longer wins
  std::optional<std::string>
      preshared_key_file;  ///< relative to the peers file; 44 characters of base64
  std::map<std::string, std::string> labels;  ///< cohorts: {"client": "ios-1.0.15"}
  int line = 0;  ///< in its document, from 1; 0: in none. Equal peers may stand on other lines
};

/// One JSON object a line, in this order of lines; empty lines are skipped. Format: docs/peers.md.
///
/// file     how errors call the document: "peers.jsonl:7: allowed_ips[0]: ..."
/// errors   invalid_input, with line and field; unknown and duplicate fields, and public keys,
/// names
///          and allowed IPs that two peers claim, are refused (the latter name both lines)
[[nodiscard]] Result<std::vector<Peer>> parse_peers(std::string_view jsonl,
                                                    std::string_view file = "peers.jsonl");
[[nodiscard]] bool operator==(const Peer& a, const Peer& b);
[[nodiscard]] std::string print(const Peer& peer);  ///< one line, without the newline

}  // namespace weir::manifests
