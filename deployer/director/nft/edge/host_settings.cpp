#include "deployer/director/nft/edge/host_settings.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <vector>

#include "manifests/base/edge/file.h"

namespace weir::director {
namespace {

struct Setting {
  std::string path;  ///< below /proc/sys/net
  std::uint32_t value = 0;
};

/// In the order in which they are written: switching forwarding resets what follows
/// (Documentation/networking/ip-sysctl.rst, ip_forward).
std::vector<Setting> host_settings(const Topology& topology) {
  const std::string v4 = "ipv4/conf/" + topology.upstream_interface;
  const std::string v6 = "ipv6/conf/" + topology.upstream_interface;
  return {{"ipv4/ip_forward", 1},
          {"ipv6/conf/all/forwarding", 1},
          {"ipv4/conf/all/rp_filter", 0},
          {"ipv4/conf/all/send_redirects", 0},
          {"ipv4/conf/all/accept_redirects", 0},
          {"ipv6/conf/all/accept_redirects", 0},
          {v4 + "/rp_filter", 0},
          {v4 + "/send_redirects", 0},
          {v4 + "/accept_redirects", 0},
          {v6 + "/accept_redirects", 0},
          {v6 + "/accept_ra", 0}};
}

Status write_setting(const Setting& setting) {
  const std::string path = "/proc/sys/net/" + setting.path;
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd.valid()) {
    return fail_errno(errno == ENOENT ? Errc::not_found : Errc::unauthorized, errno, path);
  }
  const std::string text = std::to_string(setting.value);
  if (::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return fail_errno(Errc::kernel, errno, path);
  }
  return {};
}

Result<std::uint32_t> read_setting(const std::string& name) {
  const std::string path = "/proc/sys/net/" + name;
  TRY_ASSIGN(const auto text, read_file(path, ByteCount{64}));
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return fail(Errc::kernel, path + " holds no number");
  return value;
}

bool is_missing(const Error& error) {
  return error.code == Errc::not_found;
}

}  // namespace

Result<Settings> read_host_settings(const network::NetworkNamespace& where,
                                    const Topology& topology) {
  Settings out;
  TRY(where.run([&]() -> Status {
    std::uint32_t place = 0;
    for (const Setting& setting : host_settings(topology)) {
      const auto value = read_setting(setting.path);
      if (value) out.emplace(place, *value);
      if (!value && !is_missing(value.error())) return tl::unexpected(value.error());
      ++place;
    }
    return {};
  }));
  return out;
}

Status apply_host_settings(const network::NetworkNamespace& where, const Topology& topology) {
  return where.run([&]() -> Status {
    for (const Setting& setting : host_settings(topology)) {
      auto done = write_setting(setting);
      // The upstream interface may come later; without it there is nothing to set.
      if (!done && !is_missing(done.error())) return done;
    }
    return {};
  });
}

Status restore_host_settings(const network::NetworkNamespace& where, const Topology& topology,
                             const Settings& saved) {
  return where.run([&]() -> Status {
    const auto all = host_settings(topology);
    for (const auto& [place, value] : saved) {
      if (place >= all.size()) continue;
      auto done = write_setting({all[place].path, value});
      if (!done && !is_missing(done.error())) return done;
    }
    return {};
  });
}

Status apply_link_settings(const network::NetworkNamespace& where, const std::string& interface) {
  return where.run([&]() -> Status {
    const std::string v4 = "ipv4/conf/" + interface;
    const std::string v6 = "ipv6/conf/" + interface;
    for (const Setting& setting : std::vector<Setting>{
             {v4 + "/rp_filter", 0},
             {v4 + "/send_redirects", 0},
             {v4 + "/accept_redirects", 0},
             {v6 + "/disable_ipv6", 0},
             {v6 + "/accept_ra", 0},
             {v6 + "/accept_redirects", 0},
             {v6 + "/accept_dad", 0},
             {v6 + "/dad_transmits", 0},
             // A node that was frozen or still boots is found within a quarter of a second.
             {"ipv4/neigh/" + interface + "/retrans_time_ms", 250},
             {"ipv6/neigh/" + interface + "/retrans_time_ms", 250},
             {"ipv4/neigh/" + interface + "/mcast_solicit", 8},
             {"ipv6/neigh/" + interface + "/mcast_solicit", 8},
         }) {
      TRY_IN(write_setting(setting), "interface " + interface);
    }
    return {};
  });
}

}  // namespace weir::director
