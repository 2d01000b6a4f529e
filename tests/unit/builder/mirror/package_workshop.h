#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "manifests/base/edge/file.h"
#include "manifests/documents/lock.h"
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

  /// A kernel module: what it states, what it exports and what it calls. A symbol with a checksum,
  /// as a kernel with CONFIG_MODVERSIONS has them, is written "name=0x1234".
  void module(const std::string& out, const std::vector<std::string>& facts,
              const std::vector<std::string>& exports,
              const std::vector<std::string>& calls) const {
    std::string source;
    int count = 0;
    for (const std::string& fact : facts) {
      source += "__attribute__((section(\".modinfo\"),used)) static const char f" +
                std::to_string(count++) + "[]=\"" + fact + "\";\n";
    }
    for (const std::string& symbol : exports) {
      source += "int " + name_of(symbol) + "(void){return 1;}\n" + exported(symbol);
    }
    for (const std::string& symbol : calls) {
      source += "int " + name_of(symbol) + "(void);\n";
      if (sum_of(symbol).empty()) continue;
      // struct modversion_info
      source +=
          "__attribute__((section(\"__versions\"),used)) static const struct { long sum; char "
          "name[56]; } v" +
          std::to_string(count++) + " = { " + sum_of(symbol) + ", \"" + name_of(symbol) + "\" };\n";
    }
    source += "int start" + std::to_string(facts.size()) + "(void){return 0";
    for (const std::string& symbol : calls) source += "+" + name_of(symbol) + "()";
    source += ";}\n";
    write("module.c", source);
    run("mkdir -p $(dirname " + out +
        ") && gcc -O1 -fno-pie -mcmodel=kernel -c module.c -o module.o "
        "&& ld -r --build-id module.o -o " +
        out);
  }

  /// Signs a module as Linux' scripts/sign-file does, with a key of this name, which is made at
  /// first use: NAME.pem, and NAME.der for a kernel that shall trust it.
  void sign(const std::string& file, const std::string& key) const {
    run("[ -f " + key +
        ".pem ] || openssl req -new -x509 -newkey rsa:2048 -nodes -batch -days 9 "
        "-subj '/CN=" +
        key + "' -keyout " + key + ".pem -out " + key + ".crt 2> /dev/null");
    run("openssl x509 -in " + key + ".crt -outform DER -out " + key + ".der");
    run("openssl cms -sign -binary -noattr -nocerts -md sha256 -outform DER -in " + file +
        " -signer " + key + ".crt -inkey " + key + ".pem -out signature");
    const std::uint32_t size = static_cast<std::uint32_t>(read("signature").size());
    std::string end("\0\0\2\0\0\0\0\0\0\0", 10);
    end += static_cast<char>(size >> 8);
    end += static_cast<char>(size & 0xff);
    write(file, read(file) + read("signature") + end + "~Module signature appended~\n");
  }

  struct Kernel {
    std::string packer = "zstd -q";  ///< or "xz --check=crc32", "gzip"
    std::string vermagic = kVermagic;
    std::vector<std::string> exports;  ///< as of a module
    std::string key;                   ///< whose modules it trusts; empty: it checks none
  };

  /// A bzImage of boot protocol 2.15 with an ELF kernel in it. `packer`: "xz", "gzip" or "zstd".
  std::string boot_image(const std::string& packer, const std::string& vermagic = kVermagic) const {
    return boot_image(Kernel{packer, vermagic, {}, {}});
  }

  std::string boot_image(const Kernel& kernel) const {
    std::string source = "const char vermagic[]=\"" + kernel.vermagic + "\";void _start(void){}\n";
    for (const std::string& symbol : kernel.exports) {
      source += "int " + name_of(symbol) + "(void){return 1;}\n" + exported(symbol);
    }
    if (!kernel.key.empty()) {
      source +=
          "const char mark[]=\"~Module signature appended~\\n\";\n"
          "__asm__(\".section .rodata\\n.incbin \\\"" +
          kernel.key + ".der\\\"\\n\");\n";
    }
    write("kernel.c", source);
    run("gcc -O1 -nostdlib -static -Wl,--build-id kernel.c -o vmlinux && rm -f vmlinux.packed && " +
        kernel.packer + " -c vmlinux > vmlinux.packed");
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
                                   const std::string& root, const std::string& postinst = "",
                                   const std::string& fields = "") const {
    write(root + "/DEBIAN/control", "Package: " + name + "\nVersion: " + version +
                                        "\nArchitecture: amd64\nMaintainer: nobody\n" + fields +
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
  static std::string name_of(const std::string& symbol) {
    return symbol.substr(0, symbol.find('='));
  }
  static std::string sum_of(const std::string& symbol) {
    const auto equals = symbol.find('=');
    return equals == std::string::npos ? "" : symbol.substr(equals + 1);
  }
  // What EXPORT_SYMBOL_GPL makes (include/linux/export-internal.h): a symbol, its name, its sum.
  static std::string exported(const std::string& symbol) {
    const std::string name = name_of(symbol), sum = sum_of(symbol);
    const std::string lines[] = {
        ".section __ksymtab_strings, \\\"aMS\\\", @progbits, 1",
        "__kstrtab_" + name + ": .asciz \\\"" + name + "\\\"",
        ".section __ksymtab_gpl, \\\"a\\\"",
        ".balign 4",
        "__ksymtab_" + name + ": .long " + name + " - .",
        ".long __kstrtab_" + name + " - .",
        ".long __kstrtab_" + name + " + " + std::to_string(name.size()) + " - .",
        sum.empty() ? "" : ".section __kcrctab_gpl, \\\"a\\\"",
        sum.empty() ? "" : "__crc_" + name + ": .long " + sum,
        ".text"};
    std::string out = "__asm__(\"";
    for (const std::string& line : lines) out += line + "\\n";
    return out + "\");\n";
  }

  TemporaryFolder folder_;
};

}  // namespace weir::test
