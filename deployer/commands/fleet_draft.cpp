#include "deployer/commands/fleet_draft.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "manifests/base/yaml_scalar.h"
#include "manifests/documents/fleet.h"
#include "manifests/documents/peers.h"
#include "manifests/documents/registry.h"

namespace weir::deployer {
namespace {

constexpr std::uint32_t kMostNodes = 63;  // a /24 has links for 127 nodes

/// A text as YAML reads it back.
std::string scalar(const std::string& text) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-";
  const bool plain = manifests::is_plain_text(text) && text.front() != '-' &&
                     text.find_first_not_of(kPlain) == std::string::npos &&
                     text.find_first_of("abcdefghijklmnopqrstuvwxyz") != std::string::npos;
  if (plain) return text;
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "''" : std::string(1, c);
  return out + "'";
}

bool is_free(const Prefix& block, const FleetAnswers& answers) {
  return std::none_of(answers.clients.begin(), answers.clients.end(),
                      [&](const Prefix& it) { return it.overlaps(block); }) &&
         std::none_of(answers.vip.begin(), answers.vip.end(),
                      [&](const IpAddress& it) { return block.contains(it); });
}

struct FabricBlocks {
  Prefix ipv4, ipv6, management;
};

/// The first /24s and /64 that are free, from the end of the private ranges.
Result<FabricBlocks> choose_fabric(const FleetAnswers& answers) {
  std::vector<Prefix> v4;
  for (const auto& [first, second] :
       std::array<std::array<std::uint8_t, 2>, 3>{{{10, 254}, {172, 31}, {192, 168}}}) {
    for (unsigned third = 0; third < 256 && v4.size() < 2; ++third) {
      const Prefix block{IpAddress::v4({first, second, static_cast<std::uint8_t>(third), 0}), 24};
      if (is_free(block, answers)) v4.push_back(block);
    }
  }
  std::array<std::uint8_t, 16> raw{0xfd, 0, 0x0f, 0xab};
  Prefix v6{IpAddress::v6(raw), 64};
  for (; raw[5] < 255 && !is_free(v6, answers); v6.address = IpAddress::v6(raw)) ++raw[5];
  if (v4.size() < 2 || !is_free(v6, answers)) {
    return fail(Errc::exhausted,
                "--clients: leaves no private block for the links to nodes; use smaller ones");
  }
  return FabricBlocks{v4[0], v6, v4[1]};
}

bool has_two_addresses(const Prefix& block) {
  return (block.address.is_v4() ? 32 : 128) - block.length >= 1;
}

/// The last address of a block, which peers reach last. IPv4's is the one before the broadcast's.
IpAddress last_address(const Prefix& block) {
  const unsigned width = block.address.is_v4() ? 32 : 128;
  std::array<std::uint8_t, 16> raw{};
  std::copy(block.address.raw().begin(), block.address.raw().end(), raw.begin());
  for (unsigned bit = block.length; bit < width; ++bit) {
    raw[bit / 8] = static_cast<std::uint8_t>(raw[bit / 8] | 0x80U >> bit % 8);
  }
  if (width - block.length > 1) --raw[width / 8 - 1];
  if (width == 128) return IpAddress::v6(raw);
  return IpAddress::v4({raw[0], raw[1], raw[2], raw[3]});
}

/// The probe's own address: in the first block of its target's kind.
Result<std::optional<IpAddress>> probe_source(const FleetAnswers& answers) {
  if (!answers.probe_target) return std::optional<IpAddress>();
  for (const Prefix& block : answers.clients) {
    if (block.address.is_v4() != answers.probe_target->is_v4() || !has_two_addresses(block)) {
      continue;
    }
    return std::optional<IpAddress>(last_address(block));
  }
  return fail(Errc::invalid_input,
              "--probe: no network of --clients has addresses of the kind of " +
                  answers.probe_target->string());
}

Status check_answers(const FleetAnswers& answers) {
  const auto is_v4 = [](const IpAddress& it) { return it.is_v4(); };
  const auto four = std::count_if(answers.vip.begin(), answers.vip.end(), is_v4);
  const auto six = static_cast<std::ptrdiff_t>(answers.vip.size()) - four;
  if (answers.vip.empty()) {
    return fail(Errc::invalid_input, "--vip: the address that clients send to has to be given");
  }
  if (four > 1 || six > 1) {
    return fail(Errc::invalid_input, "--vip: at most one IPv4 and one IPv6 address");
  }
  if (answers.clients.empty()) {
    return fail(Errc::invalid_input, "--clients: the inner networks of clients have to be given");
  }
  if (answers.upstream_interface.empty()) {
    return fail(Errc::invalid_input,
                "--upstream: the interface that leads on from the gateways has to be given");
  }
  if (answers.nodes < 1 || answers.nodes > kMostNodes) {
    return fail(Errc::invalid_input,
                "--nodes: 1 to " + std::to_string(kMostNodes) + " in each pool");
  }
  return {};
}

std::string pool_text(const std::string& name, std::uint32_t nodes) {
  std::string out = "  - name: " + name + "\n    driver: vm\n    nodes: [";
  for (std::uint32_t i = 1; i <= nodes; ++i) {
    out += (i == 1 ? "" : ", ") + name + "-" + std::to_string(i);
  }
  return out + "]\n";
}

std::string fleet_text(const FleetAnswers& answers, const FabricBlocks& fabric,
                       const std::optional<IpAddress>& source) {
  std::string out =
      "# Every field is described in docs/fleet.md. Paths are relative to this file.\n"
      "name: " +
      scalar(answers.name) + "\nstate: " + scalar(answers.state) +
      "\nstore: " + scalar(answers.store) +
      "          # releases: weir-builder build --store\n"
      "trusted_keys: [" +
      scalar(answers.trusted_key) +
      "]    # who may sign them: weir-keys generate\n"
      "identity: " +
      scalar(answers.identity) + "    # weir-keys generate-wireguard\n";
  if (answers.identity_key_file) {
    out += "identity_key_file: " + scalar(*answers.identity_key_file) + "\n";
  }
  out += "peers: " + scalar(answers.peers) + "\n\ndirector:\n  driver: nft\n";
  if (answers.network_namespace) {
    out += "  network_namespace: " + scalar(*answers.network_namespace) + "\n";
  }
  out += "  upstream_interface: " + scalar(answers.upstream_interface) +
         "\n\nvip:    # what clients have as their endpoint\n";
  for (const IpAddress& address : answers.vip) {
    out += std::string(address.is_v4() ? "  ipv4: " : "  ipv6: ") + address.string() + "\n";
  }
  out +=
      "  port: " + std::to_string(answers.port) +
      "\n\nfabric:    # links to nodes are numbered out of these\n  ipv4: " + fabric.ipv4.string() +
      "\n  ipv6: " + fabric.ipv6.string() + "\n  management: " + fabric.management.string() +
      "\n\nclients:    # inner networks\n";
  for (const Prefix& block : answers.clients) out += "  - " + block.string() + "\n";
  if (source) {
    out += "\nprobe:    # pinged through every new node before a client depends on it\n  target: " +
           answers.probe_target->string() + "\n  source: " + source->string() + "\n";
  }
  return out + "\npools:\n" + pool_text("blue", answers.nodes) + pool_text("green", answers.nodes);
}

/// Peer `number` (0 is the first) has the address at number + 2 of every block.
Result<std::string> peers_text(const FleetAnswers& answers,
                               const std::optional<IpAddress>& source) {
  std::string out;
  for (std::size_t number = 0; number < answers.new_peers.size(); ++number) {
    manifests::Peer peer{
        answers.new_peers[number].name, answers.new_peers[number].public_key, {}, {}, {}};
    for (const Prefix& block : answers.clients) {
      const IpAddress at = block.address.plus(static_cast<std::uint32_t>(number) + 2);
      const std::uint8_t width = at.is_v4() ? 32 : 128;
      if (!block.contains(at) || at == last_address(block) || at == source) {
        return fail(Errc::exhausted,
                    "--clients: " + block.string() + " has no address left for peer " + peer.name);
      }
      peer.allowed_ips.push_back({at, width});
    }
    out += manifests::print(peer) + "\n";
  }
  return out;
}

}  // namespace

Result<FleetDraft> draft_fleet(const FleetAnswers& answers) {
  TRY(check_answers(answers));
  TRY_ASSIGN(const FabricBlocks fabric, choose_fabric(answers));
  TRY_ASSIGN(const std::optional<IpAddress> source, probe_source(answers));
  FleetDraft out;
  out.fleet = fleet_text(answers, fabric, source);
  TRY_ASSIGN(out.peers, peers_text(answers, source));
  TRY_ASSIGN(const auto fleet, manifests::parse_fleet(out.fleet, "the fleet as answered"));
  TRY_ASSIGN(const auto peers, manifests::parse_peers(out.peers, "the peers as answered"));
  TRY(manifests::check_registry(fleet, peers, "the peers as answered", answers.gateway_keys));
  return out;
}

}  // namespace weir::deployer
