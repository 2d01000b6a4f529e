#include "deployer/pool/vm/machine_identity.h"

#include <doctest/doctest.h>

#include <string>

#include "deployer/pool/node_users.h"

namespace weir::pool {
namespace {

using namespace std::string_literals;

const MachineRecord kRecord{*NodeId::parse("blue-1"), 4242, 99, "/var/lib/weir/nodes/blue-1"};

ProcessFacts ours() {
  return {"/usr/bin/qemu-system-x86_64",
          {"/usr/bin/qemu-system-x86_64", "-name",
           "guest=weir-blue-1 in /var/lib/weir/nodes/blue-1", "-nodefaults"},
          node_user(1)};
}

}  // namespace

TEST_CASE("a record names only the QEMU of its node and folder, run as a node's user") {
  CHECK(is_machine(ours(), kRecord));
  ProcessFacts upgraded = ours();
  *upgraded.executable += " (deleted)";
  CHECK(is_machine(upgraded, kRecord));
  ProcessFacts of_arm64 = ours();
  of_arm64.executable = "/usr/bin/qemu-system-aarch64";
  CHECK(is_machine(of_arm64, kRecord));
  ProcessFacts unseen = ours();
  unseen.executable.reset();
  CHECK(is_machine(unseen, kRecord));

  ProcessFacts other_program = ours();
  other_program.executable = "/usr/bin/sleep";
  CHECK_FALSE(is_machine(other_program, kRecord));
  ProcessFacts like_it = ours();
  like_it.executable = "/tmp/my-qemu-system-x86_64";
  CHECK_FALSE(is_machine(like_it, kRecord));
  ProcessFacts other_user = ours();
  other_user.user = 1000;
  CHECK_FALSE(is_machine(other_user, kRecord));
  ProcessFacts nameless = ours();
  nameless.arguments.pop_back();
  nameless.arguments.pop_back();
  CHECK_FALSE(is_machine(nameless, kRecord));
  CHECK_FALSE(is_machine({}, kRecord));

  MachineRecord other_node = kRecord;
  other_node.node = *NodeId::parse("blue-11");
  CHECK_FALSE(is_machine(ours(), other_node));
  MachineRecord other_fleet = kRecord;
  other_fleet.folder = "/srv/weir/nodes/blue-1";
  CHECK_FALSE(is_machine(ours(), other_fleet));
}

TEST_CASE(
    "a machine named otherwise by a former version is its node's where it holds its console") {
  struct Case {
    std::string name;
    std::uint32_t user;
    bool known;
  };
  const Case cases[] = {
      {"guest=weir-blue-1 in ./state/nodes/blue-1", node_user(1), true},
      {"guest=weir-blue-1 in /srv/../var/lib/weir/nodes/blue-1", node_user(1), true},
      {"guest=weir-blue-11 in ./state/nodes/blue-1", node_user(1), false},
      {"guest=weir-blue-1 in ./state/nodes/blue-1", 1000, false},
      // As deployers up to 419a97a started it.
      {"weir-blue-1", 65001, true},
      {"weir-blue-11", 65001, false},
      {"weir-blue-1", node_user(1), false},
  };
  for (const Case& it : cases) {
    CAPTURE(it.name);
    CAPTURE(it.user);
    ProcessFacts facts = ours();
    facts.arguments[2] = it.name;
    facts.user = it.user;
    CHECK_FALSE(is_machine(facts, kRecord));
    facts.holds_console = true;
    CHECK(is_machine(facts, kRecord) == it.known);
    facts.executable = "/usr/bin/sleep";
    CHECK_FALSE(is_machine(facts, kRecord));
  }
}

TEST_CASE("a node's process without a command line is ending; a kernel thread is not a node's") {
  CHECK(is_ending({std::nullopt, {}, node_user(3)}));
  CHECK_FALSE(is_ending({std::nullopt, {}, 0}));
  CHECK_FALSE(is_ending(ours()));
}

// As proc(5) has them; the second line is what a name may look like.
TEST_CASE("command line and user are read as proc tells them") {
  CHECK(parse_command_line("qemu\0-name\0a b\0\0"s) ==
        std::vector<std::string>{"qemu", "-name", "a b", ""});
  CHECK(parse_command_line("").empty());
  CHECK(parse_real_user("Name:\tqemu\nUmask:\t0077\nUid:\t70001\t70002\t70003\t70004\n") == 70001);
  for (const char* bad : {"", "Name:\tq\n", "\nUid:\t", "\nUid:\tx\t", "\nUid:\t70001"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_real_user(bad).has_value());
  }
}

}  // namespace weir::pool
