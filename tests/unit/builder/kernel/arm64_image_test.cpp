#include "builder/kernel/arm64_image.h"

#include <doctest/doctest.h>

#include <string>

#include "builder/kernel/flat_exports.h"
#include "builder/kernel/kernel_binding.h"
#include "tests/text.h"
#include "tests/unit/builder/mirror/package_workshop.h"

namespace weir::builder {
namespace {

using test::has;
using test::Workshop;

struct Arm64Plan {
  std::string release = "9.9-demo";
  bool sums = true, flags = false;
  std::string more{};  ///< assembly
};

std::string export_name(int i) {
  // Some end as others do: the linker keeps one text for both.
  return (i % 3 == 0 ? "dev_call_" : "call_") + std::to_string(i / 3);
}

std::string export_sum(int i) {
  return std::to_string(1000000007LL * (i + 1) % 4294967291LL);
}

// As EXPORT_SYMBOL and EXPORT_SYMBOL_GPL (include/asm-generic/export.h, Linux 6.1), every seventh
// without a namespace as of assembly, and in sections as the kernel's linker script sorts them.
std::string export_source(int i, const Arm64Plan& plan) {
  const std::string name = export_name(i) + (i % 3 == 2 ? "_b" : "");
  const std::string kind = i % 4 == 0 ? "_gpl" : "";
  std::string out = ".text\n" + name + ": ret\n";
  out += ".section __ksymtab_strings,\"aMS\",%progbits,1\n__kstrtab_" + name + ": .asciz \"" +
         name + "\"\n__kstrtabns_" + name + ": .asciz \"\"\n";
  out += ".section ___ksymtab" + kind + "+" + name + ",\"a\"\n.balign 4\n.long " + name +
         " - .\n.long __kstrtab_" + name + " - .\n" +
         (i % 7 == 0 ? ".long 0\n" : ".long __kstrtabns_" + name + " - .\n");
  if (plan.sums) {
    out += ".section ___kcrctab" + kind + "+" + name + ",\"a\"\n.long " + export_sum(i) + "\n";
  }
  if (plan.flags) out += ".section ___kflagstab+" + name + ",\"a\"\n.byte 1\n";
  return out;
}

constexpr const char* kArm64Script = R"(SECTIONS {
  .head : { *(.head) }
  .text : { *(.text) }
  .rodata : { *(.rodata) }
  . = ALIGN(4096);
  .vdso : { *(.vdso) }
  __ksymtab : { *(SORT(___ksymtab+*)) }
  __ksymtab_gpl : { *(SORT(___ksymtab_gpl+*)) }
  __kcrctab : { *(SORT(___kcrctab+*)) }
  __kcrctab_gpl : { *(SORT(___kcrctab_gpl+*)) }
  __kflagstab : { *(SORT(___kflagstab+*)) }
  __ksymtab_strings : { *(__ksymtab_strings) }
  . = ALIGN(4);
  .notes : { *(.note.*) }
}
)";

constexpr const char* kImageStart = R"asm(.section .head,"a"
.ascii "MZ@\372"
.long 0
.quad 0, 0x10000, 10, 0, 0, 0
.ascii "ARM\144"
.long 0
.section .rodata,"a"
.ascii "looks for \177ELF\2\1\1 and \4\0\0\0"
.asciz "%s version %s (x)"
vermagic: .asciz "9.9-demo SMP mod_unload aarch64"
)asm";

constexpr const char* kImageVdso = R"asm(.section .vdso,"a"
.incbin "vdso.so"
.balign 4096
)asm";

constexpr int kExports = 150;

// Made by the cross tools alone; vmlinux beside it keeps what the image has lost.
std::string make_image(const Workshop& workshop, const Arm64Plan& plan = {}) {
  std::string source = std::string(kImageStart) + "banner: .asciz \"Linux version " + plan.release +
                       " (nobody@nowhere) #1 SMP\"\n" + kImageVdso;
  for (int i = 0; i < kExports; ++i) source += export_source(i, plan);
  workshop.write("kernel.S", source + plan.more);
  workshop.write("kernel.lds", kArm64Script);
  workshop.write("vdso.S", ".globl gettime\ngettime: ret\n");
  return workshop.run(
      "P=aarch64-linux-gnu-; ${P}gcc -nostdlib -shared -Wl,--build-id vdso.S -o "
      "vdso.so && ${P}gcc -c kernel.S -o kernel.o && "
      "${P}ld -O2 --build-id -T kernel.lds kernel.o -o vmlinux && "
      "${P}objcopy -O binary vmlinux Image && cat Image");
}

std::string build_id_by_readelf(const Workshop& workshop, const std::string& file) {
  const std::string notes = workshop.run("readelf -n " + file);
  constexpr std::string_view kLabel = "Build ID: ";
  const auto at = notes.find(kLabel);
  REQUIRE(at != std::string::npos);
  return notes.substr(at + kLabel.size(), 40);
}

std::string image_refusal(const std::string& image) {
  const auto read = parse_kernel_image(as_bytes(image));
  REQUIRE_FALSE(read.has_value());
  return read.error().message;
}

}  // namespace

TEST_CASE("an arm64 Image gives its release and its own build id, not its vDSO's") {
  const Workshop workshop;
  const std::string image = make_image(workshop);
  CHECK(has(workshop.run("file -b Image"), "Linux kernel ARM64 boot executable Image"));
  workshop.run("gzip -k Image");
  for (const std::string& packed : {image, workshop.read("Image.gz")}) {
    const auto kernel = parse_kernel_image(as_bytes(packed));
    REQUIRE_MESSAGE(kernel.has_value(), kernel.error().message);
    CHECK(kernel->release == "9.9-demo");
    CHECK(kernel->build_id == build_id_by_readelf(workshop, "vmlinux"));
    CHECK(kernel->build_id != build_id_by_readelf(workshop, "vdso.so"));
    CHECK(as_bytes(image).size() == kernel->vmlinux.size());
    CHECK(accepts_vermagic(*kernel, "9.9-demo SMP mod_unload aarch64"));
    CHECK_FALSE(accepts_vermagic(*kernel, "9.9-demo SMP mod_unload"));
  }
}

TEST_CASE("what an Image exports is what its ELF file had, with sums, flags, both or neither") {
  for (const bool sums : {true, false}) {
    for (const bool flags : {true, false}) {
      CAPTURE(sums);
      CAPTURE(flags);
      const Workshop workshop;
      const std::string image = make_image(workshop, {.sums = sums, .flags = flags});
      const auto found = find_kernel_exports(as_bytes(image));
      REQUIRE_MESSAGE(found.has_value(), found.error().message);
      CHECK(found->size() == kExports);
      const std::string symbols = workshop.run("aarch64-linux-gnu-nm vmlinux");
      for (int i = 0; i < kExports; ++i) {
        const std::string name = export_name(i) + (i % 3 == 2 ? "_b" : "");
        CAPTURE(name);
        CHECK(symbols.find(" __kstrtab_" + name + "\n") != std::string::npos);
        REQUIRE(found->contains(name));
        const auto& sum = found->at(name);
        CHECK((sum ? std::to_string(*sum) : "none") == (sums ? export_sum(i) : "none"));
      }
      const auto kernel = parse_kernel_image(as_bytes(image));
      REQUIRE(kernel.has_value());
      const auto binding = read_kernel_binding(*kernel);
      REQUIRE(binding.has_value());
      CHECK(binding->exports == *found);
    }
  }
}

TEST_CASE("an Image that does not say who it is, or says it twice, is refused with the reason") {
  const Workshop workshop;
  const std::string image = make_image(workshop);
  std::string other = image;
  other[24] = 1;  // booting.rst: bit 0 of the flags is the kernel's endianness
  CHECK(image_refusal(other) == "kernel image: big endian");
  CHECK(image_refusal(test::replaced(image, "Linux version 9", "Lynux version 9")) ==
        "kernel image: it does not state its version");
  CHECK(image_refusal(image + std::string("Linux version 9.8 (x)\0", 22)) ==
        "kernel image: it states two versions");
  CHECK(image_refusal(image.substr(0, image.find("Linux version"))) ==
        "kernel image: it does not state its version");
  std::string zboot = image;
  zboot.replace(4, 4, "zimg");
  zboot.replace(56, 4, 4, '\0');
  CHECK(has(image_refusal(zboot), "CONFIG_EFI_ZBOOT"));
  // Nothing of it leads outside, wherever it ends.
  for (std::size_t size = 0; size < image.size(); size += 97) {
    (void)parse_kernel_image(as_bytes(image.substr(0, size)));
    (void)find_kernel_exports(as_bytes(image.substr(0, size)));
  }
}

TEST_CASE("tables of exports that do not belong together are refused") {
  const Workshop workshop;
  CHECK_FALSE(find_kernel_exports({}).has_value());
  const std::string image =
      make_image(workshop, {.more = ".section ___kcrctab+zz,\"a\"\n.long 5\n"});
  const auto found = find_kernel_exports(as_bytes(image));
  REQUIRE_FALSE(found.has_value());
  CHECK(has(found.error().message, "of a kind that is not known here"));
}

}  // namespace weir::builder
