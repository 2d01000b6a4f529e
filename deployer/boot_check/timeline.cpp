#include "deployer/boot_check/timeline.h"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace weir::boot_check {
namespace {

using std::chrono::milliseconds;

// "[    1.234567] text": the node's own clock, in milliseconds.
std::optional<double> own_time(std::string_view line) {
  const auto close = line.find(']');
  if (!line.starts_with('[') || close == std::string_view::npos) return std::nullopt;
  std::string_view inside = line.substr(1, close - 1);
  inside.remove_prefix(std::min(inside.find_first_not_of(' '), inside.size()));
  double seconds = 0;
  const auto [end, error] = std::from_chars(inside.data(), inside.data() + inside.size(), seconds);
  if (error != std::errc() || end != inside.data() + inside.size()) return std::nullopt;
  if (!(seconds >= 0) || seconds > 1e6) return std::nullopt;
  return seconds * 1000;
}

// The first line with this text.
const ConsoleLine* find(const std::vector<ConsoleLine>& lines, std::string_view text) {
  const auto found = std::find_if(lines.begin(), lines.end(), [&](const ConsoleLine& line) {
    return line.text.find(text) != std::string::npos;
  });
  return found == lines.end() ? nullptr : &*found;
}

std::optional<milliseconds> kernel_start(const ConsoleLine* early, const ConsoleLine* late) {
  if (early == nullptr || late == nullptr) return std::nullopt;
  const auto from = own_time(early->text), to = own_time(late->text);
  if (!from || !to || *to <= *from || late->seen <= early->seen) return std::nullopt;
  const double pace = static_cast<double>((late->seen - early->seen).count()) / (*to - *from);
  const auto before = static_cast<std::int64_t>(std::min(*from * pace, 1e9));
  return std::max(early->seen - milliseconds(before), milliseconds(0));
}

}  // namespace

ConsoleTimes read_console(const std::vector<ConsoleLine>& lines) {
  const auto seen = [](const ConsoleLine* line) -> std::optional<milliseconds> {
    return line == nullptr ? std::nullopt : std::optional(line->seen);
  };
  const ConsoleLine* unpacking = find(lines, "Trying to unpack rootfs image as initramfs");
  const ConsoleLine* init = find(lines, "Run /init as init process");
  return {kernel_start(unpacking, init), seen(unpacking),
          seen(find(lines, "Freeing initrd memory")), seen(init),
          seen(find(lines, " serves its API at "))};
}

std::vector<manifests::BootStep> timeline_of(const HostTimes& host, const ConsoleTimes& console) {
  std::vector<manifests::BootStep> out;
  const auto add = [&](std::string_view name, std::optional<milliseconds> at) {
    if (!at) return;
    out.push_back(
        {std::string(name), static_cast<std::uint64_t>(std::max<std::int64_t>(at->count(), 0))});
  };
  add("machine-runs", host.machine);
  add("kernel-starts", console.kernel);
  add("initramfs-unpacking", console.unpacking);
  add("initramfs-unpacked", console.unpacked);
  add("init-starts", console.init);
  add("api-serves", console.api);
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
