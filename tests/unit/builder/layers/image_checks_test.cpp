#include "builder/layers/image_checks.h"

#include <doctest/doctest.h>

#include <string>

namespace weir::builder {
namespace {

const Digest kNone = Digest::of(as_bytes(""));
const manifests::Architecture kChecksAmd64 = *manifests::parse_architecture("amd64");

LayerFacts layer(std::string name, std::map<std::string, ListedEntry> entries) {
  return {{std::move(name), {kNone, {}}, kNone, {}}, 0, std::move(entries), {}, {}, {}, {}};
}

const ListedEntry kFolder{EntryKind::folder, 0755, 0, 0, ""};
const ListedEntry kFile{EntryKind::file, 0644, 0, 0, ""};
ListedEntry link_to(std::string target) {
  return {EntryKind::link, 0777, 0, 0, std::move(target)};
}

images::Elf shared(std::vector<std::string> needed, std::string interpreter = "",
                   std::string run_path = "") {
  return {images::ElfKind::shared, 62, std::move(interpreter), "", std::move(needed),
          std::move(run_path),     ""};
}

// Folders of the root, merged; a loader and a library behind links, as Debian ships them.
std::vector<LayerFacts> system() {
  LayerFacts base = layer("base", {{"usr", kFolder},
                                   {"usr/lib", kFolder},
                                   {"usr/lib64", kFolder},
                                   {"usr/bin", kFolder},
                                   {"lib", link_to("usr/lib")},
                                   {"lib64", link_to("usr/lib64")}});
  LayerFacts libc = layer("libc", {{"usr", kFolder},
                                   {"usr/lib", kFolder},
                                   {"usr/lib/x86_64-linux-gnu", kFolder},
                                   {"usr/lib/x86_64-linux-gnu/ld.so", kFile},
                                   {"usr/lib/x86_64-linux-gnu/libc.so.6", link_to("libc-2.so")},
                                   {"usr/lib/x86_64-linux-gnu/libc-2.so", kFile},
                                   {"usr/lib64", kFolder},
                                   {"usr/lib64/ld.so.2", link_to("/lib/x86_64-linux-gnu/ld.so")}});
  libc.programs["usr/lib/x86_64-linux-gnu/ld.so"] = shared({});
  libc.programs["usr/lib/x86_64-linux-gnu/libc-2.so"] = shared({"ld.so"});
  return {base, libc};
}

Overlay overlay_of(const std::vector<LayerFacts>& layers) {
  Overlay out;
  for (const LayerFacts& one : layers) {
    REQUIRE(out.add(one) == std::vector<std::string>());
  }
  return out;
}

LayerFacts tool(images::Elf elf) {
  LayerFacts out = layer("tool", {{"usr", kFolder}, {"usr/bin", kFolder}, {"usr/bin/tool", kFile}});
  out.programs["usr/bin/tool"] = std::move(elf);
  return out;
}

}  // namespace

TEST_CASE("links are followed as the kernel would") {
  auto layers = system();
  layers.push_back(layer("more", {{"round", link_to("about")},
                                  {"about", link_to("round")},
                                  {"up", link_to("usr/lib/../../../../usr/bin/..")},
                                  {"usr", kFolder},
                                  {"usr/bin", kFolder},
                                  {"usr/bin/far", link_to("../lib64/ld.so.2")},
                                  {"plain", kFile}}));
  const Overlay image = overlay_of(layers);
  const std::string loader = "usr/lib/x86_64-linux-gnu/ld.so";
  CHECK(image.resolve("/lib64/ld.so.2") == loader);
  CHECK(image.resolve("usr/bin/far") == loader);
  CHECK(image.resolve("/up") == "usr");
  CHECK(image.resolve("/usr/bin/../lib") == "usr/lib");
  for (const char* path : {"round", "nothing", "plain/below", "usr/bin/far/below", "lib/none"}) {
    CAPTURE(path);
    CHECK_FALSE(image.resolve(path).has_value());
  }
}

TEST_CASE("a library that lacks the version of symbols that a program asks for is named") {
  auto layers = system();
  LayerFacts tools =
      layer("tools", {{"usr", kFolder}, {"usr/bin", kFolder}, {"usr/bin/wg", kFile}});
  images::Elf& libc = layers[1].programs.at("usr/lib/x86_64-linux-gnu/libc-2.so");
  libc.versions = {"GLIBC_2.2.5", "GLIBC_2.34"};
  images::Elf program = shared({"libc.so.6"}, "/lib64/ld.so.2");
  program.version_needs = {{"libc.so.6", {"GLIBC_2.34"}}};
  const auto check = [&] {
    auto all = layers;
    all.push_back(tools);
    return missing_links(overlay_of(all), all, kChecksAmd64);
  };
  tools.programs["usr/bin/wg"] = program;
  CHECK(check().empty());

  program.version_needs["libc.so.6"].insert("GLIBC_2.38");
  tools.programs["usr/bin/wg"] = program;
  CHECK(check() ==
        std::vector<std::string>{"/usr/bin/wg (tools) needs version GLIBC_2.38 of libc.so.6, which "
                                 "/usr/lib/x86_64-linux-gnu/libc-2.so does not define"});
  // ld.so takes a library without any versions, with a warning.
  libc.versions.clear();
  CHECK(check().empty());
}

// As Debian's systemd: its own library has no run path and needs another one beside it.
TEST_CASE("a library is found by one that is loaded with it always") {
  auto layers = system();
  LayerFacts own = layer("own", {{"usr", kFolder},
                                 {"usr/bin", kFolder},
                                 {"usr/bin/d", kFile},
                                 {"usr/bin/e", kFile},
                                 {"usr/lib", kFolder},
                                 {"usr/lib/d", kFolder},
                                 {"usr/lib/d/libcore.so", kFile},
                                 {"usr/lib/d/libshared.so", kFile}});
  images::Elf program = shared({"libcore.so", "libshared.so"}, "/lib64/ld.so.2");
  program.run_path = "/usr/lib/d";
  own.programs["usr/lib/d/libcore.so"] = shared({"libshared.so"}, "");
  own.programs["usr/lib/d/libshared.so"] = shared({}, "");
  const auto check = [&] {
    auto all = layers;
    all.push_back(own);
    return missing_links(overlay_of(all), all, kChecksAmd64);
  };
  const std::vector<std::string> missing{"/usr/lib/d/libcore.so (own) needs libshared.so"};
  CHECK(check() == missing);  // nobody loads it
  own.programs["usr/bin/d"] = program;
  CHECK(check().empty());
  program.needed = {"libcore.so"};
  own.programs["usr/bin/e"] = program;
  CHECK(check() == missing);
}

TEST_CASE("two layers with one path are refused, folders that agree are not") {
  auto layers = system();
  Overlay image = overlay_of(layers);
  CHECK(image.add(layer("other", {{"usr/lib64/ld.so.2", kFile}})) ==
        std::vector<std::string>{"/usr/lib64/ld.so.2 is in both libc and other"});
  CHECK(
      image.add(layer("other", {{"usr", kFile}, {"lib", kFolder}})) ==
      std::vector<std::string>{"/lib is in both base and other", "/usr is in both base and other"});
  ListedEntry open = kFolder;
  open.mode = 01777;
  CHECK(image.add(layer("other", {{"usr", open}})) ==
        std::vector<std::string>{"folder /usr has another owner or mode in base and other (0:0 "
                                 "0755 and 0:0 1777): which of the two holds would follow from the "
                                 "order of their names"});
  CHECK(image.add(layer("own", {{"usr/lib64/ld.so.2", kFile}}), {"usr/lib64/ld.so.2"}).empty());
  CHECK(image.find("usr/lib64/ld.so.2")->layer == "own");
}

TEST_CASE("a folder that somebody settles is no conflict, a file there is one") {
  ListedEntry open = kFolder;
  open.mode = 01777;
  Overlay image({"var/spool"});
  CHECK(image.add(layer("one", {{"var", kFolder}, {"var/spool", kFolder}})).empty());
  CHECK(image.add(layer("two", {{"var", kFolder}, {"var/spool", open}})).empty());
  CHECK(image.find("var/spool")->entry.mode == 01777);
  CHECK(image.add(layer("three", {{"var/spool", kFile}})).size() == 1);
  CHECK(image.add(layer("four", {{"var", open}})).size() == 1);
}

TEST_CASE("programs whose interpreter is not in the image are listed") {
  auto layers = system();
  LayerFacts scripts = layer("scripts", {{"usr", kFolder},
                                         {"usr/bin", kFolder},
                                         {"usr/bin/dash", kFile},
                                         {"usr/bin/sh", link_to("dash")},
                                         {"usr/bin/python3", link_to("python3.11")},
                                         {"bin", link_to("usr/bin")}});
  scripts.interpreters = {{"usr/bin/a", "/bin/sh"},
                          {"usr/bin/b", "/usr/bin/perl"},
                          {"usr/bin/c", "/bin/dash dash"},
                          {"usr/bin/d", "/bin/dash python3"},
                          {"usr/bin/e", "/usr/bin/env dash"}};
  layers.push_back(scripts);
  // A link to what is not there is no interpreter.
  CHECK(orphan_scripts(overlay_of(layers), layers) ==
        std::vector<OrphanScript>{{"/usr/bin/b", "scripts", "/usr/bin/perl"},
                                  {"/usr/bin/d", "scripts", "python3"},
                                  {"/usr/bin/e", "scripts", "/usr/bin/env"}});
}

TEST_CASE("libraries and interpreters are looked for where the loader does") {
  const struct {
    images::Elf elf;
    const char* misses;
  } cases[] = {
      {shared({"libc.so.6"}, "/lib64/ld.so.2"), nullptr},
      {shared({"libc.so.6", "libx.so.1"}, "/lib64/ld.so.2"), "needs libx.so.1"},
      {shared({}, "/lib64/other.so"), "the interpreter /lib64/other.so"},
      {shared({"/usr/lib64/ld.so.2"}), nullptr},
      {shared({"private.so"}, "", "/opt/lib:$ORIGIN/../lib/private"), nullptr},
      {shared({"private.so"}), "needs private.so"},
      {shared({"data.so"}), "needs data.so"},
      {shared({"libc-3.so"}), "needs libc-3.so"},
  };
  for (const auto& [elf, misses] : cases) {
    auto layers = system();
    LayerFacts extra = layer("extra", {{"usr", kFolder},
                                       {"usr/lib", kFolder},
                                       {"usr/lib/private", kFolder},
                                       {"usr/lib/private/private.so", kFile},
                                       {"usr/lib/data.so", kFile},
                                       {"usr/lib/libc-3.so", kFile}});
    extra.programs["usr/lib/private/private.so"] = shared({});
    extra.programs["usr/lib/libc-3.so"] = shared({});
    extra.programs["usr/lib/libc-3.so"].machine = 183;  // EM_AARCH64
    layers.push_back(extra);
    layers.push_back(tool(elf));
    const auto missing = missing_links(overlay_of(layers), layers, kChecksAmd64);
    if (misses == nullptr) {
      CHECK(missing == std::vector<std::string>());
      continue;
    }
    REQUIRE(missing.size() == 1);
    CHECK(missing[0].starts_with("/usr/bin/tool (tool) "));
    CHECK(missing[0].find(misses) != std::string::npos);
  }
}

TEST_CASE("a script that nobody accounted for is named with its digest") {
  LayerFacts one = layer("one-6.1", {});
  const Digest script = Digest::of(as_bytes("script"));
  one.scripts.emplace("postinst", script);
  const auto accept = [&](std::string package, std::string name, const Digest& digest) {
    return std::vector<manifests::AcceptedScript>{
        {std::move(package), std::move(name), {kNone, digest}, "read"}};
  };
  CHECK(open_scripts({one}, accept("one-*", "postinst", script)).empty());
  for (const auto& accepted :
       {accept("two-*", "postinst", script), accept("one-*", "preinst", script),
        accept("one-6.1", "postinst", kNone), std::vector<manifests::AcceptedScript>()}) {
    CHECK(open_scripts({one}, accepted) ==
          std::vector<std::string>{"one-6.1 postinst sha256 " + script.hex()});
  }
}

TEST_CASE("an image of arm64 finds its libraries where Debian's loader of arm64 looks") {
  // `ld.so --list-diagnostics` of Debian's libc6:arm64, path.system_dirs.
  const auto arm64 = *manifests::parse_architecture("arm64");
  const auto of_arm64 = [](std::vector<std::string> needed, std::string interpreter = "") {
    images::Elf out = shared(std::move(needed), std::move(interpreter));
    out.machine = 183;
    return out;
  };
  const std::string folder = "usr/lib/aarch64-linux-gnu";
  LayerFacts base = layer(
      "base",
      {{"usr", kFolder}, {"usr/lib", kFolder}, {"usr/bin", kFolder}, {"lib", link_to("usr/lib")}});
  LayerFacts libc =
      layer("libc", {{"usr", kFolder},
                     {"usr/lib", kFolder},
                     {folder, kFolder},
                     {folder + "/ld.so", kFile},
                     {folder + "/libc.so.6", kFile},
                     {"usr/lib/ld-linux-aarch64.so.1", link_to("aarch64-linux-gnu/ld.so")}});
  libc.programs[folder + "/ld.so"] = of_arm64({});
  libc.programs[folder + "/libc.so.6"] = of_arm64({"ld-linux-aarch64.so.1"});
  const auto missing_of = [&](images::Elf elf) {
    const std::vector<LayerFacts> all = {base, libc, tool(std::move(elf))};
    return missing_links(overlay_of(all), all, arm64);
  };
  CHECK(missing_of(of_arm64({"libc.so.6"}, "/lib/ld-linux-aarch64.so.1")).empty());
  CHECK(missing_of(of_arm64({"libc.so.6", "libm.so.6"}, "/lib64/ld-linux-x86-64.so.2")) ==
        std::vector<std::string>{
            "/usr/bin/tool (tool) needs the interpreter /lib64/ld-linux-x86-64.so.2",
            "/usr/bin/tool (tool) needs libm.so.6"});
  // Of another architecture, and so nobody runs it here.
  CHECK(missing_of(shared({"libm.so.6"}, "/lib64/ld-linux-x86-64.so.2")).empty());
}

}  // namespace weir::builder
