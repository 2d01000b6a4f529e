#include "deployer/boot_check/timeline.h"

#include <algorithm>
#include <charconv>

namespace weir::boot_check {
namespace {

using std::chrono::milliseconds;

// "[    1.234567] text" or "[     1.234] text": the time, and what follows in `line`.
std::optional<milliseconds> take_time(std::string_view& line) {
  // The ring buffer's lines begin with their level (syslog(2)): "<6>[ ...".
  if (line.starts_with('<')) line.remove_prefix(std::min(line.find('>'), line.size() - 1) + 1);
  const auto close = line.find(']');
  if (!line.starts_with('[') || close == std::string_view::npos) return std::nullopt;
  std::string_view inside = line.substr(1, close - 1);
  inside.remove_prefix(std::min(inside.find_first_not_of(' '), inside.size()));
  double seconds = 0;
  const auto [end, error] = std::from_chars(inside.data(), inside.data() + inside.size(), seconds);
  if (error != std::errc() || end != inside.data() + inside.size()) return std::nullopt;
  if (!(seconds >= 0) || seconds > 1e6) return std::nullopt;
  line.remove_prefix(close + 1);
  return milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

}  // namespace

GuestTimes parse_guest_log(std::string_view log) {
  GuestTimes out;
  const auto first = [](std::optional<milliseconds>& slot, milliseconds at) {
    if (!slot) slot = at;
  };
  while (!log.empty()) {
    const auto end = std::min(log.find('\n'), log.size());
    std::string_view line = log.substr(0, end);
    log.remove_prefix(std::min(end + 1, log.size()));
    const auto at = take_time(line);
    if (!at) continue;
    if (line.find("Trying to unpack rootfs image as initramfs") != std::string_view::npos) {
      first(out.unpacking, *at);
    } else if (line.find("Freeing initrd memory") != std::string_view::npos) {
      first(out.unpacked, *at);
    } else if (line.find("Run /init as init process") != std::string_view::npos) {
      first(out.init, *at);
    } else if (line.find("node: node ") != std::string_view::npos &&
               line.find(" serves its API at ") != std::string_view::npos) {
      first(out.api, *at);
    } else if (line.ends_with("node: clock set")) {
      first(out.clock_set, *at);
    }
  }
  return out;
}

std::vector<manifests::BootStep> timeline_of(const HostTimes& host, const GuestTimes& guest) {
  std::vector<manifests::BootStep> out;
  const auto add = [&](std::string_view name, milliseconds at) {
    out.push_back(
        {std::string(name), static_cast<std::uint64_t>(std::max<std::int64_t>(at.count(), 0))});
  };
  add("machine-runs", host.machine);
  if (guest.clock_set) {
    const milliseconds kernel = host.clock_set - *guest.clock_set;
    add("kernel-starts", kernel);
    if (guest.unpacking) add("initramfs-unpacking", kernel + *guest.unpacking);
    if (guest.unpacked) add("initramfs-unpacked", kernel + *guest.unpacked);
    if (guest.init) add("init-starts", kernel + *guest.init);
    if (guest.api) add("api-serves", kernel + *guest.api);
  }
  add("api-answers", host.answer);
  add("configured", host.configured);
  add(manifests::kHandshakeStep, host.handshake);
  add(manifests::kDataStep, host.first_data);
  add("last-data", host.last_data);
  std::stable_sort(out.begin(), out.end(),
                   [](const auto& a, const auto& b) { return a.milliseconds < b.milliseconds; });
  return out;
}

}  // namespace weir::boot_check
