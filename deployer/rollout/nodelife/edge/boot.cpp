#include <algorithm>
#include <array>
#include <cstdio>
#include <mutex>
#include <thread>

#include "deployer/node_client/edge/https_node_client.h"
#include "deployer/node_client/edge/make_tls_key.h"
#include "deployer/pool/console_tail.h"
#include "deployer/rollout/nodelife/edge/pools.h"
#include "deployer/rollout/terms/counted.h"
#include "deployer/state/node_folder.h"

namespace weir::deployer {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kStopPatience{2000};
constexpr milliseconds kTryAgain{150};

/// Locally administered, under QEMU's prefix; `kind` keeps a node's two cards apart.
std::string mac_of(std::uint32_t number, unsigned kind) {
  std::array<char, 18> text{};
  std::snprintf(text.data(), text.size(), "52:54:00:%02x:%02x:%02x", kind, (number >> 8) & 0xff,
                number & 0xff);
  return text.data();
}

manifests::NodeConfig config_of(const Site& site, const manifests::Attachment& link,
                                const manifests::PoolSpec& pool, const node_client::TlsKey& key) {
  const manifests::Fleet& fleet = site.fleet();
  return {.node = link.node,
          .vip_v4 = fleet.vip.ipv4,
          .vip_v6 = fleet.vip.ipv6,
          .port = fleet.vip.port,
          .node_v4 = link.node_v4,
          .director_v4 = link.director_v4,
          .node_v6 = link.node_v6,
          .director_v6 = link.director_v6,
          .node_management = link.node_management,
          .director_management = link.director_management,
          .data_mac = mac_of(link.number, 0xd0),
          .management_mac = mac_of(link.number, 0xa0),
          .clients = fleet.clients,
          .tls_private_key = key.private_key_pem,
          .client_pin = site.client_key().pin,
          .clock_offset = pool.clock_offset};
}

std::string folder_for(const Site& site, const NodeId& node) {
  return node_folder(site.path(site.fleet().state), node);
}

Status stop_node(Site& site, const NodeId& node) {
  TRY_ASSIGN(const auto stored, site.store().machines());
  const auto found = stored.find(node);
  if (found == stored.end()) {
    return site.machines().end_unrecorded(folder_for(site, node), kStopPatience);
  }
  TRY(site.machines().stop(found->second.record, kStopPatience));
  return site.store().forget_machine(node);
}

/// Where its machine is recorded. A node that is up serves: it goes before those that still boot.
Status prefer(Site& site, const NodeId& node) {
  TRY_ASSIGN(const auto stored, site.store().machines());
  if (const auto found = stored.find(node); found != stored.end()) {
    site.machines().prefer(found->second.record);
  }
  return {};
}

/// What its console says of a kernel that gave up; empty: nothing of the kind.
std::string panic_of(Site& site, const NodeId& node) {
  constexpr std::size_t kLines = 100;
  const auto stored = site.store().machines();
  if (!stored) return {};
  const auto found = stored->find(node);
  if (found == stored->end()) return {};
  return pool::panic_among(site.machines().console_tail(found->second.record, kLines));
}

Status wait_until_up(Site& site, const NodeId& node, steady_clock::time_point started) {
  const auto deadline = started + site.fleet().policy.boot_timeout;
  Error last{Errc::timeout, 0, "its API never answered"};
  std::string in_vain =
      " in " + std::to_string(site.fleet().policy.boot_timeout.count() / 1000) + " s: ";
  while (steady_clock::now() < deadline) {
    if (site.cancelled())
      return fail(Errc::busy, "interrupted while node " + node.string() + " booted");
    const auto state = site.machine_state(node);
    if (state && *state == pool::MachineState::gone) {
      in_vain = ": ";
      last.message = "its machine ended by itself";
      break;
    }
    if (!state) {
      last = state.error();
    } else if (auto client = site.connect(node, milliseconds(2000))) {
      auto identity = (*client)->identity();
      if (identity) {
        const auto took = std::chrono::duration_cast<milliseconds>(steady_clock::now() - started);
        std::array<char, 16> seconds{};
        std::snprintf(seconds.data(), seconds.size(), "%.1f",
                      static_cast<double>(took.count()) / 1000);
        site.say("node " + node.string() + " is up after " + seconds.data() + " s: kernel " +
                 identity->kernel_release);
        return prefer(site, node);
      }
      last = std::move(identity).error();
    }
    if (const std::string panic = panic_of(site, node); !panic.empty()) {
      in_vain = ": ";
      last.message = "its kernel gave up: " + panic;
      break;
    }
    std::this_thread::sleep_for(kTryAgain);
  }
  std::string message = "node " + node.string() + " did not come up" + in_vain + last.message;
  TRY_ASSIGN(const auto stored, site.store().machines());
  if (const auto found = stored.find(node); found != stored.end()) {
    const std::string console = site.machines().console_tail(found->second.record, 3);
    if (!console.empty()) message += "; its console ends with: " + console;
  }
  std::replace(message.begin(), message.end(), '\n', '|');
  return fail(Errc::timeout, std::move(message));
}

}  // namespace

Status boot_nodes(Site& site, const PoolName& pool, const std::vector<NodeId>& nodes,
                  const keys::Verified<manifests::Release>& release) {
  const manifests::PoolSpec& spec = site.pool(pool);
  if (nodes.empty()) {
    site.say("pool " + pool.string() + " runs release " + release->name.string() + " already");
    return {};
  }
  TRY_ASSIGN(const auto image, site.boot_image(*release));
  TRY(site.remember(release));
  for (const NodeId& node : nodes) TRY(site.machines().check(site.attachment(node), image));
  TRY(site.store().put_pool(pool, {release->name, release.digest(), spec.nodes}));
  TRY(for_each_node(nodes, [&](const NodeId& node) { return stop_node(site, node); }));
  site.say("booting " + counted(nodes.size(), "node") + " of pool " + pool.string() +
           " from release " + release->name.string());
  const auto started = steady_clock::now();
  for (const NodeId& node : nodes) {
    if (site.cancelled())
      return fail(Errc::busy, "interrupted while pool " + pool.string() + " booted");
    TRY_ASSIGN(const auto key, node_client::make_tls_key());
    TRY_ASSIGN(const auto record,
               site.machines().start(site.attachment(node), spec, image,
                                     config_of(site, site.attachment(node), spec, key),
                                     folder_for(site, node)));
    // Without its record nobody could end the machine again.
    if (auto kept = site.store().put_machine({record, key.pin}); !kept) {
      (void)site.machines().stop(record, milliseconds(0));
      return tl::unexpected(std::move(kept).error());
    }
    TRY_IN(site.director().attach(node), "attach node " + node.string());
  }
  return for_each_node(nodes,
                       [&](const NodeId& node) { return wait_until_up(site, node, started); });
}

Status stop_pool(Site& site, const PoolName& pool) {
  TRY(for_each_node(site.pool(pool).nodes,
                    [&](const NodeId& node) { return stop_node(site, node); }));
  return site.store().forget_pool(pool);
}

Status stop_unlisted(Site& site, const std::vector<NodeId>& nodes) {
  return for_each_node(nodes, [&](const NodeId& node) { return stop_node(site, node); });
}

}  // namespace weir::deployer
