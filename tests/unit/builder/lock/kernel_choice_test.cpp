#include "builder/lock/kernel_choice.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "builder/lock/solver.h"
#include "packages_fixture.h"

namespace weir::builder {
namespace {

using Names = std::vector<std::string>;

PackageIndex archive_of(const std::string& text, const char* suite = "stable",
                        bool not_automatic = false) {
  auto out = PackageIndex::parse(text, suite, not_automatic);
  REQUIRE_MESSAGE(out.has_value(), out.error().message);
  return std::move(*out);
}

Result<Resolution> resolve_kernel(const std::string& pin, const std::string& text,
                                  const Kept& kept = {}) {
  auto manifest = manifest_of({});
  manifest.kernel.package = pin;
  manifest.provides = {"linux-initramfs-tool", "linux-base", "kmod"};
  std::vector<PackageIndex> indices;
  indices.push_back(archive_of(text));
  return resolve(manifest, indices, kept);
}

Names chosen(const std::string& pin, const std::string& text) {
  const auto out = resolve_kernel(pin, text);
  REQUIRE_MESSAGE(out.has_value(), out.error().message);
  Names names;
  for (const auto& package : out->packages) names.push_back(package.name);
  // The kernel itself first.
  std::stable_partition(names.begin(), names.end(),
                        [&](const auto& name) { return name == out->kernel; });
  return names;
}

std::string refusal(const std::string& pin, const std::string& text) {
  const auto out = resolve_kernel(pin, text);
  REQUIRE_FALSE(out.has_value());
  CHECK(out.error().code == Errc::invalid_input);
  return out.error().message;
}

std::string whole(const std::string& release, const std::string& version) {
  return paragraph("linux-image-" + release, version, {{"Installed-Size", "34930"}});
}

// As Debian 13's backports and Debian 14 have a kernel.
std::string split(const std::string& release, const std::string& version) {
  const std::string same = " (= " + version + ")";
  const std::string base = "linux-base-" + release + same;
  const std::string all = "dracut | initramfs-tools (>= 0.120) | linux-initramfs-tool, " + base +
                          ", linux-binary-" + release + same + ", linux-modules-" + release + same;
  const std::string modules = "kmod, " + base;
  return paragraph("linux-image-" + release, version,
                   {{"Installed-Size", "15"},
                    {"Pre-Depends", "linux-base (>= 4.17~)"},
                    {"Depends", all}}) +
         paragraph("linux-binary-" + release, version,
                   {{"Installed-Size", "13652"}, {"Depends", base}}) +
         paragraph("linux-binary-unsigned-" + release, version,
                   {{"Installed-Size", "13651"}, {"Depends", base}}) +
         paragraph("linux-modules-" + release, version,
                   {{"Installed-Size", "22958"}, {"Depends", modules}}) +
         paragraph("linux-base-" + release, version, {{"Installed-Size", "1247"}});
}

std::string meta(const std::string& flavour, const std::string& version,
                 const std::string& release) {
  const std::string depends = "linux-image-" + release + " (= " + version + ")";
  return paragraph("linux-image-" + flavour, version,
                   {{"Installed-Size", "13"}, {"Depends", depends}});
}

const std::string kTools = paragraph("kmod", "34") + paragraph("linux-base", "4.17", {}, "all");

}  // namespace

TEST_CASE(
    "a kernel that was split brings all its packages, and its half alone brings the modules") {
  const std::string text = kTools + split("7.3.4+deb13-cloud-amd64", "7.3.4-1") +
                           split("7.2.9+deb13-cloud-amd64", "7.2.9-1");
  const std::string release = "7.3.4+deb13-cloud-amd64";
  CHECK(chosen("linux-image-7.*-cloud-amd64", text) ==
        Names{"linux-image-" + release, "linux-base-" + release, "linux-binary-" + release,
              "linux-modules-" + release});
  for (const std::string pin : {"linux-binary-7.3.*-cloud-amd64", "linux-binary-*-amd64"}) {
    CHECK(chosen(pin, text) ==
          Names{"linux-binary-" + release, "linux-base-" + release, "linux-modules-" + release});
  }
  CHECK(chosen("linux-binary-unsigned-" + release, text) ==
        Names{"linux-binary-unsigned-" + release, "linux-base-" + release,
              "linux-modules-" + release});
  // A pattern that fits all of its packages means the whole.
  CHECK(chosen("linux-*7.3.*-cloud-amd64", text).front() == "linux-image-" + release);
  const auto why = resolve_kernel("linux-binary-" + release, text)->packages;
  CHECK(std::any_of(why.begin(), why.end(), [&](const auto& package) {
    return package.name == "linux-modules-" + release &&
           package.why == "needed by linux-binary-" + release;
  }));
}

TEST_CASE("a kernel's half without modules in the suites is refused when locking") {
  const std::string text =
      kTools + paragraph("linux-binary-7.3.4-amd64", "7.3.4-1", {{"Installed-Size", "13652"}}) +
      paragraph("linux-modules-7.3.4-amd64", "7.3.3-1");
  CHECK(refusal("linux-binary-7.3.4-amd64", text) ==
        "kernel.package: linux-binary-7.3.4-amd64 is a kernel without modules, and no suite has "
        "linux-modules-7.3.4-amd64 7.3.4-1");
}

TEST_CASE("of several flavours the plain one counts, never silently the real-time kernel") {
  const std::string text =
      whole("6.1.0-50-amd64", "6.1.190-1") + whole("6.1.0-50-rt-amd64", "6.1.190-1") +
      whole("6.1.0-50-cloud-amd64", "6.1.190-1") + whole("6.1.0-51-rt-amd64", "6.1.191-1");
  CHECK(chosen("linux-image-6.1.*-amd64", text) == Names{"linux-image-6.1.0-50-amd64"});
  CHECK(chosen("linux-image-6.1.*", text) == Names{"linux-image-6.1.0-50-amd64"});
  CHECK(chosen("linux-image-6.1.*-rt-amd64", text) == Names{"linux-image-6.1.0-51-rt-amd64"});
  CHECK(chosen("linux-image-*-cloud-*", text) == Names{"linux-image-6.1.0-50-cloud-amd64"});
}

TEST_CASE("flavours of which none is the plain one are refused, with the candidates") {
  const std::string text = whole("6.8.0-31-generic", "6.8.0-31.31") +
                           whole("6.8.0-31-lowlatency", "6.8.0-31.31") +
                           whole("6.8.0-30-generic", "6.8.0-30.30");
  CHECK(refusal("linux-image-6.8.*", text) ==
        "kernel.package: 'linux-image-6.8.*' fits kernels of several flavours "
        "(linux-image-6.8.0-31-generic, linux-image-6.8.0-31-lowlatency), and none of them is the "
        "plain one: end the pattern with the flavour");
  CHECK(chosen("linux-image-6.8.*-generic", text) == Names{"linux-image-6.8.0-31-generic"});
}

TEST_CASE("a metapackage means the kernel that it depends on, and a wildcard never means one") {
  const std::string text = whole("6.12.117+deb13-amd64", "6.12.117-1") +
                           whole("6.12.118+deb13-amd64", "6.12.118-1") +
                           whole("6.12.117+deb13-rt-amd64", "6.12.117-1") +
                           meta("amd64", "6.12.117-1", "6.12.117+deb13-amd64") +
                           meta("rt-amd64", "6.12.117-1", "6.12.117+deb13-rt-amd64") +
                           meta("generic", "6.12.117-1", "amd64");
  CHECK(chosen("linux-image-amd64", text) == Names{"linux-image-6.12.117+deb13-amd64"});
  CHECK(chosen("linux-image-generic", text) == Names{"linux-image-6.12.117+deb13-amd64"});
  CHECK(chosen("linux-image-*rt-amd64", text) == Names{"linux-image-6.12.117+deb13-rt-amd64"});
  CHECK(chosen("linux-image-*-amd64", text) == Names{"linux-image-6.12.118+deb13-amd64"});
  CHECK(refusal("linux-image-cloud-amd64",
                meta("cloud-amd64", "6.12.1-1", "6.12.1+deb13-cloud-amd64")) ==
        "kernel.package: linux-image-cloud-amd64 stands for linux-image-6.12.1+deb13-cloud-amd64, "
        "which no suite has");
}

TEST_CASE("a metapackage is taken as apt takes it: not from a suite that serves only pins") {
  auto manifest = manifest_of({});
  manifest.kernel.package = "linux-image-amd64";
  std::vector<PackageIndex> indices;
  indices.push_back(archive_of(whole("6.12.117+deb13-amd64", "6.12.117-1") +
                               meta("amd64", "6.12.117-1", "6.12.117+deb13-amd64")));
  indices.push_back(archive_of(whole("7.0.1+deb13-amd64", "7.0.1-1~bpo13+1") +
                                   meta("amd64", "7.0.1-1~bpo13+1", "7.0.1+deb13-amd64"),
                               "backports", true));
  const auto plain = resolve(manifest, indices);
  REQUIRE_MESSAGE(plain.has_value(), plain.error().message);
  CHECK(plain->kernel == "linux-image-6.12.117+deb13-amd64");
  // Nor does a pattern that another suite's kernels fit; one that only these fit takes them.
  manifest.kernel.package = "linux-image-*-amd64";
  CHECK(resolve(manifest, indices)->kernel == plain->kernel);
  manifest.kernel.package = "linux-image-7.*-amd64";
  CHECK(resolve(manifest, indices)->kernel == "linux-image-7.0.1+deb13-amd64");
  manifest.kernel.package = "linux-image-amd64";
  manifest.kernel.version = "*~bpo13*";
  const auto pinned = resolve(manifest, indices);
  REQUIRE_MESSAGE(pinned.has_value(), pinned.error().message);
  CHECK(pinned->kernel == "linux-image-7.0.1+deb13-amd64");
}

TEST_CASE("a kernel that shall stay stays, also where a metapackage meanwhile means another") {
  const std::string text = whole("6.12.117+deb13-amd64", "6.12.117-1") +
                           whole("6.12.118+deb13-amd64", "6.12.118-1") +
                           meta("amd64", "6.12.118-1", "6.12.118+deb13-amd64") +
                           meta("rt-amd64", "6.12.118-1", "6.12.118+deb13-rt-amd64");
  Kept kept;
  kept.kernel = "linux-image-6.12.117+deb13-amd64";
  const auto out = resolve_kernel("linux-image-amd64", text, kept);
  REQUIRE_MESSAGE(out.has_value(), out.error().message);
  CHECK(out->kernel == *kept.kernel);
  const auto other = resolve_kernel("linux-image-rt-amd64", text, kept);
  REQUIRE_FALSE(other.has_value());
  CHECK(other.error().message ==
        "kernel.package: 'linux-image-rt-amd64' is not the kernel that was to stay "
        "(linux-image-6.12.117+deb13-amd64): let it move too, with --update kernel");
}

TEST_CASE("what holds no kernel is refused when locking, with what to write instead") {
  const std::string release = "7.3.4+deb13-amd64";
  const std::string text = kTools + split(release, "7.3.4-1") +
                           paragraph("linux-image-" + release + "-dbg", "7.3.4-1") +
                           paragraph("linux-headers-" + release, "7.3.4-1") +
                           paragraph("linux-image-amd64-signed-template", "7.3.4-1");
  const std::string mend = ", and no kernel: write linux-image-" + release;
  CHECK(refusal("linux-modules-" + release, text) ==
        "kernel.package: linux-modules-" + release + " holds modules" + mend);
  CHECK(refusal("linux-headers-" + release, text) ==
        "kernel.package: linux-headers-" + release + " holds headers" + mend);
  CHECK(refusal("linux-base-" + release, text) ==
        "kernel.package: linux-base-" + release + " holds lists of what is built into a kernel" +
            mend);
  CHECK(refusal("linux-image-" + release + "-dbg", text) ==
        "kernel.package: linux-image-" + release + "-dbg holds debugging symbols" + mend);
  CHECK(refusal("linux-image-amd64-signed-template", text)
            .starts_with("kernel.package: linux-image-amd64-signed-template holds what kernels are "
                         "signed with, and no kernel"));
  // Empty, and what it depends on is nothing of its own.
  CHECK(refusal("linux-image-9.9-amd64",
                kTools + paragraph("linux-image-9.9-amd64", "9.9-1",
                                   {{"Installed-Size", "15"}, {"Depends", "kmod"}}))
            .starts_with("kernel.package: linux-image-9.9-amd64 holds no kernel: with all that it "
                         "needs of its own version (9.9-1) it takes 15 KiB"));
}

TEST_CASE("a second kernel is refused when locking, with both names") {
  const std::string text =
      kTools + whole("6.1.0-9-amd64", "6.1.20-1") + whole("6.1.0-9-cloud-amd64", "6.1.20-1") +
      meta("amd64", "6.1.20-1", "6.1.0-9-amd64") + split("7.3.4+deb13-amd64", "7.3.4-1") +
      paragraph("linux-image-6.1.0-9-amd64-dbg", "6.1.20-1");
  const auto beside = [&](const std::string& kernel, const std::string& package) {
    auto manifest = manifest_of({package});
    manifest.kernel.package = kernel;
    manifest.provides = {"linux-initramfs-tool", "linux-base", "kmod"};
    std::vector<PackageIndex> indices;
    indices.push_back(archive_of(text));
    const auto out = resolve(manifest, indices);
    return out ? std::string("locked") : out.error().message;
  };
  const std::string cloud = "linux-image-6.1.0-9-cloud-amd64", plain = "linux-image-6.1.0-9-amd64";
  CHECK(beside(cloud, plain) == "packages: " + plain + " is a second kernel beside " + cloud +
                                    " (kernel.package), and an image boots one: leave it out");
  CHECK(beside(cloud, "linux-image-amd64") ==
        "packages: " + plain + ", needed by linux-image-amd64, is a second kernel beside " + cloud +
            " (kernel.package), and an image boots one: leave it out");
  // The pieces of one kernel, and what stands for it.
  CHECK(beside(plain, plain) == "locked");
  CHECK(beside(plain, "linux-image-amd64") == "locked");
  CHECK(beside(cloud, plain + "-dbg") == "locked");
  for (const char* piece : {"linux-image-", "linux-binary-", "linux-modules-", "linux-base-"}) {
    CAPTURE(piece);
    CHECK(beside("linux-image-7.3.4+deb13-amd64", piece + std::string("7.3.4+deb13-amd64")) ==
          "locked");
  }
}

TEST_CASE("what neither by name nor by section is a kernel is refused when locking") {
  // The sections are those of Debian 12.
  const std::string text =
      kTools + whole("6.1.0-9-amd64", "6.1.20-1") +
      paragraph("bash", "5.2-1", {{"Section", "shells"}, {"Installed-Size", "7164"}}) +
      paragraph("plain", "1", {{"Installed-Size", "9000"}}) +
      paragraph("vendor-kernel-6.1", "1", {{"Installed-Size", "9000"}}) +
      paragraph("vmlinuz", "1", {{"Section", "contrib/kernel"}, {"Installed-Size", "9000"}});
  CHECK(refusal("bash", text) ==
        "kernel.package: bash is no kernel, by its name and its section (shells); the "
        "suites have linux-image-6.1.0-9-amd64");
  CHECK(refusal("bash", text + meta("amd64", "6.1.20-1", "6.1.0-9-amd64"))
            .ends_with("(shells); the suites have linux-image-amd64"));
  CHECK(refusal("ba*", text).starts_with("kernel.package: bash is no kernel, by its name"));
  CHECK(
      refusal("plain", text)
          .starts_with(
              "kernel.package: plain is no kernel, by its name and its section; the suites have"));
  // Names with "linux" or "kernel" in them, of Debian 12 and 13.
  for (const auto& [name, section] : {std::pair("util-linux", "utils"),
                                      {"libselinux1", "libs"},
                                      {"linuxptp", "utils"},
                                      {"kernelshark", "devel"},
                                      {"nfs-kernel-server", "net"},
                                      {"php-symfony-http-kernel", "php"},
                                      {"linux-show-player", "sound"},
                                      {"linux-libc-dev-amd64-cross", "libdevel"}}) {
    const std::string more =
        paragraph(name, "1", {{"Section", section}, {"Installed-Size", "9000"}});
    CHECK(refusal(name, text + more) ==
          std::string("kernel.package: ") + name + " is no kernel, by its name and its section (" +
              section + "); the suites have linux-image-6.1.0-9-amd64");
  }
  // Debian's section of kernels holds more than kernels.
  for (const auto& [name, held] : {std::pair("dahdi-source", "sources"),
                                   {"squashfs-tools", "tools"},
                                   {"linux-perf", "tools"},
                                   {"linux-compiler-gcc-12-x86", "a compiler"},
                                   {"firmware-realtek", "firmware"},
                                   {"acpi-call-dkms", "sources of modules"}}) {
    const std::string more =
        paragraph(name, "1", {{"Section", "kernel"}, {"Installed-Size", "9000"}});
    CHECK(refusal(name, text + more)
              .starts_with(std::string("kernel.package: ") + name + " holds " + held +
                           ", and no kernel"));
  }
  for (const char* kernel : {"vendor-kernel-6.1", "vmlinuz"}) {
    CAPTURE(kernel);
    CHECK(chosen(kernel, text) == Names{kernel});
  }
}

TEST_CASE("what is no kernel is said to be none, also where no version of it may be chosen") {
  const std::string text =
      whole("6.1.0-9-amd64", "6.1.20-1") + paragraph("kmod", "34") +
      paragraph("linux-base", "4.12.1", {{"Section", "kernel"}, {"Installed-Size", "76"}}, "all") +
      paragraph("bash", "5.2-1", {{"Section", "shells"}, {"Installed-Size", "7164"}});
  // It stands in `provides` here, as in most manifests.
  CHECK(refusal("linux-base", text) ==
        "kernel.package: linux-base holds scripts that the packages of kernels share, and no "
        "kernel; the suites have linux-image-6.1.0-9-amd64");
  const auto refused = [&](const manifests::KernelPin& pin, const std::string& provided = "kmod") {
    auto manifest = manifest_of({});
    manifest.kernel = pin;
    manifest.provides = {"linux-initramfs-tool", "linux-base", provided};
    std::vector<PackageIndex> indices;
    indices.push_back(archive_of(text));
    const auto out = resolve(manifest, indices);
    return out ? std::string("locked") : out.error().message;
  };
  CHECK(refused({"bash", "9*"}) ==
        "kernel.package: bash is no kernel, by its name and its section (shells); the suites have "
        "linux-image-6.1.0-9-amd64");
  CHECK(refused({"linux-image-6.1.0-9-amd64", {}}, "linux-image-6.1.0-9-amd64") ==
        "kernel.package: 'linux-image-6.1.0-9-amd64' is ruled out by `constraints`, `provides` or "
        "what the lock keeps; the suites have 6.1.20-1");
  CHECK(refused({"linux-image-6.1.0-9-amd64", "7.*"}) ==
        "kernel.version: no kernel 'linux-image-6.1.0-9-amd64' has a version that matches '7.*'; "
        "the suites have 6.1.20-1");
}

TEST_CASE(
    "a hint names kernels of the series, flavour and architecture that were meant, newest first") {
  const auto both = [](const std::string& release, const std::string& version) {
    return whole(release, version) + paragraph("linux-headers-" + release, version);
  };
  const std::string text =
      both("6.1.0-44-amd64", "6.1.164-1") + both("6.1.0-9-amd64", "6.1.20-1") +
      both("6.1.0-50-amd64", "6.1.190-1") + both("6.1.0-51-amd64", "6.1.191-1") +
      both("6.1.0-50-rt-amd64", "6.1.190-1") + both("6.12.5-amd64", "6.12.5-1") +
      meta("amd64", "6.1.190-1", "6.1.0-50-amd64");
  const std::string newest =
      "; the suites have linux-image-6.1.0-51-amd64, linux-image-6.1.0-50-amd64, "
      "linux-image-6.1.0-44-amd64, ...";
  CHECK(refusal("linux-headers-6.1.*-amd64", text) ==
        "kernel.package: no kernel matches 'linux-headers-6.1.*-amd64'" + newest);
  CHECK(refusal("linux-image-6.1.0-99-amd64", text).ends_with(newest));
  CHECK(refusal("linux-image-6.1.0-44-arm64", text).ends_with(newest));
  CHECK(refusal("linux-image-6.1.0-99-rt-amd64", text)
            .ends_with("; the suites have linux-image-6.1.0-50-rt-amd64"));
  auto manifest = manifest_of({"linux-headers-6.1.0-99-amd64"});
  manifest.kernel.package = "linux-image-6.1.*-amd64";
  std::vector<PackageIndex> indices;
  indices.push_back(archive_of(text));
  CHECK(resolve(manifest, indices).error().message ==
        "packages[0]: no suite has 'linux-headers-6.1.0-99-amd64'; the suites have "
        "linux-headers-6.1.0-51-amd64, linux-headers-6.1.0-50-amd64, linux-headers-6.1.0-44-amd64, "
        "...");
}

TEST_CASE("a kernel for another architecture than the image's is refused when locking") {
  const std::string text = whole("6.1.0-50-amd64", "6.1.190-1") +
                           paragraph("linux-image-6.1.0-50-arm64", "6.1.190-1", {}, "arm64");
  CHECK(refusal("linux-image-6.1.0-50-arm64", text) ==
        "kernel.package: linux-image-6.1.0-50-arm64 is for arm64, and the image is for amd64");
  CHECK(refusal("linux-image-6.1.*-riscv64", text)
            .starts_with("kernel.package: no kernel matches 'linux-image-6.1.*-riscv64', which "
                         "asks for riscv64, and the image is for amd64"));
}

}  // namespace weir::builder
