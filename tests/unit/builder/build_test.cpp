// weir-builder build, verify, list and show as a person runs them, over packages made for the test.
#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "http_server.h"
#include "manifests/lock.h"
#include "manifests/maintainer_script.h"
#include "tests/unit/builder/package_workshop.h"

namespace weir::builder {
namespace {

namespace fs = std::filesystem;
using test::Workshop;

constexpr const char* kScript = "#!/bin/sh\nset -e\nldconfig\n";

/// A kernel with two modules, a loader with a library, and a tool; a manifest and its lock; a cache
/// that holds everything; minisign's keys. `path()` has them, `build` uses them.
struct Fixture : Workshop {
  std::string manifest =
      "name: demo\narchitecture: amd64\nsources: {suites: [demo]}\n"
      "kernel: {package: linux-image-demo}\nmodules: [one]\npackages: [tool]\n"
      "users: [{name: service, id: 100}]\n"
      "files: [{path: /etc/tool.conf, content: ours}]\ncommand_line: quiet\n"
      "accept_scripts: [{package: tool, script: postinst, sha256: " +
      manifests::script_digest(kScript, {"tool", "1.0"}).hex() + ", why: no cache is needed}]\n";
  std::vector<manifests::LockedPackage> packages;
  std::int64_t epoch = 1700000000;

  Fixture() {
    kernel();
    libraries();
    tool("tool", "1.0");
    run("minisign -G -W -p k.pub -s k.key > /dev/null");
    write("init", "init");
    write("agent", "agent");
    lock();
  }

  void kernel() {
    const std::string root = std::string("k/lib/modules/") + test::kRelease + "/";
    const std::string magic = std::string("vermagic=") + test::kVermagic;
    module(root + "kernel/one.ko", {"name=one", magic, "depends=two", "version=3"}, {},
           {"two_call"});
    module(root + "kernel/two.ko", {"name=two", magic, "depends="}, {"two_call"}, {});
    write("k/boot/vmlinuz-9.9", boot_image("zstd -q"));
    packages.push_back(package("linux-image-demo", "9.9-1", "k"));
  }

  void libraries() {
    const std::string folder = "l/lib/x86_64-linux-gnu/";
    write("l.c", "int call(void){return 1;}\n");
    run("mkdir -p " + folder +
        " l/lib64 && gcc -shared -fPIC -nostdlib -Wl,-soname,libdemo.so.1 "
        "l.c -o " +
        folder + "libdemo.so.1.0 && gcc -shared -fPIC -nostdlib l.c -o " + folder +
        "ld.so && ln -s libdemo.so.1.0 " + folder +
        "libdemo.so.1 && "
        "ln -s /lib/x86_64-linux-gnu/ld.so l/lib64/ld-demo.so.2");
    packages.push_back(package("libdemo", "1.0", "l"));
  }

  void tool(const std::string& text, const std::string& version) {
    write("t.c", "int call(void);const char text[]=\"" + text + "\";void _start(void){call();}\n");
    run("mkdir -p t/bin && gcc -fPIE -pie -nostdlib t.c l/lib/x86_64-linux-gnu/libdemo.so.1.0 "
        "-Wl,--dynamic-linker=/lib64/ld-demo.so.2 -o t/bin/tool");
    write("t/etc/tool.conf", "theirs\n");
    write("t/DEBIAN/conffiles", "/etc/tool.conf\n");
    std::erase_if(packages, [](const auto& p) { return p.name == "tool"; });
    packages.push_back(package("tool", version, "t", kScript));
  }

  // Writes image.yaml, image.lock.json and the cache's blobs.
  void lock() {
    write("image.yaml", manifest);
    std::sort(packages.begin(), packages.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
    const auto parsed = manifests::parse_image_manifest(manifest);
    REQUIRE_MESSAGE(parsed.has_value(), parsed.error().message);
    manifests::Lock document{
        *ReleaseName::parse("demo"),
        "amd64",
        Digest::of(as_bytes(manifest)),
        epoch,
        {{"demo", Digest::of(as_bytes("InRelease")), "a day", std::string(40, 'A')}},
        "linux-image-demo",
        packages,
        {},
        parsed->accept_scripts,
        {},
        "0",
        "none"};
    for (const auto& [name, file] :
         {std::pair("weir-init", "init"), std::pair("weir-node", "agent")}) {
      const std::string bytes = read(file);
      document.programs.push_back({name, Digest::of(as_bytes(bytes)), ByteCount{bytes.size()}});
      write("cache/blobs/sha256/" + Digest::of(as_bytes(bytes)).hex(), bytes);
    }
    for (const auto& locked : packages) {
      write("cache/blobs/sha256/" + locked.digest.hex(),
            read(locked.name + "_" + locked.version + ".deb"));
    }
    write("image.lock.json", manifests::print(document));
  }

  struct Outcome {
    int status = 0;
    std::string out;
  };
  [[nodiscard]] Outcome builder(const std::string& arguments,
                                const std::string& before = "") const {
    Outcome out;
    out.out = test::output_of(
        "cd " + path() + " && " + before + " " WEIR_BINARY_DIR "/bin/weir-builder " + arguments,
        &out.status);
    return out;
  }
  [[nodiscard]] Outcome build(const std::string& more = "", const std::string& before = "") const {
    return builder("build image.yaml --key k.key --store store --cache cache " + more, before);
  }
  [[nodiscard]] nlohmann::json built(const std::string& more = "") const {
    const Outcome out = build("--json " + more);
    REQUIRE_MESSAGE(out.status == 0, out.out);
    return nlohmann::json::parse(out.out);
  }
  [[nodiscard]] nlohmann::json release(const std::string& store = "store") const {
    return nlohmann::json::parse(read(store + "/releases/demo/release.json"));
  }
  [[nodiscard]] std::string blob(const nlohmann::json& stated) const {
    return "store/blobs/sha256/" + stated.at("digest").get<std::string>().substr(7);
  }

  // The build fails, says this, and leaves no release behind.
  void refused(const std::string& says, const std::string& more = "") const {
    const Outcome out = build(more);
    CAPTURE(out.out);
    CHECK(out.status != 0);
    CHECK(out.out.find(says) != std::string::npos);
    CHECK_FALSE(fs::exists(path() + "/store/releases/demo"));
    CHECK_FALSE(fs::exists(path() + "/store/index.json"));
  }
};

std::map<std::string, std::string> layers_of(const nlohmann::json& release) {
  std::map<std::string, std::string> out;
  for (const auto& layer : release.at("layers")) {
    out[layer.at("name")] = layer.at("blob").at("digest").get<std::string>();
  }
  return out;
}

}  // namespace

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
  CHECK(release.at("modules").size() == 1);
  std::string names, segments;
  for (const auto& layer : release.at("layers")) {
    names += layer.at("name").get<std::string>() + " ";
    fixture.run("zstdcat " + fixture.blob(layer.at("blob")) + " > cpio && cpio -it --quiet < cpio");
    CHECK(layer.at("content_digest") == "sha256:" + fixture.run("sha256sum < cpio").substr(0, 64));
    segments += fixture.blob(layer.at("blob")) + " ";
  }
  CHECK(names == "base libdemo linux-image-demo tool weir ");
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
  CHECK(fixture.built().at("layers_built") == 0);

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
  CHECK(after.at("weir") != before.at("weir"));

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
  (void)fixture.built();
  fixture.run("minisign -G -W -p other.pub -s other.key > /dev/null");
  CHECK(fixture.builder("verify demo --store store --key other.pub").status != 0);
  CHECK(fixture.builder("verify demo --store store --key other.pub --key k.pub").status == 0);
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
