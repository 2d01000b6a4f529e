#include "deployer/pool/vm/qemu_arguments.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>

#include "manifests/base/edge/file.h"
#include "tests/folders.h"

namespace weir::pool {
namespace {

QemuSpec blue_1() {
  return {*qemu_system_of("amd64"),
          *NodeId::parse("blue-1"),
          "/srv/a,b/nodes/blue-1",
          ByteCount{512ULL << 20},
          1,
          Acceleration::emulation,
          "console=ttyS0 panic=10, quiet",
          "52:54:00:00:00:01",
          "52:54:00:00:01:01",
          {10, 11, 12, 13, 14, 15, 16}};
}

std::string lines(const std::vector<std::string>& arguments) {
  std::string out;
  for (const std::string& argument : arguments) out += argument + "\n";
  return out;
}

bool has(const std::vector<std::string>& arguments, const std::string& what) {
  return std::find(arguments.begin(), arguments.end(), what) != arguments.end();
}

}  // namespace

// Checked by eye against qemu(1) and by netns_pool, which starts QEMU with it; ACCEPT=1 rewrites
// it.
TEST_CASE("a node's QEMU is told exactly what the golden file says") {
  const std::string path = test::source_folder() + "/tests/data/pool/qemu_arguments.txt";
  const std::string got = lines(qemu_arguments(blue_1()));
  if (std::getenv("ACCEPT") != nullptr) REQUIRE(write_file(path, got).has_value());
  CHECK(read_file(path, ByteCount{65536}) == got);
}

TEST_CASE("a node of arm64 is emulated on a board and a processor that QEMU is quick at") {
  CHECK_FALSE(qemu_system_of("riscv64").has_value());
  QemuSpec spec = blue_1();
  spec.system = *qemu_system_of("arm64");
  const auto amd64 = qemu_arguments(blue_1()), arm64 = qemu_arguments(spec);
  // All else is the same: devices, confinement, descriptors.
  std::vector<std::string> other;
  REQUIRE(amd64.size() == arm64.size());
  for (std::size_t i = 0; i < arm64.size(); ++i) {
    if (amd64[i] != arm64[i]) other.push_back(arm64[i]);
  }
  CHECK(other == std::vector<std::string>{"virt,gic-version=max,dump-guest-core=off,mem-merge=off",
                                          "cortex-a72"});
  CHECK(is_qemu_program("qemu-system-aarch64"));
  CHECK_FALSE(is_qemu_program("qemu-system-arm"));
}

TEST_CASE("memory is rounded up to whole MiB") {
  QemuSpec spec = blue_1();
  spec.memory = ByteCount{(300ULL << 20) + 1};
  CHECK(has(qemu_arguments(spec), "301M"));
}

TEST_CASE("the trial runs under the accelerator and processor that a node would have") {
  QemuSpec spec = blue_1();
  spec.acceleration = Acceleration::kvm;
  const auto node = qemu_arguments(spec);
  const auto trial = qemu_trial_arguments(spec.system, Acceleration::kvm, 9);
  for (const char* option : {"-accel", "-cpu", "-sandbox"}) {
    CAPTURE(option);
    const auto in_node = std::find(node.begin(), node.end(), option);
    const auto in_trial = std::find(trial.begin(), trial.end(), option);
    REQUIRE(in_node != node.end());
    REQUIRE(in_trial != trial.end());
    CHECK(*(in_node + 1) == *(in_trial + 1));
  }
  CHECK(has(node, "kvm"));
}

}  // namespace weir::pool
