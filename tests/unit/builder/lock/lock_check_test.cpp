#include "builder/lock/lock_check.h"

#include <doctest/doctest.h>

#include "builder/lock/lock_update.h"
#include "packages_fixture.h"

namespace weir::builder {
namespace {

using manifests::LockedSource;

LockedSource source(const char* suite, const char* date) {
  return {suite, Digest::of(as_bytes(date)), date, std::string(40, 'A')};
}

manifests::LockedPackage locked(const std::string& name, const std::string& version,
                                const std::string& suite = "stable") {
  const std::string content = name + " " + version;
  return {name,
          version,
          "amd64",
          "pool/x.deb",
          ByteCount{content.size()},
          Digest::of(as_bytes(content)),
          suite,
          "asked for"};
}

manifests::Lock lock(std::vector<manifests::LockedPackage> packages) {
  return {.name = *ReleaseName::parse("g"),
          .architecture = "amd64",
          .manifest_digest = Digest::of({}),
          .source_epoch = 0,
          .sources = {},
          .kernel = packages.front().name,
          .packages = packages,
          .provides = {},
          .accept_scripts = {},
          .programs = {{"weir-init", Digest::of({}), {}}, {"weir-node", Digest::of({}), {}}},
          .builder_version = "0",
          .compressor = "none"};
}

}  // namespace

TEST_CASE("no suite may go back in time; suites of only one side do not count") {
  const char* early = "Sat, 11 Jul 2026 10:16:37 UTC";
  const char* late = "Sat, 21 Nov 2026 02:10:46 UTC";
  CHECK(check_not_older({source("a", early)}, {source("a", late)}).has_value());
  CHECK(check_not_older({source("a", late)}, {source("a", late)}).has_value());
  CHECK(check_not_older({source("a", late)}, {source("b", early)}).has_value());
  const auto back = check_not_older({source("b", early), source("a", late)},
                                    {source("a", early), source("b", late)});
  REQUIRE_FALSE(back.has_value());
  CHECK(back.error().code == Errc::integrity);
  CHECK(back.error().message.starts_with("suite a: InRelease: is dated Sat, 11 Jul 2026"));
  CHECK_FALSE(check_not_older({source("a", "yesterday")}, {source("a", late)}).has_value());
}

TEST_CASE("what a suite no longer has is found, and what it has differently is refused") {
  std::vector<PackageIndex> indices;
  for (const char* suite : {"stable", "security"}) {
    auto index = PackageIndex::parse(paragraph("tool", "1") + paragraph("lib", "2"), suite, false);
    REQUIRE(index.has_value());
    indices.push_back(std::move(*index));
  }
  auto gone = vanished_from(indices, lock({locked("lib", "1"), locked("tool", "1")}));
  REQUIRE(gone.has_value());
  REQUIRE(gone->size() == 1);
  CHECK(gone->front().name == "lib");
  // Another suite's package lies elsewhere.
  gone = vanished_from(indices, lock({locked("tool", "1", "updates")}));
  REQUIRE(gone.has_value());
  CHECK(gone->size() == 1);
  auto changed = lock({locked("tool", "1")});
  changed.packages[0].digest = Digest::of(as_bytes("other"));
  gone = vanished_from(indices, changed);
  REQUIRE_FALSE(gone.has_value());
  CHECK(gone.error().code == Errc::integrity);
}

TEST_CASE("each package of a lock stands in its suite's index as it is locked, or is named") {
  std::vector<PackageIndex> indices;
  for (const char* suite : {"stable", "security"}) {
    auto index = PackageIndex::parse(paragraph("tool", "1") + paragraph("tool", "2"), suite, false);
    REQUIRE(index.has_value());
    indices.push_back(std::move(*index));
  }
  auto good = locked("tool", "1", "security");
  good.path = "pool/main/tool_1.deb";
  CHECK(check_indexed(indices, lock({good})).has_value());
  const auto says = [&](auto change) {
    auto changed = good;
    change(changed);
    const auto status = check_indexed(indices, lock({good, changed}));
    REQUIRE_FALSE(status.has_value());
    CHECK(status.error().code == Errc::integrity);
    return status.error().message;
  };
  CHECK(says([](auto& one) { one.name = "tol"; }) ==
        "tol 1 (amd64) is not in the signed index of security");
  CHECK(says([](auto& one) { one.version = "3"; }) ==
        "tool 3 (amd64) is not in the signed index of security, which has 1, 2");
  CHECK(says([](auto& one) { one.architecture = "all"; }) ==
        "tool 1 (all) is not in the signed index of security, which has 1, 2");
  CHECK(says([](auto& one) { one.suite = "updates"; }) ==
        "tool 1 (amd64) is not in the signed index of updates");
  CHECK(says([](auto& one) { one.size.value = 3; }) ==
        "tool 1: the lock has size 3, the signed index of security has 6");
  CHECK(says([](auto& one) { one.path = "pool/x.deb"; }) ==
        "tool 1: the lock has path pool/x.deb, the signed index of security has "
        "pool/main/tool_1.deb");
  CHECK(says([](auto& one) { one.digest = Digest::of({}); }) ==
        "tool 1: the lock has digest " + Digest::of({}).hex() +
            ", the signed index of security has " + good.digest.hex());
}

TEST_CASE("a lock's sources are the manifest's suites, and its age is the newest of their dates") {
  auto document = lock({locked("tool", "1")});
  document.sources = {source("a", "Sat, 21 Nov 2026 02:10:46 UTC"),
                      source("b", "Sat, 11 Jul 2026 10:16:37 UTC")};
  document.source_epoch = 1795227046;  // date -d, of the former
  const auto named = [](std::initializer_list<const char*> labels) {
    std::vector<SuiteSource> out;
    for (const char* label : labels) out.push_back({label, label});
    return out;
  };
  CHECK(check_sources(named({"a", "b"}), document).has_value());
  for (const auto& suites : {named({"a"}), named({"b", "a"}), named({"a", "b", "c"})}) {
    CHECK_FALSE(check_sources(suites, document).has_value());
  }
  ++document.source_epoch;
  CHECK_FALSE(check_sources(named({"a", "b"}), document).has_value());
}

TEST_CASE("a lock for another compressor is not this builder's to build") {
  const auto document = lock({locked("tool", "1")});
  CHECK(check_compressor(document, "none").has_value());
  const auto other = check_compressor(document, "newc+zstd-1.5.4-3");
  REQUIRE_FALSE(other.has_value());
  CHECK(other.error().message ==
        "was made for the compressor none, and this builder has newc+zstd-1.5.4-3");
}

TEST_CASE("everything stays but what is named, by name, pattern or 'kernel'") {
  auto before = lock({locked("linux-1", "1"), locked("liba", "1"), locked("libb", "1")});
  const auto manifest = manifest_of({"fresh"});
  const auto stays = [&](const std::vector<std::string>& updates) {
    const auto kept = keep_all_but(updates, before, manifest);
    REQUIRE_MESSAGE(kept.has_value(), kept.error().message);
    std::vector<std::string> out;
    for (const auto& package : kept->packages) out.push_back(package.name);
    for (const auto& program : kept->programs) out.push_back(program.name);
    if (kept->kernel) out.push_back("kernel");
    return out;
  };
  using Names = std::vector<std::string>;
  CHECK(stays({"liba"}) == Names{"linux-1", "libb", "weir-init", "weir-node", "kernel"});
  CHECK(stays({"lib*"}) == Names{"linux-1", "weir-init", "weir-node", "kernel"});
  CHECK(stays({"kernel"}) == Names{"liba", "libb", "weir-init", "weir-node"});
  CHECK(stays({"linux-1", "weir-*"}) == Names{"liba", "libb"});
  // With the kernel all packages move that it comes in.
  before = lock({locked("linux-image-7.3-amd64", "1"), locked("linux-modules-7.3-amd64", "1"),
                 locked("libb", "1")});
  CHECK(stays({"kernel"}) == Names{"libb", "weir-init", "weir-node"});
  CHECK(stays({"libb"}) == Names{"linux-image-7.3-amd64", "linux-modules-7.3-amd64", "weir-init",
                                 "weir-node", "kernel"});
  CHECK(stays({"fresh"}).size() == 6);
  const auto wrong = keep_all_but({"libbb"}, before, manifest);
  REQUIRE_FALSE(wrong.has_value());
  CHECK(wrong.error().code == Errc::invalid_input);
  CHECK(wrong.error().message.find("closest: libb") != std::string::npos);
}

}  // namespace weir::builder
