// weir-builder lock as a person runs it, against an archive signed for the test.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "manifests/documents/lock.h"
#include "tests/folders.h"
#include "tests/unit/builder/layers/archive_fixture.h"
#include "tests/unit/builder/mirror/apt_root.h"

namespace weir::builder {
namespace {

using test::must;

}  // namespace

TEST_CASE_FIXTURE(Archive, "a lock pins every package, program and signed index, but no mirror") {
  const auto outcome = lock();
  REQUIRE_MESSAGE(outcome.status == 0, outcome.out);
  const auto parsed = manifests::parse_lock(text());
  REQUIRE_MESSAGE(parsed.has_value(), parsed.error().message);
  CHECK(parsed->kernel == "linux-image-6.1.0-9-cloud-amd64");
  REQUIRE(parsed->packages.size() == 3);
  CHECK(parsed->packages[0].name == "lib");
  CHECK(parsed->packages[0].why == "needed by tool");
  CHECK(parsed->packages[2].why == "asked for");
  CHECK(parsed->source_epoch == now - 3600);
  CHECK(parsed->sources.at(0).inrelease_digest ==
        Digest::of(as_bytes(files.at("/debian/dists/stable/InRelease"))));
  CHECK(parsed->sources.at(0).signer == key.fingerprint());
  CHECK(parsed->compressor.starts_with("newc+zstd-"));
  CHECK("sha256:" + must("sha256sum " + folder.path + "/image.yaml | cut -c1-64 | tr -d '\\n'") ==
        parsed->manifest_digest.string());
  CHECK(parsed->programs.at(0).digest == Digest::of(as_bytes("init")));
  CHECK(text().find("127.0.0.1") == std::string::npos);
  CHECK(text().find(folder.path) == std::string::npos);
}

TEST_CASE_FIXTURE(Archive, "the same archive gives the same bytes") {
  REQUIRE(lock().status == 0);
  const std::string first = text();
  must("rm -r " + folder.path + "/cache " + path());
  REQUIRE(lock().status == 0);
  CHECK(text() == first);
}

TEST_CASE_FIXTURE(Archive, "a lock's version is its age, and rises whenever the lock changes") {
  const auto version = [&] { return nlohmann::json::parse(text()).at("version"); };
  REQUIRE(lock().status == 0);
  CHECK(version() == dated);
  REQUIRE(lock().status == 0);  // nothing changed
  CHECK(version() == dated);
  manifest += "command_line: quiet\n";  // the same indices
  const auto fixed = lock("--json 2>/dev/null");
  REQUIRE(fixed.status == 0);
  CHECK(version() == dated + 1);
  CHECK(nlohmann::json::parse(fixed.out).at("version") == dated + 1);
  REQUIRE(lock().status == 0);
  CHECK(version() == dated + 1);
  republish(packages);  // newer ones, by a minute
  REQUIRE(lock().status == 0);
  CHECK(version() == dated);
  // What a person states wins, and from there it goes on.
  const std::string without = manifest;
  manifest += "release: {version: " + std::to_string(dated + 1000) + "}\n";
  REQUIRE(lock().status == 0);
  CHECK(version() == dated + 1000);
  manifest = without;
  REQUIRE(lock().status == 0);
  CHECK(version() == dated + 1001);
}

TEST_CASE_FIXTURE(Archive, "a lock that could not be written is refused, also in a plan") {
  for (const std::string plan : {"", " --plan"}) {
    for (const auto& [out, says] :
         std::map<std::string, std::string>{{"none/l.json", "there is no folder none"},
                                            {"/dev/full", "/dev/full: is not a file"},
                                            {".", ".: is not a file"}}) {
      const auto refused = lock("--out " + out + plan);
      CAPTURE(refused.out);
      CHECK(refused.status != 0);
      CHECK(refused.out.find(says) != std::string::npos);
    }
  }
}

TEST_CASE_FIXTURE(Archive, "--plan shows what would change and writes nothing") {
  REQUIRE(lock("--plan").status == 0);
  CHECK_FALSE(std::filesystem::exists(path()));
  REQUIRE(lock().status == 0);
  const std::string before = text();
  packages += paragraph("lib", "1.2");
  publish();
  const auto plan = lock("--plan --json 2>/dev/null");
  REQUIRE_MESSAGE(plan.status == 0, plan.out);
  CHECK(text() == before);
  const auto json = nlohmann::json::parse(plan.out);
  CHECK(json.at("written") == false);
  CHECK(json.at("changes") ==
        nlohmann::json::parse(R"([{"name": "lib", "from": "1.1", "to": "1.2"}])"));
  REQUIRE(lock().status == 0);
  CHECK(json.at("lock_digest") == Digest::of(as_bytes(text())).string());
}

TEST_CASE_FIXTURE(Archive,
                  "whatever is wrong is one sentence, exit code 1, and the old lock stays") {
  REQUIRE(lock().status == 0);
  const std::string before = text();
  const auto good_files = files;
  const std::string good_manifest = manifest, good_packages = packages;
  const std::string inrelease = "/debian/dists/stable/InRelease";
  const auto refuse = [&](const std::string& expected) {
    must("rm -rf " + folder.path + "/cache");
    const auto outcome = lock();
    CAPTURE(outcome.out);
    CHECK(outcome.status == 1);
    // What is tried again is told before.
    const std::string last =
        outcome.out.substr(outcome.out.rfind('\n', outcome.out.size() - 2) + 1);
    CHECK(last.starts_with("weir-builder lock: "));
    CHECK(last.find(expected) != std::string::npos);
    CHECK(text() == before);
    files = good_files;
    manifest = good_manifest;
    packages = good_packages;
  };
  const auto replace = [](std::string& where, std::string_view from, std::string_view to) {
    const auto at = where.find(from);
    REQUIRE(at != std::string::npos);
    where.replace(at, from.size(), to);
  };

  replace(files[inrelease], "Acquire-By-Hash: yes", "Acquire-By-Hash: no!");
  refuse("/dists/stable/InRelease: a signature is bad");
  files[inrelease] = ThrowAwayKey().clear_sign(release(packed(), "stable"));
  refuse("which is not in the keyring");
  files[inrelease] = release(packed(), "stable");
  refuse("is not one clear-signed message");
  std::string expired = release(packed(), "stable");
  replace(expired, "Valid-Until: " + date(now + 3600), "Valid-Until: " + date(now - 7300));
  files[inrelease] = key.clear_sign(expired);
  refuse("expired 2 hours ago");
  files.erase(inrelease);
  refuse("InRelease: the mirror does not have it");
  for (auto& [name, content] : files) {
    if (name != inrelease) content[content.size() / 2] ^= 1;
  }
  refuse("the mirror serves other bytes than its signed index says");
  packages = "nonsense\n";
  publish();
  refuse("suite stable: main: line 1: is not 'Field: value'; and no other paragraph is of use");
  replace(manifest, "suites: [stable]", "suites: [stable], components: [contrib]");
  refuse("suite stable: has no component 'contrib' for architecture amd64");
  replace(manifest, "packages:", "pakages:");
  refuse("image.yaml:5: pakages: unknown field");
  replace(manifest, "6.1.*", "6.9.*");
  refuse("kernel.package: no kernel matches 'linux-image-6.9.*-cloud-amd64'");
  manifest += "constraints: {lib: '9.*'}\n";
  refuse("constraints.lib: no version matches '9.*'; the suites have 1.1");
  replace(manifest, "node_programs: programs", "node_programs: elsewhere");
  refuse("elsewhere/weir-init: no such program");
}

TEST_CASE_FIXTURE(Archive,
                  "an expired index is taken where somebody says so, and the lock says it") {
  const std::string inrelease = "/debian/dists/stable/InRelease";
  std::string expired = release(packed(), "stable");
  const std::string today = "Valid-Until: " + date(now + 3600), past = date(now - 60);
  expired.replace(expired.find(today), today.size(), "Valid-Until: " + past);
  files[inrelease] = key.clear_sign(expired);
  const auto refused = lock();
  CHECK(refused.status == 1);
  CHECK(refused.out.find("suite stable: ") != std::string::npos);
  CHECK(refused.out.find("say --accept-expired stable") != std::string::npos);
  const auto other = lock("--accept-expired unstable");
  CHECK(other.status == 1);
  CHECK(other.out.find("--accept-expired: there is no suite 'unstable'; those of the manifest are "
                       "stable") != std::string::npos);
  const auto taken = lock("--accept-expired stable");
  REQUIRE_MESSAGE(taken.status == 0, taken.out);
  CHECK(taken.out.find("note: suite stable: InRelease was valid until " + past +
                       ", and --accept-expired takes it") != std::string::npos);
  const auto parsed = manifests::parse_lock(text());
  REQUIRE(parsed.has_value());
  CHECK(parsed->sources.at(0).expired == past);
  CHECK(manifests::print(*parsed) == text());
  must(test::build_folder() + "/bin/weir-builder validate " + path());
  // One that has not is no more than any other.
  publish();
  REQUIRE(lock("--accept-expired stable").status == 0);
  CHECK(text().find("expired") == std::string::npos);
}

TEST_CASE_FIXTURE(Archive,
                  "a vendor's source that sorts first does not become the suite's mirror") {
  REQUIRE(write_file(folder.path + "/image.yaml", manifest).has_value());
  HttpServer vendor(HttpServer::files(
      {{"/apt/dists/stable/InRelease", ThrowAwayKey().clear_sign(release(packed(), "stable"))}}));
  HttpServer server(HttpServer::files(files));
  const AptRoot apt("deb [arch=amd64] " + vendor.url() + "/apt stable main\n" +
                    "deb [arch=amd64] " + server.url() + "/debian stable main\n");
  const std::string out = must(test::build_folder() + "/bin/weir-builder lock " + folder.path +
                               "/image.yaml --cache " + folder.path + "/cache");
  CHECK(out.find(vendor.url() + "/apt/dists/stable/InRelease: is signed by key") !=
        std::string::npos);
  CHECK(nlohmann::json::parse(text()).at("sources").at(0).at("signer") == key.fingerprint());
  for (const auto& request : vendor.requests()) CHECK(request.path.ends_with("/InRelease"));
}

TEST_CASE_FIXTURE(Archive, "an index may go without a Valid-Until, and be signed again") {
  const std::string inrelease = "/debian/dists/stable/InRelease";
  const auto locked = [&] { return nlohmann::json::parse(text()).at("sources").at(0); };
  std::string plain = release(packed(), "stable");
  const auto at = plain.find("Valid-Until: ");
  plain.erase(at, plain.find('\n', at) + 1 - at);
  files[inrelease] = key.clear_sign(plain);
  Outcome outcome = lock();
  REQUIRE_MESSAGE(outcome.status == 0, outcome.out);
  const auto first = locked();
  CHECK(first.at("inrelease_digest") == Digest::of(as_bytes(files[inrelease])).string());
  // The same date, other bytes.
  files[inrelease] = key.clear_sign(plain, "--digest-algo SHA512");
  for (const char* update : {"--update lib", ""}) {
    outcome = lock(update);
    REQUIRE_MESSAGE(outcome.status == 0, outcome.out);
    CHECK(locked().at("date") == first.at("date"));
    CHECK(locked().at("inrelease_digest") == Digest::of(as_bytes(files[inrelease])).string());
    CHECK(locked().at("inrelease_digest") != first.at("inrelease_digest"));
  }
}

TEST_CASE_FIXTURE(Archive, "a module from a file is locked by its digest, and kept in the cache") {
  const std::string digest = Digest::of(as_bytes("bytes")).hex();
  const std::string plain = manifest;
  manifest = plain +
             "modules: [{name: b, package: lib}, {name: a-c, file: a.ko, sha256: " + digest +
             "}]\n";
  const auto refused = [&](const std::string& expected) {
    const auto outcome = lock();
    CAPTURE(outcome.out);
    CHECK(outcome.status == 1);
    CHECK(outcome.out.find(expected) != std::string::npos);
  };
  refused("/a.ko: no such file, and the manifest takes the module a-c from it");
  REQUIRE(write_file(folder.path + "/a.ko", "other").has_value());
  refused("/a.ko has the digest " + Digest::of(as_bytes("other")).hex() +
          ", and the manifest pins the module a-c as " + digest);
  REQUIRE(write_file(folder.path + "/a.ko", "bytes").has_value());
  const auto outcome = lock();
  REQUIRE_MESSAGE(outcome.status == 0, outcome.out);
  const auto parsed = manifests::parse_lock(text());
  REQUIRE_MESSAGE(parsed.has_value(), parsed.error().message);
  CHECK(parsed->modules == std::vector<manifests::LockedModule>{
                               {"a-c", "a.ko", Digest::of(as_bytes("bytes")), ByteCount{5}}});
  CHECK(test::bytes_of(folder.path + "/cache/blobs/sha256/" + digest) == "bytes");
  must("rm " + path());
  manifest = plain + "modules: [{name: b, package: libb}]\n";
  refused("modules: b is to come from package libb, which is not in the image: add it to");
}

TEST_CASE("wrong usage is exit code 2, help is 0") {
  const auto status = [](const std::string& arguments) {
    int out = 0;
    test::output_of(test::build_folder() + "/bin/weir-builder " + arguments, &out);
    return WEXITSTATUS(out);
  };
  CHECK(status("") == 2);
  CHECK(status("nonsense") == 2);
  CHECK(status("lock") == 2);
  CHECK(status("lock a b") == 2);
  CHECK(status("lock a --nonsense") == 2);
  CHECK(status("--help") == 0);
  CHECK(status("lock --help") == 0);
  CHECK(status("lock /nonexistent.yaml") == 1);
}

TEST_CASE_FIXTURE(Archive, "--why explains a choice, for people and as JSON, and writes nothing") {
  const auto human = lock("--why lib 2>/dev/null");
  CHECK(human.status == 0);
  CHECK(human.out ==
        "lib 1.1 (stable) is in the image\n  tool: asked for\n  tool needs lib\n    lib\n");
  const auto machine = lock("--why lib --why kmod --json 2>/dev/null");
  REQUIRE(machine.status == 0);
  const auto told = nlohmann::json::parse(machine.out).at("explanations");
  REQUIRE(told.size() == 2);
  CHECK(told[0].at("version") == "1.1");
  CHECK(told[0].at("root") == "asked for");
  CHECK(told[0].at("way") == nlohmann::json::parse(R"([{"by": "tool", "relation": "lib",
                                                        "taken": "lib", "instead_of": []}])"));
  CHECK(told[1].at("in_image") == false);
  CHECK(told[1].at("stands_in") == true);
  CHECK(told[1].at("version") == nullptr);
  CHECK_FALSE(std::filesystem::exists(path()));
  CHECK(lock("--why nobody").status == 1);
  CHECK(lock("--why lib --check").status == 2);
}

}  // namespace weir::builder
