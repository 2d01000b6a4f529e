#include "builder/kernel/netlink_family.h"

#include <linux/genetlink.h>
#include <linux/wireguard.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>

#include "images/formats/elf.h"

namespace weir::builder {
namespace {

constexpr std::string_view kAlias = "net-pf-16-proto-16-family-" WG_GENL_NAME;
constexpr std::string_view kSection = ".data..ro_after_init";
constexpr std::string_view kTool = "usr/bin/wg";

// 0 where it is not there; families begin with version 1.
std::uint32_t version_in(Bytes data) {
  char name[GENL_NAMSIZ] = WG_GENL_NAME;
  const auto begin = reinterpret_cast<const std::uint8_t*>(name);
  const auto at = std::search(data.begin(), data.end(), begin, begin + sizeof name);
  std::uint32_t version = 0;
  const auto past = static_cast<std::size_t>(at - data.begin()) + sizeof name;
  if (at == data.end() || data.size() - past < sizeof version) return 0;
  std::memcpy(&version, data.data() + past, sizeof version);
  return version;
}

}  // namespace

Status check_wireguard_family(const KernelModule& module, Bytes unpacked) {
  const auto& aliases = module.aliases;
  if (std::find(aliases.begin(), aliases.end(), kAlias) == aliases.end()) return {};
  const auto data = images::elf_section(unpacked, kSection);
  const std::uint32_t version = data ? version_in(*data) : 0;
  const std::string who = "module " + module.name;
  if (version == 0) {
    return fail(
        Errc::integrity,
        who + " does not say which version of the netlink family " WG_GENL_NAME " it speaks");
  }
  if (version == WG_GENL_VERSION) return {};
  return fail(Errc::integrity,
              who + " speaks version " + std::to_string(version) +
                  " of the netlink family " WG_GENL_NAME ", and wg and the agent speak version " +
                  std::to_string(WG_GENL_VERSION) + ": pin a kernel whose module fits the tools");
}

Status check_wireguard_tool(const images::FileTree& tree) {
  const auto path = images::ImagePath::parse(kTool);
  const images::Node* node = path ? tree.find(*path) : nullptr;
  if (node == nullptr || node->file() == nullptr || !images::is_elf(*node->file()->content)) {
    return {};
  }
  const std::string_view name(WG_GENL_NAME, sizeof WG_GENL_NAME);  // with its end
  const auto& bytes = *node->file()->content;
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.find(name) != std::string_view::npos) return {};
  return fail(Errc::integrity, "/" + std::string(kTool) +
                                   " does not ask the kernel for the netlink family " WG_GENL_NAME
                                   ": pin tools that speak to the module");
}

}  // namespace weir::builder
