#include "deployer/pool/vm/edge/vm_driver.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <map>
#include <mutex>
#include <thread>

#include "deployer/pool/console_tail.h"
#include "deployer/pool/edge/boot_image.h"
#include "deployer/pool/edge/memfd.h"
#include "deployer/pool/edge/node_user.h"
#include "deployer/pool/edge/tap.h"
#include "deployer/pool/node_users.h"
#include "deployer/pool/vm/edge/confined_qemu.h"
#include "deployer/pool/vm/edge/kvm_trial.h"
#include "deployer/pool/vm/edge/machine_process.h"
#include "deployer/pool/vm/edge/qmp.h"
#include "deployer/pool/vm/qemu_arguments.h"

namespace weir::pool {
namespace {

using std::chrono::milliseconds;

constexpr ByteCount kLongestConsole{1 << 20};
constexpr std::size_t kTailBytes = 64 << 10;
constexpr milliseconds kQmpPatience{20000};
constexpr milliseconds kKillPatience{10000};
constexpr milliseconds kLookAgain{20};
constexpr int kPreferredNice = -10;

// The node's configuration holds its TLS key: only the node's own user may read it.
Result<Fd> make_config_file(const manifests::NodeConfig& config, uid_t user) {
  TRY_ASSIGN(Fd fd, make_sealed_file("weir-node-config", manifests::print(config)));
  if (::fchmod(fd.get(), 0400) != 0 || ::fchown(fd.get(), user, user) != 0) {
    return fail_errno(Errc::io, errno, "node configuration");
  }
  return fd;
}

std::string tail_of(const std::string& path, std::size_t lines) {
  const auto file = open_file_nofollow(path);
  struct stat info {};
  if (!file || ::fstat(file->get(), &info) != 0) return {};
  const off_t from = std::max<off_t>(0, info.st_size - static_cast<off_t>(kTailBytes));
  std::string text(static_cast<std::size_t>(info.st_size - from), '\0');
  const ssize_t n = ::pread(file->get(), text.data(), text.size(), from);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(0, n)));
  return last_lines(text, lines, from == 0);
}

// A machine is found again by it: the same from wherever its fleet is named.
Result<std::string> canonical(const std::string& folder) {
  std::error_code error;
  std::string out = std::filesystem::canonical(folder, error);
  if (error) return fail_errno(Errc::io, error.value(), folder);
  return out;
}

class VmDriver final : public MachineDriver {
 public:
  explicit VmDriver(const network::NetworkNamespace& where) : where_(where) {}

  Status check(const manifests::Attachment& link, const BootImage& image) override {
    const std::string context = "node " + link.node.string();
    TRY_IN(check_node_user(node_user(link.number)), context);
    TRY_IN(qemu(image.architecture), context);
    return {};
  }

  Result<MachineRecord> start(const manifests::Attachment& link, const manifests::PoolSpec& spec,
                              const BootImage& image, const manifests::NodeConfig& config,
                              const std::string& folder) override {
    const std::string context = "node " + link.node.string();
    TRY_ASSIGN_IN(MachineRecord record, launch(link, spec, image, config, folder), context);
    if (auto executes = wait_until_it_executes(record); !executes) {
      // The reason is in QEMU's own words; without a machine nobody needs the process.
      const std::string words = tail_of(folder + "/qemu.log", 3);
      TRY_IN(stop(record, milliseconds(0)), context);
      Error error = std::move(executes).error().in(context);
      if (!words.empty()) error.message += " (" + words + ")";
      return tl::unexpected(std::move(error));
    }
    return record;
  }

  Result<MachineState> state(const MachineRecord& machine) override {
    TRY_ASSIGN_IN(const Found found, find_machine(machine), "node " + machine.node.string());
    if (found == Found::running) return MachineState::running;
    return found == Found::frozen ? MachineState::frozen : MachineState::gone;
  }

  std::string console_tail(const MachineRecord& machine, std::size_t lines) override {
    return tail_of(console_log(machine.folder), lines);
  }

  Status stop(const MachineRecord& machine, milliseconds patience) override {
    const std::string context = "stop node " + machine.node.string();
    const ProcessId process = process_of(machine);
    TRY_ASSIGN_IN(const Found before, find_machine(machine), context);
    if (before == Found::nobody) return {};
    if (before == Found::foreign) {
      return fail(Errc::integrity, context + ": process " + std::to_string(machine.pid) +
                                       " is the one that is recorded, but not recognised as this "
                                       "node's machine in " +
                                       machine.folder +
                                       ", and left alone: if it is, and no other fleet's, of whose "
                                       "folder this is a copy, end it yourself");
    }
    if (before == Found::running && patience.count() > 0) {
      // What it answers does not matter: that it ends does.
      if (auto qmp = QmpClient::open(machine.folder, patience)) {
        [[maybe_unused]] const auto answer = qmp->run("quit");
        TRY_ASSIGN_IN(const bool ended, wait_for_end(process, patience), context);
        if (ended) return {};
      }
    }
    // Of a machine that is gone the last threads may still be ending, and its taps with them.
    if (before != Found::ending) TRY_IN(kill_process(process), context);
    TRY_ASSIGN_IN(const bool ended, wait_for_end(process, kKillPatience), context);
    if (!ended)
      return fail(Errc::timeout,
                  context + ": process " + std::to_string(machine.pid) + " does not end");
    return {};
  }

  Status end_unrecorded(const std::string& folder, milliseconds patience) override {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    // Whoever listens on the socket is the machine, and it stops listening when it ends.
    for (bool asked = false;; asked = true) {
      auto qmp = QmpClient::open(folder, patience);
      if (!qmp && qmp.error().code != Errc::timeout) return {};
      if (!qmp || std::chrono::steady_clock::now() > deadline) {
        return fail(Errc::timeout, "a machine without a record runs in " + folder +
                                       " and does not end: end the process yourself");
      }
      [[maybe_unused]] const auto answer = qmp->run("quit");
      if (asked) std::this_thread::sleep_for(kLookAgain);
    }
  }

  void prefer(const MachineRecord& machine) override {
    const auto found = find_machine(machine);
    if (found && *found == Found::running) set_nice(process_of(machine), kPreferredNice);
  }

 private:
  // Leaves no descriptor of the machine's in this process: its end is seen at once, and its taps
  // are its.
  Result<MachineRecord> launch(const manifests::Attachment& link, const manifests::PoolSpec& spec,
                               const BootImage& image, const manifests::NodeConfig& config,
                               const std::string& given_folder) {
    TRY_ASSIGN(const Qemu qemu_here, qemu(image.architecture));
    const uid_t user = node_user(link.number);
    TRY(check_node_user(user));
    TRY(make_folders(given_folder, 0700));
    TRY_ASSIGN(const std::string folder, canonical(given_folder));
    TRY_ASSIGN(const Fd data, make_tap(where_, link.data_interface));
    TRY_ASSIGN(const Fd management, make_tap(where_, link.management_interface));
    TRY_ASSIGN(const Fd node_config, make_config_file(config, user));
    TRY_ASSIGN(const Fd console, open_log_file(console_log(folder), Existing::emptied));
    TRY_ASSIGN(const Fd messages, open_log_file(folder + "/qemu.log", Existing::emptied));
    TRY_ASSIGN(const Fd qmp, listen_for_qmp(folder));

    const QemuDescriptors fds{image.kernel.get(), image.initramfs.get(), node_config.get(),
                              data.get(),         management.get(),      console.get(),
                              qmp.get()};
    Program program =
        confined_qemu(qemu_here.program,
                      qemu_arguments({qemu_here.system, link.node, folder, spec.memory, spec.cpus,
                                      qemu_here.acceleration, image.command_line, config.data_mac,
                                      config.management_mac, fds}),
                      user,
                      {fds.kernel, fds.initramfs, fds.node_config, fds.data_tap, fds.management_tap,
                       fds.console, fds.qmp},
                      Stream::to(messages.get()));
    program.confinement.limits.push_back({RLIMIT_FSIZE, kLongestConsole.value});
    TRY_ASSIGN(const ProcessId process, spawn(program));

    return MachineRecord{link.node, process.pid, process.start_ticks, folder};
  }

  static Status wait_until_it_executes(const MachineRecord& record) {
    // QEMU answers once its main loop runs; a bad argument or a refused accelerator closes the
    // socket.
    TRY_ASSIGN(QmpClient qmp, QmpClient::open(record.folder, kQmpPatience));
    TRY_ASSIGN(const std::string status, qmp.run("query-status"));
    if (status.find("\"running\":true") == std::string::npos) {
      return fail(Errc::io, "QEMU does not execute the machine: " + status);
    }
    return {};
  }

  struct Qemu {
    QemuSystem system;
    std::string program;
    Acceleration acceleration;
  };

  // Found out once; a failure is found out again.
  Result<Qemu> qemu(const std::string& architecture) {
    const std::lock_guard lock(qemu_lock_);
    auto found = qemu_.find(architecture);
    if (found == qemu_.end()) {
      TRY_ASSIGN(const QemuSystem system, qemu_system_of(architecture));
      TRY_ASSIGN(std::string program, find_qemu(system));
      TRY_ASSIGN(const bool kvm, kvm_runs_guests(system, program));
      const auto acceleration = kvm ? Acceleration::kvm : Acceleration::emulation;
      found = qemu_.emplace(architecture, Qemu{system, std::move(program), acceleration}).first;
    }
    return found->second;
  }

  const network::NetworkNamespace& where_;
  std::mutex qemu_lock_;
  std::map<std::string, Qemu> qemu_;  ///< by architecture
};

}  // namespace

std::unique_ptr<MachineDriver> make_vm_driver(const network::NetworkNamespace& where) {
  return std::make_unique<VmDriver>(where);
}

}  // namespace weir::pool
