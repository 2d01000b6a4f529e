// What weir-builder's --plan promises is what then happens, and a plan leaves no trace.
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "tests/unit/builder/release/build_fixture.h"

namespace weir::builder {
namespace {

struct Planned : Fixture {
  [[nodiscard]] std::string everything() const {
    return run(
        "find . -printf '%p %s %T@\\n' | sort && find . -type f -exec sha256sum {} + | sort");
  }
  [[nodiscard]] nlohmann::json planned(const std::string& more = "") const {
    const Outcome out = build("--plan --json " + more);
    REQUIRE_MESSAGE(out.status == 0, out.out);
    return nlohmann::json::parse(out.out);
  }
  void refused_alike(const std::string& arguments, const std::string& says) const {
    for (const char* plan : {" --plan", ""}) {
      const Outcome out = builder(arguments + plan);
      CAPTURE(out.out);
      CHECK(WEXITSTATUS(out.status) == 1);
      CHECK(out.out.find(says) != std::string::npos);
    }
  }
};

std::size_t count(const nlohmann::json& layers, const char* field) {
  std::size_t out = 0;
  for (const auto& layer : layers) out += layer.at(field) == true ? 1 : 0;
  return out;
}

}  // namespace

TEST_CASE_FIXTURE(Planned, "what a build's plan says is what the build does") {
  const nlohmann::json first = planned();
  CHECK(first.at("signed_by").is_null());
  nlohmann::json made = built();
  CHECK(made.at("layers_built") == count(first.at("layers"), "make"));
  CHECK(made.at("layers_reused") == 0);
  std::vector<std::string> names;
  const nlohmann::json document = release();
  for (const auto& layer : document.at("layers")) names.push_back(layer.at("name"));
  CHECK(first.at("order").get<std::vector<std::string>>() == names);

  // One package moves: the plan says so, and the others stay.
  tool("tools", "1.1");
  lock();
  const nlohmann::json second = planned();
  CHECK(count(second.at("layers"), "make") == 1);
  made = built();
  CHECK(made.at("layers_built") == 1);
  CHECK(made.at("layers_reused") == second.at("layers").size() - 1);
  CHECK(count(planned().at("layers"), "make") == 0);
}

TEST_CASE_FIXTURE(Planned, "a plan makes no file and no folder, not even a cache") {
  const std::string before = everything();
  CHECK(builder("build image.yaml --key k.key --store new/store --cache new/cache --plan").status ==
        0);
  CHECK(build("--plan").status == 0);
  CHECK(everything() == before);
}

TEST_CASE_FIXTURE(Planned, "what could not be written is refused by the plan already") {
  write("file", "no folder");
  write("full/of/things", "x");
  write("full/other", "x");
  write("full/third", "x");
  const std::string build = "build image.yaml --key k.key --cache cache --store ";
  refused_alike(build + "file/store", "file/store");
  refused_alike(build + "full", "full: a folder that is not a store and not empty");
  refused_alike("build image.yaml --key k.key --store s --cache file/cache", "file");
  refused_alike("lock image.yaml --out none/image.lock.json", "there is no folder none");
  (void)built();
  for (const char* format : {"kernel", "pxe", "oci"}) {
    refused_alike(
        "export demo --store store --key k.pub --out none/a --format " + std::string(format),
        "there is no folder none");
  }
  refused_alike("export demo --store store --key k.pub --out none/a --format uki --stub init",
                "there is no folder none");
  write("store/statements", "no folder");
  refused_alike("rebuild demo --store store --cache cache --key k.key",
                "store/statements is not a folder");
}

TEST_CASE_FIXTURE(Planned, "a plan reads the key that would sign as its order does") {
  (void)built();
  write("junk.key", "junk\n");
  run("chmod 600 junk.key && cp k.key open.key && chmod 644 open.key && mkfifo -m 600 pipe.key");
  for (const auto& [key, says] : {std::pair{"open.key", "chmod 600"},
                                  {"junk.key", "junk.key: "},
                                  {"pipe.key", "pipe"},
                                  {"none.key",
                                   "none.key: No such file or directory; weir-keys generate --out "
                                   "NAME makes NAME.key and NAME.pub"}}) {
    const auto& shown = key;
    CAPTURE(shown);
    refused_alike(std::string("build image.yaml --store s --cache cache --key ") + key, says);
    refused_alike(std::string("rebuild demo --store store --cache cache --key ") + key, says);
    // Without a plan it needs root.
    const Outcome check =
        builder(std::string("boot-check demo --store store --key k.pub --plan --sign-with ") + key);
    CAPTURE(check.out);
    CHECK(WEXITSTATUS(check.status) == 1);
    CHECK(check.out.find(says) != std::string::npos);
  }
}

TEST_CASE_FIXTURE(Planned,
                  "a manifest that is missing, or wrong, is told alike by lock and build") {
  for (const char* command : {"lock", "build --unsigned --store s --cache cache", "scripts"}) {
    CAPTURE(command);
    const Outcome missing = builder(std::string(command) + " none.yaml 2>&1");
    CHECK(WEXITSTATUS(missing.status) == 1);
    CHECK(
        missing.out.find("none.yaml: No such file or directory; weir-builder init writes one\n") !=
        std::string::npos);
    write("bad.yaml", "\nname: demo\nufo: 1\n");
    const Outcome bad = builder(std::string(command) + " bad.yaml 2>&1");
    CHECK(WEXITSTATUS(bad.status) == 1);
    CHECK_MESSAGE(bad.out.find(": bad.yaml:3: ") != std::string::npos, bad.out);
  }
}

TEST_CASE_FIXTURE(Planned, "an export's plan names the files that are then written") {
  (void)built();
  const std::string line = "export demo --store store --key k.pub --json --out ";
  const auto files = [&](const std::string& arguments) {
    const Outcome out = builder(line + arguments);
    REQUIRE_MESSAGE(out.status == 0, out.out);
    std::set<std::string> paths;
    const auto report = nlohmann::json::parse(out.out);
    for (const auto& file : report.at("files")) paths.insert(file.at("path").get<std::string>());
    return paths;
  };
  for (const std::string format : {"kernel", "pxe"}) {
    const auto promised = files(format + " --format " + format + " --plan");
    CHECK_FALSE(fs::exists(path() + "/" + format));
    CHECK(files(format + " --format " + format) == promised);
  }
}

TEST_CASE_FIXTURE(Planned, "a signature gives way to another key's only where that is said") {
  (void)built();
  const std::string before = read("store/releases/demo/release.json.minisig");
  const auto id = [&](const std::string& key) {  // as minisign writes it, with its leading zeros
    const std::string digits = run("head -n 1 " + key + " | grep -o '[0-9A-F]*$' | tr -d '\n'");
    return std::string(16 - std::min<std::size_t>(digits.size(), 16), '0') + digits;
  };
  run("minisign -G -W -p q.pub -s q.key > /dev/null");
  const std::string other = "build image.yaml --key q.key --store store --cache cache";
  refused_alike(other + " 2>&1", "key " + id("k.pub") + " has signed this very document");
  refused_alike(other + " 2>&1", "--replace, to take that of key " + id("k.pub") + " away");
  CHECK(read("store/releases/demo/release.json.minisig") == before);
  CHECK(builder("build image.yaml --key k.key --store store --cache cache --plan").status == 0);
  (void)built();  // the same key again
  // Whose key it is can be behind a passphrase, so the plan says who signed.
  CHECK(planned().at("signed_by") == id("k.pub"));
  CHECK(builder("build image.yaml --store store --cache cache --plan")
            .out.find("already, signed by key " + id("k.pub")) != std::string::npos);

  // Left to another machine, it is a further one.
  REQUIRE(builder("build image.yaml --unsigned --store store --cache cache").status == 0);
  run("cp store/unsigned/demo/release.json r && minisign -S -s q.key -m r > /dev/null");
  REQUIRE(builder("attach-signature demo --store store --key q.pub --signature r.minisig").status ==
          0);
  CHECK(read("store/releases/demo/release.json.minisig") == before);
  CHECK_FALSE(fs::exists(path() + "/store/unsigned/demo"));
  for (const char* key : {"k.pub", "q.pub"}) {
    CHECK(builder(std::string("verify demo --store store --key ") + key).status == 0);
  }

  CHECK(builder(other + " --replace --plan").status == 0);
  CHECK(builder(other + " --replace").status == 0);
  run("minisign -V -q -p q.pub -m store/releases/demo/release.json");
}

TEST_CASE_FIXTURE(Planned, "a plan refuses a version that the store has for another document") {
  (void)built();
  manifest.replace(manifest.find("quiet"), 5, "loud!");
  run("rm image.lock.json");  // a manifest beside the first, with a lock of its own
  lock();
  const std::string build = "build image.yaml --key k.key --store store --cache cache 2>&1";
  const std::string says =
      "release demo: version 1700000000 of channel stable is another document in this store, and "
      "whoever has seen that one refuses this: set release.version to 1700000001 or higher in the "
      "image manifest and lock again; --replace, if nobody has seen it";
  refused_alike(build, says);
  CHECK(this->build("--replace --plan").status == 0);
  terms("version: 1700000001");
  lock();
  CHECK(this->build("--plan").status == 0);
  (void)built();
}

TEST_CASE_FIXTURE(Planned, "a boot check's plan looks at the files that services are given") {
  manifest.insert(manifest.find("release: "),
                  "services: {a: {command: [/bin/tool], files: {/etc/x: {node: zone-key}}},\n"
                  "  b: {command: [/bin/tool], files: {/etc/y: {node: zones}}}}\n");
  for (const char* program : {"init", "agent"}) write(program, "reads /usr/lib/weir/services");
  run("rm image.lock.json");
  lock();
  (void)built();
  write("zone", "x");
  write("large", std::string((256U << 10) + 1, 'x'));
  const std::string check = "boot-check demo --store store --key k.pub ";
  const std::string both = check + "--node-file zone-key=zone --node-file zones=zone ";
  const Outcome good = builder(both + "--plan");
  CHECK_MESSAGE(good.status == 0, good.out);
  CHECK(good.out.find("  file      zone-key=zone\n") != std::string::npos);
  std::vector<std::pair<std::string, std::string>> cases = {
      {check, "service a asks for the node's file zone-key: give one that it starts with"},
      {check + "--node-file zone-key=zone", "service b asks for the node's file zones"},
      {both + "--node-file zone-kay=zone",
       "--node-file: no service asks for zone-kay; they ask for zone-key, zones"},
      {both + "--node-file zones=zone", "--node-file: zones is given twice"},
      {both + "--node-file zones", "--node-file: 'zones' is not NAME=FILE"},
      {check + "--node-file zone-key=none --node-file zones=zone",
       "--node-file: none: No such file or directory"},
      {check + "--node-file zone-key=large --node-file zones=zone",
       "--node-file: large is larger than 256"}};
  for (const auto& [arguments, says] : cases) {
    // Without a plan it needs root.
    for (const char* plan : {" --plan 2>&1", " 2>&1"}) {
      if (::geteuid() != 0 && plan[1] == '2') continue;
      const Outcome out = builder(arguments + plan);
      const std::string& shown = arguments;
      CAPTURE(shown);
      CAPTURE(out.out);
      CHECK(WEXITSTATUS(out.status) == 1);
      CHECK(out.out.find(says) != std::string::npos);
    }
  }
}

TEST_CASE_FIXTURE(Planned, "a plan looks for the token that would sign as its order does") {
  (void)built();
  for (const auto& [uri, says] :
       {std::pair("pkcs12:token=x", "not a PKCS#11 URI"),
        std::pair("pkcs11:token=x?module-path=/none.so", "/none.so: No such file or directory")}) {
    const std::string with = std::string(" --pkcs11 '") + uri + "' 2>&1";
    refused_alike("build image.yaml --store s --cache cache" + with, says);
    refused_alike("rebuild demo --store store --cache cache" + with, says);
    const Outcome check = builder("boot-check demo --store store --key k.pub --plan" + with);
    CAPTURE(check.out);
    CHECK(WEXITSTATUS(check.status) == 1);
    CHECK(check.out.find(says) != std::string::npos);
  }
}

}  // namespace weir::builder
