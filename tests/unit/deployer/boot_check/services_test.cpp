#include "deployer/boot_check/edge/services.h"

#include <doctest/doctest.h>

#include "keys/identity/edge/identity_files.h"
#include "tests/patience.h"
#include "tests/text.h"

namespace weir::boot_check {
namespace {

using std::chrono::milliseconds;
using test::has;

// A node of which nothing but services is asked: of each call to them, what it says then.
class Node final : public node_client::NodeClient {
 public:
  std::vector<std::vector<manifests::ServiceReport>> answers;  // the last one for ever
  std::vector<std::string> files;                              // that it was given

  void set_timeout(milliseconds) override {}
  void end_when(const std::atomic<bool>&) override {}
  Result<manifests::NodeIdentity> identity() override { return none(); }
  Result<std::chrono::microseconds> clock_offset(int) override { return none(); }
  Status set_clock(std::chrono::nanoseconds) override { return none(); }
  Status put_private_key(const manifests::SealedPrivateKey&) override { return none(); }
  Result<manifests::PeerDump> peers() override { return none(); }
  Status apply(const manifests::PeerDiff&) override { return none(); }
  Status prepare(const manifests::PrepareRequest&) override { return none(); }
  Status commit(const manifests::PeerSelection&) override { return none(); }
  Status give_up(const manifests::PeerSelection&) override { return none(); }
  Status drain() override { return none(); }
  Result<std::string> logs() override { return none(); }
  Result<std::vector<manifests::ServiceReport>> services() override {
    const auto now = answers.front();
    if (answers.size() > 1) answers.erase(answers.begin());
    return now;
  }
  Status put_file(const manifests::SealedFile& file) override {
    files.push_back(file.name);
    return {};
  }
  Result<std::string> tool_dump() override { return none(); }
  Status power_off() override { return none(); }

 private:
  static tl::unexpected<Error> none() { return fail(Errc::bug, "not asked"); }
};

manifests::ServiceReport service(const std::string& name, manifests::ServiceState state) {
  return {.name = name, .state = state, .files = {"zone"}, .last_lines = {"loading " + name}};
}

struct Waiting {
  Node node;
  NodeFiles files;
  std::vector<std::string> said;
  PublicKey seal_key = keys::make_wireguard_key_pair()->public_key();

  Waiting() { files.emplace("zone", *keys::Secret::copy_of(as_bytes("x"))); }
  Status bring_up(milliseconds time) {
    return bring_up_services(node, seal_key, files, std::chrono::steady_clock::now() + time,
                             milliseconds(0),
                             [&](const std::string& line) { said.push_back(line); });
  }
};

constexpr auto kStarting = manifests::ServiceState::starting;
constexpr auto kReady = manifests::ServiceState::ready;

}  // namespace

TEST_CASE_FIXTURE(Waiting, "which service is waited for is told, with what it said last") {
  node.answers = {{service("a", kStarting), service("b", kStarting)},
                  {service("a", kReady), service("b", kStarting)},
                  {service("a", kReady), service("b", kReady)}};
  const Status up = bring_up(test::kPatience);
  REQUIRE_MESSAGE(up.has_value(), up.error().message);
  CHECK(node.files == std::vector<std::string>{"zone", "zone"});
  REQUIRE(said.size() == 5);
  CHECK(said[0].starts_with("waiting for service a, "));
  CHECK(said[1].starts_with("waiting for service b, "));
  CHECK(said[2].starts_with("waiting for service b, "));
  CHECK(said[2].ends_with(": starting for 0 s; it said last: loading b"));
  CHECK(said[3].starts_with("service a: ready"));
}

TEST_CASE_FIXTURE(Waiting,
                  "when the time is over, the last lines of all that are not up are told") {
  node.answers = {{service("a", kReady), service("b", kStarting), service("c", kStarting)}};
  const Status up = bring_up(milliseconds(0));
  REQUIRE_FALSE(up.has_value());
  CHECK(up.error().code == Errc::timeout);
  CHECK(has(up.error().message, "--timeout"));
  CHECK(has(up.error().message, "loading b"));
  CHECK(has(up.error().message, "loading c"));
  CHECK(up.error().message.find("loading a") == std::string::npos);
}

TEST_CASE_FIXTURE(Waiting, "a file that no service asks for is refused, and one that it lacks") {
  node.answers = {{service("a", kStarting)}};
  files.emplace("zones", *keys::Secret::copy_of(as_bytes("x")));
  const Status strange = bring_up(test::kPatience);
  REQUIRE_FALSE(strange.has_value());
  CHECK(strange.error().message == "--node-file: no service asks for zones");
  files.erase("zone");
  const Status lacking = bring_up(test::kPatience);
  REQUIRE_FALSE(lacking.has_value());
  CHECK(has(lacking.error().message, "asks for the node's file zone"));
}

}  // namespace weir::boot_check
