#include "builder/kernel/kernel_packages.h"

#include <doctest/doctest.h>

#include <string>

namespace weir::builder {
namespace {

manifests::LockedPackage package(const std::string& name, const std::string& version,
                                 const std::string& why) {
  return {name, version, "amd64", "pool/" + name, {}, Digest::of({}), "s", why};
}

std::vector<std::string> names_of(const manifests::Lock& lock) {
  std::vector<std::string> out;
  for (const std::size_t place : kernel_packages_of(lock)) {
    out.push_back(lock.packages[place].name);
  }
  return out;
}

manifests::Lock lock_of(const std::string& kernel, std::vector<manifests::LockedPackage> packages) {
  return {.name = *ReleaseName::parse("g"),
          .architecture = "amd64",
          .manifest_digest = Digest::of({}),
          .source_epoch = 0,
          .sources = {},
          .kernel = kernel,
          .packages = std::move(packages),
          .provides = {},
          .accept_scripts = {},
          .programs = {},
          .builder_version = "0",
          .compressor = "none"};
}

}  // namespace

TEST_CASE("a kernel package's name says release and flavour, as Debian and Ubuntu write it") {
  struct {
    const char *package, *kind, *release, *flavour;
  } const names[] = {
      {"linux-image-6.1.0-50-amd64", "linux-image", "6.1.0-50-amd64", "amd64"},
      {"linux-image-6.1.0-50-rt-amd64", "linux-image", "6.1.0-50-rt-amd64", "rt-amd64"},
      {"linux-image-6.12.117+deb13-cloud-amd64", "linux-image", "6.12.117+deb13-cloud-amd64",
       "cloud-amd64"},
      {"linux-image-6.1.0-0.deb11.5-amd64", "linux-image", "6.1.0-0.deb11.5-amd64", "amd64"},
      {"linux-image-6.19-rc5-amd64", "linux-image", "6.19-rc5-amd64", "amd64"},
      {"linux-image-6.8.0-31-generic", "linux-image", "6.8.0-31-generic", "generic"},
      {"linux-image-6.8.0", "linux-image", "6.8.0", ""},
      {"linux-binary-7.3.4+deb13-cloud-amd64", "linux-binary", "7.3.4+deb13-cloud-amd64",
       "cloud-amd64"},
      {"linux-binary-unsigned-7.3.4+deb13-amd64", "linux-binary-unsigned", "7.3.4+deb13-amd64",
       "amd64"},
      {"linux-image-cloud-amd64", "linux-image", "", "cloud-amd64"},
      {"linux-modules-7.3.4+deb13-amd64", "", "", ""},
      {"vendor-kernel", "", "", ""},
      {"linux-image-", "", "", ""},
      {"linux-image", "", "", ""},
  };
  for (const auto& name : names) {
    CAPTURE(name.package);
    const auto read = read_kernel_package_name(name.package);
    CHECK(read.kind == name.kind);
    CHECK(read.release == name.release);
    CHECK(read.flavour == name.flavour);
  }
}

TEST_CASE("a split kernel lies in the packages named after its release, and in no others") {
  const std::string release = "7.3.4+deb13-cloud-amd64";
  const auto lock =
      lock_of("linux-image-" + release,
              {package("linux-base-" + release, "7.3.4-1", "needed by linux-image-" + release),
               package("linux-binary-" + release, "7.3.4-1", "needed by linux-image-" + release),
               package("linux-image-" + release, "7.3.4-1", "kernel"),
               package("linux-libc-dev", "7.3.4-1", "asked for"),
               package("linux-modules-" + release, "7.3.4-1", "asked for"),
               package("linux-modules-7.3.4+deb13-amd64", "7.3.4-1", "asked for"),
               package("kmod", "34", "needed by linux-modules-" + release)});
  CHECK(names_of(lock) ==
        std::vector<std::string>{"linux-image-" + release, "linux-base-" + release,
                                 "linux-binary-" + release, "linux-modules-" + release});
}

TEST_CASE("what a vendor's kernel needs in its own version belongs to it, under any name") {
  const auto lock =
      lock_of("acme-kernel", {package("acme-kernel", "5-1", "kernel"),
                              package("acme-lists", "5-1", "needed by acme-modules"),
                              package("acme-modules", "5-1", "needed by acme-kernel"),
                              package("acme-tools", "5-1", "asked for"),
                              package("acme-firmware", "4-1", "needed by acme-kernel")});
  CHECK(names_of(lock) == std::vector<std::string>{"acme-kernel", "acme-lists", "acme-modules"});
  CHECK(names_of(lock_of("gone", {package("acme-kernel", "5-1", "kernel")})).empty());
}

}  // namespace weir::builder
