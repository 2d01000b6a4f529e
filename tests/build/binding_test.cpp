// Whole kernel packages of the mirror: every module that Debian ships fits its kernel, and none
// that was tampered with does.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>

#include "builder/kernel/kernel_binding.h"
#include "manifests/base/edge/file.h"
#include "tests/build/example.h"
#include "tests/folders.h"
#include "tests/text.h"
#include "tests/unit/builder/kernel/kmod.h"

namespace weir::builder {
namespace {

using nlohmann::json;
using test::Example;
using test::has;

std::vector<ImageModule> modules_below(const std::string& folder) {
  std::vector<ImageModule> out;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file() || module_name_of(entry.path().string()).empty()) continue;
    auto unpacked = unpack_kernel_module(images::content_of(test::bytes_of(entry.path().string())));
    REQUIRE_MESSAGE(unpacked.has_value(), unpacked.error().message);
    auto facts = parse_kernel_module(**unpacked);
    REQUIRE_MESSAGE(facts.has_value(), facts.error().message);
    out.push_back({entry.path().string().substr(folder.size() + 1), std::move(*facts), *unpacked});
  }
  return out;
}

std::string without_colons(std::string text) {
  std::erase_if(text, [](char c) { return c == ':' || c == '\n'; });
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

/// The kernel's package, unpacked to be changed, and put back into lock and cache: as an archive
/// would offer it whose index was signed by somebody who should not have.
struct Tampered {
  const Example& example;
  std::string original, modules;

  explicit Tampered(const Example& from) : example(from) {
    const json lock = json::parse(test::bytes_of(example.folder.path + "/image.lock.json"));
    for (const json& package : lock.at("packages")) {
      if (package.at("name") == lock.at("kernel")) original = package.at("digest");
    }
    if (original.starts_with("sha256:")) original = original.substr(7);
    example.run("cp image.lock.json original.lock.json && dpkg-deb -R " + test::build_folder() +
                "/test-cache/blobs/sha256/" + original + " tampered");
    modules = "tampered/lib/modules/*/kernel/drivers/net/wireguard";
  }
  // How building it is refused.
  [[nodiscard]] std::string refusal(const std::string& change) const {
    example.run("rm -rf work && cp -r tampered work && cd work && cd lib/modules/*/kernel && " +
                change + " && cd " + example.folder.path +
                " && dpkg-deb --root-owner-group -Zzstd -z1 -b work tampered.deb > /dev/null");
    const std::string bytes = test::bytes_of(example.folder.path + "/tampered.deb");
    const std::string digest = Digest::of(as_bytes(bytes)).hex();
    const std::string blob = test::build_folder() + "/test-cache/blobs/sha256/" + digest;
    auto lock =
        nlohmann::ordered_json::parse(test::bytes_of(example.folder.path + "/original.lock.json"));
    for (auto& package : lock.at("packages")) {
      if (package.at("name") != lock.at("kernel")) continue;
      package.at("digest") = package.at("digest").get<std::string>().starts_with("sha256:")
                                 ? "sha256:" + digest
                                 : digest;
      package.at("size") = bytes.size();
    }
    // Of an index that is not here, or the build would end before the modules are looked at.
    for (auto& source : lock.at("sources")) {
      source.at("inrelease_digest") = Digest::of(as_bytes("nowhere")).string();
    }
    REQUIRE(write_file(example.folder.path + "/image.lock.json", lock.dump(2) + "\n").has_value());
    example.run("cp tampered.deb " + blob);
    std::string said =
        example.run("! " + test::build_folder() +
                    "/bin/weir-builder build image.yaml --key k.key --store store --cache " +
                    test::build_folder() + "/test-cache 2>&1 && rm " + blob);
    CHECK_FALSE(std::filesystem::exists(example.folder.path + "/store/releases/" + example.name));
    return said;
  }
};

/// The module's bytes without the signature behind them. source: Linux,
/// include/linux/module_signature.h
std::string without_signature(Bytes module) {
  const std::string text(module.begin(), module.end());
  constexpr std::string_view kEnd = "~Module signature appended~\n";
  constexpr std::size_t kInfo = 12;
  REQUIRE(text.ends_with(kEnd));
  std::size_t size = 0;
  for (std::size_t at = text.size() - kEnd.size() - 4; at < text.size() - kEnd.size(); ++at) {
    size = size << 8 | static_cast<unsigned char>(text[at]);
  }
  return text.substr(0, text.size() - kEnd.size() - kInfo - size);
}

/// Debian's own wireguard, and what it needs, told that the kernel has another `rtnl_unlock`. Of
/// these nothing is signed: a signature that does not fit would be refused first.
void check_another_sum_is_refused(const KernelImage& kernel, const KernelBinding& binding,
                                  const std::vector<ImageModule>& modules,
                                  const std::string& folder) {
  const KernelBinding unsigned_kernel{binding.exports, {}};
  std::vector<ImageModule> chosen;
  std::vector<std::string> wanted = {"wireguard"};
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto found = std::find_if(modules.begin(), modules.end(), [&](const ImageModule& one) {
      return one.facts.name == wanted[i];
    });
    REQUIRE(found != modules.end());
    chosen.push_back(*found);
    chosen.back().unpacked = images::content_of(without_signature(*found->unpacked));
    for (const std::string& name : found->facts.depends) {
      if (std::find(wanted.begin(), wanted.end(), name) == wanted.end()) wanted.push_back(name);
    }
  }
  const auto whole = check_binding(kernel, unsigned_kernel, chosen);
  REQUIRE_MESSAGE(whole.has_value(), whole.error().message);

  // struct modversion_info: the sum in eight bytes, then the name.
  const std::uint32_t sum = test::Kmod(folder + "/" + chosen[0].path).versions().at("rtnl_unlock");
  const auto entry = [](std::uint32_t of) {
    std::string out;
    for (int i = 0; i < 8; ++i) out += static_cast<char>(i < 4 ? of >> 8 * i & 0xff : 0);
    return out + "rtnl_unlock" + std::string(1, '\0');
  };
  std::string bytes(chosen[0].unpacked->begin(), chosen[0].unpacked->end());
  const auto at = bytes.find(entry(sum));
  REQUIRE(at != std::string::npos);
  bytes.replace(at, entry(sum).size(), entry(sum ^ 0x01000080));
  chosen[0].unpacked = images::content_of(bytes);
  const auto refused = check_binding(kernel, unsigned_kernel, chosen);
  REQUIRE_FALSE(refused.has_value());
  std::array<char, 128> sums{};
  std::snprintf(sums.data(), sums.size(), "it expects checksum 0x%08x and the kernel has 0x%08x",
                sum ^ 0x01000080, sum);
  CHECK(
      has(refused.error().message, "module wireguard (/" + chosen[0].path +
                                       ") was built against another rtnl_unlock: " + sums.data()));
}

}  // namespace

TEST_CASE(
    "every module that Debian ships fits its kernel by sums and signature, as libkmod reads them") {
  for (const std::string name : {"gateway-6.1", "gateway-6.12"}) {
    CAPTURE(name);
    const Example example(name);
    (void)example.build();
    const std::string shipped = example.unpack_kernel();
    const std::string release = example.release().at("kernel").at("release");
    const auto kernel =
        parse_kernel_image(as_bytes(test::bytes_of(shipped + "/boot/vmlinuz-" + release)));
    REQUIRE(kernel.has_value());
    const auto binding = read_kernel_binding(*kernel);
    REQUIRE_MESSAGE(binding.has_value(), binding.error().message);
    CHECK(binding->exports.size() > 5000);
    const std::string folder = shipped + "/lib/modules/" + release;
    const auto modules = modules_below(folder);
    CHECK(modules.size() > 1000);
    const auto key = check_binding(*kernel, *binding, modules);
    REQUIRE_MESSAGE(key.has_value(), key.error().message);
    std::size_t calls = 0;
    for (const ImageModule& module : modules) {
      CAPTURE(module.path);
      const auto symbols = read_module_symbols(*module.unpacked);
      REQUIRE(symbols.has_value());
      const test::Kmod real(folder + "/" + module.path);
      CHECK(symbols->versions == real.versions());
      std::map<std::string, std::uint32_t> exports;
      for (const auto& [symbol, sum] : symbols->exports) exports[symbol] = sum.value_or(0);
      CHECK(exports == real.exports());
      calls += symbols->needs.size();
    }
    CHECK(calls > 20000);
    for (const json& module : example.release().at("modules")) {
      CHECK(module.at("signature_key") == *key);
    }
    CHECK(*key ==
          without_colons(example.run("find " + folder +
                                     " -name 'wireguard.ko*' -exec modinfo -F sig_key {} ';'")));
    check_another_sum_is_refused(*kernel, *binding, modules, folder);
  }
}

TEST_CASE("a tampered module stops the build with a sentence that says what happened") {
  const Example example("gateway-6.1");
  const Tampered tampered(example);
  const std::string file = "drivers/net/wireguard/wireguard.ko";

  const std::string flipped = tampered.refusal("at=$(grep -abo 'WireGuard secure' " + file +
                                               " | head -1 | cut -d: -f1) && printf w | "
                                               "dd of=" +
                                               file + " bs=1 seek=$at conv=notrunc status=none");
  CHECK(has(flipped, "module wireguard (/usr/lib/modules/"));
  CHECK(has(flipped, "is not what its signer signed"));

  const std::string stripped = tampered.refusal("strip -g " + file);
  CHECK(has(stripped, "is not signed, while this kernel's modules are: its signature was removed"));
}

}  // namespace weir::builder
