#include "deployer/boot_check/edge/services.h"

#include <algorithm>
#include <set>
#include <thread>

#include "deployer/boot_check/edge/enclosure.h"
#include "keys/identity/wireguard_identity.h"

namespace weir::boot_check {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr milliseconds kLookAgain{100};
constexpr std::size_t kLinesShown = 10;

Status give_files(node_client::NodeClient& client, const PublicKey& seal_key,
                  const NodeFiles& files, const std::vector<manifests::ServiceReport>& services) {
  std::set<std::string> asked;
  for (const auto& service : services) {
    for (const std::string& name : service.files) {
      asked.insert(name);
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
  for (const auto& [name, content] : files) {
    if (asked.contains(name)) continue;
    return fail(Errc::invalid_input, "--node-file: no service asks for " + name);
  }
  return {};
}

seconds in_whole_seconds(milliseconds time) {
  return std::chrono::duration_cast<seconds>(time);
}

// "waiting for service bird, 170 s more at most: starting for 8 s; it said last: ..."
std::string describe_wait(const manifests::ServiceReport& service, milliseconds left) {
  std::string out = "waiting for service " + service.name + ", " +
                    std::to_string(in_whole_seconds(left).count()) +
                    " s more at most: " + describe(service) + " for " +
                    std::to_string(in_whole_seconds(service.in_state).count()) + " s";
  if (!service.last_lines.empty()) out += "; it said last: " + service.last_lines.back();
  return out;
}

tl::unexpected<Error> too_late(const std::vector<manifests::ServiceReport>& services) {
  std::string all;
  for (const auto& service : services) {
    if (is_up(service)) continue;
    all += (all.empty() ? "" : "; ") + describe_whole(service, kLinesShown);
  }
  return fail(Errc::timeout, "not up when the time was over (--timeout): " + all);
}

}  // namespace

Status bring_up_services(node_client::NodeClient& client, const PublicKey& seal_key,
                         const NodeFiles& files, steady_clock::time_point deadline,
                         milliseconds every, const std::function<void(const std::string&)>& say) {
  TRY_ASSIGN(auto services, client.services());
  TRY(give_files(client, seal_key, files, services));
  auto tell_at = steady_clock::now();
  while (!std::all_of(services.begin(), services.end(), [](const auto& it) { return is_up(it); })) {
    for (const auto& service : services) {
      if (is_given_up(service)) return fail(Errc::io, describe_whole(service, kLinesShown));
    }
    if (interrupted()) return fail(Errc::busy, "interrupted");
    const auto now = steady_clock::now();
    if (now >= deadline) return too_late(services);
    if (now >= tell_at) {
      tell_at = now + every;
      for (const auto& service : services) {
        if (is_up(service)) continue;
        say(describe_wait(service, std::chrono::duration_cast<milliseconds>(deadline - now)));
      }
    }
    std::this_thread::sleep_for(kLookAgain);
    TRY_ASSIGN(services, client.services());
  }
  for (const auto& service : services) say("service " + service.name + ": " + describe(service));
  return {};
}

}  // namespace weir::boot_check
