#include "builder/layers/loader_cache.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace weir::builder {
namespace {

using Lines = std::vector<std::string>;
const manifests::Architecture kCacheAmd64 = *manifests::parse_architecture("amd64");

struct Library {
  std::string path;
  std::string soname;
  std::uint16_t machine = 62;  ///< EM_X86_64
};

// A root of libraries and links, with a merged /usr.
struct Root {
  std::vector<LayerFacts> layers;
  Overlay image;
};

Root root_of(const std::vector<Library>& libraries,
             const std::vector<std::pair<std::string, std::string>>& links) {
  const Digest none = Digest::of({});
  LayerFacts layer{{"one", {none, {}}, none, {}}, 0, {}, {}, {}, {}, {}};
  layer.entries["lib"] = {EntryKind::link, 0777, 0, 0, "usr/lib"};
  const auto put_parents = [&](const std::string& path) {
    for (auto slash = path.find('/'); slash != std::string::npos;
         slash = path.find('/', slash + 1)) {
      layer.entries.try_emplace(path.substr(0, slash),
                                ListedEntry{EntryKind::folder, 0755, 0, 0, ""});
    }
  };
  for (const auto& each : libraries) {
    put_parents(each.path);
    layer.entries[each.path] = {EntryKind::file, 0755, 0, 0, ""};
    images::Elf elf;
    elf.kind = images::ElfKind::shared;
    elf.machine = each.machine;
    elf.soname = each.soname;
    layer.programs[each.path] = elf;
  }
  for (const auto& [path, target] : links) {
    put_parents(path);
    layer.entries[path] = {EntryKind::link, 0777, 0, 0, target};
  }
  Root out;
  REQUIRE(out.image.add(layer).empty());
  out.layers.push_back(std::move(layer));
  return out;
}

Lines shown_libraries(const std::vector<images::CachedLibrary>& libraries) {
  Lines out;
  for (const auto& each : libraries) out.push_back(each.name + " => " + each.path);
  return out;
}

}  // namespace

// Files, folders and what `ldconfig -r ROOT -X` of glibc 2.36 made of them, folder by folder.
TEST_CASE("libraries are found for the loader's cache as ldconfig finds them") {
  const std::map<std::string, std::string> files = {
      {"etc/ld.so.conf", "include /etc/ld.so.conf.d/*.conf\n  /opt/b/   # behind\n"},
      {"etc/ld.so.conf.d/.hidden.conf", "/opt/never\n"},
      {"etc/ld.so.conf.d/a.conf",
       "# comment\n/opt/a=libc6\nhwcap 0 nosegneg\n/usr/local/lib\n"
       "/lib/x86_64-linux-gnu\n"},
      {"etc/ld.so.conf.d/b.conf", "/opt/a\n"},
      {"etc/ld.so.conf.d/c.txt", "/opt/x\n"},
      {"etc/ld.so.conf.d/more/m.conf", "/usr/lib/x86_64-linux-gnu/sub\n"},
      {"etc/ld.so.conf.d/z.conf", "include more/*.conf\n"}};
  const auto folders = loader_folders(files);
  CHECK(folders == Lines{"/opt/a", "/usr/local/lib", "/lib/x86_64-linux-gnu",
                         "/usr/lib/x86_64-linux-gnu/sub", "/opt/b"});

  const std::string multiarch = "usr/lib/x86_64-linux-gnu/";
  const Root given = root_of({{multiarch + "libone.so.1.2.3", "libone.so.1"},
                              {multiarch + "libone.so.1.10.0", "libone.so.1"},
                              {multiarch + "libtwo-2.0.so", "libtwo-2.0.so.3"},
                              {multiarch + "libplain.so", ""},
                              {multiarch + "plugin.so", "plugin.so"},
                              {multiarch + "libnoso.so.4.5", ""},
                              {multiarch + "sub/libsub.so.1", "libsub.so.1"},
                              {multiarch + "libother.so.1", "libother.so.1", 40},
                              {"opt/a/libone.so.1", "libone.so.1"},
                              {"opt/a/liba.so.1", "liba.so.1"},
                              {"opt/b/libb.so.10", "libb.so.10"},
                              {"opt/b/libb.so.9", "libb.so.9"},
                              {"usr/local/lib/liblocal.so.1", "liblocal.so.1"},
                              {"usr/lib/libold.so.1", "libold.so.1"}},
                             {{multiarch + "libone.so.1", "libone.so.1.2.3"},
                              {multiarch + "libone.so", "libone.so.1"},
                              {multiarch + "libalias.so.9", "libone.so.1.2.3"},
                              {multiarch + "libalias.so", "libone.so.1.2.3"},
                              {multiarch + "libnoso.so.4", "libnoso.so.4.5"},
                              {multiarch + "libdangle.so.1", "nowhere.so"},
                              {multiarch + "libb.so.9", "../../../opt/b/libb.so.9"}});
  CHECK(shown_libraries(cached_libraries(folders, given.image, given.layers, kCacheAmd64)) ==
        Lines{"liba.so.1 => /opt/a/liba.so.1", "libone.so.1 => /opt/a/libone.so.1",
              "liblocal.so.1 => /usr/local/lib/liblocal.so.1",
              "libb.so.9 => /lib/x86_64-linux-gnu/libb.so.9",
              "libnoso.so.4 => /lib/x86_64-linux-gnu/libnoso.so.4",
              "libnoso.so.4.5 => /lib/x86_64-linux-gnu/libnoso.so.4.5",
              "libone.so => /lib/x86_64-linux-gnu/libone.so",
              "libone.so.1 => /lib/x86_64-linux-gnu/libone.so.1",
              "libplain.so => /lib/x86_64-linux-gnu/libplain.so",
              "libtwo-2.0.so.3 => /lib/x86_64-linux-gnu/libtwo-2.0.so.3",
              "libsub.so.1 => /usr/lib/x86_64-linux-gnu/sub/libsub.so.1",
              "libb.so.10 => /opt/b/libb.so.10", "libb.so.9 => /opt/b/libb.so.9",
              "libold.so.1 => /lib/libold.so.1"});
}

TEST_CASE("files of /etc/ld.so.conf that include each other are read once") {
  std::map<std::string, std::string> files = {{"etc/ld.so.conf", "include /etc/ld.so.conf.d/*\n"}};
  for (int i = 0; i < 12; ++i) {
    files["etc/ld.so.conf.d/" + std::to_string(i) + ".conf"] =
        "include /etc/ld.so.conf.d/*.conf\n/opt/" + std::to_string(i) + "\n";
  }
  CHECK(loader_folders(files).size() == 12);
}

TEST_CASE("an image has a loader's cache where it says what would be in it") {
  const Root given = root_of({{"opt/x/libx.so.1", "libx.so.1"}}, {});
  const std::map<std::string, std::string> files = {{"etc/ld.so.conf", "/opt/x\n"}};
  CHECK(loader_cache({}, given.image, given.layers, kCacheAmd64, {}, 7).made.empty());
  CHECK(loader_cache(files, given.image, given.layers, kCacheAmd64, {"etc/ld.so.cache"}, 7)
            .made.empty());
  const auto places = loader_cache(files, given.image, given.layers, kCacheAmd64, {}, 7);
  REQUIRE(places.made.size() == 1);
  CHECK(places.made[0].path.string() == "etc/ld.so.cache");
  CHECK(places.made[0].node.mode == 0644);
}

TEST_CASE("a program finds its library where /etc/ld.so.conf says") {
  Root given = root_of({{"opt/x/libx.so.1", "libx.so.1"}, {"usr/bin/y", ""}}, {});
  given.layers[0].programs["usr/bin/y"].needed = {"libx.so.1"};
  CHECK(missing_links(given.image, given.layers, kCacheAmd64) ==
        Lines{"/usr/bin/y (one) needs libx.so.1"});
  given.layers[0].followed["etc/ld.so.conf"] = "/opt/x\n";
  CHECK(missing_links(given.image, given.layers, kCacheAmd64).empty());
}

}  // namespace weir::builder
