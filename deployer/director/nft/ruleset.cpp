#include "deployer/director/nft/ruleset.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <string_view>

namespace weir::director {
namespace {

tl::unexpected<Error> strange(const std::string& set, const std::string& what) {
  return fail(Errc::integrity, "table inet weir: set " + set + ": " + what);
}

/// Takes a key apart from the left.
class Key {
 public:
  explicit Key(std::string_view raw) : rest_(raw) {}

  std::optional<std::uint32_t> mark() {
    const auto raw = take(4);
    if (!raw) return std::nullopt;
    std::uint32_t value = 0;
    std::memcpy(&value, raw->data(), sizeof value);
    return value;
  }
  std::optional<std::uint32_t> network_order() {
    const auto raw = take(4);
    if (!raw) return std::nullopt;
    return byte(*raw, 0) << 24 | byte(*raw, 1) << 16 | byte(*raw, 2) << 8 | byte(*raw, 3);
  }
  std::optional<IpAddress> address(bool ipv6) {
    const auto raw = take(ipv6 ? 16 : 4);
    if (!raw) return std::nullopt;
    std::array<std::uint8_t, 16> bytes{};
    std::copy(raw->begin(), raw->end(), bytes.begin());
    return ipv6 ? IpAddress::v6(bytes) : IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]});
  }
  std::optional<Endpoint> endpoint(bool ipv6) {
    auto host = address(ipv6);
    const auto port = take(4);  // two bytes and padding
    if (!host || !port) return std::nullopt;
    return Endpoint{*host, static_cast<std::uint16_t>(byte(*port, 0) << 8 | byte(*port, 1))};
  }
  [[nodiscard]] bool done() const { return rest_.empty(); }

 private:
  static std::uint32_t byte(std::string_view raw, std::size_t i) {
    return static_cast<unsigned char>(raw[i]);
  }
  std::optional<std::string_view> take(std::size_t bytes) {
    if (rest_.size() < bytes) return std::nullopt;
    const auto out = rest_.substr(0, bytes);
    rest_.remove_prefix(bytes);
    return out;
  }
  std::string_view rest_;
};

class Reader {
 public:
  Reader(const Topology& topology, const Ruleset& ruleset) : ruleset_(ruleset) {
    for (const auto& node : topology.nodes) nodes_.emplace(node.number, node.node);
  }

  [[nodiscard]] const std::map<std::uint32_t, NodeId>& nodes() const { return nodes_; }
  Result<const std::vector<Element>*> set(const std::string& name) const {
    const auto found = ruleset_.sets.find(name);
    if (found == ruleset_.sets.end()) return strange(name, "is missing");
    return &found->second;
  }
  Result<NodeId> node(const std::string& set, std::optional<std::uint32_t> number) const {
    const auto found = number ? nodes_.find(*number) : nodes_.end();
    if (found == nodes_.end()) {
      return strange(set, number
                              ? "holds number " + std::to_string(*number) + ", which is no node's"
                              : "an element has no node");
    }
    return found->second;
  }

  /// Calls `each` for every element of a set with a `Key` over it; false or a rest is an error.
  template <class Each>
  Status elements(const std::string& name, Each each) const {
    TRY_ASSIGN(const auto* all, set(name));
    for (const Element& element : *all) {
      Key key(element.key);
      TRY_ASSIGN(const bool understood, each(key, element));
      if (!understood || !key.done()) {
        return strange(
            name, "a key of " + std::to_string(element.key.size()) + " bytes is not one of ours");
      }
    }
    return {};
  }

 private:
  const Ruleset& ruleset_;
  std::map<std::uint32_t, NodeId> nodes_;
};

/// The prefix length at the end of "assigned4_24", and the family; absent for other names.
struct AssignedName {
  bool ipv6 = false;
  std::uint8_t length = 0;
};
std::optional<AssignedName> parse_assigned(std::string_view set) {
  constexpr std::string_view kStem = "assigned";
  if (set.substr(0, kStem.size()) != kStem || set.size() < kStem.size() + 3) return std::nullopt;
  const char family = set[kStem.size()];
  if ((family != '4' && family != '6') || set[kStem.size() + 1] != '_') return std::nullopt;
  const auto digits = set.substr(kStem.size() + 2);
  unsigned length = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  if (length > (family == '6' ? 128U : 32U)) return std::nullopt;
  return AssignedName{family == '6', static_cast<std::uint8_t>(length)};
}

Status read_version(const Reader& reader, Intent& out) {
  TRY_ASSIGN(const auto* versions, reader.set("version"));
  if (versions->size() != 1) {
    return strange("version", "holds " + std::to_string(versions->size()) + " elements, not one");
  }
  return reader.elements("version", [&](Key& key, const Element&) -> Result<bool> {
    const auto high = key.mark();
    const auto low = key.mark();
    if (high && low) out.revision = std::uint64_t{*high} << 32 | *low;
    return high && low;
  });
}

Status read_active(const Reader& reader, Intent& out) {
  std::map<std::uint32_t, NodeId> ranks;
  TRY(reader.elements("active", [&](Key& key, const Element& element) -> Result<bool> {
    const auto rank = key.mark();
    TRY_ASSIGN(auto node, reader.node("active", element.mark));
    if (rank) ranks.emplace(*rank, std::move(node));
    return rank.has_value();
  }));
  std::vector<NodeId> slots;
  for (const auto& [rank, node] : ranks) {
    if (rank != slots.size()) return strange("active", "the ranks have a gap");
    slots.push_back(node);
  }
  out.active = buckets_of(slots);
  std::set<NodeId> serving;
  TRY(reader.elements("serving", [&](Key& key, const Element&) -> Result<bool> {
    const auto number = key.mark();
    TRY_ASSIGN(auto node, reader.node("serving", number));
    serving.insert(std::move(node));
    return true;
  }));
  if (serving != std::set<NodeId>(slots.begin(), slots.end())) {
    return strange("serving", "does not hold the same nodes as map active");
  }
  return {};
}

Status read_grants(const Reader& reader, const std::string& set, bool ipv6, std::set<Grant>& out) {
  return reader.elements(set, [&](Key& key, const Element&) -> Result<bool> {
    const auto number = key.mark();
    const auto client = key.endpoint(ipv6);
    if (!number || !client) return false;
    TRY_ASSIGN(auto node, reader.node(set, number));
    out.insert({std::move(node), *client});
    return true;
  });
}

Status read_assigned(const Reader& reader, const std::string& set, AssignedName name, Intent& out) {
  return reader.elements(set, [&](Key& key, const Element& element) -> Result<bool> {
    const auto address = key.address(name.ipv6);
    if (!address) return false;
    TRY_ASSIGN(auto node, reader.node(set, element.mark));
    out.assigned.insert_or_assign(Prefix{*address, name.length}, std::move(node));
    return true;
  });
}

Status read_learned(const Reader& reader, Learned& out) {
  TRY(reader.elements("indices", [&](Key& key, const Element& element) -> Result<bool> {
    const auto index = key.network_order();
    if (!index) return false;
    TRY_ASSIGN(auto node, reader.node("indices", element.mark));
    out.indices.insert_or_assign(__builtin_bswap32(*index), std::move(node));
    return true;
  }));
  for (const bool ipv6 : {false, true}) {
    const std::string f = ipv6 ? "6" : "4";
    std::set<Grant> homes;
    TRY(read_grants(reader, "learned" + f, ipv6, homes));
    // Two nodes that spoke at the same moment may both stand there; the rules ask for the lower
    // number first, and the next packet of either clears it up.
    for (const auto& [_, node] : reader.nodes()) {
      for (const Grant& home : homes) {
        if (home.node == node) out.homes.try_emplace(home.client, node);
      }
    }
    TRY(reader.elements("inner" + f, [&](Key& key, const Element& element) -> Result<bool> {
      const auto address = key.address(ipv6);
      if (!address) return false;
      TRY_ASSIGN(auto node, reader.node("inner" + f, element.mark));
      out.inner.insert_or_assign(*address, std::move(node));
      return true;
    }));
  }
  return {};
}

/// Not a chain's place: those are digests, which are never all zero in practice.
constexpr std::uint32_t kTopologyPlace = 0;

/// Beyond any list of settings.
constexpr std::uint32_t kOwnerPlace = 0xffffffff;

std::uint32_t short_form(const Digest& digest) {
  std::uint32_t out = 0;
  std::memcpy(&out, digest.raw().data(), sizeof out);
  return out;
}

std::uint32_t short_digest(std::string_view text) {
  return short_form(Digest::of(as_bytes(text)));
}

bool changes_with_deltas(std::string_view chain) {
  return chain == "spread" || chain == "assigned4" || chain == "assigned6";
}

/// What numbers in the sets depend on. Not the size of the registry, and not the rules: another
/// version of Weir may read and change what this one installed, as long as the sets mean the same.
std::string text_of(const Topology& topology) {
  std::string out = "sets of format 1\n";
  for (const auto& vip : {topology.vip.ipv4, topology.vip.ipv6}) {
    out += vip ? vip->string() + "\n" : "-\n";
  }
  out += std::to_string(topology.vip.port) + "\n" + topology.upstream_interface + "\n";
  for (const auto& node : topology.nodes) {
    out += std::to_string(node.number) + " " + node.node.string() + " " + node.data_interface +
           " " + node.node_v4.string() + " " + node.node_v6.string() + " " +
           node.management_interface + " " + node.node_management.string() + "\n";
  }
  for (const Prefix& prefix : topology.clients) out += prefix.string() + "\n";
  for (const Prefix& prefix : topology.fenced) out += "not " + prefix.string() + "\n";
  return out;
}

Result<std::map<std::uint32_t, std::uint32_t>> numbers_of(const Ruleset& ruleset,
                                                          const std::string& set) {
  std::map<std::uint32_t, std::uint32_t> out;
  const auto found = ruleset.sets.find(set);
  if (found == ruleset.sets.end()) return strange(set, "is missing");
  for (const Element& element : found->second) {
    Key key(element.key);
    const auto place = key.mark();
    if (!place || !key.done() || !element.mark) return strange(set, "an element is not ours");
    out.emplace(*place, *element.mark);
  }
  return out;
}

bool is_any(const std::string& set, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), set) != names.end();
}

}  // namespace

Seal seal_of(const Topology& topology, const Ruleset& ruleset) {
  Seal out;
  out.emplace(kTopologyPlace, short_digest(text_of(topology)));
  for (const auto& [chain, rules] : ruleset.chains) {
    if (!changes_with_deltas(chain)) out.emplace(short_digest(chain), short_digest(rules));
  }
  return out;
}

Status check_seal(const Topology& topology, const Ruleset& ruleset) {
  TRY_ASSIGN(const auto sealed, numbers_of(ruleset, "seal"));
  if (sealed.empty()) {
    return fail(Errc::not_found, "table inet weir was not installed to the end");
  }
  const Seal live = seal_of(topology, ruleset);
  if (sealed == live) return {};
  const auto made_from = sealed.find(kTopologyPlace);
  if (made_from == sealed.end() || made_from->second != live.at(kTopologyPlace)) {
    return fail(
        Errc::integrity,
        "table inet weir was made for another vip, fabric, clients, pools or "
        "director.upstream_interface of the fleet document, or by a version of Weir with other "
        "sets: name them as before, or take the fleet down first "
        "(`weir-deployer down`)");
  }
  for (const auto& [chain, rules] : ruleset.chains) {
    if (changes_with_deltas(chain)) continue;
    const auto was = sealed.find(short_digest(chain));
    if (was == sealed.end() || was->second != short_digest(rules)) {
      return fail(Errc::integrity, "table weir: chain " + chain + " is not as it was installed");
    }
  }
  return fail(Errc::integrity, "table weir: a chain has lost its rules");
}

bool holds_steering(const std::string& set) {
  return parse_assigned(set) || is_any(set, {"version", "active", "serving", "home4", "home6",
                                             "kick4", "kick6", "hold4", "hold6"});
}

bool is_observed(const std::string& set) {
  return holds_steering(set) ||
         is_any(set, {"indices", "learned4", "learned6", "inner4", "inner6", "settings", "seal"});
}

bool remembers_nodes(const std::string& set) {
  return is_any(set, {"indices", "sessions4", "sessions6", "learned4", "learned6", "current4",
                      "current6", "recent4", "recent6", "inner4", "inner6"});
}

Result<Observed> observe(const Topology& topology, const Ruleset& ruleset) {
  const Reader reader(topology, ruleset);
  Observed out;
  TRY(read_version(reader, out.steering));
  TRY(read_active(reader, out.steering));
  for (const bool ipv6 : {false, true}) {
    const std::string f = ipv6 ? "6" : "4";
    const std::string set = "home" + f;
    TRY(reader.elements(set, [&](Key& key, const Element& element) -> Result<bool> {
      const auto client = key.endpoint(ipv6);
      if (!client) return false;
      TRY_ASSIGN(auto node, reader.node(set, element.mark));
      out.steering.homes.insert_or_assign(*client, std::move(node));
      return true;
    }));
    TRY(read_grants(reader, "kick" + f, ipv6, out.steering.kicks));
    TRY(read_grants(reader, "hold" + f, ipv6, out.steering.holds));
  }
  for (const auto& [set, _] : ruleset.sets) {
    if (const auto name = parse_assigned(set)) {
      TRY(read_assigned(reader, set, *name, out.steering));
    }
  }
  TRY(read_learned(reader, out.learned));
  out.counters = ruleset.counters;
  const auto collisions = ruleset.counters.find("index_collisions");
  if (collisions == ruleset.counters.end()) {
    return fail(Errc::integrity, "table inet weir: counter index_collisions is missing");
  }
  out.learned.index_collisions = collisions->second;
  return out;
}

std::map<std::string, std::vector<std::string>> keys_of_node(const Ruleset& ruleset,
                                                             std::uint32_t number) {
  std::map<std::string, std::vector<std::string>> out;
  for (const auto& [set, elements] : ruleset.sets) {
    if (!remembers_nodes(set)) continue;
    for (const Element& element : elements) {
      if ((element.mark ? element.mark : Key(element.key).mark()) == number) {
        out[set].push_back(element.key);
      }
    }
  }
  return out;
}

std::pair<std::string, std::string> inner_key(const IpAddress& inner) {
  return {inner.is_v6() ? "inner6" : "inner4", std::string(inner.raw())};
}

Result<SavedSettings> saved_settings(const Ruleset& ruleset) {
  return numbers_of(ruleset, "settings");
}

void sign(SavedSettings& settings, const std::optional<Digest>& owner) {
  settings.erase(kOwnerPlace);
  if (owner) settings.emplace(kOwnerPlace, short_form(*owner));
}

Maker maker_of(const SavedSettings& settings, const std::optional<Digest>& owner) {
  const auto mark = settings.find(kOwnerPlace);
  if (mark == settings.end()) return Maker::unknown;
  return owner && mark->second == short_form(*owner) ? Maker::us : Maker::other;
}

}  // namespace weir::director
