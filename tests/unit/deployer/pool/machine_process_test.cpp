// The process that a record names, as /proc shows it; pid and start time are a real child's.
#include "deployer/pool/vm/edge/machine_process.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "deployer/pool/node_users.h"
#include "deployer/pool/vm/edge/vm_driver.h"
#include "manifests/base/edge/file.h"

namespace weir::pool {
namespace {

using namespace std::string_literals;

/// A child that waits, and a folder where it looks like blue-1's machine.
struct Child {
  Child() {
    pid = ::fork();
    if (pid == 0) {
      for (;;) ::pause();
    }
    REQUIRE(pid > 0);
    REQUIRE(::mkdtemp(proc.data()) != nullptr);
    REQUIRE(make_folders(folder()).has_value());
    REQUIRE(write_file(folder() + "/console.log", "it runs\n").has_value());
    record = {*NodeId::parse("blue-1"), pid, identify(pid)->start_ticks, folder()};
    here = proc + "/" + std::to_string(pid);
    REQUIRE(make_folders(here).has_value());
    std::filesystem::create_symlink("/usr/bin/qemu-system-x86_64", here + "/exe");
    const std::string user = std::to_string(node_user(1));
    put("status", "Name:\tqemu\nUid:\t" + user + "\t" + user + "\t" + user + "\t" + user + "\n");
    put("cmdline", "qemu-system-x86_64\0-name\0guest=weir-blue-1 in "s + folder() + "\0"s);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    end();
    std::filesystem::remove_all(proc);
  }
  void put(const std::string& name, const std::string& text) const {
    REQUIRE(write_file(here + "/" + name, text).has_value());
  }
  [[nodiscard]] std::string folder() const { return proc + "/blue-1"; }
  /// A folder in its place: read(2) says EISDIR, and not that nobody is there.
  void make_unreadable(const std::string& name) const {
    std::filesystem::remove(here + "/" + name);
    std::filesystem::create_directory(here + "/" + name);
  }
  [[nodiscard]] bool lives() const { return observe(process_of(record))->has_value(); }
  [[nodiscard]] Result<Found> find() const { return find_machine(record, proc); }
  void end() {
    if (pid <= 0) return;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    pid = 0;
  }

  pid_t pid = 0;
  MachineRecord record{*NodeId::parse("blue-1"), 0, 0, ""};
  std::string proc = "/tmp/weirt-proc-XXXXXX", here;
};

}  // namespace

TEST_CASE(
    "a machine is recognised, and one that is gone, nobody's or somebody else's is told apart") {
  Child child;
  CHECK(child.find().value() == Found::running);
  SUBCASE("gone") {
    child.end();
    CHECK(child.find().value() == Found::ending);
  }
  SUBCASE("without memory any more") {
    child.put("cmdline", "");
    CHECK(child.find().value() == Found::ending);
  }
  SUBCASE("started at another time") {
    ++child.record.start_ticks;
    CHECK(child.find().value() == Found::ending);
  }
  SUBCASE("nobody's") {
    for (const std::int64_t pid : {0, -1}) {
      child.record.pid = pid;
      CHECK(child.find().value() == Found::nobody);
    }
  }
  SUBCASE("somebody else's") {
    child.put("cmdline", "sleep\0007\0"s);
    CHECK(child.find().value() == Found::foreign);
  }
}

TEST_CASE(
    "a name that is no place tells a machine from another fleet's only with the console it holds") {
  Child child;
  const auto make_folder = [&](const std::string& name) {
    REQUIRE(make_folders(child.proc + "/" + name).has_value());
    REQUIRE(write_file(child.proc + "/" + name + "/console.log", "it runs\n").has_value());
    return child.proc + "/" + name;
  };
  child.put("cmdline", "qemu-system-x86_64\0-name\0guest=weir-blue-1 in ./state/nodes/blue-1\0"s);
  child.record.folder = make_folder("original");
  CHECK_MESSAGE(child.find().value() == Found::foreign, "none of its files is known");
  REQUIRE(make_folders(child.here + "/fd").has_value());
  std::filesystem::create_symlink("/dev/null", child.here + "/fd/0");
  std::filesystem::create_symlink("/nowhere", child.here + "/fd/1");
  CHECK(child.find().value() == Found::foreign);
  std::filesystem::create_symlink(child.record.folder + "/console.log", child.here + "/fd/11");
  CHECK(child.find().value() == Found::running);
  child.record.folder = make_folder("copy");
  CHECK(child.find().value() == Found::foreign);
  std::filesystem::remove(child.record.folder + "/console.log");
  std::filesystem::create_hard_link(child.proc + "/original/console.log",
                                    child.record.folder + "/console.log");
  CHECK_MESSAGE(child.find().value() == Found::foreign, "a copy of hard links");
  child.record.folder = child.proc + "/none";
  CHECK(child.find().value() == Found::foreign);
}

TEST_CASE(
    "what cannot be read of a process for a moment is an error, and neither gone nor another's") {
  const Child child;
  SUBCASE("its status") {
    child.make_unreadable("status");
  }
  SUBCASE("its command line") {
    child.make_unreadable("cmdline");
  }
  SUBCASE("half of its status") {
    child.put("status", "Name:\tqemu\n");
  }
  SUBCASE("its program") {
    std::filesystem::remove(child.here + "/exe");
    std::filesystem::create_directory(child.here + "/exe");  // readlink(2): EINVAL
  }
  SUBCASE("its open files") {
    child.put("fd", "");  // opendir(3): ENOTDIR
  }
  SUBCASE("where the kernel tells of it") {
    std::filesystem::remove_all(child.here);
  }
  const auto found = child.find();
  REQUIRE_FALSE(found.has_value());
  CAPTURE(found.error().message);
  CHECK(found.error().message.find(child.proc) != std::string::npos);
  CHECK(child.lives());
}

TEST_CASE("a live process that is not recognised is neither ended nor counted as ended") {
  const Child child;
  const auto where = network::NetworkNamespace::open({});
  REQUIRE(where.has_value());
  const auto driver = make_vm_driver(*where);
  // In the real /proc it is this test program.
  CHECK(driver->state(child.record) == MachineState::gone);
  const auto stopped = driver->stop(child.record, std::chrono::milliseconds(0));
  REQUIRE_FALSE(stopped.has_value());
  CHECK(stopped.error().code == Errc::integrity);
  CHECK(stopped.error().message.find("process " + std::to_string(child.pid)) != std::string::npos);
  CHECK(child.lives());
}

}  // namespace weir::pool
