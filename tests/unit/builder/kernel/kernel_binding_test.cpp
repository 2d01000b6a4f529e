#include "builder/kernel/kernel_binding.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>

#include "tests/text.h"
#include "tests/unit/builder/kernel/kmod.h"
#include "tests/unit/builder/mirror/package_workshop.h"

namespace weir::builder {
namespace {

using test::has;
using test::Workshop;

const std::string kMagic = std::string("vermagic=") + test::kVermagic;

// A kernel that exports two symbols and trusts one key; `net` needs both and `crypto`, which
// `lib` exports.
void make_parts(const Workshop& workshop) {
  workshop.module("lib.ko", {"name=lib", kMagic, "depends="}, {"crypto=0xabcdef01"},
                  {"kmalloc=0x11111111"});
  workshop.module("net.ko", {"name=net", kMagic, "depends=lib"}, {},
                  {"kmalloc=0x11111111", "printk=0x89abcdef", "crypto=0xabcdef01"});
  workshop.sign("lib.ko", "builder");
  workshop.sign("net.ko", "builder");
}

const Workshop::Kernel kKernel{
    "zstd -q", test::kVermagic, {"kmalloc=0x11111111", "printk=0x89abcdef"}, "builder"};

KernelImage kernel_of(const Workshop& workshop, const Workshop::Kernel& plan = kKernel) {
  auto kernel = parse_kernel_image(as_bytes(workshop.boot_image(plan)));
  REQUIRE_MESSAGE(kernel.has_value(), kernel.error().message);
  return std::move(*kernel);
}

Result<ImageModule> module_from(const std::string& bytes, const std::string& path) {
  const images::Content content = images::content_of(bytes);
  TRY_ASSIGN(images::Content unpacked, unpack_kernel_module(content));
  TRY_ASSIGN(KernelModule facts, parse_kernel_module(*unpacked));
  return ImageModule{path, std::move(facts), std::move(unpacked)};
}

ImageModule module_of(const Workshop& workshop, const std::string& file) {
  auto module = module_from(workshop.read(file), "usr/lib/modules/" + file);
  REQUIRE_MESSAGE(module.has_value(), module.error().message);
  return std::move(*module);
}

Result<std::string> bind(const KernelImage& kernel, const std::vector<ImageModule>& modules) {
  TRY_ASSIGN(const KernelBinding binding, read_kernel_binding(kernel));
  return check_binding(kernel, binding, modules);
}

std::string refusal(const KernelImage& kernel, const std::vector<ImageModule>& modules) {
  const auto bound = bind(kernel, modules);
  REQUIRE_FALSE(bound.has_value());
  return bound.error().message;
}

std::string without_colons(std::string text) {
  std::erase_if(text, [](char c) { return c == ':' || c == '\n'; });
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace

TEST_CASE("a module's symbols and sums are those that libkmod reads") {
  const Workshop workshop;
  make_parts(workshop);
  for (const std::string file : {"lib.ko", "net.ko"}) {
    CAPTURE(file);
    const std::string bytes = workshop.read(file);
    const auto symbols = read_module_symbols(as_bytes(bytes));
    REQUIRE_MESSAGE(symbols.has_value(), symbols.error().message);
    const test::Kmod real(workshop.path() + "/" + file);
    CHECK(symbols->versions == real.versions());
    auto needs = symbols->needs;
    for (const auto& [name, _] : symbols->versions) needs.emplace(name, false);
    CHECK(needs == real.needs());
    std::map<std::string, std::uint32_t> exports;
    for (const auto& [name, sum] : symbols->exports) exports[name] = sum.value();
    CHECK(exports == real.exports());
  }
}

TEST_CASE(
    "what kernel and modules say about one another fits, and the key is the one modinfo shows") {
  const Workshop workshop;
  make_parts(workshop);
  const KernelImage kernel = kernel_of(workshop);
  const auto binding = read_kernel_binding(kernel);
  REQUIRE_MESSAGE(binding.has_value(), binding.error().message);
  CHECK(binding->exports == SymbolSums{{"kmalloc", 0x11111111}, {"printk", 0x89abcdef}});
  CHECK(binding->keys.checks_signatures);
  REQUIRE(binding->keys.certificates.size() == 1);
  CHECK(binding->keys.certificates[0].subject == "CN = builder");
  const auto key = bind(kernel, {module_of(workshop, "lib.ko"), module_of(workshop, "net.ko")});
  REQUIRE_MESSAGE(key.has_value(), key.error().message);
  CHECK(*key == without_colons(workshop.run("modinfo -F sig_key ./net.ko")));
  CHECK("serial=" + *key ==
        without_colons(workshop.run("openssl x509 -in builder.crt -noout -serial")));
}

TEST_CASE("as of Linux 6.14 sums may stand in tables for long names") {
  const Workshop workshop;
  workshop.write("long.c",
                 "int kmalloc(void); int use(void){return kmalloc();}\n"
                 "__attribute__((section(\"__version_ext_crcs\"),used)) static const unsigned a[]="
                 "{0x11111111,0x22222222};\n"
                 "__attribute__((section(\"__version_ext_names\"),used)) static const char b[]="
                 "\"kmalloc\\0module_layout\";\n");
  workshop.run("gcc -c long.c -o long.ko");
  const auto symbols = read_module_symbols(as_bytes(workshop.read("long.ko")));
  REQUIRE_MESSAGE(symbols.has_value(), symbols.error().message);
  CHECK(symbols->versions == std::map<std::string, std::uint32_t>{{"kmalloc", 0x11111111},
                                                                  {"module_layout", 0x22222222}});
  workshop.run("sed -i 's/.0module_layout//' long.c && gcc -c long.c -o cut.ko");
  CHECK_FALSE(read_module_symbols(as_bytes(workshop.read("cut.ko"))).has_value());
}

TEST_CASE("a module from another build is refused with its symbol and both sums") {
  const Workshop workshop;
  make_parts(workshop);
  const KernelImage kernel = kernel_of(workshop);
  const ImageModule lib = module_of(workshop, "lib.ko");
  struct {
    std::vector<std::string> calls;
    std::string said;
  } const cases[] = {
      {{"printk=0x89abcdee"},
       "module net (/usr/lib/modules/net.ko) was built against another printk: it expects checksum "
       "0x89abcdee and the kernel has 0x89abcdef: kernel and modules must come from one build"},
      {{"crypto=0xabcdef02"},
       "was built against another crypto: it expects checksum 0xabcdef02 and module lib has "
       "0xabcdef01"},
      {{"vanished=0x00000001"},
       "uses the symbol vanished, which neither the kernel nor a module of the image exports"},
      {{"printk"}, "uses the symbol printk of the kernel but does not state the checksum"},
  };
  for (const auto& [calls, said] : cases) {
    workshop.module("net.ko", {"name=net", kMagic, "depends=lib"}, {}, calls);
    workshop.sign("net.ko", "builder");
    CHECK(has(refusal(kernel, {lib, module_of(workshop, "net.ko")}), said));
  }
  workshop.module("net.ko", {"name=net", "vermagic=9.8-demo SMP ", "depends="}, {}, {});
  workshop.sign("net.ko", "builder");
  CHECK(has(refusal(kernel, {lib, module_of(workshop, "net.ko")}),
            "is for '9.8-demo SMP ', which kernel 9.9-demo would refuse to load"));
  workshop.module("net.ko", {"name=net", kMagic, "depends="}, {"printk=0x89abcdef"}, {});
  workshop.sign("net.ko", "builder");
  CHECK(has(refusal(kernel, {lib, module_of(workshop, "net.ko")}),
            "exports the symbol printk, which the kernel exports too"));
}

TEST_CASE("a module that was changed, lost its signature or has a stranger's is refused") {
  const Workshop workshop;
  make_parts(workshop);
  const KernelImage kernel = kernel_of(workshop);
  const ImageModule lib = module_of(workshop, "lib.ko");
  const std::string good = workshop.read("net.ko");
  const auto changed = [&](const std::string& bytes) {
    const auto module = module_from(bytes, "usr/lib/modules/net.ko");
    REQUIRE_MESSAGE(module.has_value(), module.error().message);
    return refusal(kernel, {lib, *module});
  };

  SUBCASE("one bit of the code") {
    std::string bytes = good;
    bytes[bytes.find("start") + 1] ^= 1;
    CHECK(
        has(changed(bytes), "module net (/usr/lib/modules/net.ko) is not what its signer signed"));
  }
  SUBCASE("a sum, edited so that it fits") {
    workshop.module("net.ko", {"name=net", kMagic, "depends=lib"}, {}, {"printk=0x89abcdee"});
    workshop.sign("net.ko", "builder");
    std::string bytes = workshop.read("net.ko");
    const auto at = bytes.find("\xee\xcd\xab\x89");
    REQUIRE(at != std::string::npos);
    bytes[at] = '\xef';
    CHECK(has(changed(bytes), "is not what its signer signed: its content does not match"));
  }
  SUBCASE("one bit of the signature") {
    const auto at = good.size() - 28 - 12 - 10;
    std::string bytes = good;
    bytes[at] ^= 1;
    CHECK(has(changed(bytes), "is not what its signer signed"));
  }
  SUBCASE("stripped") {
    workshop.run("objcopy net.ko net.stripped");
    CHECK(has(changed(workshop.read("net.stripped")),
              "is not signed, while this kernel's modules "
              "are: its signature was removed"));
    // Also where it is the only one.
    CHECK(has(refusal(kernel, {module_of(workshop, "net.stripped")}), "is not signed"));
  }
  SUBCASE("a key the kernel does not have") {
    workshop.module("net.ko", {"name=net", kMagic, "depends="}, {}, {});
    workshop.sign("net.ko", "stranger");
    const std::string serial =
        without_colons(workshop.run("openssl x509 -in stranger.crt -noout -serial")).substr(7);
    CHECK(has(changed(workshop.read("net.ko")),
              "is signed with key " + serial + ", which is not one of the kernel's: "));
    CHECK(has(changed(workshop.read("net.ko")), "(CN = builder)"));
  }
  SUBCASE("two keys the kernel has") {
    workshop.module("net.ko", {"name=net", kMagic, "depends="}, {}, {});
    workshop.sign("net.ko", "stranger");
    workshop.run("cat stranger.der >> builder.der");
    CHECK(has(refusal(kernel_of(workshop), {lib, module_of(workshop, "net.ko")}),
              "and module lib with key "));
  }
  SUBCASE("a damaged trailer") {
    std::string bytes = good;
    bytes[bytes.size() - 28 - 12 + 5] = 1;
    CHECK(has(changed(bytes), "its signature ends in fields that should be zero"));
    bytes = good;
    bytes[bytes.size() - 28 - 4] = 1;
    CHECK(has(changed(bytes), "its signature is cut"));
  }
}

TEST_CASE(
    "a module that Weir compiled has its own signer's signature, or none where none is meant") {
  const Workshop workshop;
  make_parts(workshop);
  const KernelImage kernel = kernel_of(workshop);
  const ImageModule lib = module_of(workshop, "lib.ko");
  workshop.module("net.ko", {"name=net", kMagic, "depends=lib"}, {},
                  {"kmalloc=0x11111111", "printk=0x89abcdef", "crypto=0xabcdef01"});
  ImageModule net = module_of(workshop, "net.ko");
  CHECK(has(refusal(kernel, {lib, net}), "module net (/usr/lib/modules/net.ko) is not signed"));
  net.own_signer = "";
  const auto unsigned_one = bind(kernel, {lib, net});
  REQUIRE_MESSAGE(unsigned_one.has_value(), unsigned_one.error().message);
  CHECK_FALSE(unsigned_one->empty());

  workshop.sign("net.ko", "operator");
  ImageModule signed_one = module_of(workshop, "net.ko");
  signed_one.own_signer = workshop.read("operator.der");
  const auto bound = bind(kernel, {lib, signed_one});
  REQUIRE_MESSAGE(bound.has_value(), bound.error().message);
  // The others' key, as before.
  CHECK(*bound == *unsigned_one);

  net.own_signer = signed_one.own_signer;
  CHECK(has(refusal(kernel, {lib, net}), "is not signed by the manifest's module_signer"));
  signed_one.own_signer = workshop.read("builder.der");
  CHECK(has(refusal(kernel, {lib, signed_one}), "is not signed by the manifest's module_signer"));
  signed_one.own_signer = "";
  CHECK(has(refusal(kernel, {lib, signed_one}), "and the manifest names no module_signer"));
  // Of another kernel, or against other symbols, it is refused as any module is.
  workshop.module("net.ko", {"name=net", kMagic, "depends=lib"}, {},
                  {"kmalloc=0x22222222", "printk=0x89abcdef", "crypto=0xabcdef01"});
  ImageModule other = module_of(workshop, "net.ko");
  other.own_signer = "";
  CHECK(has(refusal(kernel, {lib, other}), "was built against another kmalloc"));
}

TEST_CASE("a kernel without sums and signatures asks for neither, but for every symbol") {
  const Workshop workshop;
  workshop.module("net.ko", {"name=net", kMagic, "depends="}, {}, {"printk"});
  const auto net = module_of(workshop, "net.ko");
  const auto key = bind(kernel_of(workshop, {"gzip", test::kVermagic, {"printk"}, ""}), {net});
  REQUIRE_MESSAGE(key.has_value(), key.error().message);
  CHECK(key->empty());
  CHECK(has(refusal(kernel_of(workshop, {"gzip", test::kVermagic, {}, ""}), {net}),
            "uses the symbol printk, which neither"));
}

}  // namespace weir::builder
