#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "deployer/director/nft/edge/nft_director.h"
#include "manifests/base/edge/file.h"
#include "tests/netns/temporary_namespace.h"

namespace weir::director::test {

using weir::test::TemporaryNamespace;

/// A director with three nodes (blue-1, blue-2 and green-1, numbers 1 to 3), clients outside and a
/// host upstream, each in a namespace of its own. Nodes are sockets on the public address; what
/// they and the clients send is shaped as WireGuard messages and carries a tag, by which its
/// receivers are known.
class Lab {
 public:
  /// All of it, with steering installed at version 1: blue-1 and blue-2 assigned no one, `active`
  /// as given.
  explicit Lab(const std::vector<NodeId>& active);

  Director& director() { return *director_; }
  [[nodiscard]] const Topology& topology() const { return topology_; }
  /// Applies a change to what the director now holds, as a delta; returns the new steering.
  Intent change(const std::function<void(Intent&)>& edit);
  /// Frees the nodes' port, for a real WireGuard that takes their place.
  void close_node_sockets();
  [[nodiscard]] const TemporaryNamespace& host() const { return host_; }
  [[nodiscard]] const TemporaryNamespace& node(std::uint32_t number) const {
    return nodes_.at(number - 1);
  }
  [[nodiscard]] const TemporaryNamespace& outside() const { return outside_; }
  [[nodiscard]] const TemporaryNamespace& upstream() const { return upstream_; }

  /// Everyone who received the packet with this tag: "node1", "client 198.51.100.1:4000",
  /// "upstream", "inner2". Waits until there is one, at most three seconds; empty where there was
  /// none.
  std::multiset<std::string> receivers(std::uint64_t tag);
  /// The same, without waiting: for packets that must not have arrived, after a later one has.
  std::multiset<std::string> receivers_so_far(std::uint64_t tag);

  // What clients send to the public address, and nodes to clients. Return the tag. `index` is the
  // receiver's for client messages, the sender's for types 1 and 2 of nodes, in host order.
  std::uint64_t client_sends(const Endpoint& from, int type, std::uint32_t index,
                             std::size_t length = 0);
  std::uint64_t node_sends(std::uint32_t number, const Endpoint& to, int type, std::uint32_t index,
                           std::size_t length = 0);
  /// A response of a node to an address of the director's own; who receives it is the caller's
  /// matter.
  void node_answers(std::uint32_t number, const Endpoint& to);
  // Inside tunnels: from a client of a node, as decrypted there; and from the host upstream.
  std::uint64_t inner_sends(std::uint32_t number, const IpAddress& from, const IpAddress& to);
  std::uint64_t upstream_sends(const IpAddress& to);

  /// The node that got a client's packet: 1 to 3; 0 where nobody did although a later packet
  /// arrived.
  std::uint32_t node_for(const Endpoint& from, int type, std::uint32_t index);
  /// The same for an inner packet from upstream.
  std::uint32_t node_for_inner(const IpAddress& to);
  /// Whether a node's message reaches the client.
  bool reaches(std::uint32_t number, const Endpoint& to, int type, std::uint32_t index);
  /// Whether an inner packet from a node reaches the host upstream.
  bool inner_passes(std::uint32_t number, const IpAddress& from, const IpAddress& to,
                    const std::string& receiver);

  /// Packets that a named counter of the ruleset has seen.
  std::uint64_t counter(const std::string& name);

  static constexpr const char* kUpstream4 = "203.0.113.10";
  static constexpr const char* kUpstream6 = "2001:db8:2::10";

 private:
  struct Listener {
    std::string name;
    Fd fd;
  };
  Fd& socket(const TemporaryNamespace& where, const std::string& name, const Endpoint& bound);
  void collect(int milliseconds);
  std::uint64_t send(Fd& fd, const Endpoint& to, std::string message, std::size_t tag_at);

  Topology topology_;
  TemporaryNamespace host_, outside_, upstream_;
  std::vector<TemporaryNamespace> nodes_;
  std::unique_ptr<Director> director_;
  std::map<std::string, Listener> listeners_;
  std::map<std::uint64_t, std::multiset<std::string>> seen_;
  std::uint64_t next_tag_ = 0x7765697200000000;  // "weir"
};

}  // namespace weir::director::test
