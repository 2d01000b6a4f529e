#include "builder/release/image_settings.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace weir::builder {
namespace {

using Lines = std::vector<std::string>;

const manifests::Architecture kSettingsAmd64 = *manifests::parse_architecture("amd64");

struct Given {
  BuildInput input{
      {"image.yaml",
       "image.lock.json",
       {.name = *ReleaseName::parse("demo")},
       {*ReleaseName::parse("demo"), "amd64", Digest::of({}), 0, {}, "", {}, {}, {}, {}, "", ""},
       Digest::of({}),
       "",
       ""}};
  std::vector<LayerFacts> layers;
  Overlay below;

  explicit Given(std::map<std::string, std::string> followed) {
    const Digest none = Digest::of({});
    LayerFacts layer{{"one", {none, {}}, none, {}}, 0, {}, {}, {}, {}, {}};
    layer.entries["etc"] = {EntryKind::folder, 0755, 0, 0, ""};
    layer.followed = std::move(followed);
    REQUIRE(below.add(layer).empty());
    layers.push_back(std::move(layer));
  }
  [[nodiscard]] ImageSettings settings() const {
    return image_settings(input, layers, below, kSettingsAmd64);
  }
};

}  // namespace
TEST_CASE("nothing is made around files of the manifest, of services, or of Weir itself") {
  Given given({{"usr/lib/tmpfiles.d/a.conf",
                "L /etc/own - - - - /x\nd /etc/text/x\nd /etc/served/x\nd /etc/passwd/x\n"
                "L /srv/link - - - - /x\nd /srv/made\n"},
               {"usr/lib/tmpfiles.d/b.conf", "f /etc/own\n"}});
  given.input.manifest.files = {{"/etc/own/file", "x"}, {"/etc/text", "x"}};
  given.input.manifest.services = {{.name = "s", .command = {"/s"}, .files = {{"/etc/served"}}}};
  const auto made = given.settings();
  Lines paths;
  for (const auto& each : made.settings.made) paths.push_back(each.path.string());
  CHECK(paths == Lines{"srv/link", "srv/made"});
  for (const char* path : {"/etc/own", "/etc/text/x", "/etc/served/x", "/etc/passwd/x"}) {
    CAPTURE(path);
    CHECK(std::count(made.unmade.begin(), made.unmade.end(),
                     std::string(path) + ": a file or link is in its way") == 1);
  }
}

TEST_CASE("a file that a service has is followed as one of the manifest's is") {
  Given given({});
  given.input.manifest.services = {
      {.name = "s",
       .command = {"/s"},
       .files = {{"/etc/tmpfiles.d/s.conf", "d /srv/of-service\n"},
                 {.path = "/etc/tmpfiles.d/n.conf", .node = "secret"}}}};
  const auto made = given.settings();
  REQUIRE(made.settings.made.size() == 1);
  CHECK(made.settings.made[0].path.string() == "srv/of-service");
}

TEST_CASE("who is in base-passwd is in the image, as the lock or the manifest has it first") {
  Given given({{"usr/share/base-passwd/passwd.master",
                "root:*:0:0:root:/root:/bin/bash\nwww-data:*:33:33:w:/var/www:/usr/sbin/nologin\n"
                "games:*:5:60:g:/usr/games:/usr/sbin/nologin\n"},
               {"usr/share/base-passwd/group.master", "root:*:0:\nwww-data:*:33:\ngames:*:60:\n"},
               {"usr/lib/tmpfiles.d/a.conf", "d /srv/w 0750 www-data games\n"}});
  given.input.lock.users = {{"games", 500, 501, "/", "/s"}};
  const auto made = given.settings();
  const auto accounts = accounts_of(made.settings);
  CHECK(accounts.users.at("www-data").id == 33);
  CHECK(accounts.users.at("games").id == 500);
  REQUIRE(made.settings.made.size() == 1);
  CHECK(made.settings.made[0].node.uid == 33);
  CHECK(made.settings.made[0].node.gid == 60);
}

}  // namespace weir::builder
