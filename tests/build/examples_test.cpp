// The example images, built from the machine's own mirror and looked at with foreign tools.
#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>

#include "manifests/base/digest.h"
#include "tests/build/example.h"
#include "tests/folders.h"

namespace weir::builder {
namespace {

using nlohmann::json;
using test::Example;

// What an example may take, kernel and initramfs: 30 MB. docs/performance.md says what it takes.
constexpr std::uint64_t kLargestImage = 30'000'000;

std::map<std::string, std::set<std::string>> dependencies_in(const std::string& text) {
  std::map<std::string, std::set<std::string>> out;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line.substr(line.find(':') + 1));
    auto& needs = out[line.substr(0, line.find(':'))];
    for (std::string word; words >> word;) needs.insert(word);
  }
  return out;
}

std::string trimmed(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

std::map<std::string, std::string> layers_of(const json& release) {
  std::map<std::string, std::string> out;
  for (const json& layer : release.at("layers")) {
    out[layer.at("name")] = layer.at("blob").at("digest").get<std::string>();
  }
  return out;
}

}  // namespace

TEST_CASE("the examples build, and their modules, kernel and programs are what Debian ships") {
  const std::pair<std::string, std::string> examples[] = {{"gateway-6.1", "12"},
                                                          {"gateway-6.12", "12"},
                                                          {"gateway-debian-13", "13"},
                                                          {"gateway-debian-13-backports", "13"}};
  for (const auto& [name, debian] : examples) {
    const auto& shown = name;
    CAPTURE(shown);
    const Example example(name);
    const json report = example.build();
    example.run("minisign -V -q -p k.pub -m store/releases/" + example.name + "/release.json");
    example.run("skopeo inspect --raw oci:store:" + example.name + " > /dev/null");
    example.unpack();
    const std::string shipped = example.unpack_kernel();
    const json release = example.release();
    const std::string kernel = release.at("kernel").at("release");
    const std::string modules = "/lib/modules/" + kernel;
    CHECK(report.at("packages") == release.at("packages").size());

    // What a machine has to fetch before it boots.
    std::uint64_t image =
        std::filesystem::file_size(example.blob(release.at("kernel").at("image")));
    for (const json& layer : release.at("layers")) {
      image += std::filesystem::file_size(example.blob(layer.at("blob")));
    }
    CHECK(image <= kLargestImage);

    // Byte for byte what the package has.
    example.run("cmp " + example.blob(release.at("kernel").at("image")) + " $(find " + shipped +
                " -type f -name 'vmlinuz*')");
    example.run("cmp root" + modules + "/modules.builtin " + shipped + modules +
                "/modules.builtin");
    example.run("cd root" + modules + " && find . -name '*.ko*' | while read -r f; do cmp $f " +
                shipped + modules + "/$f || exit 1; done");

    // depmod, over the same files, finds the same dependencies by looking at symbols.
    example.run("mkdir -p depmod" + modules + " && cp -r root" + modules + "/. depmod" + modules +
                " && rm depmod" + modules + "/modules.dep && touch depmod" + modules +
                "/modules.order && depmod -b $PWD/depmod " + kernel);
    const auto real =
        dependencies_in(test::bytes_of(example.folder.path + "/depmod" + modules + "/modules.dep"));
    CHECK(real == dependencies_in(
                      test::bytes_of(example.folder.path + "/root" + modules + "/modules.dep")));
    CHECK(real.size() > 10);

    bool wireguard = false;
    for (const json& module : release.at("modules")) {
      wireguard = wireguard || module.at("name") == "wireguard";
      const std::string file =
          trimmed(example.run("find " + shipped + modules +
                              " -name '*.ko*' | awk -F/ '{ n = $NF; sub(/[.]ko.*/, \"\", n); "
                              "gsub(/-/, \"_\", n) } n == \"" +
                              module.at("name").get<std::string>() + "\"'"));
      CAPTURE(file);
      for (const char* field : {"version", "srcversion", "vermagic"}) {
        CHECK(module.at(field).get<std::string>() ==
              trimmed(example.run("modinfo -F " + std::string(field) + " " + file)));
      }
      CHECK(module.at("digest") == "sha256:" + example.run("sha256sum < " + file).substr(0, 64));
      example.run("case " + file + " in *.xz) xz -dc " + file + " ;; *) cat " + file +
                  " ;; esac > module.ko");
      CHECK(example.run("readelf -n module.ko 2> /dev/null")
                .find("Build ID: " + module.at("build_id").get<std::string>()) !=
            std::string::npos);
    }
    CHECK(wireguard);

    // The image's own loader starts the image's own tools.
    CHECK(example.run("chroot root /usr/bin/wg --version").starts_with("wireguard-tools v"));
    CHECK(example.run("chroot root /usr/sbin/nft --version").starts_with("nftables v"));
    CHECK(example.run("chroot root /bin/ip -V 2> /dev/null").starts_with("ip utility"));
    CHECK(example.run("cat root/usr/lib/weir/lock-digest").substr(7, 64) ==
          example.run("sha256sum < image.lock.json").substr(0, 64));
    example.run(
        "cd root && for sums in var/lib/dpkg/status.d/*.md5sums; do "
        "md5sum -c --quiet $sums || exit 1; done");
    CHECK_FALSE(std::filesystem::exists(example.folder.path + "/root/usr/share/man"));
    // What scanners need to know which advisories apply.
    CHECK(example.run("cat root/etc/debian_version").starts_with(debian + "."));
    CHECK(example.run(". root/etc/os-release && echo $ID-$VERSION_ID") ==
          "debian-" + debian + "\n");
  }
}

TEST_CASE("the kernel's build id is the one in the kernel") {
  const Example example("gateway-6.12");
  (void)example.build();
  const json kernel = example.release().at("kernel");
  // A zstd frame lies somewhere in the boot image; what it unpacks to is an ELF file.
  const std::string image = test::bytes_of(example.blob(kernel.at("image")));
  const auto at = image.find("\x28\xb5\x2f\xfd");
  REQUIRE(at != std::string::npos);
  example.run("tail -c +" + std::to_string(at + 1) + " " + example.blob(kernel.at("image")) +
              " | zstd -dcq > vmlinux 2> /dev/null || true");
  CHECK(example.run("readelf -n vmlinux 2> /dev/null")
            .find("Build ID: " + kernel.at("build_id").get<std::string>()) != std::string::npos);
}

TEST_CASE("real images are bit-identical, and one changed pin changes only its layers") {
  const Example example("gateway-6.12");
  (void)example.build("umask 077; export TZ=Pacific/Kiritimati");
  const auto before = layers_of(example.release());
  // Nothing is remembered: every layer is made again, on one processor, elsewhere.
  example.run("rm -rf " + test::build_folder() + "/test-cache/layers");
  const json again = example.build(
      "umask 002; export TZ=America/St_Johns; taskset -p 1 $$ > /dev/null", "deep/er/store");
  CHECK(again.at("layers_reused") == 0);
  example.run("diff -r store deep/er/store");

  example.run("sed -i 's/, nf_tables]/]/' image.yaml");
  example.lock();
  const json third = example.build();
  CHECK(third.at("layers_built") == 1);
  std::set<std::string> changed;
  for (const auto& [layer, digest] : layers_of(example.release())) {
    if (before.at(layer) != digest) changed.insert(layer);
  }
  CHECK(changed ==
        std::set<std::string>{example.release().at("kernel").at("package"), "weir-settings"});
}

}  // namespace weir::builder
