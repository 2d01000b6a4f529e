// How services are started: as whom, and with which rights, as the kernel itself tells of them.
#include "deployer/node/edge/service_start.h"

#include <doctest/doctest.h>
#include <linux/capability.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "tests/patience.h"

namespace weir::node {
namespace {

struct Ended {
  int status = 0;
  std::string said;
};

/// Until it has ended and said all.
Ended run_as(const manifests::ServiceSettings& settings) {
  if (::geteuid() != 0) {
    std::fputs("cannot start a program as somebody else (run as root)\n", stderr);
    std::exit(std::getenv("WEIR_REQUIRE_ALL") != nullptr ? 1 : 77);
  }
  auto running = start_service(settings, settings.command);
  REQUIRE_MESSAGE(running.has_value(), running.error().message);
  Ended out;
  const auto deadline = std::chrono::steady_clock::now() + test::kPatience;
  for (;;) {
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    pollfd waiting{running->output.get(), POLLIN, 0};
    ::poll(&waiting, 1, 1000);
    std::array<char, 4096> piece{};
    const ssize_t n = ::read(running->output.get(), piece.data(), piece.size());
    if (n == 0) break;
    if (n > 0) out.said.append(piece.data(), static_cast<std::size_t>(n));
  }
  REQUIRE(::waitpid(running->pid, &out.status, 0) == running->pid);
  return out;
}

/// Fields of proc_pid_status(5).
std::map<std::string, std::string> fields_of(const std::string& text) {
  std::map<std::string, std::string> out;
  for (std::size_t from = 0; from < text.size();) {
    const auto end = std::min(text.find('\n', from), text.size());
    const auto colon = text.find(":\t", from);
    if (colon < end) out[text.substr(from, colon - from)] = text.substr(colon + 2, end - colon - 2);
    from = end + 1;
  }
  return out;
}

constexpr std::uint64_t kBind = 1ULL << CAP_NET_BIND_SERVICE;
const std::string kNone = "0000000000000000", kBindText = "0000000000000400";

}  // namespace

TEST_CASE("a service is its user's, with its groups, its capabilities and no others") {
  manifests::ServiceSettings settings{.name = "a", .command = {"/bin/cat", "/proc/self/status"}};
  settings.user_id = 65534;
  settings.group_id = 65533;
  settings.groups = {4, 44};
  settings.capabilities = kBind;
  auto fields = fields_of(run_as(settings).said);
  CHECK(fields["Uid"] == "65534\t65534\t65534\t65534");
  CHECK(fields["Gid"] == "65533\t65533\t65533\t65533");
  CHECK(fields["Groups"] == "4 44 ");
  for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"}) {
    CAPTURE(set);
    CHECK(fields[set] == kBindText);
  }
  CHECK(fields["NoNewPrivs"] == "1");
  CHECK_MESSAGE(fields["SigBlk"] == kNone, "what weir-init waits for is not blocked in it");

  settings.capabilities.reset();
  fields = fields_of(run_as(settings).said);
  for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"}) {
    CAPTURE(set);
    CHECK(fields[set] == kNone);
  }
}

TEST_CASE("root has all capabilities, or those that are said") {
  manifests::ServiceSettings settings{.name = "a", .command = {"/bin/cat", "/proc/self/status"}};
  CHECK(fields_of(run_as(settings).said)["CapEff"] != fields_of(run_as([&] {
                                                                  auto few = settings;
                                                                  few.capabilities = kBind;
                                                                  return few;
                                                                }())
                                                                    .said)["CapEff"]);
  settings.capabilities = kBind;
  auto fields = fields_of(run_as(settings).said);
  CHECK(fields["CapEff"] == kBindText);
  CHECK(fields["CapBnd"] == kBindText);
}

TEST_CASE("a service has its own session and environment, and nothing of its starter's is open") {
  manifests::ServiceSettings settings{.name = "a", .command = {"/usr/bin/env"}};
  settings.environment = {{"GOMAXPROCS", "2"}};
  CHECK(run_as(settings).said == "GOMAXPROCS=2\nHOME=/\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\n");
  settings.command = {"/bin/sh", "-c",
                      "ls /proc/self/fd | sort -n | tr '\\n' ' '; ps -o sid= -p $$; echo $$"};
  const std::string said = run_as(settings).said;
  // 3 is the folder that ls reads.
  REQUIRE(said.starts_with("0 1 2 3 "));
  const auto pid = said.substr(said.find('\n') + 1);
  CHECK(said.substr(8).find(pid.substr(0, pid.size() - 1) + "\n") != std::string::npos);
}

TEST_CASE("a program that cannot be executed says so, and ends with 127") {
  const Ended ended = run_as({.name = "a", .command = {"/nonexistent/program"}});
  CHECK(ended.said == "weir-init: /nonexistent/program: No such file or directory\n");
  CHECK(WIFEXITED(ended.status));
  CHECK(WEXITSTATUS(ended.status) == 127);
}

}  // namespace weir::node
