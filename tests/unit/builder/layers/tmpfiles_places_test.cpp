#include "builder/layers/tmpfiles_places.h"

#include <doctest/doctest.h>

#include <cstdio>
#include <string>
#include <vector>

namespace weir::builder {
namespace {

using Lines = std::vector<std::string>;

const ListedEntry kPlainFolder{EntryKind::folder, 0755, 0, 0, ""};
const ListedEntry kPlainFile{EntryKind::file, 0644, 0, 0, ""};

Overlay image_of(const std::map<std::string, ListedEntry>& entries) {
  const Digest none = Digest::of({});
  Overlay out;
  const LayerFacts layer{{"one", {none, {}}, none, {}}, 0, entries, {}, {}, {}, {}};
  REQUIRE(out.add(layer).empty());
  return out;
}

const Accounts kAccounts{{{"root", {0, 0}}, {"games", {5, 60}}}, {{"root", 0}}};

MadePlaces applied(const std::map<std::string, std::string>& files, const Overlay& below,
                   const std::set<std::string>& decided = {}) {
  return apply_tmpfiles(files, below, decided, kAccounts, 7);
}

// As `find -printf '%p|%y|%m|%U:%G|%l'` prints it.
Lines shown_places(const MadePlaces& places) {
  Lines out;
  for (const auto& [path, node] : places.made) {
    char numbers[64];
    std::snprintf(numbers, sizeof numbers, "|%o|%u:%u|", node.mode, node.uid, node.gid);
    const images::Symlink* link = node.symlink();
    out.push_back(path.string() +
                  (node.is_folder()  ? "|d"
                   : link != nullptr ? "|l"
                                     : "|f") +
                  numbers + (link != nullptr ? link->target : ""));
  }
  return out;
}

std::string content_at(const MadePlaces& places, std::string_view path) {
  for (const auto& made : places.made) {
    if (made.path.string() != path) continue;
    const auto& bytes = *made.node.file()->content;
    return {bytes.begin(), bytes.end()};
  }
  return "(nothing is made there)";
}

}  // namespace

// What `systemd-tmpfiles --root=DIR --create --boot` of systemd 252.39 makes of the same files and
// `find` lists, but for what an image is not given (a pipe), what stands as it stood, and %S,
// before which --root puts the folder.
TEST_CASE("tmpfiles.d makes of an image what systemd-tmpfiles makes of a folder") {
  const Overlay below =
      image_of({{"etc", kPlainFolder},
                {"etc/had", kPlainFolder},
                {"etc/had2", kPlainFolder},
                {"etc/had3", {EntryKind::folder, 0700, 0, 0, ""}},
                {"etc/had4", kPlainFolder},
                {"etc/had5", kPlainFolder},
                {"etc/keep", kPlainFile},
                {"etc/tmpfiles.d", kPlainFolder},
                {"etc/tmpfiles.d/off.conf", {EntryKind::link, 0777, 0, 0, "/dev/null"}},
                {"run", kPlainFolder},
                {"var", kPlainFolder}});
  const auto places = applied({{"usr/lib/tmpfiles.d/a.conf", "d /run/order 0711\n"},
                               {"usr/lib/tmpfiles.d/b.conf", R"(# a comment, and an empty line

d /run/chrony 0750 games games -
D /run/d2
v /var/v 2775 root games 10d
f /run/hello 0600 games games - hello\n%%x\x20world  two  
f /run/empty
f /etc/keep 0644 root root - new
L /run/link - - - - ../target
L /run/factory
L /etc/keep - - - - x
d "/run/with blank" 0700
d /run/bla\nk 0700
d /run/mask ~0700
d /etc/had :0700 :games :games
d /etc/had2 0700 games
d /etc/had3
e /etc/had4 0711 games
e /run/nothing 0711
z /etc/had5 - - games
p /run/pipe 0600
d /run/a/b/c 0700 games games
d /run/a 0711
f /run/numbers 644 0 60
d! /run/boot
d= /run/equals
d /run/sticky 01777
F /run/F 0600 - - - x
d /run/trail/ 0700
d %S/lib
f /run/half - - - - 50%
L /run/space - - - - a\x20b
x /tmp/foo
r! /tmp/bar
d /var/run/legacy 0700
d /run/unused :~0700 :games root
f /run/f 0600
d /run/f/x
)"},
                               {"usr/lib/tmpfiles.d/c.conf", R"(d /run/order 0777
d /run/unknown 0755 nosuchuser root
d /run/%Q
d relative
bogus /x
d /run/bad 9999
f /run/escape - - - - a\q
d /run/open" 0600
)"},
                               {"usr/lib/tmpfiles.d/off.conf", "d /run/never 0755\n"},
                               {"usr/lib/tmpfiles.d/ov.conf", "d /run/vendor 0755\n"},
                               {"etc/tmpfiles.d/ov.conf", "d /run/admin 0755"}},
                              below);
  CHECK(shown_places(places) == Lines{"etc/had2|d|700|5:0|",
                                      "etc/had4|d|711|5:0|",
                                      "etc/had5|d|755|0:60|",
                                      "run/F|f|600|0:0|",
                                      "run/a|d|711|0:0|",
                                      "run/a/b/c|d|700|5:60|",
                                      "run/admin|d|755|0:0|",
                                      "run/blank|d|700|0:0|",
                                      "run/boot|d|755|0:0|",
                                      "run/chrony|d|750|5:60|",
                                      "run/d2|d|755|0:0|",
                                      "run/empty|f|644|0:0|",
                                      "run/equals|d|755|0:0|",
                                      "run/f|f|600|0:0|",
                                      "run/factory|l|777|0:0|/usr/share/factory/run/factory",
                                      "run/half|f|644|0:0|",
                                      "run/hello|f|600|5:60|",
                                      "run/legacy|d|700|0:0|",
                                      "run/link|l|777|0:0|../target",
                                      "run/mask|d|700|0:0|",
                                      "run/numbers|f|644|0:60|",
                                      "run/order|d|711|0:0|",
                                      "run/space|l|777|0:0|a b",
                                      "run/sticky|d|1777|0:0|",
                                      "run/trail|d|700|0:0|",
                                      "run/unused|d|700|5:0|",
                                      "run/with blank|d|700|0:0|",
                                      "var/lib/lib|d|755|0:0|",
                                      "var/v|d|2775|0:60|"});
  CHECK(content_at(places, "run/hello") == "hello\n%x world  two");
  CHECK(content_at(places, "run/F") == "x");
  CHECK(content_at(places, "run/half") == "50%");
  // systemd-tmpfiles names the same lines, but for the pipe.
  Lines told;
  for (const std::string& line : places.unmade) {
    told.push_back(line.substr(0, line.find(' ')));
  }
  const std::string b = "/usr/lib/tmpfiles.d/b.conf:", c = "/usr/lib/tmpfiles.d/c.conf:";
  CHECK(told == Lines{b + "11:", b + "21:", b + "38:", c + "1:", c + "2:", c + "3:", c + "4:",
                      c + "5:", c + "6:", c + "7:", c + "8:"});
}

TEST_CASE("tmpfiles.d is not followed where somebody else decides, or nothing of it would last") {
  const Overlay below = image_of({{"lib", {EntryKind::link, 0777, 0, 0, "usr/lib"}},
                                  {"srv", {EntryKind::link, 0777, 0, 0, "var/srv"}},
                                  {"usr", kPlainFolder},
                                  {"usr/lib", kPlainFolder},
                                  {"usr/lib/tool", kPlainFile},
                                  {"var", kPlainFolder},
                                  {"var/srv", kPlainFolder}});
  const std::string file = "usr/lib/tmpfiles.d/x.conf";
  SUBCASE("a lock's folder, a manifest's file") {
    const auto places =
        applied({{file, "d /var/a 0700\nf /etc/passwd 0600\n"}}, below, {"var/a", "etc/passwd"});
    CHECK(places.made.empty());
    CHECK(places.unmade.empty());
  }
  SUBCASE("what the kernel makes") {
    const auto places = applied({{file, "d /dev/net 0755\nz /sys/x 0600\n"}}, below);
    CHECK(places.made.empty());
    CHECK(places.unmade == Lines{"/" + file + ":1: the kernel makes what is in /dev",
                                 "/" + file + ":2: the kernel makes what is in /sys"});
  }
  SUBCASE("a package's file") {
    const auto places = applied({{file, "z /usr/lib/tool 0600\nz /usr/lib/t* 0600\n"}}, below);
    CHECK(places.made.empty());
    CHECK(places.unmade ==
          Lines{"/" + file + ":1: /usr/lib/tool keeps the owner and mode of its package",
                "/" + file + ":2: an image is not given what a pattern says"});
  }
  SUBCASE("paths lead where the image's links lead") {
    const auto places = applied({{file, "d /lib/made\nd /srv/made\nd /var/log/x 0700\n"}}, below);
    CHECK(shown_places(places) ==
          Lines{"usr/lib/made|d|755|0:0|", "var/log/x|d|700|0:0|", "var/srv/made|d|755|0:0|"});
  }
  SUBCASE("Debian's groups are known, whether or not something is theirs yet") {
    // base-passwd's group.master: adm is 4
    CHECK(shown_places(applied({{file, "d /var/log/x 2750 root adm\n"}}, below)) ==
          Lines{"var/log/x|d|2750|0:4|"});
  }
}

TEST_CASE("what a node keeps for itself, and what no layer could hold, is not made") {
  const auto places = applied({{"etc/tmpfiles.d/a.conf",
                                "d /run/weir/network 0777\nf /run/weir-files/a/b\n"
                                "d /srv/a 0755 2097152 0\nL /srv/b - - - - " +
                                    std::string(4096, 't') + "\nd /run/other 0755 2097151 0\n"}},
                              Overlay());
  CHECK(shown_places(places) == Lines{"run/other|d|755|2097151:0|"});
  CHECK(places.unmade ==
        Lines{"/etc/tmpfiles.d/a.conf:1: what lies below /run/weir is the node's own",
              "/etc/tmpfiles.d/a.conf:2: what lies below /run/weir is the node's own",
              "/etc/tmpfiles.d/a.conf:3: an owner over 2097151",
              "/etc/tmpfiles.d/a.conf:4: its target is longer than a path can be"});
}

}  // namespace weir::builder
