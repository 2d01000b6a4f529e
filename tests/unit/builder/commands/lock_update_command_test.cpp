// weir-builder lock --update and --check as a person runs them.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "manifests/documents/lock.h"
#include "tests/unit/builder/layers/archive_fixture.h"

namespace weir::builder {
namespace {

using nlohmann::json;

const std::string kKernelManifest =
    paragraph("linux-image-6.1.0-9-cloud-amd64", "6.1.20-1", {{"Depends", "kmod"}});
const std::string kNewKernel =
    paragraph("linux-image-6.1.0-10-cloud-amd64", "6.1.37-1", {{"Depends", "kmod"}});
const std::string kTool = paragraph("tool", "1.0", {{"Depends", "lib"}});
const std::string kNewTool = paragraph("tool", "2.0", {{"Depends", "lib"}});
const std::string kLib = paragraph("lib", "1.1"), kNewLib = paragraph("lib", "1.2");
const std::string kKmod = paragraph("kmod", "30");

/// An archive whose lock was made before a newer kernel, tool and library came.
struct Moved : Archive {
  Moved() {
    REQUIRE(lock().status == 0);
    republish(kKernelManifest + kNewKernel + kKmod + kTool + kNewTool + kLib + kNewLib);
  }
  [[nodiscard]] std::map<std::string, std::string> versions() const {
    const auto parsed = manifests::parse_lock(text());
    REQUIRE_MESSAGE(parsed.has_value(), parsed.error().message);
    std::map<std::string, std::string> out;
    for (const auto& package : parsed->packages) out[package.name] = package.version;
    return out;
  }
  json check(int status) {
    const auto outcome = lock("--check --json 2>/dev/null");
    CAPTURE(outcome.out);
    REQUIRE(outcome.status == status);
    return json::parse(outcome.out);
  }
  void refused(const std::string& arguments, const std::string& expected) {
    const std::string before = text();
    const auto outcome = lock(arguments);
    CAPTURE(outcome.out);
    CHECK(outcome.status == 1);
    CHECK(outcome.out.find(expected) != std::string::npos);
    CHECK(text() == before);
  }
};

using Versions = std::map<std::string, std::string>;

}  // namespace

TEST_CASE_FIXTURE(Moved, "--update moves what is asked and nothing else") {
  REQUIRE(lock("--update tool").status == 0);
  CHECK(versions() ==
        Versions{{"lib", "1.1"}, {"tool", "2.0"}, {"linux-image-6.1.0-9-cloud-amd64", "6.1.20-1"}});
  const auto parsed = manifests::parse_lock(text());
  REQUIRE(parsed.has_value());
  CHECK(parsed->source_epoch == dated);
  REQUIRE(lock("--update kernel").status == 0);
  CHECK(versions() == Versions{{"lib", "1.1"},
                               {"tool", "2.0"},
                               {"linux-image-6.1.0-10-cloud-amd64", "6.1.37-1"}});
  REQUIRE(lock("--update 'l*b'").status == 0);
  CHECK(versions().at("lib") == "1.2");
  const auto all = lock();
  REQUIRE(all.status == 0);
  CHECK(all.out.find("changes   none") != std::string::npos);
}

TEST_CASE_FIXTURE(Moved, "--update without a name moves everything") {
  REQUIRE(lock("--update").status == 0);
  CHECK(versions() == Versions{{"lib", "1.2"},
                               {"tool", "2.0"},
                               {"linux-image-6.1.0-10-cloud-amd64", "6.1.37-1"}});
}

TEST_CASE_FIXTURE(Moved, "our own programs stay unless they are asked for") {
  REQUIRE(write_file(folder.path + "/programs/weir-node", "newer").has_value());
  const auto node = [&] {
    const auto parsed = manifests::parse_lock(text());
    REQUIRE(parsed.has_value());
    return parsed->programs.at(1).digest;
  };
  REQUIRE(lock("--update tool").status == 0);
  CHECK(node() == Digest::of(as_bytes("node")));
  REQUIRE(lock("--update weir-node").status == 0);
  CHECK(node() == Digest::of(as_bytes("newer")));
}

TEST_CASE_FIXTURE(Moved, "a package that is new in the manifest comes, and the others stay") {
  republish(packages + paragraph("extra", "1"));
  manifest.replace(manifest.find("[tool]"), 6, "[tool, extra]");
  REQUIRE(lock("--update extra").status == 0);
  CHECK(versions().at("extra") == "1");
  CHECK(versions().at("tool") == "1.0");
  CHECK(versions().at("lib") == "1.1");
}

TEST_CASE_FIXTURE(Moved, "an update that cannot be had without more says what to do") {
  refused("--update tol", "--update tol: nothing in the lock has this name; closest: tool");
  republish(kKernelManifest + kKmod + kTool + kNewTool + kNewLib);
  refused("--update tool",
          "have left the signed indices, so no lock of today can hold them: let "
          "them move too, with --update lib");
  CHECK(lock("--update tool lib").status == 0);
  // The newest that fits what stays; where none does, the solver's reason.
  const std::string third = paragraph("tool", "3.0", {{"Depends", "lib (>= 3)"}});
  republish(kKernelManifest + kKmod + third + kNewTool + kNewLib + paragraph("lib", "3.0"));
  CHECK(lock("--update tool").status == 0);
  CHECK(versions().at("tool") == "2.0");
  republish(kKernelManifest + kKmod + third + kNewLib + paragraph("lib", "3.0"));
  refused("--update tool", "--update more of them, if they may move");
  CHECK(lock("--update tool --update lib").status == 0);
  CHECK(versions().at("tool") == "3.0");
  manifest.replace(manifest.find("6.1.*"), 5, "6.2.*");
  refused("--update tool", "is not the kernel that was to stay (linux-image-6.1.0-9-cloud-amd64)");
}

TEST_CASE_FIXTURE(Moved, "--check tells what is newer and what has vanished, by its exit status") {
  const json newer = check(4);
  CHECK(newer.at("current") == false);
  CHECK(newer.at("vanished").empty());
  CHECK(newer.at("newer") == json::parse(R"([{"name": "lib", "from": "1.1", "to": "1.2"},
                        {"name": "linux-image-6.1.0-10-cloud-amd64", "from": null, "to": "6.1.37-1"},
                        {"name": "linux-image-6.1.0-9-cloud-amd64", "from": "6.1.20-1", "to": null},
                        {"name": "tool", "from": "1.0", "to": "2.0"}])"));
  republish(kNewKernel + kKmod + kTool + kLib);
  const std::string cached = folder.path + "/cache/blobs/sha256/" +
                             Digest::of(as_bytes("linux-image-6.1.0-9-cloud-amd64 6.1.20-1")).hex();
  CHECK(check(4).at("vanished") ==
        json::parse(R"([{"name": "linux-image-6.1.0-9-cloud-amd64", "version": "6.1.20-1",
                         "suite": "stable", "cached": false}])"));
  REQUIRE(write_file(cached, "x").has_value());
  CHECK(check(4).at("vanished")[0].at("cached") == true);
  const auto text_form = lock("--check");
  CHECK(text_form.status == 4);
  CHECK(text_form.out.find("still in the cache") != std::string::npos);
  REQUIRE(lock().status == 0);
  CHECK(check(0).at("current") == true);
  manifest += "documentation: true\n";
  CHECK(check(4).at("manifest_changed") == true);
}

TEST_CASE_FIXTURE(Moved, "a lock whose digests are not those of the signed index is refused") {
  std::string changed = text();
  const std::string digest = Digest::of(as_bytes("lib 1.1")).hex();
  changed.replace(changed.find(digest), 64, std::string(64, '7'));
  REQUIRE(write_file(path(), changed).has_value());
  refused("--check", "lib 1.1: the lock has digest 7777");
  refused("--update tool", "lib 1.1: the lock has digest 7777");
  CHECK(lock().status == 0);
}

TEST_CASE_FIXTURE(Moved, "an index older than the one locked is refused, whatever is asked") {
  REQUIRE(lock().status == 0);
  dated -= 30;
  publish();
  for (const char* how : {"", "--update tool", "--check", "--plan"}) {
    refused(how, "suite stable: InRelease: is dated " + date(dated) + ", before the one locked (" +
                     date(dated + 30) + ")");
  }
  dated += 30;
  publish();
  CHECK(lock().status == 0);
}

TEST_CASE_FIXTURE(Moved, "a lock that is not there or cannot be read is not guessed at") {
  const std::string good = text();
  std::string old = good;
  old.replace(old.find("weir.lock/3"), 11, "weir.lock/1");
  REQUIRE(write_file(path(), old).has_value());
  refused("", "type: 'weir.lock/1' is not 'weir.lock/3': remove this lock and lock again");
  std::string twice = good;
  const auto first = twice.find("    {\n      \"name\": \"lib\""),
             next = twice.find("    {", first + 5);
  twice.insert(next, twice.substr(first, next - first));
  REQUIRE(write_file(path(), twice).has_value());
  refused("", "packages[1].name: 'lib' is out of order or there twice");
  test::must("rm " + path());
  for (const char* how : {"--check", "--update tool"}) {
    const auto outcome = lock(how);
    CHECK(outcome.status == 1);
    CHECK(outcome.out.find("no lock yet: run weir-builder lock") != std::string::npos);
  }
  CHECK(lock("--check --update tool").status == 2);
}

}  // namespace weir::builder
