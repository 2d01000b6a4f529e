#include "deployer/pool/vm/qemu_arguments.h"

#include <algorithm>
#include <array>

#include "manifests/messages/node_api.h"

namespace weir::pool {
namespace {

using Arguments = std::vector<std::string>;

// Under emulation an arm64 processor without pointer authentication: with it ("max") functions sign
// where they return to, which QEMU computes step by step, and booting takes five times as long.
constexpr std::array<QemuSystem, 2> kSystems = {
    {{"amd64", "qemu-system-x86_64", "qemu-system-x86", "q35", "max"},
     {"arm64", "qemu-system-aarch64", "qemu-system-arm", "virt,gic-version=max", "cortex-a72"}}};

std::string fd_path(int fd) {
  return "/proc/self/fd/" + std::to_string(fd);
}

void add(Arguments& out, std::string option, std::string value) {
  out.push_back(std::move(option));
  out.push_back(std::move(value));
}

// No default devices, no configuration files, no display; and nothing that QEMU could do to the
// host beyond the descriptors it was given (qemu(1), -sandbox).
void add_confinement(Arguments& out) {
  out.insert(out.end(), {"-nodefaults", "-no-user-config", "-display", "none"});
  add(out, "-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
}

void add_processor(Arguments& out, const QemuSystem& system, Acceleration acceleration) {
  // Under emulation a bounded translation cache: the default takes up to 1 GiB a node.
  add(out, "-accel", acceleration == Acceleration::kvm ? "kvm" : "tcg,thread=multi,tb-size=128");
  add(out, "-cpu", std::string(acceleration == Acceleration::kvm ? "max" : system.emulated_cpu));
}

void add_network(Arguments& out, const std::string& id, int tap, const std::string& mac) {
  add(out, "-netdev", "tap,id=" + id + ",fd=" + std::to_string(tap));
  // No boot ROM: nodes never boot from the network, and SeaBIOS would run it.
  add(out, "-device",
      "virtio-net-pci,netdev=" + id + ",mac=" + mac + ",rx_queue_size=1024,romfile=");
}

}  // namespace

Result<QemuSystem> qemu_system_of(std::string_view architecture) {
  std::string known;
  for (const QemuSystem& each : kSystems) {
    if (each.architecture == architecture) return each;
    known += (known.empty() ? "" : ", ") + std::string(each.architecture);
  }
  return fail(Errc::invalid_input, "no machines of architecture '" + std::string(architecture) +
                                       "' are run here (there are " + known + ")");
}

bool is_qemu_program(std::string_view name) {
  return std::any_of(kSystems.begin(), kSystems.end(),
                     [&](const QemuSystem& each) { return each.program == name; });
}

std::string qemu_name(const NodeId& node, const std::string& folder) {
  std::string out = "guest=weir-" + node.string() + " in ";
  // QEMU's options end at a comma; two stand for one.
  for (const char c : folder) out.append(c == ',' ? 2 : 1, c);
  return out;
}

std::vector<std::string> qemu_arguments(const QemuSpec& spec) {
  const std::uint64_t mib = (spec.memory.value + (1ULL << 20) - 1) >> 20;
  Arguments out;
  add(out, "-name", qemu_name(spec.node, spec.folder));
  add_confinement(out);
  // Guest memory holds private keys: not in core dumps, not merged with other processes' pages.
  add(out, "-machine", std::string(spec.system.machine) + ",dump-guest-core=off,mem-merge=off");
  add_processor(out, spec.system, spec.acceleration);
  add(out, "-m", std::to_string(mib) + "M");
  add(out, "-smp", std::to_string(spec.cpus));
  add(out, "-rtc", "base=utc");
  add(out, "-kernel", fd_path(spec.fds.kernel));
  add(out, "-initrd", fd_path(spec.fds.initramfs));
  add(out, "-append", spec.command_line);
  add(out, "-fw_cfg",
      "name=" + std::string(manifests::kNodeConfigItem) + ",file=" + fd_path(spec.fds.node_config));
  add_network(out, "data", spec.fds.data_tap, spec.data_mac);
  add_network(out, "management", spec.fds.management_tap, spec.management_mac);
  add(out, "-device", "virtio-rng-pci");
  add(out, "-add-fd", "fd=" + std::to_string(spec.fds.console) + ",set=1");
  add(out, "-chardev", "file,id=console,path=/dev/fdset/1,append=on");
  add(out, "-serial", "chardev:console");
  add(out, "-chardev", "socket,id=qmp,fd=" + std::to_string(spec.fds.qmp) + ",server=on,wait=off");
  add(out, "-mon", "chardev=qmp,mode=control");
  return out;
}

std::vector<std::string> qemu_trial_arguments(const QemuSystem& system, Acceleration acceleration,
                                              int firmware) {
  Arguments out;
  add_confinement(out);
  add_processor(out, system, acceleration);
  add(out, "-m", "16M");
  add(out, "-bios", fd_path(firmware));
  add(out, "-device", "isa-debug-exit,iobase=0xf4,iosize=4");
  return out;
}

}  // namespace weir::pool
