#include "manifests/documents/reviewed_list.h"

#include <doctest/doctest.h>

#include <string>

namespace weir::manifests {
namespace {

const std::string kDigest(64, 'a');
const std::string kList =
    "release: Debian 12\n"
    "provides: [{package: debconf, why: asks}, {package: mawk, why: scripts}]\n"
    "accept_scripts:\n"
    "  - package: frr\n    script: postinst\n    sha256: " +
    kDigest +
    "\n    why: makes users\n"
    "    users: [{name: frr, group: frr, groups: [frrvty], home: /var/lib/frr, shell: /bin/sh}]\n"
    "    groups: [_ssh]\n"
    "    folders: [{path: /etc/frr, owner: frr, group: frr, mode: \"2750\"}]\n"
    "accept_secrets:\n  - {path: /usr/lib/a, sha256: " +
    kDigest + ", why: a test's}\n";

ImageManifest manifest(const std::string& more) {
  const auto parsed = parse_image_manifest(
      "name: demo\narchitecture: amd64\nsources: {suites: [demo]}\nkernel: {package: linux}\n" +
      more);
  REQUIRE_MESSAGE(parsed.has_value(), parsed.error().message);
  return *parsed;
}

}  // namespace

TEST_CASE("a reviewed list is read, and printed so that it is read again") {
  const auto list = parse_reviewed_list(kList);
  REQUIRE_MESSAGE(list.has_value(), list.error().message);
  const AcceptedScript& script = list->accept_scripts.at(0);
  CHECK(script.users ==
        std::vector<SystemUser>{{"frr", "frr", {"frrvty"}, "/var/lib/frr", "/bin/sh"}});
  CHECK(script.groups == std::vector<std::string>{"_ssh"});
  CHECK(script.folders == std::vector<SystemFolder>{{"/etc/frr", "frr", "frr", 02750}});
  const auto again = parse_reviewed_list(print(*list));
  REQUIRE_MESSAGE(again.has_value(), again.error().message);
  CHECK(*again == *list);
  const auto pasted = manifest("accept_scripts:\n" + print_entry(script));
  CHECK(pasted.accept_scripts == std::vector<AcceptedScript>{script});
  const auto printed = parse_image_manifest(print(pasted));
  REQUIRE_MESSAGE(printed.has_value(), printed.error().message);
  CHECK(*printed == pasted);
}

TEST_CASE("what is wrong with a reviewed list is said with line and field") {
  const std::pair<std::string, const char*> wrongs[] = {
      {"provides: []\n", "list:1: release is missing"},
      {"release: x\nnone: y\n", "list:2: none: "},
      {"release: x\nprovides: [{package: a+, why: b}, {package: a+, why: c}]\n",
       "list:2: provides[1]: the same"},
      {"release: x\nprovides: [{package: A, why: b}]\n", "list:2: provides[0].package: 'A'"},
      {"release: x\naccept_scripts: [{package: ab, script: postinst, sha256: " + kDigest +
           ", why: b, users: [{name: root}]}]\n",
       "list:2: accept_scripts[0].users[0].name: 'root'"},
      {"release: x\naccept_scripts: [{package: ab, script: postinst, sha256: " + kDigest +
           ", why: b, folders: [{path: /a, mode: 10000}]}]\n",
       "list:2: accept_scripts[0].folders[0].mode: must be octal"},
  };
  for (const auto& [text, said] : wrongs) {
    const auto& shown = text;
    CAPTURE(shown);
    const auto list = parse_reviewed_list(text, "list");
    REQUIRE_FALSE(list.has_value());
    CHECK(list.error().message.starts_with(said));
  }
}

TEST_CASE("a list stands behind the manifest, and what the manifest asks for comes in") {
  const auto list = parse_reviewed_list(kList);
  REQUIRE(list.has_value());
  const auto both = with_reviewed(
      manifest("packages: [mawk]\nprovides: [kmod]\nreviewed: [debian-12, ./ours.yaml]\n"),
      {*list});
  CHECK(both.provides == std::vector<std::string>{"kmod", "debconf"});
  CHECK(both.accept_scripts == list->accept_scripts);
  CHECK(both.accept_secrets == list->accept_secrets);
  CHECK(both.reviewed == std::vector<std::string>{"debian-12", "./ours.yaml"});
  CHECK(manifest("reviewed: debian-12\n").reviewed == std::vector<std::string>{"debian-12"});
}

}  // namespace weir::manifests
