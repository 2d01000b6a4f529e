#include "builder/lock/module_build.h"

#include <doctest/doctest.h>

#include "solver_fixture.h"
#include "tests/text.h"

namespace weir::builder {
namespace {

using test::has;

// What compiling takes besides the DKMS package and the headers.
std::string tools() {
  std::string out;
  for (const char* name :
       {"bash", "coreutils", "dash",      "debianutils", "diffutils", "dkms",      "findutils",
        "gcc",  "grep",      "gzip",      "hostname",    "libc-bin",  "libc6-dev", "make",
        "mawk", "patch",     "perl-base", "sed",         "tar",       "util-linux"}) {
    out += paragraph(name, "1");
  }
  return out;
}

const std::string kHeaders10 =
    paragraph("linux-headers-6.1.0-10-cloud-amd64", "6.1.37-1",
              {{"Depends", "linux-headers-6.1.0-10-common (= 6.1.37-1), gcc-12"}}) +
    paragraph("linux-headers-6.1.0-10-common", "6.1.37-1", {}, "all") + paragraph("gcc-12", "12.2");
const std::string kJool = paragraph("jool-dkms", "4.1.9-1", {{"Depends", "dkms, libxtables12"}}) +
                          paragraph("libxtables12", "1.8");

manifests::ImageManifest with_jool() {
  auto out = with_stand_ins({});
  out.modules = {"jool"};
  out.module_sources = {{"jool", {"", "", {}, "jool-dkms"}}};
  return out;
}

std::string refusal(const manifests::ImageManifest& manifest, const std::string& text) {
  const auto out = resolve_one(manifest, text);
  REQUIRE_FALSE(out.has_value());
  return out.error().message;
}

}  // namespace

TEST_CASE("modules are compiled with the kernel's own headers and what those and the source need") {
  const auto out = resolve_one(with_jool(), kKernels + tools() + kHeaders10 + kJool);
  REQUIRE_MESSAGE(out.has_value(), out.error().message);
  CHECK(names(*out) == std::vector<std::string>{"linux-image-6.1.0-10-cloud-amd64"});
  REQUIRE(out->module_build.has_value());
  const auto& build = *out->module_build;
  CHECK(build.sources == std::vector<std::string>{"jool-dkms"});
  CHECK(build.headers == "linux-headers-6.1.0-10-cloud-amd64");
  CHECK(build.signer.empty());
  std::map<std::string, std::string> why;
  for (const auto& package : build.packages) why[package.name] = package.why;
  CHECK(why.size() == 25);
  CHECK(why.at("jool-dkms") == "asked for");
  CHECK(why.at("libxtables12") == "needed by jool-dkms");
  CHECK(why.at("linux-headers-6.1.0-10-common") == "needed by linux-headers-6.1.0-10-cloud-amd64");
  CHECK(why.at("gcc-12") == "needed by linux-headers-6.1.0-10-cloud-amd64");

  const auto without = resolve_one(with_stand_ins({}), kKernels);
  REQUIRE_MESSAGE(without.has_value(), without.error().message);
  CHECK_FALSE(without->module_build.has_value());
}

TEST_CASE("a DKMS package or headers that no suite has are named when locking") {
  CHECK(has(refusal(with_jool(), kKernels + tools() + kHeaders10 + paragraph("jool-dkm", "1")),
            "modules: jool is to be compiled from jool-dkms, which no suite has"));
  CHECK(has(refusal(with_jool(), kKernels + tools() + kJool),
            "compiling for linux-image-6.1.0-10-cloud-amd64 6.1.37-1 takes "
            "linux-headers-6.1.0-10-cloud-amd64 in that version, which no suite has"));
  CHECK(has(refusal(with_jool(), kKernels + tools() + kJool +
                                     paragraph("linux-headers-6.1.0-10-cloud-amd64", "6.1.36-1")),
            "which no suite has; they have 6.1.36-1"));
  CHECK(has(refusal(with_jool(), kKernels + kHeaders10 + kJool),
            "compiling takes bash, which no suite has"));
}

TEST_CASE("a kernel that insists on signatures does not get modules without one") {
  auto manifest = with_jool();
  const std::string all = kKernels + tools() + kHeaders10 + kJool;
  for (const char* insists : {"quiet module.sig_enforce=1", "lockdown=integrity"}) {
    manifest.command_line = insists;
    CHECK(has(refusal(manifest, all), "command_line makes the kernel refuse modules"));
  }
  manifest.module_signer = "modules.pem";
  CHECK(resolve_one(manifest, all).has_value());
  manifest.module_signer.clear();
  manifest.command_line = "module.sig_enforce=0";
  CHECK(resolve_one(manifest, all).has_value());
}

TEST_CASE("a constraint may be on what modules are compiled with") {
  auto manifest = with_jool();
  manifest.constraints = {{"jool-dkms", "4.1.*"}};
  const std::string all =
      kKernels + tools() + kHeaders10 + kJool + paragraph("jool-dkms", "4.2.0-1");
  const auto out = resolve_one(manifest, all);
  REQUIRE_MESSAGE(out.has_value(), out.error().message);
  const auto& packages = out->module_build->packages;
  CHECK(std::any_of(packages.begin(), packages.end(), [](const auto& package) {
    return package.name == "jool-dkms" && package.version == "4.1.9-1";
  }));
}

TEST_CASE("an update keeps what modules are compiled with; headers move with their kernel") {
  const std::string old = kKernels + tools() + kHeaders10 + kJool;
  const auto first = resolve_one(with_jool(), old);
  REQUIRE_MESSAGE(first.has_value(), first.error().message);
  manifests::Lock before{.name = *ReleaseName::parse("g"),
                         .architecture = "amd64",
                         .manifest_digest = Digest::of({}),
                         .sources = {},
                         .kernel = first->kernel,
                         .packages = first->packages,
                         .provides = {},
                         .accept_scripts = {},
                         .programs = {},
                         .builder_version = "1",
                         .compressor = "x"};
  before.module_build = first->module_build;
  const std::string now =
      old + paragraph("gcc-12", "12.3") + paragraph("jool-dkms", "4.1.10-1") +
      paragraph("linux-image-6.1.0-12-cloud-amd64", "6.1.40-1", {{"Depends", "kmod"}}) +
      paragraph("linux-headers-6.1.0-12-cloud-amd64", "6.1.40-1", {{"Depends", "gcc-12"}});
  const auto versions = [&](const std::string& update) {
    const auto kept = keep_all_but({update}, before, with_jool());
    REQUIRE_MESSAGE(kept.has_value(), kept.error().message);
    std::vector<PackageIndex> indices;
    indices.push_back(index(now));
    const auto out = resolve(with_jool(), indices, *kept);
    REQUIRE_MESSAGE(out.has_value(), out.error().message);
    std::map<std::string, std::string> found;
    for (const auto& package : out->module_build->packages) found[package.name] = package.version;
    return found;
  };
  const auto with_source = versions("jool-dkms");
  CHECK(with_source.at("jool-dkms") == "4.1.10-1");
  CHECK(with_source.at("gcc-12") == "12.2");
  CHECK(with_source.contains("linux-headers-6.1.0-10-cloud-amd64"));
  const auto with_kernel = versions("kernel");
  CHECK(with_kernel.at("jool-dkms") == "4.1.9-1");
  CHECK(with_kernel.at("gcc-12") == "12.2");
  CHECK(with_kernel.contains("linux-headers-6.1.0-12-cloud-amd64"));
  CHECK_FALSE(with_kernel.contains("linux-headers-6.1.0-10-cloud-amd64"));
}

}  // namespace weir::builder
