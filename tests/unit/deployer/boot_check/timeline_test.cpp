#include "deployer/boot_check/timeline.h"

#include <doctest/doctest.h>

#include <fstream>
#include <thread>

#include "deployer/boot_check/edge/console_watch.h"
#include "tests/patience.h"
#include "tests/unit/images/scratch.h"

namespace weir::boot_check {
namespace {

using std::chrono::milliseconds;
using Steps = std::vector<manifests::BootStep>;
using Lines = std::vector<ConsoleLine>;

// Lines of a gateway-6.12 node under QEMU 7.2, whose clock runs at half the pace of ours.
Lines boot() {
  return {{milliseconds(4000), "[    0.000000] Linux version 6.12.117+deb12-cloud-amd64"},
          {milliseconds(5000), "[    1.000000] Trying to unpack rootfs image as initramfs..."},
          {milliseconds(8000), "[    2.500000] Freeing initrd memory: 11880K"},
          {milliseconds(11000), "[    4.000000] Run /init as init process"},
          {milliseconds(15000), "[     6.000] node: node n serves its API at 10.254.1.1:4433"},
          {milliseconds(15001), "[     6.000] node: node n serves its API at 10.254.1.1:4433"}};
}

constexpr HostTimes kHost = {milliseconds(111),   milliseconds(15300), milliseconds(15400),
                             milliseconds(15420), milliseconds(15460), milliseconds(15900)};
const Steps kOutside = {{"machine-runs", 111},      {"api-answers", 15300}, {"configured", 15400},
                        {"first-handshake", 15420}, {"first-data", 15460},  {"last-data", 15900}};

}  // namespace

TEST_CASE(
    "lines count when they were seen, and the kernel's start is reckoned at the node's pace") {
  CHECK(timeline_of(kHost, read_console(boot())) == Steps{{"machine-runs", 111},
                                                          {"kernel-starts", 3000},
                                                          {"initramfs-unpacking", 5000},
                                                          {"initramfs-unpacked", 8000},
                                                          {"init-starts", 11000},
                                                          {"api-serves", 15000},
                                                          {"api-answers", 15300},
                                                          {"configured", 15400},
                                                          {"first-handshake", 15420},
                                                          {"first-data", 15460},
                                                          {"last-data", 15900}});
}

TEST_CASE("what the console does not show is left out") {
  CHECK(timeline_of(kHost, read_console({})) == kOutside);
  CHECK(timeline_of(kHost, read_console({{milliseconds(1), "["}, {milliseconds(2), ""}})) ==
        kOutside);
  const auto quiet = read_console({boot().back()});
  CHECK(quiet.api == milliseconds(15001));
  CHECK_FALSE(quiet.kernel.has_value());
}

TEST_CASE("times that make no sense give no start of the kernel") {
  for (const char* written : {"", "[ ]", "[nan]", "[-1]", "[1e9]", "[ 1.5x]", "[ 4.0]", "[ 5.0]"}) {
    CAPTURE(written);
    Lines lines = boot();
    lines[1].text = std::string(written) + " Trying to unpack rootfs image as initramfs...";
    const auto times = read_console(lines);
    CHECK_FALSE(times.kernel.has_value());
    CHECK(times.unpacking == milliseconds(5000));
  }
  // Never before power-on.
  Lines lines = boot();
  lines[1].text = "[    3.999] Trying to unpack rootfs image as initramfs...";
  CHECK(read_console(lines).kernel == milliseconds(0));
}

TEST_CASE("a watched console tells of a panic as soon as the line is whole") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path + "/console.log";
  std::ofstream console(path);
  ConsoleWatch watch(path, std::chrono::steady_clock::now());
  console << "[    1.0] Run /init as init process\n[    1.5] Kernel panic - not sync" << std::flush;
  CHECK(watch.panic().empty());
  console << "ing: Attempted to kill init! exitcode=0x00000100\n[    1.6] CPU: 0\n" << std::flush;
  REQUIRE(test::eventually([&] { return !watch.panic().empty(); }));
  CHECK(watch.panic() == "Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100");
  CHECK(watch.finish().size() >= 2);
}

}  // namespace weir::boot_check
