#include "deployer/pool/vm/edge/vm_driver.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <thread>

#include "deployer/pool/edge/boot_image.h"
#include "deployer/pool/edge/memfd.h"
#include "deployer/pool/edge/node_user.h"
#include "deployer/pool/node_users.h"
#include "deployer/pool/vm/edge/confined_qemu.h"
#include "deployer/pool/vm/edge/kvm_trial.h"
#include "deployer/pool/vm/qemu_arguments.h"
#include "deployer/pool/vm/trial_guest.h"
#include "deployer/state/node_folder.h"
#include "deployer/state/sqlite/edge/sqlite_store.h"
#include "manifests/base/edge/process.h"
#include "tests/netns/pool/guest.h"
#include "tests/netns/temporary_namespace.h"
#include "tests/patience.h"

namespace weir::pool {
namespace {

using test::eventually;
using test::shell;
using test::TemporaryNamespace;

struct TemporaryFolder {
  std::string path = "/tmp/weirt-pool-" + std::to_string(::getpid());
  ~TemporaryFolder() { std::filesystem::remove_all(path); }
};

BootImage tiny_image(const std::string& text) {
  BootImage image;
  image.kernel = *make_sealed_file("kernel", test::tiny_kernel(text));
  image.initramfs = *make_sealed_file("initramfs", "nothing");
  image.command_line = "console=ttyS0";
  return image;
}

manifests::Attachment link_of(const std::string& node) {
  const IpAddress v4 = *IpAddress::parse("192.0.2.0");
  const IpAddress v6 = *IpAddress::parse("2001:db8::");
  return {*DirectorId::parse("director"),
          *NodeId::parse(node),
          *PoolName::parse("blue"),
          1,
          "weir-d1",
          "weir-m1",
          v4,
          v4.plus(1),
          v6,
          v6.plus(1),
          v4.plus(2),
          v4.plus(3)};
}

manifests::PoolSpec small_pool() {
  manifests::PoolSpec spec{*PoolName::parse("blue"), "vm", {}};
  spec.memory = ByteCount{32ULL << 20};
  return spec;
}

manifests::NodeConfig config_of(const manifests::Attachment& link) {
  return {link.node,
          {},
          {},
          51820,
          link.node_v4,
          link.director_v4,
          link.node_v6,
          link.director_v6,
          link.node_management,
          link.director_management,
          "52:54:00:00:00:01",
          "52:54:00:00:01:01",
          {},
          "",
          Digest::of({}),
          std::chrono::milliseconds(0)};
}

std::string status_field(std::int64_t pid, const std::string& field) {
  return shell("sed -n 's/^" + field + ":\\t//p' /proc/" + std::to_string(pid) + "/status").text;
}

/// A driver in a network namespace of its own, and where node blue-1 is attached.
struct Machines {
  const TemporaryNamespace space{"pool"};
  const TemporaryFolder folder{};
  network::NetworkNamespace where = must_open(space.name());
  const std::unique_ptr<MachineDriver> driver = make_vm_driver(where);
  const manifests::Attachment link = link_of("blue-1");

  static network::NetworkNamespace must_open(const std::string& name) {
    auto opened = network::NetworkNamespace::open(name);
    REQUIRE(opened.has_value());
    return std::move(*opened);
  }
};

}  // namespace

TEST_CASE_FIXTURE(
    Machines, "a machine runs on its taps, confined, is seen frozen, and leaves nothing behind") {
  CHECK(driver->check(link, tiny_image("")).has_value());
  // A descriptor that a careless parent would leak into QEMU.
  const Fd bait(::open("/etc/hostname", O_RDONLY));

  auto machine = driver->start(link, small_pool(), tiny_image("it \x1b[2J runs\n"), config_of(link),
                               folder.path + "/blue-1");
  if (!machine) FAIL(machine.error().message);
  CHECK(eventually([&] { return driver->console_tail(*machine, 1) == "it ?[2J runs"; }));
  CHECK(driver->state(*machine) == MachineState::running);

  CHECK(space.exec("ip -br link").text.find("weir-d1") != std::string::npos);
  CHECK(space.exec("ip -br link").text.find("weir-m1") != std::string::npos);
  const std::string user = std::to_string(node_user(1));
  CHECK(status_field(machine->pid, "Uid") == user + "\t" + user + "\t" + user + "\t" + user + "\n");
  CHECK(status_field(machine->pid, "CapEff") == "0000000000000000\n");
  CHECK(status_field(machine->pid, "NoNewPrivs") == "1\n");
  CHECK(status_field(machine->pid, "Seccomp") == "2\n");
  const std::string open_files = shell("ls -l /proc/" + std::to_string(machine->pid) + "/fd").text;
  CHECK(open_files.find("weir-node-config") != std::string::npos);
  CHECK(open_files.find("/etc/hostname") == std::string::npos);

  for (const char* kind : {"net", "mnt", "ipc", "uts"}) {
    const auto of = [&](std::int64_t pid) {
      return shell("readlink /proc/" + std::to_string(pid) + "/ns/" + kind).text;
    };
    CAPTURE(kind);
    CHECK(of(machine->pid) != of(::getpid()));
    CHECK(of(machine->pid).find(kind) == 0);
    CHECK(of(machine->pid) != space.exec(std::string("readlink /proc/self/ns/") + kind).text);
  }
  const std::string root = "/proc/" + std::to_string(machine->pid) + "/root";
  CHECK(shell("ls -A " + root + "/tmp " + root + "/var").text.find("weirt-pool") ==
        std::string::npos);
  CHECK(shell("touch " + root + "/usr/weirt 2>&1").text.find("Read-only") != std::string::npos);

  const auto nices = [&] {
    return shell("cut -d' ' -f19 /proc/" + std::to_string(machine->pid) + "/task/*/stat | sort -u")
        .text;
  };
  CHECK(nices() == "0\n");
  driver->prefer(*machine);
  CHECK(nices() == "-10\n");

  // Records that fit a process by pid and start time, and yet name another machine or none.
  MachineRecord reused = *machine;
  ++reused.start_ticks;
  MachineRecord renamed = *machine;
  renamed.node = *NodeId::parse("blue-2");
  MachineRecord moved = *machine;
  moved.folder += "-2";
  const ProcessId ourselves = *identify(::getpid());
  const MachineRecord foreign{link.node, ourselves.pid, ourselves.start_ticks, machine->folder};
  MachineRecord everybody = *machine;
  everybody.pid = -1;
  for (const MachineRecord& wrong : {reused, everybody}) {
    CHECK(driver->state(wrong) == MachineState::gone);
    CHECK(driver->stop(wrong, std::chrono::milliseconds(0)).has_value());
  }
  for (const MachineRecord& wrong : {renamed, moved, foreign}) {
    CHECK(driver->state(wrong) == MachineState::gone);
    const auto stopped = driver->stop(wrong, std::chrono::milliseconds(0));
    REQUIRE_FALSE(stopped.has_value());
    CHECK(stopped.error().code == Errc::integrity);
  }
  CHECK(driver->state(*machine) == MachineState::running);

  // Another machine cannot take the same taps.
  const auto second =
      driver->start(link, small_pool(), tiny_image("no"), config_of(link), folder.path + "/second");
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().code == Errc::busy);
  CHECK(second.error().message.find("blue-1") != std::string::npos);

  SUBCASE("asked") {
    CHECK(driver->stop(*machine, test::kPatience).has_value());
  }
  SUBCASE("without a record, as after its deployer died") {
    CHECK(driver->end_unrecorded(folder.path + "/blue-1", test::kPatience).has_value());
    CHECK(eventually([&] { return driver->state(*machine) == MachineState::gone; }));
    CHECK(driver->end_unrecorded(folder.path + "/blue-1", std::chrono::seconds(1)).has_value());
    CHECK(driver->end_unrecorded(folder.path + "/none", std::chrono::seconds(1)).has_value());
  }
  SUBCASE("frozen, so not asked") {
    REQUIRE(::kill(static_cast<pid_t>(machine->pid), SIGSTOP) == 0);
    CHECK(eventually([&] { return driver->state(*machine) == MachineState::frozen; }));
    CHECK(driver->stop(*machine, test::kPatience).has_value());
  }
  CHECK(driver->state(*machine) == MachineState::gone);
  CHECK(eventually(
      [&] { return space.exec("ip -br link").text.find("weir-") == std::string::npos; }));
  CHECK(driver->stop(*machine, std::chrono::seconds(1)).has_value());
}

TEST_CASE_FIXTURE(Machines, "a copy of a fleet's folder ends none of the original's machines") {
  const std::string fleet = folder.path + "/fleet", copy = folder.path + "/copy";
  // A state folder as a person names it: not by its own path.
  const std::string named = folder.path + "/link/../link/state";
  std::filesystem::create_directories(fleet + "/state");
  std::filesystem::create_directory_symlink("fleet", folder.path + "/link");
  const auto recorded = [&](const std::string& state) {
    auto store =
        deployer::SqliteStore::open(state + "/fleet.db", deployer::SqliteStore::Access::read);
    REQUIRE(store.has_value());
    return store->machines()->at(link.node).record;
  };
  const auto machine = driver->start(link, small_pool(), tiny_image("it runs\n"), config_of(link),
                                     deployer::node_folder(named, link.node));
  if (!machine) FAIL(machine.error().message);
  {
    auto store = deployer::SqliteStore::open(named + "/fleet.db");
    REQUIRE(store.has_value());
    REQUIRE(store->put_machine({*machine, Digest::of({})}).has_value());
  }
  REQUIRE(shell("cp -a " + fleet + " " + copy).status == 0);

  const MachineRecord copied = recorded(copy + "/state");
  CHECK(driver->state(copied) == MachineState::gone);
  const auto stopped = driver->stop(copied, test::kPatience);
  REQUIRE_FALSE(stopped.has_value());
  CHECK(stopped.error().code == Errc::integrity);
  CHECK(driver->end_unrecorded(deployer::node_folder(copy + "/state", link.node), test::kPatience)
            .has_value());
  for (const std::string& state : {fleet + "/state", named}) {
    CAPTURE(state);
    CHECK(driver->state(recorded(state)) == MachineState::running);
  }
  // The original does end it.
  std::string last;
  SUBCASE("from where it was started") {
    last = named;
  }
  SUBCASE("from where its folder was moved to") {
    last = folder.path + "/moved/state";
    std::filesystem::rename(fleet, folder.path + "/moved");
    CHECK(driver->state(copied) == MachineState::gone);
  }
  CHECK(driver->state(recorded(last)) == MachineState::running);
  CHECK(driver->stop(recorded(last), test::kPatience).has_value());
  CHECK(driver->state(*machine) == MachineState::gone);
}

TEST_CASE_FIXTURE(Machines,
                  "a machine that QEMU refuses is an error in QEMU's words, and no process stays") {
  BootImage image = tiny_image("");
  image.kernel = *make_sealed_file("kernel", "not a kernel");
  const auto machine = driver->start(link, small_pool(), image, config_of(link), folder.path);
  REQUIRE_FALSE(machine.has_value());
  CAPTURE(machine.error().message);
  CHECK(machine.error().message.find("(qemu: ") != std::string::npos);
  CHECK(space.exec("ip -br link").text.find("weir-") == std::string::npos);
}

TEST_CASE("sealed memory refuses every change") {
  const Fd fd = *make_sealed_file("sealed", "bytes");
  CHECK(::write(fd.get(), "x", 1) < 0);
  CHECK(::ftruncate(fd.get(), 0) < 0);
  CHECK(::ftruncate(fd.get(), 100) < 0);
  const Fd again(::open(("/proc/self/fd/" + std::to_string(fd.get())).c_str(), O_RDWR | O_CLOEXEC));
  CHECK(::write(again.get(), "x", 1) < 0);
}

TEST_CASE(
    "the trial guest reaches 64-bit mode under emulation, so its failure under KVM means KVM") {
  const QemuSystem system = *qemu_system_of("amd64");
  const auto qemu = find_qemu(system);
  REQUIRE(qemu.has_value());
  const Fd firmware = *make_sealed_file("trial", trial_firmware());
  const auto ended = run(
      confined_qemu(*qemu, qemu_trial_arguments(system, Acceleration::emulation, firmware.get()),
                    node_user(0), {firmware.get()}, Stream::captured()),
      {}, {test::kPatience});
  REQUIRE(ended.has_value());
  CAPTURE(ended->error);
  CHECK(ended->status == kTrialExitStatus);
  CHECK(kvm_runs_guests(system, *qemu).has_value());
}

}  // namespace weir::pool
