// weir-builder build, verify, list and show as a person runs them, over packages made for the test.
#include <doctest/doctest.h>
#include <sys/wait.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "build_fixture.h"
#include "tests/unit/builder/mirror/http_server.h"

namespace weir::builder {

TEST_CASE("a built release is whole, and minisign, skopeo and cpio agree") {
  const Fixture fixture;
  const auto report = fixture.built();
  CHECK(report.at("packages") == 3);
  CHECK(report.at("layers_built") == 3);
  fixture.run("minisign -V -q -p k.pub -m store/releases/demo/release.json");
  CHECK(fixture.run("skopeo inspect --raw oci:store:demo").find("vnd.weir.kernel") !=
        std::string::npos);
  const auto release = fixture.release();
  CHECK(release.at("lock_digest") ==
        "sha256:" + fixture.run("sha256sum < image.lock.json").substr(0, 64));
  CHECK(release.at("kernel").at("release") == test::kRelease);
  CHECK(release.at("tools") ==
        nlohmann::json::parse(R"([{"name":"tool","version":"1.0","architecture":"amd64"}])"));
  CHECK(release.at("command_line") == "quiet");
  // The pinned one, and what it needs.
  REQUIRE(release.at("modules").size() == 2);
  CHECK(release.at("modules")[0].at("name") == "one");
  CHECK(release.at("modules")[0].at("pinned") == true);
  CHECK(release.at("modules")[1].at("name") == "two");
  CHECK(release.at("modules")[1].at("pinned") == false);
  std::string names, segments;
  for (const auto& layer : release.at("layers")) {
    names += layer.at("name").get<std::string>() + " ";
    fixture.run("zstdcat " + fixture.blob(layer.at("blob")) + " > cpio && cpio -it --quiet < cpio");
    CHECK(layer.at("content_digest") == "sha256:" + fixture.run("sha256sum < cpio").substr(0, 64));
    segments += fixture.blob(layer.at("blob")) + " ";
  }
  CHECK(names == "base libdemo linux-image-demo tool weir weir-settings ");
  // All segments behind one another, unpacked in order, as the kernel does it.
  fixture.run("mkdir root && cd root && for layer in " + segments +
              "; do zstdcat ../$layer | cpio -idu --quiet; done");
  CHECK(fixture.read("root/etc/tool.conf") == "ours");
  CHECK(fixture.read("root/init") == "init");
  CHECK(fixture.read("root/usr/lib/weir/modules") == "one\n");
  CHECK(fixture.read("root/usr/lib/weir/lock-digest") ==
        release.at("lock_digest").get<std::string>() + "\n");
  CHECK(fs::is_symlink(fixture.path() + "/root/lib64"));
  CHECK(fixture.builder("verify demo --store store --key k.pub").status == 0);
  const auto list = fixture.builder("list --store store --json");
  CHECK(nlohmann::json::parse(list.out).at(0).at("release") == "demo");
  CHECK(fixture.builder("show demo --store store --json").out ==
        fixture.read("store/releases/demo/release.json"));
  CHECK(fixture.builder("show demo --store store").out.find(test::kRelease) != std::string::npos);
}

TEST_CASE("builds in other folders, time zones, umasks and of other file times are bit-identical") {
  const Fixture fixture;
  REQUIRE(fixture.build("", "umask 077; TZ=Pacific/Kiritimati LC_ALL=C").status == 0);
  const Fixture::Outcome again = [&] {
    fixture.run(
        "mkdir -p other/deep && cp -r image.yaml image.lock.json k.key cache other/deep/ && "
        "rm -rf other/deep/cache/layers && "
        "find other/deep/cache -exec touch -d '2031-05-05 05:05' {} +");
    return fixture.builder("build image.lock.json --key k.key --store s --cache cache",
                           "cd other/deep; umask 002; HOME=/nonexistent TZ=America/St_Johns "
                           "LANG=C.UTF-8 taskset 1");
  }();
  REQUIRE_MESSAGE(again.status == 0, again.out);
  fixture.run("diff -r store other/deep/s");
  CHECK(fixture.run("cd store && find . -type f ! -perm 644") == "");
}

TEST_CASE("a build after one pin changed makes only the layers that changed") {
  Fixture fixture;
  (void)fixture.built();
  const auto before = layers_of(fixture.release());
  // Made again, it stays where it is, and statements about it with it.
  fixture.run("touch store/releases/demo/statement");
  CHECK(fixture.built().at("layers_built") == 0);
  CHECK(fs::exists(fixture.path() + "/store/releases/demo/statement"));

  fixture.tool("a newer tool", "1.1");
  fixture.manifest.replace(fixture.manifest.find("quiet"), 5, "loud");
  fixture.epoch += 1000;
  fixture.lock();
  const auto report = fixture.built();
  CHECK(report.at("layers_built") == 1);
  CHECK(report.at("layers_reused") == 2);
  const auto after = layers_of(fixture.release());
  CHECK(after.at("linux-image-demo") == before.at("linux-image-demo"));
  CHECK(after.at("libdemo") == before.at("libdemo"));
  CHECK(after.at("tool") != before.at("tool"));
  CHECK(after.at("weir") == before.at("weir"));
  CHECK(after.at("weir-settings") != before.at("weir-settings"));

  // From nothing, in a store of its own, it comes out the same.
  fixture.run("rm -rf cache/layers && mv store first");
  CHECK(fixture.built().at("layers_built") == 3);
  CHECK(layers_of(fixture.release()) == after);
  fixture.run("cmp first/releases/demo/release.json store/releases/demo/release.json");
}

TEST_CASE("a damaged layer in the store is made again, and verify names what is damaged") {
  const Fixture fixture;
  (void)fixture.built();
  const auto release = fixture.release();
  for (const auto& layer : release.at("layers")) {
    if (layer.at("name") != "tool") continue;
    const std::string path = fixture.blob(layer.at("blob"));
    std::string bytes = fixture.read(path);
    bytes[bytes.size() / 2] ^= 1;
    fixture.write(path, bytes);
    const auto verified = fixture.builder("verify demo --store store --key k.pub");
    CHECK(verified.status != 0);
    CHECK(verified.out.find("layer tool") != std::string::npos);
  }
  CHECK(fixture.built().at("layers_built") == 1);
  CHECK(fixture.builder("verify demo --store store --key k.pub").status == 0);

  std::string document = fixture.read("store/releases/demo/release.json");
  document.replace(document.find("quiet"), 5, "quieT");
  fixture.write("store/releases/demo/release.json", document);
  CHECK(fixture.builder("verify demo --store store --key k.pub").status != 0);
  (void)fixture.built("--replace");  // another document of the same version
  fixture.run("minisign -G -W -p other.pub -s other.key > /dev/null");
  CHECK(fixture.builder("verify demo --store store --key other.pub").status != 0);
  CHECK(fixture.builder("verify demo --store store --key other.pub --key k.pub").status == 0);
}

TEST_CASE("a plan refuses what the build would refuse") {
  const Fixture fixture;
  for (const std::string plan : {"", "--plan "}) {
    fixture.refused("--mirror 'notaurl' is neither URL nor SUITE=URL", plan + "--mirror notaurl");
    const auto out =
        fixture.builder("build image.yaml --key none.key --store store --cache cache " + plan);
    CHECK(out.status != 0);
    CHECK(out.out.find("none.key") != std::string::npos);
  }
}

TEST_CASE("a lock of last year builds from a snapshot service, of which no document tells") {
  const Fixture fixture;
  fixture.run("sed -i 's/a day/Tue, 20 May 2025 02:10:46 UTC/' image.lock.json");
  const auto& old = fixture.packages[0];
  const std::string there = "snap/debian/20250521T081046Z/" + old.path;
  fixture.run("mkdir -p $(dirname " + there + ") && mv cache/blobs/sha256/" + old.digest.hex() +
              " " + there);
  const std::string mirror = "--mirror file:" + fixture.path() + "/none/debian";
  const std::string gone = old.name + " " + old.version + ": the mirror does not have it, ";
  fixture.refused(gone + "and the cache has no copy: mirrors drop superseded versions", mirror);
  const std::string nothing = "file:" + fixture.path() + "/nothing/debian/";
  fixture.refused(gone + "the cache has no copy, and no snapshot has it at " + nothing +
                      "20250520T081046Z, " + nothing + "20250521T081046Z, " + nothing +
                      "20250520T021046Z: check the archive's name in the URL of --snapshot",
                  mirror + " --snapshot 'file:" + fixture.path() + "/nothing/{archive}/{time}'");
  const std::string snapshot =
      mirror + " --snapshot 'file:" + fixture.path() + "/snap/{archive}/{time}'";
  (void)fixture.built(snapshot);
  int status = 0;
  test::output_of("cd " + fixture.path() + " && grep -rqF " + fixture.path() + "/snap store",
                  &status);
  CHECK(status != 0);
}

TEST_CASE("planning tells what there is to do and changes nothing") {
  const Fixture fixture;
  const auto plan = fixture.build("--plan --json");
  REQUIRE_MESSAGE(plan.status == 0, plan.out);
  const auto layers = nlohmann::json::parse(plan.out).at("layers");
  CHECK(layers.size() == 3);
  CHECK(layers[0].at("make") == true);
  CHECK(layers[0].at("fetch") == false);
  CHECK_FALSE(fs::exists(fixture.path() + "/store"));
  (void)fixture.built();
  CHECK(nlohmann::json::parse(fixture.build("--plan --json").out).at("layers")[0].at("make") ==
        false);
}

TEST_CASE("a script that nobody accounted for stops the build with its package and digest") {
  Fixture fixture;
  fixture.manifest.erase(fixture.manifest.find("accept_scripts"));
  fixture.lock();
  fixture.refused("tool postinst sha256 " +
                  manifests::script_digest(kScript, {"tool", "1.0"}).hex());
}

TEST_CASE("all that is missing is listed at once, one a line") {
  Fixture fixture;
  fixture.manifest.erase(fixture.manifest.find("accept_scripts"));
  std::erase_if(fixture.packages, [](const auto& p) { return p.name == "libdemo"; });
  fixture.run("mkdir -p s/usr/share && openssl genpkey -algorithm ed25519 -out s/usr/share/s.pem");
  fixture.write("s/etc/tool.conf", "a second\n");
  fixture.packages.push_back(fixture.package("second", "1.0", "s", kScript));
  fixture.lock();
  const auto outcome = fixture.build("");
  CHECK(WEXITSTATUS(outcome.status) == 1);
  CAPTURE(outcome.out);
  const std::string digest = manifests::script_digest(kScript, {"tool", "1.0"}).hex();
  const std::string line = "  ";
  for (const std::string& said :
       {line + "script second postinst sha256 " + digest,
        line + "script tool postinst sha256 " + digest,
        line + "secret second: /usr/share/s.pem holds a private key in PEM",
        line + "link /usr/bin/tool (tool) needs libdemo.so.1",
        line + "link /usr/bin/tool (tool) needs the interpreter /lib64/ld-demo.so.2",
        line + "conflict /etc/tool.conf is in both second and tool",
        line + "scripts: nobody accounted for them: weir-builder scripts"}) {
    CAPTURE(said);
    CHECK(("\n" + outcome.out).find("\n" + said) != std::string::npos);
  }
  CHECK_FALSE(fs::exists(fixture.path() + "/store/releases/demo"));

  // What they would do, and the entry that accepts it.
  const auto shown = fixture.builder("scripts image.yaml --cache cache");
  CHECK(WEXITSTATUS(shown.status) == 4);
  CHECK(shown.out.find("tool 1.0 postinst\n  rebuilds the loader's cache") != std::string::npos);
  const std::string entries = shown.out.substr(shown.out.find("accept_scripts:\n"));
  fixture.manifest = "accept_scripts:\n" + entries.substr(16) + fixture.manifest;
  fixture.lock();
  const auto again = fixture.builder("scripts image.yaml --cache cache");
  CHECK(again.status == 0);
  CHECK(again.out.starts_with("every script of image.lock.json is accounted for (2)"));
  CHECK(fixture.build("").out.find("postinst") == std::string::npos);
}

TEST_CASE("programs whose interpreter is not in the image are listed by the build") {
  Fixture fixture;
  fixture.write("s/usr/bin/helper", "#!/usr/bin/perl -w\n");
  fixture.run("chmod +x s/usr/bin/helper");
  fixture.packages.push_back(fixture.package("second", "1.0", "s"));
  fixture.lock();
  const auto report = fixture.built();
  CHECK(report.at("without_interpreter") ==
        nlohmann::json::parse(R"([{"path": "/usr/bin/helper", "package": "second",
                                   "interpreter": "/usr/bin/perl"}])"));
  CHECK(fixture.build("--replace")
            .out.find("lacking   /usr/bin/perl, which 1 program needs: /usr/bin/helper") !=
        std::string::npos);
}

TEST_CASE("an image in which something would not run is refused") {
  Fixture fixture;
  std::erase_if(fixture.packages, [](const auto& p) { return p.name == "libdemo"; });
  fixture.lock();
  fixture.refused("/usr/bin/tool (tool) needs libdemo.so.1");
  fixture.refused("the interpreter /lib64/ld-demo.so.2");
}

TEST_CASE(
    "a pin that does not exist, a file that is not ours to replace, and two owners are refused") {
  Fixture fixture;
  const std::string good = fixture.manifest;
  fixture.manifest.replace(good.find("[one]"), 5, "[one, absent]");
  fixture.lock();
  fixture.refused("module absent is neither in kernel");
  fixture.manifest.replace(good.find("[one]"), 13, "[onee]");
  fixture.lock();
  fixture.refused("'s package nor built into that kernel; closest: one\n", "2>&1");

  fixture.manifest = good;
  fixture.manifest.replace(good.find("/etc/tool.conf"), 14, "/usr/bin/tool");
  fixture.lock();
  fixture.refused("/usr/bin/tool is in both tool and weir");

  fixture.manifest = good;
  fixture.write("d/bin/tool", "again");
  fixture.packages.push_back(fixture.package("double", "1", "d"));
  fixture.lock();
  fixture.refused("/usr/bin/tool is in both double and tool");
}

TEST_CASE("manifest, lock and cache that do not belong together are refused") {
  Fixture fixture;
  const std::string good = fixture.manifest;
  fixture.write("image.yaml", good + "documentation: true\n");
  fixture.refused("changed since image.lock.json was made");
  fixture.write("image.yaml", good + "surprise: true\n");
  fixture.refused("surprise");
  fixture.write("image.yaml", good);
  fixture.run("mv image.lock.json elsewhere.json");
  fixture.refused("no lock yet");
  CHECK(fixture.build("--plan --lock elsewhere.json").status == 0);
  fixture.run("mv elsewhere.json image.lock.json");

  const std::string deb = "cache/blobs/sha256/" + fixture.packages[0].digest.hex();
  std::string bytes = fixture.read(deb);
  bytes[bytes.size() / 2] ^= 1;
  fixture.write(deb, bytes);
  HttpServer empty(HttpServer::files({}));
  fixture.refused(fixture.packages[0].name, "--mirror " + empty.url() + "/");

  CHECK(fixture.builder("build image.yaml --store store").status != 0);
  CHECK(fixture.builder("build").out.find("MANIFEST|LOCK") != std::string::npos);
  CHECK(fixture.builder("build --help").status == 0);
  fixture.refused("cannot", "--key k.pub");
}

}  // namespace weir::builder
