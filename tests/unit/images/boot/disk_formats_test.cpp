// GPT, FAT32 and PE as foreign tools see them.
#include <doctest/doctest.h>
#include <sys/mman.h>

#include <memory>
#include <string>
#include <vector>

#include "images/boot/boot_disk.h"
#include "images/boot/pxe.h"
#include "images/boot/uki.h"
#include "images/formats/crc32.h"
#include "images/formats/fat.h"
#include "images/formats/gpt.h"
#include "images/formats/pe.h"
#include "images/store/edge/output.h"
#include "tests/unit/images/scratch.h"

namespace weir::images {
namespace {

using test::must;
using test::TemporaryFolder;

constexpr const char* kStub = "/usr/lib/systemd/boot/efi/linuxx64.efi.stub";
constexpr std::uint64_t kMiB = 1 << 20;

struct Scratch : TemporaryFolder {
  std::string run(const std::string& command) const {
    return must("cd " + path + " && export LC_ALL=C TZ=UTC PATH=$PATH:/usr/sbin:/sbin && " +
                command);
  }
  void write(const std::string& name, const SparseFile& file) const {
    REQUIRE(write_sparse_file(path + "/" + name, file).has_value());
  }
  void write(const std::string& name, std::string_view text) const {
    REQUIRE(write_file(path + "/" + name, text).has_value());
  }
  [[nodiscard]] std::string read(const std::string& name) const {
    return test::bytes_of(path + "/" + name);
  }
};

std::string noise(std::size_t size) {
  std::string out;
  std::uint64_t x = 1;
  for (std::size_t i = 0; i < size; ++i) {
    x = x * 6364136223846793005U + 1442695040888963407U;
    out += static_cast<char>(x >> 56);
  }
  return out;
}

std::string text_of(const std::vector<std::uint8_t>& bytes) {
  return {bytes.begin(), bytes.end()};
}

FatVolume volume(std::uint64_t mebibytes) {
  return {ByteCount{mebibytes * kMiB}, "WEIR", 0xcafe1234, 1700000000, 0};
}

std::string refusal(const auto& result) {
  return result.has_value() ? "" : result.error().message;
}

}  // namespace

TEST_CASE("the checksum is the one of the usual check value") {
  // The catalogue's "check": the digits 1 to 9 (ITU-T V.42).
  CHECK(crc32(as_bytes("123456789")) == 0xcbf43926);
  CHECK(crc32({}) == 0);
}

TEST_CASE("fsck.fat finds nothing wrong, and mtools reads back what was written") {
  const Scratch folder;
  for (const std::uint64_t size : {33, 64, 300}) {
    CAPTURE(size);
    const std::vector<FatFile> files = {{"EFI/BOOT/BOOTX64.EFI", content_of(noise(300'001))},
                                        {"EFI/BOOT/EMPTY", content_of("")},
                                        {"EFI/LINUX/A.CFG", content_of("a")},
                                        {"README", content_of(noise(20'480))}};
    const auto made = encode_fat32(volume(size), files);
    REQUIRE_MESSAGE(made.has_value(), refusal(made));
    folder.write("volume", *made);
    const std::string checked = folder.run("fsck.fat -nv volume");
    CHECK(checked.find("volume: 8 files, ") != std::string::npos);
    CHECK(checked.find("Differences") == std::string::npos);
    folder.run("rm -rf out && mkdir out && mcopy -sn -i volume ::/EFI ::/README out");
    for (const FatFile& file : files)
      CHECK(folder.read("out/" + file.path) == text_of(*file.content));
    const std::string listed = folder.run("mdir -i volume ::");
    CHECK(listed.find("Volume in drive : is WEIR") != std::string::npos);
    CHECK(listed.find("CAFE-1234") != std::string::npos);
    CHECK(listed.find("2023-11-14  22:13") != std::string::npos);
    CHECK(flatten(*made) == flatten(*encode_fat32(volume(size), files)));
    CHECK(digest_of(*made).hex() == folder.run("sha256sum < volume").substr(0, 64));
  }
}

TEST_CASE("a folder of more entries than a cluster holds goes on in the next") {
  const Scratch folder;
  std::vector<FatFile> files;
  files.reserve(100);
  for (int i = 0; i < 100; ++i) {
    files.push_back({"D/F" + std::to_string(i), content_of(std::to_string(i))});
  }
  const auto made = encode_fat32(volume(40), files);
  REQUIRE(made.has_value());
  folder.write("volume", *made);
  folder.run("fsck.fat -n volume && mcopy -sn -i volume ::/D out");
  CHECK(folder.read("out/F99") == "99");
}

TEST_CASE("FAT32 refuses what it cannot hold") {
  const Content some = content_of("x");
  CHECK(refusal(encode_fat32(volume(32), {})).find("too small") != std::string::npos);
  CHECK(refusal(encode_fat32(volume(40), {{"lower.efi", some}})).find("8.3") != std::string::npos);
  CHECK(refusal(encode_fat32(volume(40), {{"A/../B", some}})).find("8.3") != std::string::npos);
  CHECK(refusal(encode_fat32(volume(40), {{"/A", some}})).find("8.3") != std::string::npos);
  CHECK(refusal(encode_fat32(volume(40), {{"A", some}, {"A", some}})).find("already") !=
        std::string::npos);
  CHECK(refusal(encode_fat32(volume(40), {{"A", some}, {"A/B", some}})).find("already") !=
        std::string::npos);
  CHECK(refusal(encode_fat32(volume(40), {{"A/B", some}, {"A", some}})).find("already") !=
        std::string::npos);
  CHECK(encode_fat32(volume(33), {{"A", content_of(noise(33 * kMiB - 300'000))}}).error().code ==
        Errc::exhausted);
  FatVolume old = volume(40);
  old.time = 0;
  CHECK(refusal(encode_fat32(old, {})).find("1980") != std::string::npos);
}

TEST_CASE("sgdisk agrees with both partition tables") {
  const Scratch folder;
  const Digest seed = Digest::of(as_bytes("seed"));
  const std::vector<Partition> partitions = {
      {kEfiSystemPartition, derive_guid(seed, "one"), 2048, 4096, "EFI system partition"},
      {kEfiSystemPartition, derive_guid(seed, "two"), 8192, 100, "rest"}};
  const auto made = encode_gpt(ByteCount{16 * kMiB}, derive_guid(seed, "disk"), partitions);
  REQUIRE_MESSAGE(made.has_value(), refusal(made));
  folder.write("disk", *made);
  CHECK(folder.run("sgdisk --verify disk").find("No problems found") != std::string::npos);
  const std::string shown = folder.run("sgdisk --info 1 disk");
  CHECK(shown.find("C12A7328-F81F-11D2-BA4B-00A0C93EC93B") != std::string::npos);
  CHECK(shown.find("First sector: 2048") != std::string::npos);
  CHECK(shown.find("Last sector: 6143") != std::string::npos);
  CHECK(shown.find("'EFI system partition'") != std::string::npos);
  // Each table alone is enough to find the other again.
  folder.run(
      "cp disk torn && dd if=/dev/zero of=torn bs=512 seek=1 count=1 conv=notrunc status=none");
  CHECK(folder.run("sgdisk --info 2 torn 2>&1").find("'rest'") != std::string::npos);
}

TEST_CASE("partitions that overlap or do not fit are refused by name") {
  const Guid id{};
  const auto with = [&](const std::vector<Partition>& list) {
    return refusal(encode_gpt(ByteCount{kMiB}, id, list));
  };
  CHECK(with({{id, id, 34, 10, "a"}}).empty());
  CHECK(with({{id, id, 33, 10, "a"}}).find("'a'") != std::string::npos);
  CHECK(with({{id, id, 40, 10, "a"}, {id, id, 49, 10, "b"}}).find("'b'") != std::string::npos);
  CHECK(with({{id, id, 2048 - 33, 1, "a"}}).find("'a'") != std::string::npos);
  CHECK(with({{id, id, 40, ~0ULL, "a"}}).find("'a'") != std::string::npos);
  CHECK(with({{id, id, 40, 0, "a"}}).find("'a'") != std::string::npos);
}

TEST_CASE("objcopy and objdump find the sections that were added to systemd's stub") {
  const Scratch folder;
  const std::string stub = test::bytes_of(kStub);
  const std::string kernel = noise(70'001);
  const auto made = add_pe_sections(
      as_bytes(stub), {{".cmdline", as_bytes("quiet")}, {".linux", as_bytes(kernel)}});
  REQUIRE_MESSAGE(made.has_value(), refusal(made));
  folder.write("uki.efi", text_of(*made));
  folder.run(
      "objcopy --dump-section .cmdline=c --dump-section .linux=l --dump-section .text=t uki.efi "
      "out.efi");
  folder.run(std::string("objcopy --dump-section .text=t0 ") + kStub + " out.efi && cmp t t0");
  CHECK(folder.read("c").substr(0, 5) == "quiet");
  CHECK(folder.read("l").substr(0, kernel.size()) == kernel);
  const std::string headers = folder.run("objdump -h uki.efi");
  CHECK(headers.find(".cmdline      00000005") != std::string::npos);
  CHECK(headers.find(".linux        00011171") != std::string::npos);
  // Nothing lies between sections, or firmware and sbsign would hash other bytes.
  folder.run(
      "openssl req -new -x509 -newkey rsa:2048 -nodes -subj /CN=t -keyout k -out c.pem "
      "2>/dev/null");
  CHECK(folder.run("sbsign --key k --cert c.pem --output signed.efi uki.efi 2>&1").find("gap") ==
        std::string::npos);
  folder.run("sbverify --cert c.pem signed.efi");
  // sbattach sets the checksum anew, as its own code counts it.
  folder.run("sbattach --remove signed.efi 2>&1 && cmp signed.efi uki.efi");
  CHECK(refusal(add_pe_sections(as_bytes(folder.read("uki.efi")), {{".cmdline", as_bytes("x")}}))
            .find("has one") != std::string::npos);
  folder.run("sbsign --key k --cert c.pem --output signed.efi uki.efi 2>&1");
  CHECK(refusal(add_pe_sections(as_bytes(folder.read("signed.efi")), {{".x", as_bytes("x")}}))
            .find("signed") != std::string::npos);
}

TEST_CASE("what is no PE program, or a damaged one, is refused") {
  const std::string stub = test::bytes_of(kStub);
  CHECK_FALSE(add_pe_sections({}, {}).has_value());
  CHECK_FALSE(add_pe_sections(as_bytes(test::bytes_of("/bin/true")), {}).has_value());
  CHECK_FALSE(add_pe_sections(as_bytes(stub).first(0x200), {}).has_value());
  CHECK_FALSE(add_pe_sections(as_bytes(stub).first(0x8000), {}).has_value());
  std::vector<PeSection> many;
  many.reserve(40);
  for (int i = 0; i < 40; ++i) many.push_back({"." + std::to_string(i), as_bytes("x")});
  CHECK(add_pe_sections(as_bytes(stub), many).error().code == Errc::exhausted);
  // Whatever single byte of the headers is wrong, nothing is read outside the program.
  for (std::size_t at = 0; at < 0x400; ++at) {
    std::string damaged = stub;
    damaged[at] = static_cast<char>(~damaged[at]);
    (void)add_pe_sections(as_bytes(damaged), {{".x", as_bytes("x")}});
  }
  CHECK(refusal(encode_uki(as_bytes(stub), {"", "", "", {}, as_bytes(noise(1000))}))
            .find("bzImage") != std::string::npos);
}

TEST_CASE("a UKI's kernel is for the machine of its stub") {
  std::string stub = test::bytes_of(kStub);
  const auto put = [](std::string& in, std::size_t at, std::string_view bytes) {
    in.replace(at, bytes.size(), bytes);
  };
  // Linux, Documentation/arch/arm64/booting.rst; Microsoft, PE Format.
  const std::string_view amd64("\x64\x86", 2), arm64("\x64\xaa", 2);
  std::string kernel(1000, '\0');
  put(kernel, 0, "MZ");
  put(kernel, 0x3c, std::string_view("\x40\0\0\0", 4));
  put(kernel, 0x38, "ARMd");
  put(kernel, 0x40, std::string_view("PE\0\0", 4));
  put(kernel, 0x44, arm64);
  const auto made = [&] { return encode_uki(as_bytes(stub), {"", "", "", {}, as_bytes(kernel)}); };
  CHECK(pe_machine(as_bytes(stub)) == 0x8664);
  CHECK(pe_machine(as_bytes(kernel)) == 0xaa64);
  CHECK(refusal(made()) == "kernel: not a bzImage");
  const auto number = [&](std::size_t at) { return static_cast<unsigned char>(stub[at]); };
  put(stub, (number(0x3c) | number(0x3d) << 8) + std::size_t{4}, arm64);
  CHECK(made().has_value());
  put(kernel, 0x44, amd64);
  CHECK(refusal(made()) == "kernel: is for another machine than the EFI stub");
  put(kernel, 0x38, "ARMx");
  CHECK(refusal(made()) == "kernel: not an arm64 Image, as the EFI stub needs");
}

TEST_CASE("a program that would have 2 GiB or more is refused before it is made") {
  const std::string stub = test::bytes_of(kStub);
  // Address space that is never looked at.
  struct Unmap {
    void operator()(void* at) const { ::munmap(at, std::size_t{1} << 31); }
  };
  void* const space = ::mmap(nullptr, std::size_t{1} << 31, PROT_NONE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  REQUIRE(space != MAP_FAILED);
  const std::unique_ptr<void, Unmap> unmap(space);
  const Bytes half(static_cast<const std::uint8_t*>(space), std::size_t{1} << 30);
  for (const std::vector<PeSection>& sections :
       {std::vector<PeSection>{{".a", half}, {".b", half}},
        std::vector<PeSection>{{".a", {half.data(), 2 * half.size()}}}}) {
    const auto refused = add_pe_sections(as_bytes(stub), sections);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == Errc::exhausted);
    CHECK(refused.error().message == "the program would exceed 2 GiB");
  }
  // A small file whose last section is loaded far up: Microsoft, PE Format, section table.
  const auto number = [&](std::size_t at, int bytes) {
    std::size_t out = 0;
    for (int i = bytes; i-- > 0;) out = out << 8 | static_cast<unsigned char>(stub[at + i]);
    return out;
  };
  const std::size_t header = number(0x3c, 4);
  const std::size_t last =
      header + 24 + number(header + 20, 2) + (number(header + 6, 2) - 1) * std::size_t{40};
  const auto loaded_at = [&](const std::string& address) {
    std::string out = stub;
    out.replace(last + 12, 4, address);
    return add_pe_sections(as_bytes(out), {{".x", as_bytes("x")}});
  };
  CHECK(loaded_at(std::string("\x00\x00\x00\x7f", 4)).has_value());
  CHECK(refusal(loaded_at(std::string("\x00\xf0\xff\x7f", 4))) == "the program would exceed 2 GiB");
}

TEST_CASE("a boot disk holds the UKI where UEFI firmware looks for it") {
  const Scratch folder;
  const Digest release = Digest::of(as_bytes("release"));
  for (const std::size_t size : {std::size_t{100'000}, std::size_t{70 * kMiB}}) {
    const std::string uki = noise(1000) + std::string(size, 'u');
    const auto made = make_boot_disk(content_of(uki), "BOOTX64.EFI", release, 1700000000);
    REQUIRE_MESSAGE(made.has_value(), refusal(made));
    folder.write("disk", *made);
    CHECK(folder.run("sgdisk --verify disk").find("No problems found") != std::string::npos);
    folder.run("mcopy -n -i disk@@1M ::EFI/BOOT/BOOTX64.EFI uki");
    CHECK((folder.read("uki") == uki));
    folder.run(
        "dd if=disk of=part bs=1M skip=1 status=none && truncate -s -1M part && "
        "fsck.fat -n part");
  }
}

TEST_CASE("an iPXE script has the command line, and refuses what iPXE would read as its own") {
  CHECK(*print_ipxe_script("Weir", "console=ttyS0 a=b,c") ==
        "#!ipxe\necho Weir\nkernel vmlinuz initrd=initrd.img console=ttyS0 a=b,c\n"
        "initrd initrd.img\nboot\n");
  for (const char* bad : {"a=${net0/mac}", "a;b", "a#b", "a && b", "a\nb", "a=\"b\""}) {
    CHECK_FALSE(print_ipxe_script("Weir", bad).has_value());
  }
}

TEST_CASE("an output folder appears whole or not at all") {
  const TemporaryFolder folder;
  const std::string out = folder.path + "/out";
  {
    auto begun = OutputFolder::begin(out);
    REQUIRE(begun.has_value());
    REQUIRE(write_file(begun->aside() + "/a", "a").has_value());
    CHECK_FALSE(std::filesystem::exists(out));
  }
  CHECK(std::filesystem::is_empty(folder.path));
  auto begun = OutputFolder::begin(out + "/");
  REQUIRE(begun.has_value());
  REQUIRE(write_file(begun->aside() + "/a", "a").has_value());
  REQUIRE(begun->finish().has_value());
  CHECK(test::bytes_of(out + "/a") == "a");
  CHECK(OutputFolder::begin(out).error().code == Errc::invalid_input);
  CHECK(must("ls -A " + folder.path) == "out\n");
}

}  // namespace weir::images
