#include "builder/release/build_plan.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace weir::builder {
namespace {

constexpr std::string_view kProgram = "build id";

Digest digest_of(const std::string& text) {
  return Digest::of(as_bytes(text));
}

manifests::LockedPackage package(const std::string& name, std::uint64_t size) {
  return {name, "1.0", "amd64", "pool/" + name, ByteCount{size}, digest_of(name), "demo", ""};
}

LayerFacts facts_of(const std::string& name) {
  manifests::ReleaseLayer layer{
      name, {digest_of(name), ByteCount{1}}, digest_of(name), ByteCount{1}};
  return {std::move(layer), 0, {}, {}, {}, {}, std::nullopt};
}

BuildInput small_image() {
  const std::string manifest =
      "name: demo\narchitecture: amd64\nsources: {suites: [demo]}\n"
      "kernel: {package: linux}\nmodules: [one]\npackages: [tools]\n";
  manifests::Lock lock{*ReleaseName::parse("demo"),
                       "amd64",
                       digest_of(manifest),
                       1700000000,
                       {{"demo", digest_of("InRelease"), "a day", std::string(40, 'A')}},
                       "linux",
                       {package("libc", 300), package("linux", 500), package("tools", 200)},
                       {},
                       {},
                       {},
                       "0",
                       "newc"};
  auto parsed = manifests::parse_image_manifest(manifest);
  REQUIRE_MESSAGE(parsed.has_value(), parsed.error().message);
  return {{"image.yaml", "image.lock.json", std::move(*parsed), std::move(lock), digest_of("lock"),
           manifest, "lock"}};
}

struct PlanFixture {
  BuildInput input = small_image();

  // What is known where these layers are in the store and these packages in the cache.
  [[nodiscard]] KnownLayers known(std::vector<bool> layers, std::vector<bool> packages) const {
    KnownLayers out;
    out.packages = std::move(packages);
    for (std::size_t i = 0; i < layers.size(); ++i) {
      out.layers.push_back(layers[i] ? std::optional(facts_of(input.lock.packages[i].name))
                                     : std::nullopt);
    }
    return out;
  }
  [[nodiscard]] BuildPlan plan(KnownLayers known) const {
    return plan_layers(input, layer_questions(input, kProgram), std::move(known));
  }
};

std::vector<LayerWay> ways(const BuildPlan& plan) {
  std::vector<LayerWay> out;
  for (const auto& layer : plan.packages) out.push_back(layer.way);
  return out;
}

constexpr LayerWay kReuse = LayerWay::reuse, kMake = LayerWay::make, kWait = LayerWay::wait;

}  // namespace

TEST_CASE_FIXTURE(PlanFixture, "where nothing is there, all is fetched and made") {
  const BuildPlan made = plan(known({false, false, false}, {false, false, false}));
  CHECK(ways(made) == std::vector{kMake, kMake, kMake});
  const BuildSums sums = sums_of(input, made);
  CHECK(sums.make == 3);
  CHECK(sums.reuse == 0);
  CHECK(sums.fetch == 3);
  CHECK(sums.fetch_bytes.value == 1000);
}

TEST_CASE_FIXTURE(PlanFixture, "a layer that is there is reused, and its package is not fetched") {
  const BuildPlan made = plan(known({true, false, false}, {false, true, false}));
  CHECK(ways(made) == std::vector{kReuse, kMake, kMake});
  REQUIRE(made.packages[0].there.has_value());
  CHECK(made.packages[0].there->layer.name == "libc");
  const BuildSums sums = sums_of(input, made);
  CHECK(sums.reuse == 1);
  CHECK(sums.make == 2);
  CHECK(sums.fetch == 1);
  CHECK(sums.fetch_bytes.value == 200);
}

TEST_CASE_FIXTURE(PlanFixture, "a layer with a secret that is no longer accepted is made again") {
  KnownLayers answers = known({true, true, true}, {true, true, true});
  answers.layers[2]->scan.accepted.push_back({"etc/key.pem", digest_of("key")});
  CHECK(ways(plan(answers)) == std::vector{kReuse, kReuse, kMake});
}

TEST_CASE_FIXTURE(PlanFixture,
                  "layers lie in the order base, packages as locked, modules, programs, settings") {
  using Names = std::vector<std::string>;
  CHECK(plan(known({false, false, false}, {true, true, true})).order ==
        Names{"base", "libc", "linux", "tools", "weir", "weir-settings"});
  KnownLayers with_modules = known({false, false, false}, {true, true, true});
  with_modules.files.push_back({"file", "usr/lib/modules/6/updates/a.ko", digest_of("a")});
  CHECK(plan(std::move(with_modules)).order ==
        Names{"base", "libc", "linux", "tools", "weir-modules", "weir", "weir-settings"});
}

TEST_CASE_FIXTURE(PlanFixture,
                  "the kernel's layer waits for modules that are to be compiled first") {
  input.manifest.module_sources["jool"] = {"", "", {}, "jool-dkms"};
  KnownLayers answers = known({true, true, true}, {true, true, true});
  answers.own.uncompiled = {"jool-dkms"};
  const BuildPlan made = plan(std::move(answers));
  CHECK(ways(made) == std::vector{kReuse, kWait, kReuse});
  CHECK_FALSE(all_others(made).has_value());
  CHECK(std::count(made.order.begin(), made.order.end(), "weir-modules") == 1);
}

TEST_CASE_FIXTURE(
    PlanFixture,
    "the kernel's layer waits for the others where the manifest takes modules from them") {
  input.manifest.module_sources["wireguard"] = {.package = "tools"};
  BuildPlan made = plan(known({true, true, false}, {true, true, true}));
  CHECK(ways(made) == std::vector{kReuse, kWait, kMake});
  CHECK_FALSE(all_others(made).has_value());
  CHECK(sums_of(input, made).wait == 1);

  // With all others there, the plan says all.
  made = plan(known({true, true, true}, {true, true, true}));
  const auto others = all_others(made);
  REQUIRE(others.has_value());
  const auto questions = kernel_questions(input, *others, {}, kProgram);
  REQUIRE(questions.size() == 1);
  CHECK(questions[0].package == 1);
  take_kernel(input, made, questions, {facts_of("linux")});
  CHECK(ways(made) == std::vector{kReuse, kReuse, kReuse});
  take_kernel(input, made, questions, {std::nullopt});
  CHECK(ways(made) == std::vector{kReuse, kMake, kReuse});
}

TEST_CASE_FIXTURE(PlanFixture, "of a kernel in several packages all layers are made, or none") {
  input.lock.kernel = "linux-image-7.3-amd64";
  input.lock.packages = {package("libc", 300), package("linux-binary-7.3-amd64", 400),
                         package("linux-image-7.3-amd64", 1),
                         package("linux-modules-7.3-amd64", 2)};
  const std::vector<bool> cached(4, true);
  BuildPlan made = plan(known({true, true, true, true}, cached));
  CHECK(ways(made) == std::vector{kReuse, kReuse, kReuse, kReuse});
  CHECK(all_others(made)->size() == 1);
  made = plan(known({false, true, true, false}, cached));
  CHECK(ways(made) == std::vector{kMake, kMake, kMake, kMake});
  CHECK_FALSE(made.packages[1].there.has_value());
  using Role = KernelRole;
  const Role roles[] = {Role::none, Role::part, Role::named, Role::part};
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(made.packages[i].question.options.kernel == roles[i]);
    CHECK(made.packages[i].question.options.kernel_packages.size() == (i == 0 ? 0 : 3));
  }
  // One of its packages is another: the layers of all are others.
  const auto before = layer_questions(input, kProgram);
  input.lock.packages[1].digest = digest_of("other");
  const auto after = layer_questions(input, kProgram);
  for (std::size_t i = 0; i < 4; ++i) CHECK((before[i].key == after[i].key) == (i == 0));

  input.manifest.module_sources["wireguard"] = {.package = "libc"};
  made = plan(known({true, true, true, true}, cached));
  CHECK(ways(made) == std::vector{kReuse, kWait, kWait, kWait});
  LayerFacts libc = facts_of("libc");
  const auto questions = kernel_questions(input, {&libc}, {}, kProgram);
  REQUIRE(questions.size() == 3);
  CHECK(questions[0].package == 2);
  take_kernel(input, made, questions, {facts_of("a"), facts_of("b"), facts_of("c")});
  CHECK(ways(made) == std::vector{kReuse, kReuse, kReuse, kReuse});
  take_kernel(input, made, questions, {facts_of("a"), std::nullopt, facts_of("c")});
  CHECK(ways(made) == std::vector{kReuse, kMake, kMake, kMake});
}

TEST_CASE_FIXTURE(PlanFixture,
                  "a module in another layer changes what the kernel's layer is called") {
  const BuildPlan made = plan(known({true, true, true}, {true, true, true}));
  LayerFacts libc = facts_of("libc"), tools = facts_of("tools");
  CHECK(kernel_questions(input, {&libc, &tools}, {}, kProgram).empty());
  tools.modules.push_back({"usr/lib/modules/6/extra/a.ko", digest_of("a")});
  const auto questions = kernel_questions(input, {&libc, &tools}, {}, kProgram);
  REQUIRE(questions.size() == 1);
  CHECK(questions[0].key != made.packages[1].question.key);
  REQUIRE(questions[0].options.foreign.modules.size() == 1);
  CHECK(questions[0].options.foreign.modules[0].package == "tools");
}

TEST_CASE_FIXTURE(PlanFixture, "another builder asks for other layers") {
  const auto ours = layer_questions(input, kProgram), others = layer_questions(input, "another");
  REQUIRE(ours.size() == 3);
  for (std::size_t i = 0; i < ours.size(); ++i) CHECK(ours[i].key != others[i].key);
}

}  // namespace weir::builder
