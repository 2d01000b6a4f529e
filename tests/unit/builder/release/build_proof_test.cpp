// What a build refuses about a finished image, as a person runs it: secrets, and modules that other
// packages bring.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "build_fixture.h"
#include "keys/identity/edge/identity_files.h"
#include "tests/folders.h"

namespace weir::builder {
namespace {

std::string line(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

void replace(std::string& text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE(
    "a secret in a file of the manifest, of a package or on the command line stops the build") {
  Fixture fixture;
  const std::string key = line(fixture.run("wg genkey")), clean = fixture.manifest;

  replace(fixture.manifest, "content: ours",
          "content: \"[Interface]\\nPrivateKey = " + key + "\\n\"");
  fixture.lock();
  fixture.refused("/etc/tool.conf holds a WireGuard private or preshared key at byte 12 (sha256 ");

  fixture.manifest = clean;
  replace(fixture.manifest, "quiet", "quiet wg.private_key=" + key);
  fixture.lock();
  fixture.refused("command_line holds a WireGuard private or preshared key at byte 9");

  fixture.manifest = clean;
  fixture.tool("PresharedKey=" + key, "1.0");
  fixture.lock();
  const std::string at = fixture.run("grep -abo PresharedKey t/bin/tool | cut -d: -f1");
  fixture.refused(
      "  secret tool: /usr/bin/tool holds a WireGuard private or preshared key at "
      "byte " +
      line(at) + " (sha256 ");
}

TEST_CASE("a library's self-test key is accepted by path and digest, and the release says so") {
  Fixture fixture;
  const std::string clean = fixture.manifest;
  fixture.run(
      "openssl genpkey -algorithm ed25519 -out test.pem && mkdir -p l/usr/share/demo && "
      "cp test.pem l/usr/share/demo/self-test.pem");
  std::erase_if(fixture.packages, [](const auto& one) { return one.name == "libdemo"; });
  fixture.packages.push_back(fixture.package("libdemo", "1.0", "l"));
  fixture.lock();
  const std::string path = "/usr/share/demo/self-test.pem",
                    digest = fixture.run("sha256sum < test.pem").substr(0, 64);
  fixture.refused(path + " holds a private key in PEM or OpenPGP armour at byte 0 (sha256 " +
                  digest + ")");
  fixture.refused("list path and digest under accept_secrets");

  const auto accept = [&](const std::string& entry) {
    fixture.manifest = clean + "accept_secrets: [{" + entry + ", why: a self-test's}]\n";
    fixture.lock();
  };
  accept("path: " + path + ", sha256: '" + std::string(64, '0') + "'");
  fixture.refused(path + " holds");
  accept("path: /usr/share/demo/other.pem, sha256: " + digest);
  fixture.refused(path + " holds");
  accept("path: " + path + ", sha256: " + digest);
  (void)fixture.built();
  CHECK(fixture.release().at("scan").at("accepted") ==
        nlohmann::json{{{"path", path}, {"digest", "sha256:" + digest}}});
  CHECK(fixture.built().at("layers_built") == 0);
  const auto again = fixture.builder("rebuild demo --store store --cache cache");
  CHECK_MESSAGE(again.status == 0, again.out);

  // Taken back, it stops the layer that was made before, and only that one is made again.
  fixture.run("rm -rf store/releases store/index.json");
  fixture.manifest = clean;
  fixture.lock();
  fixture.refused(path + " holds");

  // A key of the fleet is never accepted.
  fixture.run("umask 077 && wg genpsk > psk && cat psk >> l/usr/share/demo/self-test.pem");
  std::erase_if(fixture.packages, [](const auto& one) { return one.name == "libdemo"; });
  fixture.packages.push_back(fixture.package("libdemo", "1.0", "l"));
  accept("path: " + path +
         ", sha256: " + fixture.run("sha256sum < l/usr/share/demo/self-test.pem").substr(0, 64));
  fixture.refused(path + " holds a key of the fleet at byte ", " --secrets psk");
}

TEST_CASE("a key of the fleet's own store is found, also in layers that were made before") {
  Fixture fixture;
  fixture.run(
      "umask 077 && mkdir fleet && wg genpsk > fleet/peer && head -c 32 /dev/urandom > seal "
      "&& cp k.key k.pub fleet && " +
      test::build_folder() +
      "/bin/weir-keys generate-wireguard --out fleet/gateway.identity --key-file seal");
  const std::string own = " --secrets fleet --secrets-key-file seal";
  const auto identity =
      keys::read_identity(fixture.path() + "/fleet/gateway.identity", fixture.path() + "/seal");
  REQUIRE_MESSAGE(identity.has_value(), identity.error().message);

  const auto first = fixture.built();
  const std::string document = fixture.read("store/releases/demo/release.json");
  CHECK(first.at("scanned_files") == fixture.release().at("scan").at("files"));
  CHECK(fixture.release().at("scan").at("rules") == 3);
  CHECK_FALSE(fixture.release().at("scan").contains("own_keys"));
  const std::string verify = "verify demo --store store --key k.pub 2>&1 ";
  CHECK(fixture.builder(verify).status == 0);
  const auto unsearched = fixture.builder(verify + "--own-keys-searched");
  CHECK(WEXITSTATUS(unsearched.status) == 1);
  CHECK_MESSAGE(unsearched.out.find("release demo: was not searched for the fleet's own keys") !=
                    std::string::npos,
                unsearched.out);
  // Searched anew for the keys, then remembered; the release says so, and who has no keys rebuilds
  // it all the same. The folder holds a preshared key, a signing key and an identity, and the key
  // file that opens it is one more.
  const auto searched = fixture.built(own + " --replace");
  CHECK(searched.at("layers_reused") == 0);
  CHECK(searched.at("own_keys_searched") == 4);
  CHECK(fixture.release().at("scan").at("own_keys").at("count") == 4);
  const auto demanded = fixture.builder(verify + "--own-keys-searched");
  CHECK_MESSAGE(demanded.status == 0, demanded.out);
  CHECK_MESSAGE(demanded.out.find("searched for 4 keys") != std::string::npos, demanded.out);
  const auto rebuilt = fixture.builder("rebuild demo --store store --cache cache");
  CHECK_MESSAGE(rebuilt.status == 0, rebuilt.out);
  CHECK(fixture.built(own).at("layers_reused") == 3);
  CHECK(fixture.built("--replace").at("layers_reused") == 3);
  CHECK(fixture.read("store/releases/demo/release.json") == document);
  // The release states the search: with another it is another document of one version.
  const auto taken = fixture.build(own);
  CHECK(WEXITSTATUS(taken.status) == 1);
  CHECK_MESSAGE(taken.out.find("of the same image, but searched for other keys of the fleet") !=
                    std::string::npos,
                taken.out);

  fixture.tool(hex_of(identity->current().private_key().bytes()), "1.0");
  fixture.lock();
  CHECK(fixture.build("").status == 0);
  fixture.run("rm -rf store/releases store/index.json");
  fixture.refused("/usr/bin/tool holds a key of the fleet in hex at byte ", own);

  fixture.tool(line(fixture.read("fleet/peer")), "1.0");
  fixture.lock();
  fixture.refused("/usr/bin/tool holds a key of the fleet at byte ", own);

  fixture.tool(fixture.run("xxd -p seal | sed 's/$/\\\\n/' | tr -d '\\n'"), "1.0");
  fixture.lock();
  fixture.refused("/usr/bin/tool holds a key of the fleet in hex at byte ", own);
  fixture.run("head -c 31 /dev/urandom > short; chmod 600 short");
  fixture.refused("short: not a key file", " --secrets fleet/peer --secrets-key-file short");

  fixture.run("echo words > fleet/readme");
  fixture.refused("fleet/readme: is no sealed identity, WireGuard key", own);
}

// Fixture's library package with a kernel module in it, and a file beside the manifest.
struct ForeignFixture : Fixture {
  const std::string folder = std::string("l/lib/modules/") + test::kRelease + "/updates/";
  const std::string magic = std::string("vermagic=") + test::kVermagic;
  const std::string plain = manifest;

  void pack() {
    std::erase_if(packages, [](const auto& one) { return one.name == "libdemo"; });
    packages.push_back(package("libdemo", "1.0", "l"));
    lock();
  }
  void pin(const std::string& modules) {
    manifest = plain;
    manifest.replace(manifest.find("modules: [one]"), 14, "modules: " + modules);
  }
  void pin_file(const std::string& name, const std::string& file) {
    pin("[{name: " + name + ", file: " + file +
        ", sha256: " + Digest::of(as_bytes(read(file))).hex() + "}]");
    lock();
  }
  // What a booted node would load, after kmod.
  [[nodiscard]] std::string modprobe(const std::string& name) const {
    std::string segments;
    const nlohmann::json document = release();
    for (const auto& layer : document.at("layers"))
      segments += path() + "/" + blob(layer.at("blob")) + " ";
    return run(
        "rm -rf root && mkdir root && cd root && for layer in " + segments +
        "; do zstdcat $layer | cpio -idu --quiet; done && depends=$(cat lib/modules/*/modules.dep)"
        " && depmod -b $PWD " +
        std::string(test::kRelease) + " 2>warnings && modprobe -d $PWD -S " + test::kRelease +
        " --show-depends " + name + " | sed \"s|insmod $PWD||\" && echo \"$depends\"");
  }
};

TEST_CASE_FIXTURE(ForeignFixture,
                  "a kernel module of another package must fit the kernel as the kernel's own do") {
  module(folder + "net.ko", {"name=net", magic, "depends="}, {}, {"vanished"});
  pack();
  refused(
      "module net (/usr/lib/modules/9.9-demo/updates/net.ko) uses the symbol vanished, "
      "which neither the kernel nor a module of the image exports");
  module(folder + "net.ko", {"name=net", "vermagic=8.8 SMP ", "depends=absent"}, {}, {});
  pack();
  refused("module net (/usr/lib/modules/9.9-demo/updates/net.ko) is for '8.8 SMP '");
  module(folder + "net.ko", {"name=net", magic, "depends=two"}, {}, {"two_call"});
  sign(folder + "net.ko", "stranger");
  pack();
  refused("is signed with key ");
  run("rm " + folder + "net.ko");
  module(folder + "one.ko", {"name=one", magic, "depends=two"}, {}, {"two_call"});
  pack();
  refused("module one is in the image twice: in the kernel's package, and in package libdemo");
  run("rm " + folder + "one.ko");
  module(folder + "net.ko", {"name=net", magic, "depends=two"}, {}, {"two_call"});
  pack();
  CHECK(build().status == 0);
  // In the image, so it is listed and recorded; not pinned, so it is not loaded.
  const auto modules = release().at("modules");
  REQUIRE(modules.size() == 3);
  CHECK(modules[0].at("name") == "net");
  CHECK(modules[0].at("package") == "libdemo");
  CHECK(modules[0].at("pinned") == false);
  CHECK(modules[1].at("package") == "linux-image-demo");
  CHECK(modprobe("net") ==
        "/lib/modules/9.9-demo/kernel/two.ko \n/lib/modules/9.9-demo/updates/net.ko \n"
        "kernel/one.ko: kernel/two.ko\nkernel/two.ko:\nupdates/net.ko: kernel/two.ko\n");
  CHECK(built().at("layers_reused") == 3);
}

TEST_CASE_FIXTURE(ForeignFixture, "a pinned module of another package replaces the kernel's own") {
  module(folder + "dkms/one.ko", {"name=one", magic, "depends=two", "version=4"}, {}, {"two_call"});
  pin("[{name: one, package: libdemo}]");
  pack();
  const auto first = built();
  CHECK(first.at("layers_built") == 3);
  const auto modules = release().at("modules");
  REQUIRE(modules.size() == 2);
  CHECK(modules[0].at("name") == "one");
  CHECK(modules[0].at("version") == "4");
  CHECK(modules[0].at("package") == "libdemo");
  CHECK(modules[0].at("pinned") == true);
  CHECK(modules[0].at("digest") ==
        "sha256:" + Digest::of(as_bytes(read(folder + "dkms/one.ko"))).hex());
  CHECK(modprobe("one") ==
        "/lib/modules/9.9-demo/kernel/two.ko \n/lib/modules/9.9-demo/updates/dkms/one.ko \n"
        "kernel/two.ko:\nupdates/dkms/one.ko: kernel/two.ko\n");
  CHECK_FALSE(fs::exists(path() + "/root/usr/lib/modules/9.9-demo/kernel/one.ko"));
  CHECK(read("root/usr/lib/weir/modules") == "one\n");
  CHECK(built().at("layers_reused") == 3);
  CHECK(builder("rebuild demo --store store --cache cache").status == 0);
  // Another module in that package makes another kernel layer.
  module(folder + "dkms/one.ko", {"name=one", magic, "depends=", "version=5"}, {}, {});
  pack();
  CHECK(built().at("layers_reused") == 1);
  CHECK(release().at("modules")[0].at("version") == "5");

  run("rm -rf store/releases store/index.json");
  pin("[{name: two, package: libdemo}]");
  lock();
  refused("module two is not in package libdemo: looked for it below /usr/lib/modules/9.9-demo/");
}

TEST_CASE_FIXTURE(ForeignFixture, "a module from a file is pinned, recorded and rebuilt") {
  module("mine/one.ko", {"name=one", magic, "depends=two", "version=6"}, {}, {"two_call"});
  pin_file("one", "mine/one.ko");
  CHECK(built().at("layers_built") == 3);
  const auto modules = release().at("modules");
  REQUIRE(modules.size() == 2);
  CHECK(modules[0].at("version") == "6");
  CHECK(modules[0].at("package") == "file");
  CHECK(modules[0].at("digest") == "sha256:" + Digest::of(as_bytes(read("mine/one.ko"))).hex());
  CHECK(layers_of(release()).contains("weir-modules"));
  CHECK(modprobe("one").starts_with(
      "/lib/modules/9.9-demo/kernel/two.ko \n/lib/modules/9.9-demo/updates/one.ko \n"));
  CHECK(read("root/usr/lib/modules/9.9-demo/updates/one.ko") == read("mine/one.ko"));
  // From the cache, and without it from the release itself.
  const std::string copy = "cache/blobs/sha256/" + Digest::of(as_bytes(read("mine/one.ko"))).hex();
  run("mv mine away");
  CHECK(builder("rebuild demo --store store --cache cache").status == 0);
  run("rm " + copy);
  const auto again = builder("rebuild demo --store store --cache cache");
  CHECK_MESSAGE(again.status == 0, again.out);
  CHECK(fs::exists(path() + "/" + copy));
  run("rm " + copy + " && rm -rf store/releases store/index.json");
  refused("mine/one.ko: no such file, and the manifest takes the module one from it");
  write("mine/one.ko", "another");
  refused("mine/one.ko is not the module one that the lock names");
  run("rm -rf mine && mv away mine");
  CHECK(build().status == 0);

  run("rm -rf store/releases store/index.json");
  module("mine/one.ko", {"name=one", "vermagic=8.8-demo SMP mod_unload ", "depends=absent"}, {},
         {});
  pin_file("one", "mine/one.ko");
  refused(
      "module one (/usr/lib/modules/8.8-demo/updates/one.ko) is for '8.8-demo SMP mod_unload ', "
      "which kernel 9.9-demo would refuse to load");
  module("mine/one.ko", {"name=one", magic, "depends="}, {}, {"vanished"});
  pin_file("one", "mine/one.ko");
  refused("module one (/usr/lib/modules/9.9-demo/updates/one.ko) uses the symbol vanished");
  pin_file("two", "mine/one.ko");
  refused("mine/one.ko: is the module one, not two");
  module("mine/one.ko", {"name=one", "vermagic=../x SMP ", "depends="}, {}, {});
  pin_file("one", "mine/one.ko");
  refused("does not begin with a kernel's release");
}

TEST_CASE("services want node programs that know of them, and an interpreter that is there") {
  Fixture fixture;
  fixture.run("mkdir -p t/usr/bin && chmod 755 t/usr/bin");
  fixture.write("t/usr/bin/helper", "#! /bin/bash -e\necho\n");
  fixture.run("chmod 755 t/usr/bin/helper");
  fixture.tool("tool", "1.0");
  fixture.manifest +=
      "services: {helper: {command: [/usr/bin/helper]}, tool: {command: [/usr/sbin/tool]}}\n";
  fixture.write("agent", "reads /usr/lib/weir/services");
  fixture.lock();
  const std::string old =
      "image.lock.json: programs: the pinned weir-init, of an older Weir, would not start the "
      "manifest's services: run weir-builder lock image.yaml --update weir-init weir-node";
  fixture.refused(old);
  fixture.refused(old, "--plan");

  fixture.write("init", "reads /usr/lib/weir/services too");
  fixture.lock();
  fixture.refused(
      "  service services.helper.command[0]: /usr/bin/helper is a script of /bin/bash, which is "
      "not in the image\n");
  fixture.refused(
      "services.tool.command[0]: /usr/sbin/tool is not in the image, but /usr/bin/tool is\n");
}

TEST_CASE("plan, report and what is shown of a release name its services") {
  Fixture fixture;
  fixture.manifest +=
      "services: {tool: {command: [/usr/bin/tool, -x], files: {/etc/key: {node: tool-key}}}}\n";
  for (const char* program : {"agent", "init"}) {
    fixture.write(program, "reads /usr/lib/weir/services");
  }
  fixture.lock();
  const std::vector<std::string> names{"tool"};
  CHECK(fixture.built("--plan").at("services") == names);
  CHECK(fixture.build("--plan").out.find("\n  run    tool\n") != std::string::npos);
  CHECK(fixture.built().at("services") == names);
  CHECK(fixture.build().out.find("\n  services  tool\n") != std::string::npos);
  const std::string shown = fixture.builder("show demo --store store").out;
  CAPTURE(shown);
  CHECK(shown.find("service        tool: /usr/bin/tool -x\n") != std::string::npos);
  CHECK(shown.find("  asks for     file tool-key of each node\n") != std::string::npos);
}

}  // namespace weir::builder
