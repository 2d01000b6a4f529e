#include "deployer/boot_check/edge/services.h"

#include <algorithm>
#include <thread>

#include "deployer/boot_check/edge/enclosure.h"
#include "keys/identity/wireguard_identity.h"

namespace weir::boot_check {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kLookAgain{100};
constexpr std::size_t kLinesShown = 10;

Status give_files(node_client::NodeClient& client, const PublicKey& seal_key,
                  const NodeFiles& files, const std::vector<manifests::ServiceReport>& services) {
  for (const auto& service : services) {
    for (const std::string& name : service.files) {
      const auto found = files.find(name);
      if (found == files.end()) {
        return fail(Errc::not_found, "service " + service.name + " asks for the node's file " +
                                         name + ": give one that it starts with, --node-file " +
                                         name + "=FILE");
      }
      TRY_ASSIGN(auto sealed, keys::seal_to_node(found->second, seal_key));
      TRY_IN(client.put_file({name, std::move(sealed)}), "give file " + name);
    }
  }
  return {};
}

}  // namespace

Status bring_up_services(node_client::NodeClient& client, const PublicKey& seal_key,
                         const NodeFiles& files, milliseconds patience,
                         const std::function<void(const std::string&)>& say) {
  TRY_ASSIGN(auto services, client.services());
  TRY(give_files(client, seal_key, files, services));
  const auto deadline = steady_clock::now() + patience;
  for (;;) {
    const auto down =
        std::find_if(services.begin(), services.end(), [](const auto& it) { return !is_up(it); });
    if (down == services.end()) break;
    for (const auto& service : services) {
      if (is_given_up(service)) return fail(Errc::io, describe_whole(service, kLinesShown));
    }
    if (interrupted()) return fail(Errc::busy, "interrupted");
    if (steady_clock::now() >= deadline) {
      return fail(Errc::timeout, "not up within " + std::to_string(patience.count() / 1000) +
                                     " s: " + describe_whole(*down, kLinesShown));
    }
    std::this_thread::sleep_for(kLookAgain);
    TRY_ASSIGN(services, client.services());
  }
  for (const auto& service : services) say("service " + service.name + ": " + describe(service));
  return {};
}

}  // namespace weir::boot_check
