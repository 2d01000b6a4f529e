#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "builder/kernel/kernel_image.h"
#include "builder/kernel/kernel_module.h"
#include "builder/kernel/module_selection.h"
#include "tests/unit/builder/mirror/package_workshop.h"

namespace weir::builder {
namespace {

using images::ImagePath;
using images::Node;
using test::Workshop;

const std::string kRoot = std::string("lib/modules/") + test::kRelease + "/";

// Three modules and one that is built in: top needs middle and base, middle needs base.
void make_modules(const Workshop& workshop) {
  const std::string magic = std::string("vermagic=") + test::kVermagic;
  workshop.module("root/" + kRoot + "kernel/a/base-one.ko", {"name=base_one", magic, "depends="},
                  {"base_call"}, {});
  workshop.module("root/" + kRoot + "kernel/b/middle.ko",
                  {"name=middle", magic, "depends=base-one", "version=1.2"}, {"middle_call"},
                  {"base_call"});
  workshop.module("root/" + kRoot + "kernel/top.ko",
                  {"name=top", magic, "depends=middle,base-one", "version=7", "srcversion=ABC123",
                   "softdep=pre: helper post: later", "alias=net-pf-16"},
                  {}, {"middle_call", "base_call"});
  workshop.module("root/" + kRoot + "kernel/lone.ko", {"name=lone", magic, "depends="}, {}, {});
  workshop.write("root/" + kRoot + "modules.builtin", "kernel/virtio/virtio-pci.ko\n");
  workshop.write("root/" + kRoot + "modules.builtin.modinfo",
                 std::string("virtio_pci.license=GPL\0virtio_pci.alias=helper\0", 47));
  workshop.write("root/" + kRoot + "modules.order", "");
}

images::FileTree tree_of(const Workshop& workshop, const std::string& root) {
  images::FileTree tree;
  const std::string base = workshop.path() + "/" + root + "/";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(base)) {
    if (!entry.is_regular_file()) continue;
    const std::string path = entry.path().string().substr(base.size());
    const Node node{0644, 0, 0, 1, images::File{images::content_of(test::bytes_of(base + path))}};
    REQUIRE(tree.put(*ImagePath::parse("usr/" + path), node).has_value());
  }
  return tree;
}

std::map<std::string, std::set<std::string>> dependencies_in(const std::string& text) {
  std::map<std::string, std::set<std::string>> out;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line.substr(line.find(':') + 1));
    auto& needs = out[line.substr(0, line.find(':'))];
    for (std::string word; words >> word;) needs.insert(word);
  }
  return out;
}

}  // namespace

TEST_CASE("a boot image gives release, build id and kernel, however it is packed") {
  const Workshop workshop;
  for (const char* packer : {"xz --check=crc32", "gzip", "zstd -q"}) {
    CAPTURE(packer);
    const std::string image = workshop.boot_image(packer);
    const auto kernel = parse_kernel_image(as_bytes(image));
    REQUIRE_MESSAGE(kernel.has_value(), kernel.error().message);
    CHECK(kernel->release == test::kRelease);
    CHECK(workshop.run("readelf -n vmlinux").find("Build ID: " + kernel->build_id) !=
          std::string::npos);
    CHECK(kernel->vmlinux.size() == workshop.read("vmlinux").size());
    CHECK(accepts_vermagic(*kernel, test::kVermagic));
    for (const char* other : {"9.9-demo", "9.9-demo SMP preempt mod_unload", "", "9.8-demo SMP ",
                              "demo SMP preempt mod_unload "}) {
      CAPTURE(other);
      CHECK_FALSE(accepts_vermagic(*kernel, other));
    }
    for (const std::size_t size : {0UL, 0x250UL, 1024UL, image.size() / 2, image.size() - 1}) {
      CAPTURE(size);
      CHECK_FALSE(parse_kernel_image(as_bytes(image.substr(0, size))).has_value());
    }
    std::string wrong_size = image;
    wrong_size.back() ^= 1;
    CHECK_FALSE(parse_kernel_image(as_bytes(wrong_size)).has_value());
  }
  CHECK_FALSE(parse_kernel_image(as_bytes(std::string(4096, 'x'))).has_value());
}

TEST_CASE("a module's facts agree with modinfo, also when it is compressed") {
  const Workshop workshop;
  make_modules(workshop);
  const std::string file = "root/" + kRoot + "kernel/top.ko";
  workshop.run("xz -k " + file + " && zstd -q " + file);
  const auto modinfo = [&](const std::string& field) {
    std::string out = workshop.run("modinfo -F " + field + " ./" + file);
    while (out.ends_with('\n')) out.pop_back();
    return out;
  };
  for (const char* suffix : {"", ".xz", ".zst"}) {
    const std::string bytes = workshop.read(file + suffix);
    const auto module = parse_kernel_module(as_bytes(bytes));
    REQUIRE_MESSAGE(module.has_value(), module.error().message);
    CHECK(module->name == modinfo("name"));
    CHECK(module->version == modinfo("version"));
    CHECK(module->srcversion == modinfo("srcversion"));
    CHECK(module->vermagic == modinfo("vermagic"));
    CHECK(modinfo("depends") == "middle,base-one");
    CHECK(module->depends == std::vector<std::string>{"middle", "base_one"});
    CHECK(module->wanted_before == std::vector<std::string>{"helper"});
    CHECK(module->aliases == std::vector<std::string>{"net-pf-16"});
    CHECK(workshop.run("readelf -n " + file).find("Build ID: " + module->build_id) !=
          std::string::npos);
  }
  CHECK(module_name_of("kernel/x/curve25519-x86_64.ko.xz") == "curve25519_x86_64");
  CHECK(module_name_of("modules.dep").empty());
  CHECK_FALSE(parse_kernel_module(as_bytes("no module")).has_value());
  const std::string program = test::bytes_of("/bin/true");
  CHECK_FALSE(parse_kernel_module(as_bytes(program)).has_value());
}

TEST_CASE("the selected modules' dependencies are those that depmod finds from their symbols") {
  const Workshop workshop;
  make_modules(workshop);
  const auto tree = tree_of(workshop, "root");
  const auto index = index_modules(tree);
  REQUIRE(index.has_value());
  CHECK(index->release == test::kRelease);
  CHECK(index->builtin == std::set<std::string>{"virtio_pci"});
  CHECK(index->builtin_aliases == std::set<std::string>{"helper"});
  const auto selection = select_modules(tree, *index, {"virtio-pci", "top"});
  REQUIRE_MESSAGE(selection.has_value(), selection.error().message);
  CHECK(selection->load == std::vector<std::string>{"top"});
  CHECK(selection->modules.size() == 3);
  CHECK_FALSE(selection->modules.contains("lone"));

  workshop.run("rm root/" + kRoot + "kernel/lone.ko && depmod -b $PWD/root " + test::kRelease);
  const std::string real = workshop.read("root/" + kRoot + "modules.dep");
  CHECK(dependencies_in(selection->dependencies) == dependencies_in(real));
  CHECK(dependencies_in(real).at("kernel/top.ko").size() == 2);
  // Loading goes from right to left: what is needed stands behind what needs it.
  CHECK(selection->dependencies.find("top.ko: kernel/b/middle.ko kernel/a/base-one.ko\n") !=
        std::string::npos);
}

TEST_CASE("a pin that cannot be had is refused by name") {
  const Workshop workshop;
  make_modules(workshop);
  const auto tree = tree_of(workshop, "root");
  auto index = *index_modules(tree);
  const auto missing = select_modules(tree, index, {"nothing"});
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error().code == Errc::not_found);
  CHECK(missing.error().message.find("module nothing") != std::string::npos);

  index.files.erase("base_one");
  const auto needed = select_modules(tree, index, {"top"});
  REQUIRE_FALSE(needed.has_value());
  CHECK(needed.error().message.find("module base_one, which ") != std::string::npos);

  index = *index_modules(tree);
  index.builtin_aliases.clear();
  const auto soft = select_modules(tree, index, {"top"});
  REQUIRE_FALSE(soft.has_value());
  CHECK(
      soft.error().message ==
      "module top wants 'helper' loaded before it (softdep), and no module of this kernel provides "
      "it: add one from elsewhere that does to the manifest's modules, before top");

  CHECK_FALSE(index_modules(images::FileTree()).has_value());
}

TEST_CASE(
    "a soft dependency that nothing answers names the modules that would, not the alias alone") {
  const Workshop workshop;
  make_modules(workshop);
  const std::string magic = std::string("vermagic=") + test::kVermagic;
  const auto said = [&] {
    const auto tree = tree_of(workshop, "root");
    auto index = *index_modules(tree);
    index.builtin_aliases.clear();
    const auto soft = select_modules(tree, index, {"top"});
    REQUIRE_FALSE(soft.has_value());
    return soft.error().message;
  };
  // As crc32c_generic answers to "crc32c"; the second's own name says nothing of it.
  workshop.module("root/" + kRoot + "kernel/crypto/fallback.ko",
                  {"name=fallback", magic, "depends=", "alias=helper"}, {}, {});
  workshop.run("xz root/" + kRoot + "kernel/crypto/fallback.ko");
  CHECK(said() ==
        "module top wants 'helper' loaded before it (softdep): add fallback to the manifest's "
        "modules, before top");
  workshop.module("root/" + kRoot + "kernel/crypto/helper-generic.ko",
                  {"name=helper_generic", magic, "depends=", "alias=helper"}, {}, {});
  workshop.module("root/" + kRoot + "kernel/crypto/helper-fast.ko",
                  {"name=helper_fast", magic, "depends=", "alias=helper"}, {}, {});
  workshop.module("root/" + kRoot + "kernel/crypto/nohelper.ko",
                  {"name=nohelper", magic, "depends="}, {}, {});
  CHECK(said() ==
        "module top wants 'helper' loaded before it (softdep): add one that provides it "
        "(helper_fast, helper_generic) to the manifest's modules, before top");
  workshop.module("root/" + kRoot + "kernel/other.ko",
                  {"name=other", magic, "depends=", "softdep=pre: helper-fast absent"}, {}, {});
  const auto tree = tree_of(workshop, "root");
  auto index = *index_modules(tree);
  index.builtin_aliases.clear();
  const auto all = select_modules(tree, index, {"top", "other"});
  REQUIRE_FALSE(all.has_value());
  CHECK(all.error().message ==
        "module other wants 'helper-fast' loaded before it (softdep): add helper_fast to the "
        "manifest's modules, before other; module other wants 'absent' loaded before it (softdep), "
        "and no module of this kernel provides it: add one from elsewhere that does to the "
        "manifest's modules, before other; " +
            said());
  const auto gone = select_modules(tree, index, {"lone", "nope", "neither"});
  REQUIRE_FALSE(gone.has_value());
  CHECK(gone.error().code == Errc::not_found);
  CHECK(gone.error().message.find("module nope is neither") == 0);
  CHECK(gone.error().message.find("; module neither is neither") != std::string::npos);
}

TEST_CASE("a module of another package or a file takes the place that the manifest gives it") {
  const Workshop workshop;
  make_modules(workshop);
  const std::string magic = std::string("vermagic=") + test::kVermagic;
  const auto tree = tree_of(workshop, "root");
  const auto index = *index_modules(tree);
  const auto foreign = [&](const std::string& name, const std::string& package,
                           const std::string& file) {
    workshop.module("foreign.ko", {"name=" + name, magic, "depends=base-one", "version=9"}, {},
                    {"base_call"});
    const std::string bytes = workshop.read("foreign.ko");
    return ForeignModule{package, "usr/" + kRoot + file, Digest::of(as_bytes(bytes)),
                         images::content_of(bytes)};
  };
  const auto says = [&](const std::vector<std::string>& pinned, const ForeignModules& modules) {
    const auto selection = select_modules(tree, index, pinned, modules);
    REQUIRE_FALSE(selection.has_value());
    return selection.error().message;
  };
  const auto has = [](const std::string& text, const std::string& part) {
    CAPTURE(text);
    CHECK(text.find(part) != std::string::npos);
  };

  ForeignModules both{{foreign("lone", std::string(kFromFile), "updates/lone.ko"),
                       foreign("extra", "extra-modules", "updates/dkms/extra.ko")},
                      {{"lone", std::string(kFromFile)}}};
  const auto selection = select_modules(tree, index, {"lone", "virtio-pci"}, both);
  REQUIRE_MESSAGE(selection.has_value(), selection.error().message);
  CHECK(selection->load == std::vector<std::string>{"lone"});
  CHECK(selection->modules.at("lone").package == kFromFile);
  CHECK(selection->modules.at("lone").module.version == "9");
  CHECK(selection->modules.at("extra").package == "extra-modules");
  CHECK(selection->modules.at("base_one").package.empty());
  // As depmod has it, whose first place is updates/.
  for (const ForeignModule& module : both.modules) {
    workshop.write("root/" + module.path.substr(4),
                   {reinterpret_cast<const char*>(module.content->data()), module.content->size()});
  }
  workshop.run("cp -r root other && cd other/" + kRoot +
               "kernel && rm lone.ko top.ko b/middle.ko && "
               "depmod -b $PWD/../../../.. " +
               test::kRelease);
  CHECK(dependencies_in(selection->dependencies) ==
        dependencies_in(workshop.read("other/" + kRoot + "modules.dep")));

  const std::vector<std::string> lone = {"lone"};
  has(says(lone, {both.modules, {}}),
      "module lone is in the image twice: in the kernel's package, and in a file as /usr/" + kRoot +
          "updates/lone.ko");
  has(says({"extra"}, {{both.modules[1]}, {}}),
      "module extra is not in the kernel's package, but in package extra-modules as /usr/" + kRoot +
          "updates/dkms/extra.ko: if that one is meant, pin it as {name: extra, package: "
          "extra-modules}");
  has(says(lone, {{both.modules[1]}, {{"lone", "extra-modules"}}}),
      "module lone is not in package extra-modules");
  has(says(lone, {{both.modules[0], foreign("lone", "p", "updates/dkms/lone.ko")}, both.chosen}),
      "module lone is in the image twice, as ");
  has(says({}, {{foreign("virtio_pci", "p", "updates/virtio_pci.ko")}, {}}),
      "is built into kernel " + index.release);
  has(says({}, {{foreign("lone", "p", "updates/other.ko")}, {}}),
      "is the module lone, not other as its name says");
  ForeignModule elsewhere = foreign("extra", "p", "updates/extra.ko");
  elsewhere.path = "usr/lib/modules/8.8/updates/extra.ko";
  has(says({}, {{elsewhere}, {}}), "lies where kernel " + index.release + " does not look");
  has(says({}, {{foreign("extra", "p", "updates/extra.ko.zst")}, {}}),
      "is compressed as none of the modules of kernel");
}

}  // namespace weir::builder
