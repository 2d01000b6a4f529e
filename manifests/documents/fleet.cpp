#include "manifests/documents/fleet.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

#include "manifests/base/paths.h"
#include "manifests/base/printable.h"
#include "manifests/base/yaml_document.h"
#include "manifests/documents/attachment.h"

namespace weir::manifests {
namespace {

constexpr std::size_t kMostNodes = 250;  // of one pool
constexpr std::size_t kMostPools = 16;
constexpr std::size_t kMostNetworks = 1024;  // inner ones: every peer is looked for in them

/// An address block with the words a person knows it by.
struct Claim {
  Prefix prefix;
  YamlField field;
};

Result<std::string> upstream_name(const YamlField& field) {
  TRY_ASSIGN(std::string name, field.as(parse_interface_name));
  if (name == "lo") return field.wrong("'lo' leads nowhere but to this machine itself");
  if (is_attachment_name(name)) {
    return field.wrong("'" + name + "' is how a node's own link is called (weir-d1, weir-m1, ...)");
  }
  return name;
}

Result<std::string> one_of(const YamlField& field, std::string_view only) {
  TRY_ASSIGN(std::string text, field.text());
  if (text == only) return text;
  return field.wrong("must be '" + std::string(only) + "', not " + quotation(text, 40));
}

/// An address that packets can be sent to.
Result<IpAddress> host(const YamlField& field) {
  TRY_ASSIGN(const IpAddress out, field.as(IpAddress::parse));
  if (const auto why = out.unusable(); !why.empty()) {
    return field.wrong(out.string() + " is " + std::string(why) + ", which no host can have here");
  }
  return out;
}

/// A block out of which hosts get addresses.
Result<Prefix> hosts(const YamlField& field) {
  TRY_ASSIGN(const Prefix out, field.as(Prefix::parse));
  if (const auto why = out.address.unusable(); !why.empty() && out.length > 0) {
    return field.wrong(out.string() + " begins with " + std::string(why) +
                       ", which no host can have here");
  }
  return out;
}

Result<IpAddress> address(const YamlField& field, bool v4) {
  TRY_ASSIGN(const IpAddress out, host(field));
  if (out.is_v4() != v4) return field.wrong(v4 ? "must be IPv4" : "must be IPv6");
  return out;
}

Result<Prefix> block(const YamlField& field, bool v4) {
  TRY_ASSIGN(const Prefix out, hosts(field));
  if (out.address.is_v4() != v4) return field.wrong(v4 ? "must be IPv4" : "must be IPv6");
  return out;
}

Result<Vip> read_vip(const YamlField& field) {
  TRY(field.only({"ipv4", "ipv6", "port"}));
  Vip out;
  if (const auto ipv4 = field.find("ipv4")) {
    TRY_ASSIGN(out.ipv4, address(*ipv4, true));
  }
  if (const auto ipv6 = field.find("ipv6")) {
    TRY_ASSIGN(out.ipv6, address(*ipv6, false));
  }
  if (!out.ipv4 && !out.ipv6) return field.wrong("needs ipv4, ipv6 or both");
  if (const auto port = field.find("port")) {
    TRY_ASSIGN(const std::uint64_t number, port->number(1, 65535));
    out.port = static_cast<std::uint16_t>(number);
  }
  return out;
}

Result<Fabric> read_fabric(const YamlField& field) {
  TRY(field.only({"ipv4", "ipv6", "management"}));
  TRY_ASSIGN(const YamlField ipv4, field.at("ipv4"));
  TRY_ASSIGN(const YamlField ipv6, field.at("ipv6"));
  TRY_ASSIGN(const YamlField management, field.at("management"));
  TRY_ASSIGN(const Prefix v4, block(ipv4, true));
  TRY_ASSIGN(const Prefix v6, block(ipv6, false));
  TRY_ASSIGN(const Prefix out_of_band, block(management, true));
  return Fabric{v4, v6, out_of_band};
}

// Of a director whose name and fabric are known; `field` may have what stands beside these.
Result<DirectorSpec> read_director(const YamlField& field, DirectorId name, const Fabric& fabric) {
  DirectorSpec out{std::move(name), {}, {}, {}, fabric};
  TRY_ASSIGN(const YamlField driver, field.at("driver"));
  TRY_ASSIGN(out.driver, one_of(driver, "nft"));
  TRY_ASSIGN(const YamlField upstream, field.at("upstream_interface"));
  TRY_ASSIGN(out.upstream_interface, upstream_name(upstream));
  if (const auto space = field.find("network_namespace")) {
    TRY_ASSIGN(out.network_namespace, space->as(parse_namespace_name));
  }
  return out;
}

/// `directors`, or the short form for one: `director` and `fabric`.
Result<std::vector<DirectorSpec>> read_directors(const YamlField& root) {
  std::vector<DirectorSpec> out;
  if (const auto list = root.find("directors")) {
    for (const char* key : {"director", "fabric"}) {
      if (const auto beside = root.find(key)) {
        return beside->wrong("cannot stand beside `directors`, each of which has its own");
      }
    }
    TRY_ASSIGN(const auto items, list->items());
    if (items.empty()) return list->wrong("needs a director");
    // The data plane of several needs each to know what the others have applied.
    if (items.size() > 1) return items[1].wrong("nodes are reached through one director so far");
    TRY(items[0].only({"name", "driver", "network_namespace", "upstream_interface", "fabric"}));
    TRY_ASSIGN(const YamlField name_field, items[0].at("name"));
    TRY_ASSIGN(DirectorId name, name_field.as(DirectorId::parse));
    TRY_ASSIGN(const YamlField fabric_field, items[0].at("fabric"));
    TRY_ASSIGN(const Fabric fabric, read_fabric(fabric_field));
    TRY_ASSIGN(DirectorSpec director, read_director(items[0], std::move(name), fabric));
    out.push_back(std::move(director));
    return out;
  }
  TRY_ASSIGN(const YamlField field, root.at("director"));
  TRY(field.only({"driver", "network_namespace", "upstream_interface"}));
  TRY_ASSIGN(const YamlField fabric_field, root.at("fabric"));
  TRY_ASSIGN(const Fabric fabric, read_fabric(fabric_field));
  TRY_ASSIGN(DirectorId name, DirectorId::parse("director"));
  TRY_ASSIGN(DirectorSpec director, read_director(field, std::move(name), fabric));
  out.push_back(std::move(director));
  return out;
}

Result<std::vector<Prefix>> read_clients(const YamlField& field) {
  TRY_ASSIGN(const auto items, field.items());
  if (items.empty()) return field.wrong("needs at least one inner network");
  if (items.size() > kMostNetworks) return field.wrong("more than 1024 inner networks");
  std::vector<Prefix> out;
  for (const YamlField& item : items) {
    TRY_ASSIGN(const Prefix prefix, hosts(item));
    out.push_back(prefix);
  }
  return out;
}

// Names that are not known to any image are no mistake: it is the image that asks.
Status read_node_files(const YamlField& field, PoolSpec& out) {
  TRY_ASSIGN(const YamlField files, field.at("files"));
  TRY_ASSIGN(const auto members, files.members("NAME: FILE"));
  if (members.empty()) return files.wrong("names no file: leave it out");
  for (const auto& [name, path] : members) {
    if (const auto good = check_name(name); !good) return path.wrong(good.error());
    TRY_ASSIGN(out.files[name], path.as(parse_path));
  }
  return {};
}

Result<PoolSpec> read_pool(const YamlField& field, std::set<NodeId>& nodes) {
  TRY(field.only({"name", "driver", "nodes", "memory", "cpus", "clock_offset", "files"}));
  TRY_ASSIGN(const YamlField name_field, field.at("name"));
  TRY_ASSIGN(PoolName name, name_field.as(PoolName::parse));
  PoolSpec out{.name = std::move(name), .driver = {}, .nodes = {}};
  TRY_ASSIGN(const YamlField driver, field.at("driver"));
  TRY_ASSIGN(out.driver, one_of(driver, "vm"));
  TRY_ASSIGN(const YamlField list, field.at("nodes"));
  TRY_ASSIGN(const auto items, list.items());
  if (items.empty()) return list.wrong("needs at least one node");
  if (items.size() > kMostNodes) return list.wrong("more than 250 nodes");
  for (const YamlField& item : items) {
    TRY_ASSIGN(NodeId node, item.as(NodeId::parse));
    if (!nodes.insert(node).second) {
      return item.wrong("node '" + node.string() + "' is already in this fleet");
    }
    if (nodes.size() > kHighestNumber) return item.wrong("more than 900 nodes in all pools");
    out.nodes.push_back(std::move(node));
  }
  if (const auto memory = field.find("memory")) {
    TRY_ASSIGN(out.memory, memory->as(parse_byte_count));
    if (out.memory < ByteCount{128ULL << 20} || out.memory > ByteCount{1ULL << 40}) {
      return memory->wrong("must be from 128 MiB to 1024 GiB");
    }
  }
  if (const auto cpus = field.find("cpus")) {
    TRY_ASSIGN(const std::uint64_t number, cpus->number(1, 255));
    out.cpus = static_cast<std::uint16_t>(number);
  }
  if (const auto offset = field.find("clock_offset")) {
    TRY_ASSIGN(out.clock_offset, offset->duration());
  }
  if (field.find("files")) TRY(read_node_files(field, out));
  return out;
}

Result<std::vector<PoolSpec>> read_pools(const YamlField& field) {
  TRY_ASSIGN(const auto items, field.items());
  if (items.size() < 2) return field.wrong("needs two pools or more, to move between");
  if (items.size() > kMostPools) return field.wrong("more than 16 pools");
  std::vector<PoolSpec> out;
  std::set<NodeId> nodes;
  for (const YamlField& item : items) {
    TRY_ASSIGN(PoolSpec pool, read_pool(item, nodes));
    if (std::any_of(out.begin(), out.end(), [&](const auto& it) { return it.name == pool.name; })) {
      return item.wrong("pool '" + pool.name.string() + "' is already in this fleet");
    }
    out.push_back(std::move(pool));
  }
  return out;
}

Result<ProbeSpec> read_probe(const YamlField& field, const Fleet& fleet,
                             const std::vector<Claim>& claims) {
  TRY(field.only({"target", "source"}));
  TRY_ASSIGN(const YamlField target_field, field.at("target"));
  TRY_ASSIGN(const YamlField source_field, field.at("source"));
  TRY_ASSIGN(const IpAddress target, host(target_field));
  TRY_ASSIGN(const IpAddress source, host(source_field));
  if (target.is_v4() != source.is_v4()) {
    return source_field.wrong("must be of the same IP version as the target");
  }
  for (const Claim& claim : claims) {
    if (!claim.prefix.contains(target)) continue;
    return target_field.wrong("lies in " + claim.prefix.string() +
                              "; the target must be upstream of the pools");
  }
  if (std::none_of(fleet.clients.begin(), fleet.clients.end(),
                   [&](const Prefix& prefix) { return prefix.contains(source); })) {
    return source_field.wrong("lies in none of the inner networks in 'clients'");
  }
  return ProbeSpec{target, source};
}

/// Where the fabric of a director stands.
Result<YamlField> fabric_field(const YamlField& root, std::size_t director) {
  const auto list = root.find("directors");
  if (!list) return root.at("fabric");
  TRY_ASSIGN(const auto items, list->items());
  return items[director].at("fabric");
}

/// Every address block the document claims, refused where two overlap.
Result<std::vector<Claim>> claims_of(const YamlField& root, const Fleet& fleet) {
  std::vector<Claim> out;
  TRY_ASSIGN(const YamlField vip, root.at("vip"));
  if (const auto field = vip.find("ipv4")) out.push_back({Prefix{*fleet.vip.ipv4, 32}, *field});
  if (const auto field = vip.find("ipv6")) out.push_back({Prefix{*fleet.vip.ipv6, 128}, *field});
  for (std::size_t i = 0; i < fleet.directors.size(); ++i) {
    TRY_ASSIGN(const YamlField field, fabric_field(root, i));
    TRY_ASSIGN(const YamlField ipv4, field.at("ipv4"));
    TRY_ASSIGN(const YamlField ipv6, field.at("ipv6"));
    TRY_ASSIGN(const YamlField management, field.at("management"));
    const Fabric& fabric = fleet.directors[i].fabric;
    out.push_back({fabric.ipv4, ipv4});
    out.push_back({fabric.ipv6, ipv6});
    out.push_back({fabric.management, management});
  }
  TRY_ASSIGN(const YamlField clients, root.at("clients"));
  TRY_ASSIGN(const auto items, clients.items());
  for (std::size_t i = 0; i < items.size(); ++i) out.push_back({fleet.clients[i], items[i]});
  // Blocks are nested or apart, so sorted by address and then length a block that overlaps any
  // other overlaps its neighbour.
  std::vector<std::size_t> order(out.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return out[a].prefix < out[b].prefix; });
  std::optional<std::pair<std::size_t, std::size_t>> clash;
  for (std::size_t i = 1; i < order.size(); ++i) {
    if (!out[order[i - 1]].prefix.overlaps(out[order[i]].prefix)) continue;
    const auto [first, second] = std::minmax(order[i - 1], order[i]);
    if (!clash || second < clash->second) clash = {first, second};
  }
  if (clash) {
    const auto& [first, second] = *clash;
    return out[second].field.wrong(out[second].prefix.string() + " overlaps " +
                                   out[first].prefix.string() + " (" + out[first].field.path() +
                                   ")");
  }
  return out;
}

Result<std::string> file_name(const YamlField& field, Fleet& out) {
  TRY_ASSIGN(std::string path, field.as(parse_path));
  out.named_at.insert_or_assign(field.path(), field.where());
  return path;
}

Result<StatementPolicy> statement_policy(const YamlField& field, Fleet& out) {
  TRY_ASSIGN(auto policy, read_statement_policy(field));
  TRY_ASSIGN(const YamlField keys, field.at("keys"));
  TRY_ASSIGN(const auto items, keys.items());
  for (const YamlField& item : items) TRY(file_name(item, out));
  return policy;
}

// Who is believed: a trust file, or some keys.
Status read_trusted(const YamlField& root, Fleet& out) {
  if (const auto trust = root.find("trust")) {
    if (const auto keys = root.find("trusted_keys")) {
      return keys->wrong("cannot stand beside `trust`, which says who is trusted");
    }
    TRY_ASSIGN(out.trust, file_name(*trust, out));
    if (const auto channel = root.find("channel")) {
      TRY_ASSIGN(out.channel, channel->as(ChannelName::parse));
    }
    if (const auto pin = root.find("trust_pin")) {
      TRY_ASSIGN(out.trust_pin, pin->as(Digest::parse));
    }
    return {};
  }
  for (const char* key : {"channel", "trust_pin"}) {
    if (const auto beside = root.find(key)) {
      return beside->wrong("means something only beside `trust`");
    }
  }
  TRY_ASSIGN(const YamlField trusted, root.at("trusted_keys"));
  TRY_ASSIGN(const auto items, trusted.items());
  if (items.empty()) return trusted.wrong("needs at least one public key file");
  for (const YamlField& item : items) {
    TRY_ASSIGN(std::string path, file_name(item, out));
    out.trusted_keys.push_back(std::move(path));
  }
  return {};
}

}  // namespace

std::string node_file_path(std::string_view path, const NodeId& node) {
  constexpr std::string_view kPlace = "{node}";
  std::string out;
  for (std::size_t at = 0; (at = path.find(kPlace)) != std::string_view::npos;) {
    out.append(path.substr(0, at)).append(node.string());
    path.remove_prefix(at + kPlace.size());
  }
  return out.append(path);
}

std::string Fleet::where_named(const std::string& field) const {
  const auto found = named_at.find(field);
  return found == named_at.end() ? field : found->second;
}

Result<Fleet> parse_fleet(std::string_view yaml, std::string_view file) {
  TRY_ASSIGN(const YamlNode node, parse_yaml(yaml, file));
  const YamlField root = YamlField::root(node, file);
  TRY(root.only({"name",         "state",     "store",
                 "trusted_keys", "identity",  "identity_key_file",
                 "peers",        "director",  "vip",
                 "fabric",       "clients",   "probe",
                 "directors",    "pools",     "policy",
                 "trust",        "trust_pin", "channel",
                 "boot_check",   "rebuild",   "own_keys_searched"}));
  TRY_ASSIGN(const YamlField name_field, root.at("name"));
  TRY_ASSIGN(FleetName name, name_field.as(FleetName::parse));
  TRY_ASSIGN(auto directors, read_directors(root));
  TRY_ASSIGN(const YamlField vip_field, root.at("vip"));
  TRY_ASSIGN(const Vip vip, read_vip(vip_field));
  Fleet out{.name = std::move(name),
            .state = {},
            .store = {},
            .trusted_keys = {},
            .identity = {},
            .identity_key_file = {},
            .peers = {},
            .directors = std::move(directors),
            .vip = vip,
            .clients = {},
            .probe = {},
            .pools = {},
            .policy = {}};
  const auto path_of = [&](std::string_view key) -> Result<std::string> {
    TRY_ASSIGN(const YamlField field, root.at(key));
    return file_name(field, out);
  };
  TRY_ASSIGN(out.state, path_of("state"));
  TRY_ASSIGN(out.store, path_of("store"));
  TRY(read_trusted(root, out));
  if (const auto check = root.find("boot_check")) {
    TRY_ASSIGN(out.boot_check, statement_policy(*check, out));
  }
  if (const auto rebuild = root.find("rebuild")) {
    TRY_ASSIGN(out.rebuild, statement_policy(*rebuild, out));
  }
  if (const auto searched = root.find("own_keys_searched")) {
    TRY_ASSIGN(out.own_keys_searched, searched->boolean());
  }
  TRY_ASSIGN(out.identity, path_of("identity"));
  if (const auto key_file = root.find("identity_key_file")) {
    TRY_ASSIGN(out.identity_key_file, file_name(*key_file, out));
  }
  TRY_ASSIGN(out.peers, path_of("peers"));
  TRY_ASSIGN(const YamlField clients, root.at("clients"));
  TRY_ASSIGN(out.clients, read_clients(clients));

  TRY_ASSIGN(const YamlField pools, root.at("pools"));
  TRY_ASSIGN(out.pools, read_pools(pools));
  TRY_ASSIGN(const auto claims, claims_of(root, out));
  if (const auto probe = root.find("probe")) {
    TRY_ASSIGN(out.probe, read_probe(*probe, out, claims));
  }
  if (const auto policy = root.find("policy")) {
    TRY_ASSIGN(out.policy, read_rollout_policy(*policy));
  }
  // Each director has a link to every node, so the first whose fabric is too small is the one.
  if (const auto attached = attachments_of(out); !attached) {
    TRY_ASSIGN(const YamlField field, fabric_field(root, 0));
    return field.wrong(attached.error());
  }
  return out;
}

}  // namespace weir::manifests
