#include "builder/lock/solver.h"

#include <doctest/doctest.h>

#include <map>
#include <set>

#include "solver_fixture.h"

namespace weir::builder {

using test::output_of;

TEST_CASE("a wildcard means the newest kernel that is neither unsigned nor symbols") {
  const auto out = resolve_one(with_stand_ins({}), kKernels);
  REQUIRE_MESSAGE(out.has_value(), out.error().message);
  CHECK(out->kernel == "linux-image-6.1.0-10-cloud-amd64");
  CHECK(names(*out) == std::vector<std::string>{"linux-image-6.1.0-10-cloud-amd64"});
  CHECK(named(*out, out->kernel).why == "kernel");
  CHECK(named(*out, out->kernel).suite == "stable");
}

TEST_CASE("of two kernels of one version the newer name counts, as versions go") {
  const auto out =
      resolve_one(with_stand_ins({}), paragraph("linux-image-6.1.0-10-cloud-amd64", "6.1.37-1") +
                                          paragraph("linux-image-6.1.0-9-cloud-amd64", "6.1.37-1"));
  REQUIRE_MESSAGE(out.has_value(), out.error().message);
  CHECK(out->kernel == "linux-image-6.1.0-10-cloud-amd64");
}

TEST_CASE("without stand-ins the kernel brings what it depends on") {
  const auto out = resolve_one(manifest_of({}), kKernels);
  REQUIRE_MESSAGE(out.has_value(), out.error().message);
  CHECK(names(*out) == std::vector<std::string>{"initramfs-tools", "kmod", "linux-base",
                                                "linux-image-6.1.0-10-cloud-amd64", "udev"});
  CHECK(named(*out, "udev").why == "needed by initramfs-tools");
  CHECK(named(*out, "kmod").why == "needed by linux-image-6.1.0-10-cloud-amd64");
}

TEST_CASE("every package of the closure says why it is there, however it was needed") {
  const auto out = resolve_one(
      with_stand_ins({"tool", "asked"}),
      kKernels +
          paragraph("tool", "1",
                    {{"Pre-Depends", "before (>= 1), mail-agent"},
                     {"Depends", "gone | second, any:any, exact (= 2-1), virtual (>= 3)"},
                     {"Recommends", "recommended"}}) +
          paragraph("asked", "1", {{"Depends", "tool"}}) + paragraph("before", "1") +
          paragraph("agent", "1", {{"Provides", "mail-agent"}, {"Depends", "deep"}}) +
          paragraph("second", "1", {{"Depends", "tool"}}) +
          paragraph("any", "1", {{"Multi-Arch", "allowed"}}) + paragraph("exact", "2-1") +
          paragraph("real", "1", {{"Provides", "virtual (= 3)"}}) +
          paragraph("deep", "1", {{"Depends", "deeper"}}) + paragraph("deeper", "1", {}, "all") +
          paragraph("recommended", "1"));
  REQUIRE_MESSAGE(out.has_value(), out.error().message);
  std::map<std::string, std::string> why;
  for (const auto& package : out->packages) why[package.name] = package.why;
  CHECK(why == std::map<std::string, std::string>{{"linux-image-6.1.0-10-cloud-amd64", "kernel"},
                                                  {"tool", "asked for"},
                                                  {"asked", "asked for"},
                                                  {"before", "needed by tool"},
                                                  {"agent", "needed by tool"},
                                                  {"second", "needed by tool"},
                                                  {"any", "needed by tool"},
                                                  {"exact", "needed by tool"},
                                                  {"real", "needed by tool"},
                                                  {"deep", "needed by agent"},
                                                  {"deeper", "needed by deep"}});
}

TEST_CASE("a kernel's version can be constrained") {
  auto manifest = with_stand_ins({});
  manifest.kernel.version = "6.1.20-*";
  const auto out = resolve_one(manifest, kKernels);
  REQUIRE_MESSAGE(out.has_value(), out.error().message);
  CHECK(out->kernel == "linux-image-6.1.0-9-cloud-amd64");
  manifest.kernel.version = "6.2.*";
  const auto none = resolve_one(manifest, kKernels);
  REQUIRE_FALSE(none.has_value());
  CHECK(none.error().message ==
        "kernel.version: no kernel 'linux-image-6.1.*-cloud-amd64' has a version that matches "
        "'6.2.*'; the suites have 6.1.37-1, 6.1.20-1");
  manifest.kernel = {"linux-image-6.13.*-cloud-amd64", std::nullopt};
  const auto series = resolve_one(manifest, kKernels);
  REQUIRE_FALSE(series.has_value());
  CHECK(series.error().message.find("kernel.package: no kernel matches") == 0);
  CHECK(series.error().message.find("linux-image-6.12.1-cloud-amd64") != std::string::npos);
}

TEST_CASE("what does not exist is named with its field and its closest names") {
  const std::string text = kKernels + paragraph("wireguard-tools", "1.0.20210914-1");
  auto manifest = with_stand_ins({"wiregaurd-tools"});
  CHECK(resolve_one(manifest, text).error().message ==
        "packages[0]: no suite has 'wiregaurd-tools'; closest: wireguard-tools");
  manifest.packages = {"wireguard-tools"};
  manifest.constraints = {{"wireguard-tools", "2.*"}};
  CHECK(resolve_one(manifest, text).error().message ==
        "constraints.wireguard-tools: no version matches '2.*'; the suites have 1.0.20210914-1");
  manifest.constraints = {{"wireguard-tool", "1.*"}};
  CHECK(resolve_one(manifest, text).error().message ==
        "constraints.wireguard-tool: no suite has this package; closest: wireguard-tools");
  manifest.constraints = {{"udev", "252"}};
  CHECK(resolve_one(manifest, text).error().message ==
        "constraints.udev: this package is not in the image; remove the line");
}

TEST_CASE("a constraint holds for what nobody asked for, too") {
  const std::string text = kKernels + paragraph("tool", "1", {{"Depends", "lib"}}) +
                           paragraph("lib", "1.0-1") + paragraph("lib", "1.1-1");
  auto manifest = with_stand_ins({"tool"});
  CHECK(named(*resolve_one(manifest, text), "lib").version == "1.1-1");
  manifest.constraints = {{"lib", "1.0-*"}};
  const auto out = resolve_one(manifest, text);
  REQUIRE_MESSAGE(out.has_value(), out.error().message);
  CHECK(named(*out, "lib").version == "1.0-1");
  CHECK(named(*out, "lib").path == "pool/main/lib_1.0-1.deb");
  CHECK(named(*out, "lib").digest == Digest::of(as_bytes("lib 1.0-1")));
  CHECK(named(*out, "lib").why == "needed by tool");
}

TEST_CASE("Recommends are not followed, Pre-Depends and alternatives are") {
  const std::string text =
      kKernels +
      paragraph("tool", "1",
                {{"Recommends", "nice"}, {"Pre-Depends", "base"}, {"Depends", "a | b"}}) +
      paragraph("nice", "1") + paragraph("base", "1") + paragraph("b", "1");
  const auto out = resolve_one(with_stand_ins({"tool"}), text);
  REQUIRE_MESSAGE(out.has_value(), out.error().message);
  CHECK(names(*out) ==
        std::vector<std::string>{"b", "base", "linux-image-6.1.0-10-cloud-amd64", "tool"});
}

TEST_CASE("what cannot be satisfied is one sentence") {
  const auto missing = resolve_one(with_stand_ins({"tool"}),
                                   kKernels + paragraph("tool", "1", {{"Depends", "gone (>= 2)"}}));
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error().code == Errc::not_found);
  CHECK(missing.error().message.find("gone >= 2") != std::string::npos);
  CHECK(missing.error().message.find("tool") != std::string::npos);
  CHECK(missing.error().message.find('\n') == std::string::npos);
  const auto conflict =
      resolve_one(with_stand_ins({"a", "b"}),
                  kKernels + paragraph("a", "1", {{"Conflicts", "b"}}) + paragraph("b", "1"));
  REQUIRE_FALSE(conflict.has_value());
  CHECK(conflict.error().message.find("conflicts") != std::string::npos);
}

TEST_CASE("a suite that is not automatic serves pins and what nothing else has") {
  std::vector<PackageIndex> indices;
  indices.push_back(index(kKernels + paragraph("tool", "1") + paragraph("lib", "1")));
  indices.push_back(index(paragraph("tool", "2") + paragraph("only", "1") +
                              paragraph("linux-image-6.1.0-12-cloud-amd64", "6.1.99-1"),
                          "backports", true));
  auto manifest = with_stand_ins({"tool", "only"});
  const auto out = resolve(manifest, indices);
  REQUIRE_MESSAGE(out.has_value(), out.error().message);
  CHECK(named(*out, "tool").version == "1");
  CHECK(named(*out, "only").suite == "backports");
  CHECK(out->kernel == "linux-image-6.1.0-10-cloud-amd64");
  auto newest = manifest;
  newest.kernel.version = "6.1.*";
  CHECK(resolve(newest, indices)->kernel == "linux-image-6.1.0-12-cloud-amd64");
  manifest.constraints = {{"tool", "2"}};
  const auto pinned = resolve(manifest, indices);
  REQUIRE_MESSAGE(pinned.has_value(), pinned.error().message);
  CHECK(named(*pinned, "tool").suite == "backports");
}

TEST_CASE("a package that two suites have counts for the first") {
  std::vector<PackageIndex> indices;
  indices.push_back(index(kKernels + paragraph("tool", "1"), "stable"));
  indices.push_back(index(kKernels + paragraph("tool", "1"), "security"));
  const auto out = resolve(with_stand_ins({"tool"}), indices);
  REQUIRE_MESSAGE(out.has_value(), out.error().message);
  CHECK(named(*out, "tool").suite == "stable");
  CHECK(named(*out, out->kernel).suite == "stable");
}

TEST_CASE("the closure is the one that apt computes") {
  const std::string text =
      kKernels +
      paragraph(
          "gateway", "1:2.0-1",
          {{"Depends", "libone (>= 1.5), mail-agent, libtwo:any | libthree, data (= 1:2.0-1)"}}) +
      paragraph("data", "1:2.0-1", {}, "all") + paragraph("data", "1:1.0-1", {}, "all") +
      paragraph("libone", "1.4") + paragraph("libone", "1.10~rc1", {{"Depends", "libthree"}}) +
      paragraph("libone", "1.10", {{"Breaks", "libthree (<< 3)"}, {"Depends", "libthree"}}) +
      paragraph("libtwo", "2", {{"Multi-Arch", "allowed"}}) + paragraph("libthree", "2") +
      paragraph("libthree", "3.0+b1") + paragraph("agent", "1", {{"Provides", "mail-agent"}});
  const auto out = resolve_one(with_stand_ins({"gateway"}), text);
  REQUIRE_MESSAGE(out.has_value(), out.error().message);
  std::set<std::string> ours;
  for (const auto& package : out->packages) ours.insert(package.name + " " + package.version);

  const auto theirs = by_apt(text, "gateway linux-image-6.1.0-10-cloud-amd64");
  REQUIRE(theirs.size() > 3);
  CHECK(ours == theirs);
}

TEST_CASE("the newest version is the one dpkg calls the newest") {
  const char* versions[] = {"1.0",           "1.0-1", "1.0~rc1",     "1.0+b1", "1:0.1",
                            "1.0-1+deb12u1", "1.9-1", "1.10-1~bpo1", "1.10-1"};
  for (const char* a : versions) {
    for (const char* b : versions) {
      if (std::string_view(a) == b) continue;
      const auto out = resolve_one(with_stand_ins({"tool"}),
                                   kKernels + paragraph("tool", a) + paragraph("tool", b));
      REQUIRE_MESSAGE(out.has_value(), out.error().message);
      const bool a_newer = output_of("dpkg --compare-versions '" + std::string(a) + "' gt '" +
                                     std::string(b) + "' && echo yes") == "yes\n";
      CAPTURE(std::string(a) + " and " + b);
      CHECK(named(*out, "tool").version == (a_newer ? a : b));
    }
  }
}

}  // namespace weir::builder
