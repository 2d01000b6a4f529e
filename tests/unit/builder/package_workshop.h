#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "manifests/edge/file.h"
#include "manifests/lock.h"
#include "tests/unit/images/scratch.h"

/// Makes real things to build from, with foreign tools only: ELF files with gcc and ld, packages
/// with dpkg-deb, a boot image around an ELF kernel with xz, zstd or gzip.
namespace weir::test {

inline constexpr const char* kRelease = "9.9-demo";
inline constexpr const char* kVermagic = "9.9-demo SMP preempt mod_unload ";

class Workshop {
 public:
  [[nodiscard]] const std::string& path() const { return folder_.path; }

  std::string run(const std::string& command) const {
    return must("cd " + folder_.path + " && export TZ=UTC LC_ALL=C && umask 022 && " + command);
  }

  void write(const std::string& name, std::string_view text) const {
    REQUIRE(
        make_folders((folder_.path + "/" + name).substr(0, (folder_.path + "/" + name).rfind('/')))
            .has_value());
    REQUIRE(write_file(folder_.path + "/" + name, text).has_value());
  }

  [[nodiscard]] std::string read(const std::string& name) const {
    return bytes_of(folder_.path + "/" + name);
  }

  /// A kernel module: what it states, what it exports and what it calls.
  void module(const std::string& out, const std::vector<std::string>& facts,
              const std::vector<std::string>& exports,
              const std::vector<std::string>& calls) const {
    std::string source;
    int count = 0;
    for (const std::string& fact : facts) {
      source += "__attribute__((section(\".modinfo\"),used)) static const char f" +
                std::to_string(count++) + "[]=\"" + fact + "\";\n";
    }
    for (const std::string& name : exports) {
      source += "int " + name + "(void){return 1;}\n";
      source += "__attribute__((section(\"__ksymtab_strings\"),used)) static const char s" +
                std::to_string(count++) + "[]=\"" + name + "\";\n";
    }
    for (const std::string& name : calls) source += "int " + name + "(void);\n";
    source += "int start" + std::to_string(facts.size()) + "(void){return 0";
    for (const std::string& name : calls) source += "+" + name + "()";
    source += ";}\n";
    write("module.c", source);
    run("mkdir -p $(dirname " + out +
        ") && gcc -O1 -fno-pie -mcmodel=kernel -c module.c -o module.o "
        "&& ld -r --build-id module.o -o " +
        out);
  }

  /// A bzImage of boot protocol 2.15 with an ELF kernel in it. `packer`: "xz", "gzip" or "zstd".
  std::string boot_image(const std::string& packer, const std::string& vermagic = kVermagic) const {
    write("kernel.c", "const char vermagic[]=\"" + vermagic + "\";void _start(void){}\n");
    run("gcc -O1 -nostdlib -static -Wl,--build-id kernel.c -o vmlinux && rm -f vmlinux.packed && " +
        packer + " -c vmlinux > vmlinux.packed");
    const std::string packed = read("vmlinux.packed"), plain = read("vmlinux");
    std::string image(1024, '\0');
    const auto put = [&](std::size_t at, std::uint32_t value, std::size_t size) {
      std::memcpy(image.data() + at, &value, size);
    };
    const std::uint32_t offset = 64;
    put(0x1f1, 1, 1);
    std::memcpy(image.data() + 0x202, "HdrS", 4);
    put(0x206, 0x20f, 2);
    put(0x20e, 0x100, 2);
    put(0x248, offset, 4);
    put(0x24c, static_cast<std::uint32_t>(packed.size() + 4), 4);
    const std::string banner = std::string(kRelease) + " (nobody@nowhere) #1 SMP";
    std::memcpy(image.data() + 0x300, banner.data(), banner.size());
    image.append(offset, '\x90');
    image += packed;
    std::uint32_t size = static_cast<std::uint32_t>(plain.size());
    image.append(reinterpret_cast<const char*>(&size), 4);
    return image;
  }

  /// Packs the folder `root` as a package; files are dated 2001. Returns its line of a lock.
  manifests::LockedPackage package(const std::string& name, const std::string& version,
                                   const std::string& root,
                                   const std::string& postinst = "") const {
    write(root + "/DEBIAN/control", "Package: " + name + "\nVersion: " + version +
                                        "\nArchitecture: amd64\nMaintainer: nobody\n"
                                        "Description: fixture\n");
    if (!postinst.empty()) write(root + "/DEBIAN/postinst", postinst);
    const std::string file = name + "_" + version + ".deb";
    run("cd " + root +
        " && { find . -type f ! -path './DEBIAN/*' -printf '%P\\n' | sort | "
        "xargs -r md5sum > DEBIAN/md5sums; } && { [ ! -f DEBIAN/postinst ] || chmod 755 "
        "DEBIAN/postinst; } && "
        "cd .. && find " +
        root +
        " -exec touch -h -d @1000000000 {} + && SOURCE_DATE_EPOCH=1000000000 "
        "dpkg-deb --root-owner-group -Zxz -b " +
        root + " " + path() + "/" + file);
    const std::string bytes = read(file);
    return {name,
            version,
            "amd64",
            "pool/" + file,
            ByteCount{bytes.size()},
            Digest::of(as_bytes(bytes)),
            "demo",
            "asked for"};
  }

 private:
  TemporaryFolder folder_;
};

}  // namespace weir::test
