// Packages that nobody's tools make by accident: each is whole but for one thing, and each is
// refused for exactly that. GNU tar makes what it can be talked into, the rest is made by hand.
#include <doctest/doctest.h>

#include <string>

#include "images/formats/cpio.h"
#include "images/formats/deb.h"
#include "tests/unit/images/scratch.h"

namespace weir::images {
namespace {

using test::bytes_of;
using test::must;
using test::TemporaryFolder;

const auto kEverything = [](const ImagePath&) { return true; };

// A header of POSIX ustar, made here and not by our own encoder. `size` as the 12 bytes of the
// field.
std::string header(const std::string& name, const std::string& size, char kind,
                   const std::string& target = "") {
  std::string out(512, '\0');
  out.replace(0, name.size(), name);
  out.replace(100, 24,
              std::string("0000644\0"
                          "0000000\0"
                          "0000000\0",
                          24));
  out.replace(124, 12, size);
  out.replace(136, 12, std::string("00000000000\0", 12));
  out.replace(148, 8, "        ");
  out[156] = kind;
  out.replace(157, target.size(), target);
  out.replace(257, 8,
              std::string("ustar\0"
                          "00",
                          8));
  unsigned sum = 0;
  for (const char c : out) sum += static_cast<unsigned char>(c);
  char text[8];
  std::snprintf(text, sizeof text, "%06o", sum);
  out.replace(148, 7, text, 7);
  return out;
}

std::string octal(unsigned long long size) {
  char text[13];
  std::snprintf(text, sizeof text, "%011llo", size);
  return {text, 12};
}

struct Package {
  TemporaryFolder folder;

  Package() {
    must("cd " + folder.path +
         " && echo 2.0 > debian-binary && printf 'Package: demo\\n' > control && "
         "tar -cf control.tar ./control && mkdir d");
  }

  // Reads the package whose data.tar `command` makes in an empty folder.
  [[nodiscard]] Result<Deb> with(const std::string& command) const {
    must("cd " + folder.path + " && rm -rf d bad.deb && mkdir d && cd d && " + command +
         " && cp ../debian-binary . && { [ -e control.tar ] || cp ../control.tar .; } && "
         "ar rc ../bad.deb debian-binary control.tar data.tar");
    return read_deb(as_bytes(bytes_of(folder.path + "/bad.deb")), {}, kEverything);
  }
  // The same of a data.tar that is made of these blocks and an end.
  [[nodiscard]] Result<Deb> of(const std::string& blocks) const {
    REQUIRE(write_file(folder.path + "/blocks", blocks + std::string(1024, '\0')).has_value());
    return with("mv ../blocks data.tar");
  }
  void refused(const Result<Deb>& deb, Errc code, const std::string& says) const {
    CAPTURE(says);
    REQUIRE_FALSE(deb.has_value());
    CHECK_MESSAGE(deb.error().message.find(says) != std::string::npos, deb.error().message);
    CHECK(deb.error().code == code);
  }
};

}  // namespace

TEST_CASE_FIXTURE(Package,
                  "the parts of which the hostile packages are made are good by themselves") {
  const auto made = of(header("f", octal(3), '0') + "abc" + std::string(509, '\0'));
  REQUIRE_MESSAGE(made.has_value(), made.error().message);
  CHECK(made->files.nodes().size() == 1);
  CHECK(with("mkdir -p e/d && echo x > e/d/f && ln -s /etc l && tar -cf data.tar e l").has_value());
}

TEST_CASE_FIXTURE(Package, "a sparse file is refused, wherever its holes are") {
  const std::string hole = "truncate -s 1M f && ";
  for (const std::string format : {"gnu", "posix --sparse-version=0.0",
                                   "posix --sparse-version=0.1", "posix --sparse-version=1.0"}) {
    CAPTURE(format);
    const std::string tar = "tar -S --hole-detection=raw --format=" + format + " -cf data.tar f";
    refused(with(hole + "printf end >> f && " + tar), Errc::invalid_input, "/f: a sparse file");
    refused(with("head -c 4096 /dev/urandom > f && " + hole + "head -c 4096 /dev/urandom >> f && " +
                 tar),
            Errc::invalid_input, "/f: a sparse file");
    refused(with("head -c 4096 /dev/urandom > f && " + hole + tar), Errc::invalid_input,
            "/f: fewer bytes than stated");
  }
}

TEST_CASE_FIXTURE(Package, "a giant size is refused before a byte of it is read or held") {
  const std::string some(1024, 'x');
  refused(of(header("f", octal(077777777777), '0') + some), Errc::exhausted, "/f: larger than");
  // Base-256, as GNU tar writes what octal cannot say: 2^62.
  const std::string huge("\x80\0\0\0\x40\0\0\0\0\0\0\0", 12);
  refused(of(header("f", huge, '0') + some), Errc::exhausted, "/f: larger than");
  // What the size says is not there.
  refused(of(header("f", octal(4096), '0') + "x"), Errc::invalid_input, "/f: ");
  refused(with("cp ../debian-binary f && tar -cf data.tar f && head -c 16M /dev/zero > control && "
               "tar -cf control.tar ./control && rm control f"),
          Errc::exhausted, "control: larger than");
}

TEST_CASE_FIXTURE(Package, "names that are too long or too deep are refused in every form of tar") {
  const std::string component(256, 'n');
  std::string folders, deep;
  for (int i = 0; i < 5; ++i) folders += std::string(250, 'd') + "/";
  for (int i = 0; i < 65; ++i) deep += "d/";
  for (const std::string format : {"gnu", "posix"}) {
    CAPTURE(format);
    const auto named = [&](const std::string& name) {
      return with("echo x > f && tar --format=" + format + " --transform 's,^f$," + name +
                  ",' -cf data.tar f");
    };
    for (const std::string& name : {component, folders + "f", deep + "f"}) {
      refused(named(name), Errc::exhausted, "is too long or too deep");
    }
    CHECK(named(component.substr(1)).has_value());
    CHECK(named(folders.substr(0, std::size_t{251} * 4) + "f").has_value());
    CHECK(named(deep.substr(4) + "f").has_value());
    const auto link = [&](std::size_t size) {
      return with("ln -s x f && tar --format=" + format + " --transform 's,^x$," +
                  std::string(size, 't') + ",' -cf data.tar f");
    };
    refused(link(4096), Errc::invalid_input, "/f: a symbolic link without a usable target");
    CHECK(link(4095).has_value());
  }
  refused(of(header("a\nb", octal(0), '0')), Errc::invalid_input, "a line break");
}

TEST_CASE_FIXTURE(Package, "nothing is written through a link") {
  const std::string below = " && rm f && mkdir f && echo x > f/passwd && tar -rf data.tar f/passwd";
  refused(with("ln -s /etc f && tar -cf data.tar f" + below), Errc::invalid_input,
          "/f/passwd lies below /f, which is a symbolic link: refused on purpose");
  refused(with("ln -s ../../.. f && tar -cf data.tar f" + below), Errc::invalid_input,
          "/f/passwd lies below /f, which is a symbolic link");
  refused(with("echo x > f && tar -cf data.tar f" + below), Errc::invalid_input,
          "/f/passwd lies below /f, which is a file");
  // The other order: first what is in the folder, then a link in the folder's place.
  refused(with("mkdir f && echo x > f/a && tar -cf data.tar f/a && rm -r f && ln -s /etc f && "
               "tar -rf data.tar f"),
          Errc::invalid_input, "/f is there twice: a folder and a symbolic link");
  // Two steps: a link, and a hard link to what is behind it, or to nothing here.
  const std::string link = header("f", octal(0), '2', "/etc");
  refused(of(link + header("h", octal(0), '1', "f/passwd")), Errc::invalid_input,
          "a hard link to /f/passwd, which is no file here");
  refused(of(link + header("h", octal(0), '1', "f")), Errc::invalid_input,
          "a hard link to /f, which is no file here");
  refused(of(header("h", octal(0), '1', "../../etc/passwd")), Errc::invalid_input, "'..'");
  refused(of(header("h", octal(0), '1', "h")), Errc::invalid_input, "which is no file here");
  refused(of(header(".", octal(0), '0')), Errc::invalid_input, "the root is not a folder");
  refused(of(header("f", octal(0), '2')), Errc::invalid_input, "without a usable target");
}

TEST_CASE_FIXTURE(Package, "hard links count with all that they stand for") {
  const std::string file = header("f", octal(512), '0') + std::string(512, 'x');
  const auto linked = [&](int links) {
    std::string out = file;
    for (int i = 0; i < links; ++i) out += header("l" + std::to_string(i), octal(0), '1', "f");
    return of(out);
  };
  // Eight names of 512 bytes; the archive itself is a header a name, the content and its end.
  const auto deb = linked(7);
  REQUIRE_MESSAGE(deb.has_value(), deb.error().message);
  CHECK(cpio_size(deb->files).value > 8 * 512);

  // As small as it is, this is 40 GiB of initramfs.
  const std::string big =
      "truncate -s 32M f && for i in $(seq 1280); do ln f l$i; done && tar -cf data.tar f l* && "
      "gzip -9 data.tar";
  must("cd " + folder.path + " && rm -rf d bad.deb && mkdir d && cd d && " + big +
       " && cp ../debian-binary ../control.tar . && "
       "ar rc ../bad.deb debian-binary control.tar data.tar.gz");
  const std::string bytes = bytes_of(folder.path + "/bad.deb");
  CHECK(bytes.size() < 200'000);
  refused(read_deb(as_bytes(bytes), {}, kEverything), Errc::exhausted,
          "unpacks to more than 1.0 GiB with its links");
  // Names that nobody asks for cost nothing.
  CHECK(read_deb(as_bytes(bytes), {}, [](const ImagePath& path) {
          return path.string() == "f" || path.string() == "l1";
        }).has_value());
}

}  // namespace weir::images
