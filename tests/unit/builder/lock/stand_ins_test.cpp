#include "builder/lock/stand_ins.h"

#include <doctest/doctest.h>

#include "solver_fixture.h"

namespace weir::builder {

TEST_CASE("a package that is asked for counts before a reviewed list's stand-in for its name") {
  // As Debian 13 has it.
  const std::string text =
      kKernels +
      paragraph("systemd-standalone-tmpfiles", "257.9-1",
                {{"Replaces", "systemd-tmpfiles"},
                 {"Provides", "systemd-tmpfiles (= 257.9-1)"},
                 {"Conflicts", "systemd (<< 249.3-3), systemd-tmpfiles"}}) +
      paragraph("systemd", "257.9-1", {{"Provides", "systemd-tmpfiles (= 257.9-1)"}}) +
      paragraph("no-cron", "1", {{"Conflicts", "cron"}}) + paragraph("cron", "3");
  std::vector<PackageIndex> indices;
  indices.push_back(index(text));
  const auto written = with_stand_ins({"systemd-standalone-tmpfiles", "no-cron"});
  auto merged = written;
  for (const char* name : {"systemd", "systemd-tmpfiles", "cron"}) merged.provides.push_back(name);
  // Without it, nothing can be installed.
  CHECK_FALSE(resolve(merged, indices).has_value());
  const auto said = yield_to_packages(written, indices, merged);
  REQUIRE_MESSAGE(said.has_value(), said.error().message);
  CHECK(*said == std::vector<std::string>{
                     "reviewed: Weir does not stand in for systemd-tmpfiles, which "
                     "systemd-standalone-tmpfiles, asked for in packages, provides",
                     "reviewed: Weir does not stand in for cron, which no-cron, asked for in "
                     "packages, conflicts with"});
  CHECK(merged.provides.size() == written.provides.size() + 1);
  const auto out = resolve(merged, indices);
  REQUIRE_MESSAGE(out.has_value(), out.error().message);
  CHECK(named(*out, "systemd-standalone-tmpfiles").version == "257.9-1");

  auto own = written;
  own.provides.push_back("systemd-tmpfiles");
  auto both = own;
  CHECK(
      yield_to_packages(own, indices, both).error().message ==
      "packages[0]: systemd-standalone-tmpfiles conflicts with systemd-tmpfiles, which Weir is to "
      "stand in for (provides): leave one of the two out");
}

}  // namespace weir::builder
