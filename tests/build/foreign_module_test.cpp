// A wireguard module that comes from a file, in place of the one of the kernel's own package.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "manifests/base/digest.h"
#include "tests/build/example.h"
#include "tests/folders.h"
#include "tests/text.h"

namespace weir::builder {
namespace {

using nlohmann::json;
using test::Example;
using test::has;
using test::kBuilder;
using test::kCache;

std::string line(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

// The manifest takes `wireguard` from this file, which is brought beside it.
void take_from(const Example& example, const std::string& from) {
  const std::string name = std::filesystem::path(from).filename();
  example.run("mkdir -p mine && cp " + from + " mine/");
  const std::string digest = line(example.run("sha256sum < mine/" + name + " | cut -c1-64"));
  example.run("cp " + test::source_folder() + "/examples/" + example.name +
              ".yaml image.yaml && sed -i 's|wireguard, nf_tables|{name: wireguard, file: mine/" +
              name + ", sha256: " + digest + "}, nf_tables|' image.yaml");
  example.lock();
}

std::string wireguard_of(const Example& example) {
  return line(
      example.run("find " + example.unpack_kernel() + "/lib/modules -name 'wireguard.ko*'"));
}

}  // namespace

TEST_CASE("a wireguard module from a file is built in, recorded, listed by modprobe and rebuilt") {
  for (const std::string name : {"gateway-6.1", "gateway-6.12"}) {
    CAPTURE(name);
    const Example example(name);
    take_from(example, wireguard_of(example));
    (void)example.build();
    example.unpack();

    const json release = example.release();
    const std::string kernel = release.at("kernel").at("release");
    const std::string below = "/lib/modules/" + kernel;
    std::size_t recorded = 0;
    for (const json& module : release.at("modules")) {
      const std::string what = module.at("name");
      CAPTURE(what);
      const bool ours = what == "wireguard";
      CHECK(module.at("package") == (ours ? json("file") : release.at("kernel").at("package")));
      // Names in files may have hyphens.
      std::string pattern = what;
      std::replace(pattern.begin(), pattern.end(), '_', '?');
      const std::string file =
          line(example.run("find root" + below + " -name '" + pattern + ".ko*'"));
      REQUIRE(std::count(file.begin(), file.end(), '\n') == 0);
      CHECK(file.starts_with("root" + below + (ours ? "/updates/" : "/kernel/")));
      CHECK("sha256:" + line(example.run("sha256sum < " + file + " | cut -c1-64")) ==
            module.at("digest"));
      const std::string key =
          line(example.run("modinfo -F sig_key ./" + file + " | tr -d ': \\n' | tr A-F a-f"));
      CHECK(key == module.at("signature_key"));
      CHECK_FALSE(key.empty());
      CHECK(has(example.run("cat " + file + " > m; case " + file + " in *.xz) xz -dc < " + file +
                            " > m;; esac; readelf -n m"),
                module.at("build_id").get<std::string>()));
      ++recorded;
    }
    CHECK(line(example.run("find root -name '*.ko*' | wc -l")) == std::to_string(recorded));
    CHECK(std::any_of(release.at("modules").begin(), release.at("modules").end(),
                      [](const json& module) {
                        return module.at("name") == "udp_tunnel" && module.at("pinned") == false;
                      }));
    for (const json& layer : release.at("layers")) {
      if (layer.at("name") != "weir-modules") continue;
      CHECK(line(example.run("zstdcat " + example.blob(layer.at("blob")) +
                             " | cpio -it --quiet | grep -c '/wireguard.ko'")) == "1");
    }

    // By kmod, from the modules themselves; and each line of ours holds what depmod's does.
    example.run("mkdir -p other" + below + " && cp -r root" + below + "/. other" + below +
                " && rm other" + below + "/modules.dep && touch other" + below +
                "/modules.order && /sbin/depmod -b $PWD/other " + kernel);
    const std::string shown =
        example.run("/sbin/modprobe -d $PWD/other -S " + kernel + " --show-depends wireguard");
    CHECK(has(shown, below + "/updates/wireguard.ko"));
    CHECK(has(shown, below + "/kernel/net/ipv4/udp_tunnel.ko"));
    CHECK_FALSE(has(shown + " ", "/kernel/drivers/net/wireguard/"));
    const std::string sorted =
        "import sys\nfor l in sorted(sys.stdin): print(' '.join(sorted(l.split())))\n";
    const auto lines = [&](const std::string& folder) {
      return example.run("python3 -c \"" + sorted + "\" < " + folder + below + "/modules.dep");
    };
    CHECK(lines("root") == lines("other"));
    CHECK(has(lines("root"), "updates/wireguard.ko"));

    // The file is gone; the lock and the store are enough.
    example.run("rm -r mine image.yaml image.lock.json");
    CHECK(has(example.run(kBuilder + ("rebuild " + name) + " --store store" + kCache),
              "is bit-identical"));
  }
}

TEST_CASE("a wireguard module of another kernel series is refused by name and vermagic") {
  const Example old("gateway-6.1"), other("gateway-6.12");
  take_from(old, wireguard_of(other));
  const std::string said = old.run("! " + std::string(kBuilder) +
                                   "build image.yaml --key k.key --store store" + kCache + " 2>&1");
  CHECK(has(said, "module wireguard (/usr/lib/modules/6.12"));
  CHECK(has(said, "/updates/wireguard.ko.xz) is for '6.12"));
  CHECK(has(said, "which kernel 6.1."));
  CHECK(has(said, "would refuse to load"));
  CHECK_FALSE(std::filesystem::exists(old.folder.path + "/store/releases/" + old.name));
}

}  // namespace weir::builder
