#include "builder/layers/image_checks.h"

#include <doctest/doctest.h>

#include <string>

namespace weir::builder {
namespace {

const Digest kNone = Digest::of(as_bytes(""));

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
    const Status added = out.add(one);
    REQUIRE_MESSAGE(added.has_value(), added.error().message);
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
    Overlay overlay;
    for (const LayerFacts& one : all) REQUIRE(overlay.add(one).has_value());
    return check_libraries(overlay, all);
  };
  tools.programs["usr/bin/wg"] = program;
  CHECK(check().has_value());

  program.version_needs["libc.so.6"].insert("GLIBC_2.38");
  tools.programs["usr/bin/wg"] = program;
  const Status checked = check();
  REQUIRE_FALSE(checked.has_value());
  CHECK(checked.error().message.starts_with(
      "not in the image: /usr/bin/wg (tools) needs version GLIBC_2.38 of libc.so.6, which "
      "/usr/lib/x86_64-linux-gnu/libc-2.so does not define: "));
  // ld.so takes a library without any versions, with a warning.
  libc.versions.clear();
  CHECK(check().has_value());
}

TEST_CASE("two layers with one path are refused, folders that agree are not") {
  auto layers = system();
  Overlay image = overlay_of(layers);
  const Status file = image.add(layer("other", {{"usr/lib64/ld.so.2", kFile}}));
  REQUIRE_FALSE(file.has_value());
  CHECK(file.error().message.find("/usr/lib64/ld.so.2 is in both libc and other") !=
        std::string::npos);
  CHECK_FALSE(image.add(layer("other", {{"usr", kFile}})).has_value());
  CHECK_FALSE(image.add(layer("other", {{"lib", kFolder}})).has_value());
  ListedEntry open = kFolder;
  open.mode = 01777;
  const Status folder = image.add(layer("other", {{"usr", open}}));
  REQUIRE_FALSE(folder.has_value());
  CHECK(folder.error().message.find("another owner or mode") != std::string::npos);
  CHECK(image.add(layer("own", {{"usr/lib64/ld.so.2", kFile}}), {"usr/lib64/ld.so.2"}).has_value());
  CHECK(image.find("usr/lib64/ld.so.2")->layer == "own");
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
    const Status checked = check_libraries(overlay_of(layers), layers);
    if (misses == nullptr) {
      CHECK_MESSAGE(checked.has_value(), checked.error().message);
      continue;
    }
    REQUIRE_FALSE(checked.has_value());
    CAPTURE(checked.error().message);
    CHECK(checked.error().code == Errc::not_found);
    CHECK(checked.error().message.find("/usr/bin/tool (tool)") != std::string::npos);
    CHECK(checked.error().message.find(misses) != std::string::npos);
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
  CHECK(check_scripts({one}, accept("one-*", "postinst", script)).has_value());
  for (const auto& accepted :
       {accept("two-*", "postinst", script), accept("one-*", "preinst", script),
        accept("one-6.1", "postinst", kNone), std::vector<manifests::AcceptedScript>()}) {
    const Status checked = check_scripts({one}, accepted);
    REQUIRE_FALSE(checked.has_value());
    CHECK(checked.error().code == Errc::unauthorized);
    CHECK(checked.error().message.find("one-6.1 postinst sha256 " + script.hex()) !=
          std::string::npos);
  }
}

}  // namespace weir::builder
