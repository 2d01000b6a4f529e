#include "builder/layers/kernel_layers.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/unit/builder/mirror/package_workshop.h"

namespace weir::builder {
namespace {

using test::kRelease;
using test::Workshop;

const std::string kModules = std::string("usr/lib/modules/") + kRelease + "/";

// A kernel in four packages. Until 7.1 Debian had the kernel of such a one below /boot.
struct SplitKernel : Workshop {
  std::string image = boot_image("zstd -q");
  std::vector<manifests::LockedPackage> packages;

  explicit SplitKernel(const std::string& vmlinuz = kModules + "vmlinuz") {
    const std::string magic = std::string("vermagic=") + test::kVermagic;
    module("m/" + kModules + "kernel/one.ko", {"name=one", magic, "depends=two", "version=3"}, {},
           {"two_call"});
    module("m/" + kModules + "kernel/two.ko", {"name=two", magic, "depends="}, {"two_call"}, {});
    module("m/" + kModules + "kernel/three.ko", {"name=three", magic, "depends="}, {}, {});
    run("xz m/" + kModules + "kernel/two.ko");
    write("l/" + kModules + "modules.builtin", "kernel/four.ko\n");
    write("l/" + kModules + "modules.builtin.modinfo",
          std::string("four.license=GPL\0four.alias=fourth\0", 35));
    write("l/" + kModules + "config", "CONFIG_X=y\n");
    write("l/" + kModules + "System.map", "ffffffff B the real one is in the -dbg package\n");
    write("l/usr/share/bug/linux-base/script", "#!/bin/sh\n");
    write("i/usr/share/doc/linux-image/copyright", "GPL-2\n");
    write("b/" + vmlinuz, image);
    const std::string release = kRelease;
    packages = {package("linux-image-" + release, "9.9-1", "i"),
                package("linux-base-" + release, "9.9-1", "l"),
                package("linux-binary-" + release, "9.9-1", "b"),
                package("linux-modules-" + release, "9.9-1", "m")};
  }

  [[nodiscard]] LayerOptions options(std::vector<std::string> modules) const {
    return {.epoch = 1700000000, .kernel = KernelRole::named, .modules = std::move(modules)};
  }

  [[nodiscard]] Result<std::vector<BuiltLayer>> layers(std::vector<std::string> modules) const {
    std::vector<OpenedPackage> opened;
    LayerOptions role = options(modules);
    for (const auto& one : packages) {
      const std::string deb = read(one.name + "_" + one.version + ".deb");
      auto package = open_package(one, as_bytes(deb), role);
      REQUIRE_MESSAGE(package.has_value(), package.error().message);
      opened.push_back(std::move(*package));
      role.kernel = KernelRole::part;
    }
    return make_kernel_layers(std::move(opened), options(std::move(modules)));
  }

  [[nodiscard]] std::string listing(const BuiltLayer& layer) const {
    write("layer", {reinterpret_cast<const char*>(layer.bytes.data()), layer.bytes.size()});
    return run(
        "zstdcat layer | cpio -it --quiet | grep -v -e '^usr$' -e '^usr/lib$' -e '^usr/share$' -e "
        "^var || true");
  }
};

}  // namespace

TEST_CASE("a split kernel's layers: kernel beside them, pinned modules, and the builtin lists") {
  const std::string places[] = {kModules + "vmlinuz", "boot/vmlinuz-9.9-demo"};
  for (const std::string& vmlinuz : places) {
    CAPTURE(vmlinuz);
    const SplitKernel kernel(vmlinuz);
    const auto layers = kernel.layers({"four", "one"});
    REQUIRE_MESSAGE(layers.has_value(), layers.error().message);
    REQUIRE(layers->size() == 4);
    const BuiltLayer& named = layers->front();
    CHECK(std::string(named.kernel_image.begin(), named.kernel_image.end()) == kernel.image);
    const std::string folders = "usr/lib/modules\nusr/lib/modules/9.9-demo\n";
    CHECK(kernel.listing(named).starts_with(folders + kModules + "modules.dep\n"));
    CHECK(kernel.run("zstdcat layer | cpio -i --quiet --to-stdout " + kModules + "modules.dep") ==
          "kernel/one.ko: kernel/two.ko.xz\nkernel/two.ko.xz:\n");
    CHECK(kernel.listing(layers->at(1)) ==
          folders + kModules + "modules.builtin\n" + kModules + "modules.builtin.modinfo\n");
    CHECK(kernel.listing(layers->at(2)).find("vmlinuz") == std::string::npos);
    // Sums of what is there, as `md5sum -c` reads them; none where nothing is.
    CHECK(kernel.run("zstdcat layer | cpio -it --quiet | grep md5sums || true").empty());
    CHECK(kernel.listing(layers->at(3)).size() > 0);
    CHECK(kernel.run("rm -rf out && mkdir out && cd out && zstdcat ../layer | cpio -idu --quiet && "
                     "md5sum -c --quiet var/lib/dpkg/status.d/linux-modules-9.9-demo.md5sums && "
                     "wc -l < var/lib/dpkg/status.d/linux-modules-9.9-demo.md5sums") == "2\n");
    CHECK(kernel.listing(layers->at(3)) == folders + kModules + "kernel\n" + kModules +
                                               "kernel/one.ko\n" + kModules + "kernel/two.ko.xz\n");

    const auto& facts = named.facts.kernel;
    REQUIRE(facts.has_value());
    CHECK(facts->kernel.package == "linux-image-9.9-demo");
    CHECK(facts->kernel.release == kRelease);
    CHECK(facts->kernel.image.digest == Digest::of(as_bytes(kernel.image)));
    CHECK(facts->load == std::vector<std::string>{"one"});
    REQUIRE(facts->modules.size() == 2);
    for (const auto& module : facts->modules) CHECK(module.package == "linux-modules-9.9-demo");
    for (std::size_t i = 0; i < layers->size(); ++i) {
      CHECK(layers->at(i).facts.layer.name == kernel.packages[i].name);
      CHECK(layers->at(i).facts.kernel.has_value() == (i == 0));
      // Its own modules are none that another package brings.
      CHECK(layers->at(i).facts.modules.empty());
    }
  }
}

TEST_CASE("what is missing of a split kernel is said with all packages that were looked at") {
  SplitKernel kernel;
  kernel.packages.erase(kernel.packages.begin() + 2);
  const auto none = kernel.layers({"one"});
  REQUIRE_FALSE(none.has_value());
  CHECK(none.error().message ==
        "package linux-image-9.9-demo 9.9-1: no kernel (/boot/vmlinuz-RELEASE or "
        "/usr/lib/modules/RELEASE/vmlinuz) in it, nor in linux-base-9.9-demo, "
        "linux-modules-9.9-demo");
}

TEST_CASE("one kernel at both places is one, two kernels are refused") {
  SplitKernel kernel;
  kernel.write("i/boot/vmlinuz-9.9-demo", kernel.image);
  kernel.packages[0] = kernel.package("linux-image-9.9-demo", "9.9-1", "i");
  CHECK(kernel.layers({"one"}).has_value());
  kernel.write("i/boot/vmlinuz-9.9-demo", kernel.boot_image("gzip"));
  kernel.packages[0] = kernel.package("linux-image-9.9-demo", "9.9-1", "i");
  const auto two = kernel.layers({"one"});
  REQUIRE_FALSE(two.has_value());
  CHECK(two.error().message.find("two boot images, /boot/vmlinuz-9.9-demo and /" + kModules +
                                 "vmlinuz") != std::string::npos);
}

TEST_CASE("a file that two of a kernel's packages have is refused by name") {
  SplitKernel kernel;
  kernel.write("b/" + kModules + "modules.builtin", "kernel/four.ko\n");
  kernel.packages[2] = kernel.package("linux-binary-9.9-demo", "9.9-1", "b");
  const auto twice = kernel.layers({"one"});
  REQUIRE_FALSE(twice.has_value());
  CHECK(twice.error().message.find("linux-binary-9.9-demo: /" + kModules +
                                   "modules.builtin is there twice") != std::string::npos);
}

}  // namespace weir::builder
