#include "builder/boot_check/boot_spans.h"

#include <array>
#include <utility>

namespace weir::builder {
namespace {

// What happens until a step is reached.
constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kUntil = {{
    {"machine-runs", "QEMU starts"},
    {"kernel-starts", "firmware; the kernel is loaded and unpacks itself"},
    {"initramfs-unpacking", "the kernel starts up"},
    {"initramfs-unpacked", "it unpacks the initramfs"},
    {"init-starts", "its drivers, and the rest of it"},
    {"api-serves", "weir-init loads modules, weir-node starts"},
    {"api-answers", "the node API's first answer"},
    {"configured", "clock, private key and peer arrive"},
    {manifests::kHandshakeStep, "WireGuard's handshake"},
}};

std::string words_for(const std::string& step) {
  for (const auto& [name, words] : kUntil) {
    if (name == step) return std::string(words);
  }
  return step;
}

}  // namespace

std::vector<BootSpan> spans_to_handshake(const std::vector<manifests::BootStep>& timeline) {
  std::vector<BootSpan> out;
  std::uint64_t before = 0;
  for (const manifests::BootStep& step : timeline) {
    out.push_back({words_for(step.name), step.milliseconds - before});
    before = step.milliseconds;
    if (step.name == manifests::kHandshakeStep) break;
  }
  return out;
}

std::uint64_t time_of(const std::vector<manifests::BootStep>& timeline, std::string_view step) {
  for (const manifests::BootStep& each : timeline) {
    if (each.name == step) return each.milliseconds;
  }
  return 0;
}

}  // namespace weir::builder
