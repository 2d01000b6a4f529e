#include "builder/lock/system_accounts.h"

#include <doctest/doctest.h>

#include <string>

namespace weir::builder {
namespace {

manifests::ImageManifest manifest(const std::string& more = "") {
  const auto parsed = manifests::parse_image_manifest(
      "name: demo\narchitecture: amd64\nsources: {suites: [demo]}\nkernel: {package: linux}\n" +
      more);
  REQUIRE_MESSAGE(parsed.has_value(), parsed.error().message);
  return *parsed;
}

manifests::AcceptedScript script(std::vector<manifests::SystemUser> users,
                                 std::vector<std::string> groups = {},
                                 std::vector<manifests::SystemFolder> folders = {}) {
  return {"p", "postinst", {}, "read", std::move(users), std::move(groups), std::move(folders)};
}

manifests::Lock lock_with(const SystemAccounts& accounts) {
  manifests::Lock out{*ReleaseName::parse("demo"),
                      "amd64",
                      Digest::of({}),
                      0,
                      {},
                      "linux",
                      {},
                      {},
                      {},
                      {},
                      "0",
                      "none"};
  out.users = accounts.users;
  out.groups = accounts.groups;
  return out;
}

std::string shown(const SystemAccounts& accounts) {
  std::string out;
  for (const auto& user : accounts.users) {
    out += user.name + " " + std::to_string(user.id) + ":" + std::to_string(user.group_id) + "\n";
  }
  for (const auto& group : accounts.groups) {
    out += "@" + group.name + " " + std::to_string(group.id);
    for (const auto& member : group.members) out += " " + member;
    out += "\n";
  }
  for (const auto& folder : accounts.folders) {
    out += folder.path + " " + std::to_string(folder.user_id) + ":" +
           std::to_string(folder.group_id) + " " + manifests::print_mode(folder.mode) + "\n";
  }
  return out;
}

}  // namespace

TEST_CASE("users and groups of scripts get numbers in the order of their names") {
  const auto accounts = system_accounts(manifest(),
                                        {script({{"unbound"}, {"frr", "", {"frrvty", "adm"}}},
                                                {"_ssh"}, {{"/var/log/frr", "frr", "adm", 0750}}),
                                         script({{"sshd", "nogroup"}, {"unbound"}})},
                                        nullptr);
  REQUIRE_MESSAGE(accounts.has_value(), accounts.error().message);
  // adm and nogroup have the numbers of policy 9.2.2.
  CHECK(shown(*accounts) ==
        "frr 102:102\nsshd 104:65534\nunbound 105:105\n"
        "@_ssh 101\n@adm 4 frr\n@frr 102\n@frrvty 103 frr\n@unbound 105\n"
        "/var/log/frr 102:4 0750\n");
}

TEST_CASE("a number stays who it was given to, whatever comes and goes") {
  const auto first = system_accounts(manifest(), {script({{"b"}, {"d"}})}, nullptr);
  REQUIRE(first.has_value());
  CHECK(shown(*first) == "b 101:101\nd 102:102\n@b 101\n@d 102\n");
  const manifests::Lock before = lock_with(*first);
  const auto more = system_accounts(manifest(), {script({{"a"}, {"d"}})}, &before);
  CHECK(shown(*more) == "a 101:101\nd 102:102\n@a 101\n@d 102\n");
  const auto all = system_accounts(manifest(), {script({{"a"}, {"b"}, {"d"}})}, &before);
  CHECK(shown(*all) == "a 103:103\nb 101:101\nd 102:102\n@a 103\n@b 101\n@d 102\n");
}

TEST_CASE("the manifest numbers users and settles folders") {
  const auto accounts =
      system_accounts(manifest("users: [{name: chrony, id: 101}]\n"
                               "folders: [{path: /var/lib/x, owner: chrony, mode: \"1700\"}]\n"),
                      {script({{"chrony"}, {"a"}}, {}, {{"/var/lib/x", "a", "a", 0755}})}, nullptr);
  REQUIRE_MESSAGE(accounts.has_value(), accounts.error().message);
  CHECK(shown(*accounts) ==
        "a 102:102\nchrony 101:101\n@a 102\n@chrony 101\n"
        "/var/lib/x 101:0 1700\n");
}

TEST_CASE("a folder for nobody, and a user too many, are refused") {
  const auto stranger =
      system_accounts(manifest("folders: [{path: /x, owner: none}]\n"), {}, nullptr);
  REQUIRE_FALSE(stranger.has_value());
  CHECK(stranger.error().message == "folder /x: there is no user none");
  std::vector<manifests::SystemUser> many;
  many.reserve(900);
  for (int i = 0; i < 900; ++i) many.push_back({"u" + std::to_string(i)});
  const auto full = system_accounts(manifest(), {script(many)}, nullptr);
  REQUIRE_FALSE(full.has_value());
  CHECK(full.error().code == Errc::exhausted);
  many.pop_back();
  CHECK(system_accounts(manifest(), {script(many)}, nullptr).has_value());
}

}  // namespace weir::builder
