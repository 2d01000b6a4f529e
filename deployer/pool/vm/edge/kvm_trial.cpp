#include "deployer/pool/vm/edge/kvm_trial.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

#include "deployer/pool/edge/memfd.h"
#include "deployer/pool/edge/node_user.h"
#include "deployer/pool/edge/process.h"
#include "deployer/pool/vm/qemu_arguments.h"
#include "deployer/pool/vm/trial_guest.h"

namespace weir::pool {
namespace {

constexpr std::chrono::milliseconds kPatience{3000};

}  // namespace

Result<bool> kvm_runs_guests(const std::string& qemu) {
  if (::access("/dev/kvm", F_OK) != 0) return false;
  TRY_ASSIGN(const Fd firmware, make_sealed_file("weir-kvm-trial", trial_firmware()));
  const Fd nowhere(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  if (!nowhere.valid()) return fail_errno(Errc::io, errno, "/dev/null");
  SpawnRequest request;
  request.program = qemu;
  request.arguments = qemu_trial_arguments(Acceleration::kvm, firmware.get());
  request.inherited = {firmware.get()};
  request.output = nowhere.get();
  request.user = node_user(0);
  request.groups = kvm_groups();
  TRY_ASSIGN_IN(const ProcessId trial, spawn(request), "KVM trial");
  TRY_ASSIGN_IN(std::optional<int> status, wait_for_exit(trial, kPatience), "KVM trial");
  if (!status) {
    TRY_IN(kill_process(trial), "KVM trial");
    TRY_ASSIGN_IN(status, wait_for_exit(trial, kPatience), "KVM trial");
    return false;
  }
  return *status == kTrialExitStatus;
}

}  // namespace weir::pool
