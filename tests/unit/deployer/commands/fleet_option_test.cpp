// A fleet document that is not there, as every command meets it.
#include <doctest/doctest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <set>

#include "deployer/commands/edge/commands.h"
#include "manifests/base/edge/process.h"
#include "tests/folders.h"
#include "tests/patience.h"
#include "tests/text.h"

namespace weir::deployer {
namespace {

using test::has;
namespace fs = std::filesystem;

struct EmptyFolder {
  std::string path = "/tmp/weirt-fleet-XXXXXX";
  EmptyFolder() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
  EmptyFolder(const EmptyFolder&) = delete;
  EmptyFolder& operator=(const EmptyFolder&) = delete;
  ~EmptyFolder() { fs::remove_all(path); }
};

Ended deployer(const std::vector<std::string>& words) {
  auto ended = run({.path = test::build_folder() + "/bin/weir-deployer", .arguments = words}, "",
                   {.time = test::kPatience});
  REQUIRE_MESSAGE(ended.has_value(), ended.error().message);
  return *ended;
}

/// What else a command needs to be one.
const std::map<std::string, std::vector<std::string>> kNeeded = {
    {"up", {"--release", "one"}}, {"deploy", {"--release", "one"}}, {"logs", {"green-1"}}};

}  // namespace

TEST_CASE(
    "every command names a fleet document that is not there and what to do, and makes nothing") {
  const EmptyFolder folder;
  const std::string typo = folder.path + "/flet.yaml", deep = folder.path + "/no/such/fleet.yaml";
  const std::atomic<bool> interrupted{false};
  const std::set<std::string> planned = {"up", "deploy", "rollback", "down"};
  std::size_t tried = 0;
  for (const weir::Command& command : command_table(interrupted).commands) {
    if (command.name == "init") continue;  // which writes one
    std::vector<std::vector<std::string>> ways = {{}};
    if (planned.contains(command.name)) ways.push_back({"--plan"});
    for (const auto& way : ways) {
      for (const std::string& fleet : {typo, deep}) {
        CAPTURE(command.name);
        std::vector<std::string> words = {command.name, "--fleet", fleet};
        words.insert(words.end(), way.begin(), way.end());
        if (const auto more = kNeeded.find(command.name); more != kNeeded.end()) {
          words.insert(words.end(), more->second.begin(), more->second.end());
        }
        const Ended ended = deployer(words);
        CHECK(ended.status == 1);
        CHECK(ended.output == "");
        CHECK(has(ended.error, "weir-deployer " + command.name + ": " + fleet + ": "));
        CHECK(has(ended.error, "`weir-deployer init`"));
        CHECK(has(ended.error, "--fleet"));
        ++tried;
      }
    }
  }
  CHECK(tried == 22);
  CHECK(fs::is_empty(folder.path));
}

}  // namespace weir::deployer
