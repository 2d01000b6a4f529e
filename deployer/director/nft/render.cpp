#include "deployer/director/nft/render.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "deployer/director/nft/declarations.h"
#include "deployer/director/nft/rules.h"
#include "deployer/steering/edit.h"

namespace weir::director {
namespace {

using Lengths = std::set<std::uint8_t>;

/// The slots that clients without a home are hashed over; weights are parts of so many at most.
constexpr std::size_t kMostSlots = 4096;

/// Elements of one set or map as nft writes them, and a command for all of them.
class Elements {
 public:
  explicit Elements(std::string set) : set_(std::move(set)) {}
  void push(std::string element) { items_.push_back(std::move(element)); }

  /// "add element inet weir SET { a, b }", or nothing where there are no elements.
  [[nodiscard]] std::string command(std::string_view verb) const {
    // nft's parser keeps a whole line in memory; a thousand elements a line is plenty.
    constexpr std::size_t kPerLine = 1000;
    std::string out;
    for (std::size_t i = 0; i < items_.size(); i += kPerLine) {
      out += std::string(verb) + " element inet weir " + set_ + " { ";
      for (std::size_t j = i; j < std::min(items_.size(), i + kPerLine); ++j) {
        out += (j == i ? "" : ", ") + items_[j];
      }
      out += " }\n";
    }
    return out;
  }

 private:
  std::string set_;
  std::vector<std::string> items_;
};

/// Additions and removals of elements; removals come first, so that a value can be replaced.
class Changes {
 public:
  void add(const std::string& set, std::string element) { put(added_, set, std::move(element)); }
  void remove(const std::string& set, std::string element) {
    put(removed_, set, std::move(element));
  }
  [[nodiscard]] std::string commands() const {
    std::string out;
    for (const auto& [_, elements] : removed_) out += elements.command("delete");
    for (const auto& [_, elements] : added_) out += elements.command("add");
    return out;
  }

 private:
  using Sets = std::map<std::string, Elements>;
  static void put(Sets& sets, const std::string& set, std::string element) {
    sets.try_emplace(set, set).first->second.push(std::move(element));
  }
  Sets added_, removed_;
};

class Nodes {
 public:
  static Result<Nodes> of(const Topology& topology) {
    Nodes out;
    std::set<std::uint32_t> numbers;
    for (const auto& node : topology.nodes) {
      if (node.number == 0 || !numbers.insert(node.number).second) {
        return fail(Errc::invalid_input, "topology: node " + node.node.string() + ": number " +
                                             std::to_string(node.number) +
                                             " is zero or another node's");
      }
      if (!out.numbers_.emplace(node.node, node.number).second) {
        return fail(Errc::invalid_input, "topology: node " + node.node.string() + " stands twice");
      }
    }
    if (numbers.empty()) return fail(Errc::invalid_input, "topology: no nodes");
    return out;
  }
  [[nodiscard]] Result<std::string> number(const NodeId& node) const {
    const auto found = numbers_.find(node);
    if (found == numbers_.end()) {
      return fail(Errc::invalid_input,
                  "steering: node " + node.string() + " is not in the topology");
    }
    return std::to_string(found->second);
  }

 private:
  std::map<NodeId, std::uint32_t> numbers_;
};

std::string digit(const IpAddress& address) {
  return address.is_v6() ? "6" : "4";
}

std::string text(const Endpoint& client) {
  return client.address.string() + " . " + std::to_string(client.port);
}

std::string text_of_version(std::uint64_t version) {
  return std::to_string(version >> 32) + " . " + std::to_string(version & 0xffffffffU);
}

/// As the index stands on the wire: raw payload keys are read in network order.
std::string text_of_index(std::uint32_t index) {
  return std::to_string(__builtin_bswap32(index));
}

std::string assigned_map(const Prefix& prefix) {
  return "assigned" + digit(prefix.address) + "_" + std::to_string(prefix.length);
}

Lengths lengths_of(const Intent& steering, bool ipv6) {
  // Single addresses are what peers have; their maps are always there.
  Lengths out{static_cast<std::uint8_t>(ipv6 ? 128 : 32)};
  for (const auto& [prefix, _] : steering.assigned) {
    if (prefix.address.is_v6() == ipv6) out.insert(prefix.length);
  }
  return out;
}

Result<std::vector<NodeId>> spread_over(const std::vector<Bucket>& active) {
  std::size_t slots = 0;
  for (const Bucket& bucket : active) {
    if (bucket.weight == 0) {
      return fail(Errc::invalid_input, "steering: node " + bucket.node.string() + " has no weight");
    }
    slots += bucket.weight;
    if (slots > kMostSlots) {
      return fail(Errc::invalid_input,
                  "steering: weights sum up to more than " + std::to_string(kMostSlots));
    }
  }
  return slots_of(active);
}

Status put_active(Changes& out, const Nodes& nodes, const std::vector<Bucket>& old_active,
                  const std::vector<Bucket>& new_active) {
  TRY_ASSIGN(const auto from, spread_over(old_active));
  TRY_ASSIGN(const auto to, spread_over(new_active));
  for (std::size_t rank = 0; rank < std::max(from.size(), to.size()); ++rank) {
    if (rank < from.size() && rank < to.size() && from[rank] == to[rank]) continue;
    if (rank < from.size()) out.remove("active", std::to_string(rank));
    if (rank < to.size()) {
      TRY_ASSIGN(const auto number, nodes.number(to[rank]));
      out.add("active", std::to_string(rank) + " : " + number);
    }
  }
  const std::set<NodeId> before(from.begin(), from.end());
  const std::set<NodeId> after(to.begin(), to.end());
  for (const NodeId& node : before) {
    TRY_ASSIGN(const auto number, nodes.number(node));
    if (!after.contains(node)) out.remove("serving", number);
  }
  for (const NodeId& node : after) {
    TRY_ASSIGN(const auto number, nodes.number(node));
    if (!before.contains(node)) out.add("serving", number);
  }
  return {};
}

Status put_grants(Changes& out, const Nodes& nodes, const std::string& set,
                  const std::set<Grant>& base, const std::map<Grant, bool>& delta) {
  for (const auto& [grant, granted] : delta) {
    if (base.contains(grant) == granted) continue;
    TRY_ASSIGN(const auto number, nodes.number(grant.node));
    const std::string name = set + digit(grant.client.address);
    const std::string element = number + " . " + text(grant.client);
    granted ? out.add(name, element) : out.remove(name, element);
  }
  return {};
}

/// Changes of a map: an element whose value changes is removed and added in one transaction, for
/// the kernel refuses to add a key that is there with another value.
template <class Key, class Name, class Text>
Status put_map(Changes& out, const Nodes& nodes, const std::map<Key, NodeId>& base,
               const std::map<Key, std::optional<NodeId>>& delta, Name name, Text key_text) {
  for (const auto& [key, node] : delta) {
    const auto old = base.find(key);
    const bool there = old != base.end();
    if (there && node && old->second == *node) continue;
    if (there) out.remove(name(key), key_text(key));
    if (!node) continue;
    TRY_ASSIGN(const auto number, nodes.number(*node));
    out.add(name(key), key_text(key) + " : " + number);
  }
  return {};
}

Status put_steering(Changes& out, const Nodes& nodes, const Intent& base, const Delta& delta) {
  if (delta.active) TRY(put_active(out, nodes, base.active, *delta.active));
  TRY(put_map(
      out, nodes, base.homes, delta.homes,
      [](const Endpoint& client) { return "home" + digit(client.address); },
      [](const Endpoint& client) { return text(client); }));
  TRY(put_grants(out, nodes, "kick", base.kicks, delta.kicks));
  TRY(put_grants(out, nodes, "hold", base.holds, delta.holds));
  return put_map(out, nodes, base.assigned, delta.assigned, assigned_map,
                 [](const Prefix& prefix) { return prefix.address.string(); });
}

Status put_learned(Changes& out, const Nodes& nodes, const Learned& learned) {
  for (const auto& [index, node] : learned.indices) {
    TRY_ASSIGN(const auto number, nodes.number(node));
    out.add("indices", text_of_index(index) + " : " + number);
  }
  for (const auto& [client, node] : learned.homes) {
    TRY_ASSIGN(const auto number, nodes.number(node));
    out.add("learned" + digit(client.address), number + " . " + text(client));
  }
  for (const auto& [address, node] : learned.inner) {
    TRY_ASSIGN(const auto number, nodes.number(node));
    out.add("inner" + digit(address), address.string() + " : " + number);
  }
  return {};
}

std::string each_line(std::string_view prefix, std::string_view lines) {
  std::string out;
  while (!lines.empty()) {
    const auto end = lines.find('\n');
    out += std::string(prefix) + std::string(lines.substr(0, end)) + "\n";
    lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
  }
  return out;
}

/// What a table by this name held is gone, whether or not it was there.
constexpr std::string_view kRemoval =
    "table inet weir\ndelete table inet weir\n"
    "table ip weir\ndelete table ip weir\n"
    "table ip6 weir\ndelete table ip6 weir\n";

std::string chain(const std::string& name, const std::string& rules) {
  return "  chain " + name + " {\n" + each_line("    ", rules) + "  }\n";
}

std::string refill(const std::string& name, const std::string& rules) {
  return "flush chain inet weir " + name + "\n" +
         each_line("add rule inet weir " + name + " ", rules);
}

std::string render_numbers(const std::string& map,
                           const std::map<std::uint32_t, std::uint32_t>& numbers) {
  Changes elements;
  for (const auto& [key, value] : numbers) {
    elements.add(map, std::to_string(key) + " : " + std::to_string(value));
  }
  return elements.commands();
}

}  // namespace

Result<std::string> render_whole(const Topology& topology, const Intent& steering,
                                 const Learned& learned, std::uint32_t seed) {
  TRY_ASSIGN(const auto nodes, Nodes::of(topology));
  Intent nothing;
  Changes elements;
  TRY(put_steering(elements, nodes, nothing, diff(nothing, steering)));
  TRY(put_learned(elements, nodes, learned));
  const Lengths lengths4 = lengths_of(steering, false);
  const Lengths lengths6 = lengths_of(steering, true);
  std::string out(kRemoval);
  out += "table inet weir {" + render_declarations(topology, lengths4, lengths6) + "\n";
  out += chain("spread", render_spread(slots_of(steering.active).size()));
  out += chain("assigned4", render_assigned(false, lengths4));
  out += chain("assigned6", render_assigned(true, lengths6));
  out += render_chains(topology, seed) + "}\n" + render_error_tables(topology);
  out += "add element inet weir version { " + text_of_version(steering.revision) + " }\n";
  return out + elements.commands();
}

Result<std::string> render_delta(const Topology& topology, const Intent& base, const Delta& delta) {
  TRY_ASSIGN(const auto nodes, Nodes::of(topology));
  if (delta.from != base.revision) {
    return fail(Errc::invalid_input, "steering: a delta from revision " +
                                         std::to_string(delta.from) + " does not apply to " +
                                         std::to_string(base.revision));
  }
  Changes elements;
  TRY(put_steering(elements, nodes, base, delta));
  // The kernel refuses to delete what is not there, and with it everything that follows.
  std::string out = "delete element inet weir version { " + text_of_version(delta.from) + " }\n" +
                    "add element inet weir version { " + text_of_version(delta.to) + " }\n";
  if (delta.active) {
    const std::size_t slots = slots_of(*delta.active).size();
    if (slots_of(base.active).size() != slots) out += refill("spread", render_spread(slots));
  }
  for (const bool ipv6 : {false, true}) {
    const Lengths before = lengths_of(base, ipv6);
    Lengths after = before;
    for (const auto& [prefix, node] : delta.assigned) {
      if (node && prefix.address.is_v6() == ipv6) after.insert(prefix.length);
    }
    if (std::includes(before.begin(), before.end(), after.begin(), after.end())) continue;
    for (const std::uint8_t length : after) {
      if (!before.contains(length))
        out += "add map inet weir " + render_assigned_map(ipv6, length).substr(4);
    }
    out += refill(ipv6 ? "assigned6" : "assigned4", render_assigned(ipv6, after));
  }
  return out + elements.commands();
}

std::string render_settings(const std::map<std::uint32_t, std::uint32_t>& saved) {
  return render_numbers("settings", saved);
}

std::string render_seal(const std::map<std::uint32_t, std::uint32_t>& seal) {
  return render_numbers("seal", seal);
}

std::string render_removal() {
  return std::string(kRemoval);
}

}  // namespace weir::director
