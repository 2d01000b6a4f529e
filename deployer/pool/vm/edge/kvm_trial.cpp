#include "deployer/pool/vm/edge/kvm_trial.h"

#include <unistd.h>

#include <chrono>

#include "deployer/pool/edge/memfd.h"
#include "deployer/pool/edge/node_user.h"
#include "deployer/pool/node_users.h"
#include "deployer/pool/vm/edge/confined_qemu.h"
#include "deployer/pool/vm/qemu_arguments.h"
#include "deployer/pool/vm/trial_guest.h"
#include "manifests/base/edge/process.h"
#include "manifests/documents/architecture.h"

namespace weir::pool {
namespace {

constexpr std::chrono::milliseconds kPatience{3000};

}  // namespace

Result<bool> kvm_runs_guests(const QemuSystem& system, const std::string& qemu) {
  const auto own = manifests::own_architecture().name;
  if (system.architecture != own || own != "amd64") return false;
  if (::access("/dev/kvm", F_OK) != 0) return false;
  TRY_IN(check_node_user(node_user(0)), "KVM trial");
  TRY_ASSIGN(const Fd firmware, make_sealed_file("weir-kvm-trial", trial_firmware()));
  const Program program =
      confined_qemu(qemu, qemu_trial_arguments(system, Acceleration::kvm, firmware.get()),
                    node_user(0), {firmware.get()}, Stream::nothing());
  const auto ended = run(program, {}, {kPatience});
  if (!ended && ended.error().code == Errc::timeout) return false;
  if (!ended) return tl::unexpected(Error(ended.error()).in("KVM trial"));
  return ended->status == kTrialExitStatus;
}

}  // namespace weir::pool
