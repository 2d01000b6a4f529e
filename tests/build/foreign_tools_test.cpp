// What stock tools say of a real release: openssl of its provenance, diffoscope of a second build,
// modprobe of its modules, and the specifications of its bills of materials.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>

#include "tests/build/example.h"
#include "tests/folders.h"

namespace weir::builder {
namespace {

using nlohmann::json;
using test::Example;
using test::kBuilder;

const std::string kTools =
    "/usr/bin/python3 -W ignore " + test::source_folder() + "/tests/schemas/";

std::string last_name(std::string path) {
  path = path.substr(path.rfind('/') + 1);
  return path.substr(0, path.find(".ko"));
}

/// modules.dep: each module, and what has to be loaded before it, the last of the line first.
std::map<std::string, std::vector<std::string>> load_orders(const std::string& modules_dep) {
  std::map<std::string, std::vector<std::string>> out;
  std::istringstream lines(modules_dep);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line.substr(line.find(':') + 1));
    std::vector<std::string> order;
    for (std::string word; words >> word;) order.insert(order.begin(), last_name(word));
    const std::string name = last_name(line.substr(0, line.find(':')));
    order.push_back(name);
    out[name] = std::move(order);
  }
  return out;
}

}  // namespace

TEST_CASE("a real release's provenance and bills are what stock tools accept") {
  const Example example("gateway-6.12");
  (void)example.build();
  const std::string of = " gateway-6.12 --store store --key k.pub ";
  example.run(kBuilder + "verify" + of + "--provenance");
  const json statement = json::parse(
      example.run(kTools + "dsse.py store/attestations/*/provenance.intoto.jsonl k.pub"));
  example.run(kBuilder + "sbom" + of + "--format spdx --out spdx && " + kBuilder + "sbom" + of +
              "--format cyclonedx --out cyclonedx");
  const char* official = std::getenv("WEIR_OFFICIAL_SCHEMAS");
  CHECK(example.run(kTools + "sbom.py spdx cyclonedx " + (official != nullptr ? official : "")) ==
        "\n");

  // Every artifact, by sha256sum over what the cache and the store have.
  std::size_t found = 0;
  const auto check = [&](const json& artifacts) {
    for (const json& each : artifacts) {
      const std::string digest = each.at("digest").at("sha256");
      if (each.at("name").get<std::string>().starts_with("InRelease of ")) continue;
      CAPTURE(each.at("name"));
      example.run("f=store/blobs/sha256/" + digest + "; [ -f $f ] || f=" + test::build_folder() +
                  "/test-cache/blobs/sha256/" + digest + "; sha256sum < $f | grep -q " + digest);
      ++found;
    }
  };
  const json& build = statement.at("predicate").at("buildDefinition");
  check(statement.at("subject"));
  check(build.at("resolvedDependencies"));
  check(statement.at("predicate").at("runDetails").at("byproducts"));
  CHECK(found > 80);

  // dpkg's own list of the image, against the bills' package URLs.
  example.unpack();
  std::set<std::string> installed, listed;
  std::istringstream names(
      example.run("sed -n 's/^Package: //p' $(ls root/var/lib/dpkg/status.d/* | grep -v md5sums)"));
  for (std::string name; names >> name;) installed.insert(name);
  const json bill = json::parse(test::bytes_of(example.folder.path + "/cyclonedx"));
  for (const json& each : bill.at("components")) {
    if (each.contains("purl")) listed.insert(each.at("name"));
  }
  CHECK(listed == installed);
}

TEST_CASE(
    "diffoscope finds nothing in a second build, elsewhere, and a byte where one is changed") {
  const Example example("gateway-6.12");
  (void)example.build("umask 077; export TZ=Pacific/Kiritimati");
  example.run("rm -rf " + test::build_folder() + "/test-cache/layers");
  (void)example.build("umask 002; export TZ=America/St_Johns", "deep/er/store");
  const std::string compare =
      "diffoscope --exclude-directory-metadata=recursive store deep/er/store";
  CHECK(example.run(compare) == "");
  example.run(
      "printf x | dd of=deep/er/store/releases/gateway-6.12/release.json bs=1 seek=99 "
      "conv=notrunc status=none");
  int status = 0;
  const std::string said = test::output_of("cd " + example.folder.path + " && " + compare, &status);
  CHECK(WEXITSTATUS(status) == 1);
  CHECK(said.find("release.json") != std::string::npos);
}

TEST_CASE("modprobe loads what our dependency list says, in an order that ours is one of") {
  for (const std::string name : {"gateway-6.1", "gateway-6.12"}) {
    CAPTURE(name);
    const Example example(name);
    (void)example.build();
    example.unpack();
    const std::string kernel = example.release().at("kernel").at("release");
    const std::string modules = "/lib/modules/" + kernel;
    const auto ours =
        load_orders(test::bytes_of(example.folder.path + "/root" + modules + "/modules.dep"));
    // modprobe reads an index that only depmod writes: made beside the image, from the same files.
    example.run("mkdir -p other" + modules + " && cp -r root" + modules + "/. other" + modules +
                " && rm other" + modules + "/modules.dep && touch other" + modules +
                "/modules.order && /sbin/depmod -b $PWD/other " + kernel);
    REQUIRE(ours.contains("wireguard"));
    for (const auto& one : ours) {
      const std::string& module = one.first;
      const std::vector<std::string>& order = one.second;
      CAPTURE(module);
      std::vector<std::string> theirs;
      std::istringstream lines(
          example.run("/sbin/modprobe -d $PWD/other -S " + kernel + " --show-depends " + module));
      for (std::string line; std::getline(lines, line);) {
        CAPTURE(line);
        if (line.starts_with("builtin ")) continue;
        REQUIRE(line.starts_with("insmod "));
        while (line.ends_with(' ')) line.pop_back();
        theirs.push_back(last_name(line));
      }
      CHECK(std::set(theirs.begin(), theirs.end()) == std::set(order.begin(), order.end()));
      CHECK(theirs.size() == order.size());
      CHECK(theirs.back() == module);
      // Whatever modprobe would load before one of them, ours loads before it too.
      for (std::size_t i = 0; i < order.size(); ++i) {
        for (const std::string& before : ours.at(order[i])) {
          CHECK(std::find(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                          before) != order.begin() + static_cast<std::ptrdiff_t>(i) + 1);
        }
      }
    }
  }
}

}  // namespace weir::builder
