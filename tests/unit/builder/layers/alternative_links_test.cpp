#include "builder/layers/alternative_links.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "builder/packages/script_actions.h"

namespace weir::builder {
namespace {

using Lines = std::vector<std::string>;

// What packages have before any alternative is made.
Overlay given_programs() {
  const Digest none = Digest::of({});
  LayerFacts layer{{"one", {none, {}}, none, {}}, 0, {}, {}, {}, {}, {}};
  for (const char* folder : {"usr", "usr/bin", "usr/share"}) {
    layer.entries[folder] = {EntryKind::folder, 0755, 0, 0, ""};
  }
  for (const char* name :
       {"mawk", "gawk", "busy", "nano", "vim.basic", "vim.tiny", "ed", "editor"}) {
    layer.entries[std::string("usr/bin/") + name] = {EntryKind::file, 0755, 0, 0, ""};
  }
  layer.entries["bin"] = {EntryKind::link, 0777, 0, 0, "usr/bin"};
  Overlay out;
  REQUIRE(out.add(layer).empty());
  return out;
}

constexpr const char* kScript =
    "update-alternatives --install /usr/bin/awk awk /usr/bin/mawk 5"
    " --slave /usr/bin/nawk nawk /usr/bin/mawk"
    " --slave /usr/share/man/man1/awk.1.gz awk.1.gz /usr/share/man/man1/mawk.1.gz\n"
    "update-alternatives --quiet --install /usr/bin/awk awk /usr/bin/gawk 10 \\\n"
    "  --slave /usr/bin/igawk igawk /usr/bin/gawk\n"
    "update-alternatives --install /usr/bin/awk awk /usr/bin/busy 10\n"
    "update-alternatives --install /usr/bin/editor editor /usr/bin/nano 40\n"
    "update-alternatives --install /usr/bin/vi vi /usr/bin/vim.tiny -5\n"
    "update-alternatives --install /usr/bin/ex ex /usr/bin/none 50\n"
    "update-alternatives --install /usr/bin/ex ex /bin/vim.basic 30"
    " --slave /usr/bin/rvim rvim /usr/bin/none\n";

Lines shown_links(const MadePlaces& places) {
  Lines out;
  for (const auto& [path, node] : places.made) {
    out.push_back(path.string() + " -> " + node.symlink()->target);
  }
  return out;
}

}  // namespace

// The links are those that update-alternatives 1.21.22 (`--root`) left after the same commands.
TEST_CASE("alternatives are the links that update-alternatives makes") {
  const auto choices = actions_of(kScript).alternatives;
  REQUIRE(choices.size() == 7);
  const auto places = alternative_links(choices, given_programs(), {}, 7);
  CHECK(shown_links(places) ==
        Lines{"etc/alternatives/awk -> /usr/bin/gawk", "etc/alternatives/editor -> /usr/bin/nano",
              "etc/alternatives/ex -> /bin/vim.basic", "etc/alternatives/igawk -> /usr/bin/gawk",
              "etc/alternatives/vi -> /usr/bin/vim.tiny", "usr/bin/awk -> /etc/alternatives/awk",
              "usr/bin/ex -> /etc/alternatives/ex", "usr/bin/igawk -> /etc/alternatives/igawk",
              "usr/bin/vi -> /etc/alternatives/vi"});
  CHECK(places.unmade == Lines{"alternative ex: /usr/bin/none is not in the image",
                               "alternative link /usr/bin/editor: a package has something there"});

  const auto decided = alternative_links(choices, given_programs(), {"usr/bin/awk"}, 7);
  CHECK(shown_links(decided).size() == 8);
}

TEST_CASE("an alternative whose words the script does not tell is nobody's but a person's") {
  const auto actions = actions_of(
      "update-alternatives --install /usr/bin/$x $x /usr/bin/y 5\n"
      "update-alternatives --install /usr/bin/x x relative 5\n"
      "update-alternatives --install /usr/bin/x x /usr/bin/y high\n"
      "update-alternatives --install /usr/bin/x ../x /usr/bin/y 5\n"
      "update-alternatives --remove x /usr/bin/y\n");
  CHECK(actions.alternatives.empty());
  CHECK(actions.rest == Lines{"update-alternatives --install /usr/bin/$x $x /usr/bin/y 5",
                              "update-alternatives --install /usr/bin/x x relative 5",
                              "update-alternatives --install /usr/bin/x x /usr/bin/y high",
                              "update-alternatives --install /usr/bin/x ../x /usr/bin/y 5"});
}

}  // namespace weir::builder
