#include "deployer/pool/vm/machine_identity.h"

#include <algorithm>
#include <charconv>

#include "deployer/pool/node_users.h"
#include "deployer/pool/vm/qemu_arguments.h"

namespace weir::pool {
namespace {

// "/usr/bin/qemu-system-x86_64", also when its package was upgraded since.
bool is_qemu(std::string_view executable) {
  constexpr std::string_view kDeleted = " (deleted)";
  if (executable.ends_with(kDeleted)) executable.remove_suffix(kDeleted.size());
  return is_qemu_program(executable.substr(executable.rfind('/') + 1));
}

/// Whether this is how a former version started the node's machine, which runs until its pool is
/// replaced: in a folder as the fleet was named by then, or under another numbering.
bool is_of_old(std::uint32_t user, std::string_view name, const NodeId& node) {
  constexpr std::uint32_t kFirst = 65000, kLast = 65499;
  if (user >= kFirst && user <= kLast) return name == "weir-" + node.string();
  return is_node_user(user) && name.starts_with(qemu_name(node, ""));
}

}  // namespace

bool is_machine(const ProcessFacts& facts, const MachineRecord& record) {
  if (facts.executable && !is_qemu(*facts.executable)) return false;
  const auto name = std::find(facts.arguments.begin(), facts.arguments.end(), "-name");
  if (name == facts.arguments.end() || std::next(name) == facts.arguments.end()) return false;
  if (is_node_user(facts.user) && *std::next(name) == qemu_name(record.node, record.folder)) {
    return true;
  }
  return facts.holds_console && is_of_old(facts.user, *std::next(name), record.node);
}

bool is_ending(const ProcessFacts& facts) {
  return facts.arguments.empty() && is_node_user(facts.user);
}

std::vector<std::string> parse_command_line(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const auto end = std::min(text.find('\0'), text.size());
    out.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(text.size(), end + 1));
  }
  return out;
}

Result<std::uint32_t> parse_real_user(std::string_view status) {
  constexpr std::string_view kField = "\nUid:\t";
  const auto at = status.find(kField);
  std::uint32_t out = 0;
  if (at != std::string_view::npos) {
    status.remove_prefix(at + kField.size());
    const auto [rest, error] = std::from_chars(status.data(), status.data() + status.size(), out);
    if (error == std::errc() && rest != status.data() + status.size() && *rest == '\t') return out;
  }
  return fail(Errc::invalid_input, "not a /proc/PID/status");
}

}  // namespace weir::pool
