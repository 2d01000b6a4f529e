#include "builder/layers/missing.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace weir::builder {

TEST_CASE("all that keeps an image from being made is said at once, a line each") {
  CHECK(check_complete({}).has_value());
  CHECK(lines_of({}, "image.yaml").empty());
  const Missing all{{"a postinst sha256 12", "b preinst sha256 34"},
                    {"c: /x holds a key"},
                    {"/usr/bin/d (d) needs libe.so.1"},
                    {"/etc/f is in both f and g"}};
  const Status said = check_complete(all);
  REQUIRE_FALSE(said.has_value());
  CHECK(said.error().code == Errc::unauthorized);
  CHECK(said.error().message == "5 things are in the way of this image, listed above");
  const auto lines = lines_of(all, "image.yaml");
  REQUIRE(lines.size() == 9);
  CHECK(std::vector<std::string>(lines.begin(), lines.begin() + 5) ==
        std::vector<std::string>{"  script a postinst sha256 12", "  script b preinst sha256 34",
                                 "  secret c: /x holds a key",
                                 "  link /usr/bin/d (d) needs libe.so.1",
                                 "  conflict /etc/f is in both f and g"});
  CHECK(lines[5].find("weir-builder scripts image.yaml") != std::string::npos);
  const Missing refused{
      .scripts = {}, .secrets = {}, .links = {}, .conflicts = {}, .refused = {"a: climbs out"}};
  CHECK(lines_of(refused, "image.yaml").front() == "  refused a: climbs out");
  CHECK(check_complete(refused).error().code == Errc::invalid_input);
  CHECK(check_complete({{}, {}, {"one"}, {}}).error().code == Errc::not_found);
  CHECK(check_complete({{}, {}, {"one"}, {"two"}}).error().code == Errc::invalid_input);
}

}  // namespace weir::builder
