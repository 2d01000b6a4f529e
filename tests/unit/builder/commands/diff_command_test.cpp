// weir-builder diff as a person runs it.
#include <doctest/doctest.h>

#include "tests/unit/builder/release/build_fixture.h"

namespace weir::builder {

TEST_CASE("two stores are compared, and what travels is what differs in their blobs") {
  Fixture fixture;
  (void)fixture.built();
  fixture.run("cp -r store first");
  fixture.tool("a newer tool", "1.1");
  fixture.manifest.replace(fixture.manifest.find("quiet"), 5, "loud");
  fixture.lock();
  (void)fixture.built();

  const auto out = fixture.builder("diff first:demo store:demo --json --html page.html");
  REQUIRE_MESSAGE(out.status == 0, out.out);
  const auto json = nlohmann::json::parse(out.out);
  CHECK(json.at("same") == false);
  CHECK(json.at("kernel").at("change") == "unchanged");
  REQUIRE(json.at("packages").size() == 1);
  CHECK(json.at("packages")[0].at("name") == "tool");
  CHECK(json.at("packages")[0].at("change") == "upgraded");
  CHECK(json.at("packages")[0].at("to") == "1.1");
  // By name and size of the files in both stores; documents are not counted.
  std::uint64_t bytes = 0;
  const auto release = fixture.release();
  for (const auto& layer : release.at("layers")) {
    const std::string blob = fixture.blob(layer.at("blob"));
    const std::string before = "first" + blob.substr(5);
    if (!fs::exists(fixture.path() + "/" + before)) bytes += fixture.read(blob).size();
  }
  CHECK(bytes > 0);
  CHECK(json.at("travel").at("bytes") == bytes);
  CHECK(json.at("travel").at("names") == nlohmann::json::parse(R"(["tool", "weir-settings"])"));
  CHECK(fixture.read("page.html").starts_with("<!doctype html>"));

  const auto text = fixture.builder("diff first:demo store:demo --files --html page.html");
  CHECK(text.out.ends_with("\nwrote page.html\n"));
  CHECK(text.out.find("content    /usr/bin/tool\n") != std::string::npos);
  CHECK(text.out.find("command_line: quiet -> loud") != std::string::npos);
  const auto same = fixture.builder("diff demo demo --store store");
  CHECK(same.out.find("the same release, bit by bit") != std::string::npos);
}

TEST_CASE("what cannot be compared says why") {
  const Fixture fixture;
  (void)fixture.built();
  const auto refused = [&](const std::string& arguments, int status, const std::string& expected) {
    const auto out = fixture.builder("diff " + arguments);
    CAPTURE(out.out);
    CHECK(WEXITSTATUS(out.status) == status);
    CHECK(out.out.find(expected) != std::string::npos);
  };
  refused("demo --store store", 2, "which A B?");
  refused("demo demo demo --store store", 2, "too many arguments");
  refused("demo demo", 1, "'demo': in which store? Say --store DIR, or DIR:demo");
  refused("demo absent --store store", 1, "no release 'absent'");
  refused("nowhere:demo demo --store store", 1, "nowhere: no store here");
  const auto release = fixture.release();
  for (const auto& layer : release.at("layers")) {
    if (layer.at("name") == "tool") fixture.write(fixture.blob(layer.at("blob")), "x");
  }
  refused("demo demo --store store", 1, "release demo: layer tool: ");
}

}  // namespace weir::builder
