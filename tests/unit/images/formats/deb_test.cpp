#include "images/formats/deb.h"

#include <doctest/doctest.h>

#include <cstdio>
#include <string>

#include "images/formats/cpio.h"
#include "images/formats/cpio_reader.h"
#include "images/formats/tar.h"
#include "manifests/base/edge/file.h"
#include "tests/unit/images/image_path.h"
#include "tests/unit/images/scratch.h"

namespace weir::images {
namespace {

using test::at;

using test::bytes_of;
using test::must;
using test::TemporaryFolder;

const auto kAll = [](const ImagePath&) { return true; };

// A package folder with every kind of entry that Debian packages have.
std::string make_package(const TemporaryFolder& folder) {
  return must(
      "cd " + folder.path +
      " && mkdir -p p/DEBIAN p/usr/bin p/lib/x p/var/empty && "
      "printf 'Package: demo\\nVersion: 1.0\\nArchitecture: all\\nMaintainer: nobody\\n"
      "Description: demo\\n' > p/DEBIAN/control && "
      "printf '#!/bin/sh\\nexit 0\\n' > p/DEBIAN/postinst && chmod 755 p/DEBIAN/postinst && "
      "printf hello > p/usr/bin/tool && chmod 4755 p/usr/bin/tool && "
      "ln p/usr/bin/tool p/usr/bin/twin && ln -s ../../usr/bin/tool p/lib/x/link && "
      "head -c 3000000 /dev/zero > p/lib/x/zeros && : > p/lib/x/none && chmod 1777 p/var/empty && "
      "find p -exec touch -h -d @1000000000 {} +");
}

std::string build(const TemporaryFolder& folder, const std::string& options) {
  must("cd " + folder.path + " && dpkg-deb --root-owner-group " + options + " -b p demo.deb");
  return bytes_of(folder.path + "/demo.deb");
}

}  // namespace

TEST_CASE("a package built by dpkg-deb is read alike, however it is compressed") {
  const TemporaryFolder folder;
  make_package(folder);
  std::string first;
  for (const char* options : {"-Zxz", "-Zgzip", "-Zzstd", "-Zxz --threads-max=1", "-Znone"}) {
    CAPTURE(options);
    const std::string bytes = build(folder, options);
    const auto deb = read_deb(as_bytes(bytes), {}, kAll);
    REQUIRE_MESSAGE(deb.has_value(), deb.error().message);
    CHECK(deb->control.at("postinst") == "#!/bin/sh\nexit 0\n");
    CHECK(deb->control.at("control").starts_with("Package: demo\n"));
    const Node* tool = deb->files.find(at("usr/bin/tool"));
    REQUIRE(tool != nullptr);
    CHECK(tool->mode == 04755);
    CHECK(tool->uid == 0);
    CHECK(tool->mtime == 1000000000);
    const Node* twin = deb->files.find(at("usr/bin/twin"));
    REQUIRE(twin != nullptr);
    REQUIRE(twin->file() != nullptr);
    CHECK(*twin->file()->content == *tool->file()->content);
    CHECK(deb->files.find(at("lib/x/link"))->symlink()->target == "../../usr/bin/tool");
    CHECK(deb->files.find(at("lib/x/zeros"))->file()->content->size() == 3000000);
    CHECK(deb->files.find(at("lib/x/none"))->file()->content->empty());
    CHECK(deb->files.find(at("var/empty"))->mode == 01777);
    const std::string dump = print(deb->files);
    if (first.empty()) first = dump;
    CHECK(dump == first);
  }
}

TEST_CASE("a package that dpkg takes is read as dpkg unpacks it") {
  const TemporaryFolder folder;
  make_package(folder);
  const std::pair<const char*, const char*> cases[] = {
      {"bz2", "tar -C ../p --exclude DEBIAN -cjf data.tar.bz2 ."},
      {"lzma", "tar -C ../p --exclude DEBIAN -c . | xz --format=lzma > data.tar.lzma"},
      {"a file twice", "echo 1 > f && tar -cf data.tar f && echo 22 > f && tar -rf data.tar f"},
      {"a link and a file",
       "ln -s g f && tar -cf data.tar f && rm f && echo 22 > f && tar -rf data.tar f"},
      {"a hard link to the later one",
       "echo 1 > f && tar -cf data.tar f && echo 22 > f && ln f h && tar -rf data.tar f h"},
      {"a folder twice",
       "mkdir f && chmod 700 f && tar -cf data.tar f && chmod 755 f && tar -rf data.tar f"},
  };
  for (const auto& [what, command] : cases) {
    const auto& shown = what;
    CAPTURE(shown);
    must("cd " + folder.path +
         " && rm -rf d x good.deb && mkdir d && cd d && echo 2.0 > debian-binary && "
         "tar -C ../p/DEBIAN -cf control.tar ./control && " +
         command +
         " && ar rc ../good.deb debian-binary control.tar data.tar* && dpkg-deb -x ../good.deb "
         "../x");
    const auto deb = read_deb(as_bytes(bytes_of(folder.path + "/good.deb")), {}, kAll);
    REQUIRE_MESSAGE(deb.has_value(), deb.error().message);
    // Mode, owner and content of everything, by find and by us.
    std::string ours;
    for (const auto& [path, node] : deb->files.nodes()) {
      char mode[8];
      std::snprintf(mode, sizeof mode, "%o", node.mode);
      ours += path.string() + " " + mode + " " + std::to_string(node.uid) + ":" +
              std::to_string(node.gid) + " " +
              (node.file() != nullptr ? Digest::of(*node.file()->content).hex() : "-") + "\n";
    }
    CHECK(ours ==
          must("cd " + folder.path +
               "/x && find . -mindepth 1 -printf '%P\\n' | LC_ALL=C sort | while read -r f; "
               "do [ -f $f ] && [ ! -L $f ] && sum=$(sha256sum < $f | cut -c1-64) || sum=-; "
               "echo $f $(stat -c '%a %u:%g' $f) $sum; done"));
  }
}

TEST_CASE("owners are read up to the largest that exports can state") {
  const TemporaryFolder folder;
  make_package(folder);
  must("cd " + folder.path +
       " && echo 2.0 > debian-binary && tar -C p/DEBIAN -cf control.tar ./control && echo x > f && "
       "tar --owner=70000 --group=2097151 -cf data.tar f && ar rc large.deb debian-binary "
       "control.tar data.tar");
  const auto deb = read_deb(as_bytes(bytes_of(folder.path + "/large.deb")), {}, kAll);
  REQUIRE_MESSAGE(deb.has_value(), deb.error().message);
  CHECK(deb->files.find(at("f"))->uid == 70000);
  CHECK(deb->files.find(at("f"))->gid == 2097151);
}

TEST_CASE("only what is asked for is held") {
  const TemporaryFolder folder;
  make_package(folder);
  const std::string bytes = build(folder, "-Zxz");
  const auto deb = read_deb(as_bytes(bytes), {},
                            [](const ImagePath& path) { return path.is_within("usr/bin"); });
  REQUIRE(deb.has_value());
  CHECK(deb->files.nodes().size() == 4);
}

TEST_CASE("a package over a limit is refused before it is held") {
  const TemporaryFolder folder;
  make_package(folder);
  const DebLimits defaults;
  for (const char* options : {"-Zxz", "-Zgzip", "-Zzstd"}) {
    const std::string bytes = build(folder, options);
    DebLimits few = defaults, small = defaults, little = defaults, control = defaults;
    few.entries = 3;
    small.file = ByteCount{2999999};
    little.data = ByteCount{1000000};
    control.control = ByteCount{100};
    for (const DebLimits& limits : {few, small, little, control}) {
      const auto deb = read_deb(as_bytes(bytes), limits, kAll);
      REQUIRE_FALSE(deb.has_value());
      CAPTURE(deb.error().message);
      CHECK(deb.error().code == Errc::exhausted);
    }
    // What is not kept counts as well: unpacking it is work.
    CHECK(read_deb(as_bytes(bytes), little, [](const ImagePath&) { return false; }).error().code ==
          Errc::exhausted);
  }
}

TEST_CASE("FIFOs stand in packages, layers and exports as dpkg unpacks them") {
  const TemporaryFolder folder;
  make_package(folder);
  must("cd " + folder.path + " && mkfifo -m 640 p/var/pipe && touch -d @1000000000 p/var/pipe");
  const auto deb = read_deb(as_bytes(build(folder, "-Zxz")), {}, kAll);
  REQUIRE_MESSAGE(deb.has_value(), deb.error().message);
  const Node* pipe = deb->files.find(at("var/pipe"));
  REQUIRE(pipe != nullptr);
  CHECK(pipe->is_fifo());
  CHECK(print(deb->files).find("/var/pipe 0640 0:0 1000000000 FIFO\n") != std::string::npos);

  std::string cpio, tar;
  const auto into = [](std::string& text) {
    return [&text](Bytes bytes) -> Status {
      text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      return {};
    };
  };
  REQUIRE(encode_cpio(deb->files, 2000000000, into(cpio)).has_value());
  REQUIRE(encode_tar(deb->files, into(tar)).has_value());
  const auto again = decode_cpio(as_bytes(cpio));
  REQUIRE_MESSAGE(again.has_value(), again.error().message);
  CHECK(print(*again) == print(deb->files));
  REQUIRE(write_file(folder.path + "/c", cpio).has_value());
  REQUIRE(write_file(folder.path + "/t", tar).has_value());
  must("cd " + folder.path +
       " && mkdir by_dpkg by_cpio by_tar && dpkg-deb -x demo.deb by_dpkg && (cd by_cpio && "
       "cpio -idm --quiet < ../c) && tar -C by_tar -xf t");
  const auto pipes = [&](const std::string& where) {
    return must("cd " + folder.path + "/" + where + " && find . -type p -printf '%p %m %Ts\n'");
  };
  CHECK(pipes("by_dpkg") == "./var/pipe 640 1000000000\n");
  CHECK(pipes("by_cpio") == pipes("by_dpkg"));
  CHECK(pipes("by_tar") == pipes("by_dpkg"));
}

TEST_CASE("a file capability in an archive, which dpkg would not take, is named") {
  const TemporaryFolder folder;
  make_package(folder);
  // As setcap(8) writes it; VFS_CAP_REVISION_2, effective, CAP_NET_RAW. source: linux/capability.h
  must("cd " + folder.path +
       " && mkdir d && cd d && python3 - <<'PYTHON'\n"
       R"(
import io, tarfile
value = bytes.fromhex("0100000200200000000000000000000000000000")
with tarfile.open("data.tar", "w", format=tarfile.PAX_FORMAT) as tar:
    entry = tarfile.TarInfo("./usr/bin/ping")
    entry.mode, entry.size = 0o755, 1
    entry.pax_headers = {"SCHILY.xattr.security.capability": value.decode("latin-1")}
    tar.addfile(entry, io.BytesIO(b"x"))
PYTHON
echo 2.0 > debian-binary && tar -C ../p/DEBIAN -cf control.tar ./control &&
ar rc ../capable.deb debian-binary control.tar data.tar)");
  const auto deb = read_deb(as_bytes(bytes_of(folder.path + "/capable.deb")), {}, kAll);
  REQUIRE_MESSAGE(deb.has_value(), deb.error().message);
  CHECK(deb->files.find(at("usr/bin/ping")) != nullptr);
  CHECK(deb->attributes == std::vector<std::string>{"/usr/bin/ping: security.capability"});
  CHECK(must("dpkg-deb -x " + folder.path + "/capable.deb " + folder.path + "/out 2>&1; getcap " +
             folder.path + "/out/usr/bin/ping")
            .find("cap_net_raw") == std::string::npos);
}

TEST_CASE("what is cut, changed or hostile is refused") {
  const TemporaryFolder folder;
  make_package(folder);
  const std::string bytes = build(folder, "-Zxz");
  for (const std::size_t size :
       {0UL, 7UL, 60UL, 68UL, 100UL, 300UL, bytes.size() / 2, bytes.size() - 9}) {
    CAPTURE(size);
    CHECK_FALSE(read_deb(as_bytes(bytes.substr(0, size)), {}, kAll).has_value());
  }
  const auto refused = [&](const std::string& command, std::string_view says) {
    CAPTURE(command);
    must("cd " + folder.path +
         " && rm -rf d bad.deb && mkdir d && cd d && echo 2.0 > debian-binary && "
         "tar -C ../p/DEBIAN -cf control.tar ./control && " +
         command + " && ar rc ../bad.deb debian-binary control.tar data.tar");
    const auto deb = read_deb(as_bytes(bytes_of(folder.path + "/bad.deb")), {}, kAll);
    REQUIRE_FALSE(deb.has_value());
    CAPTURE(deb.error().message);
    CHECK(deb.error().message.find(says) != std::string::npos);
  };
  refused("echo x > f && tar -P -cf data.tar --transform 's,f,../../etc/passwd,' f", "'..'");
  refused("mkdir f && tar -cf data.tar f && rmdir f && echo x > f && tar -rf data.tar f",
          "twice: a folder and a file");
  refused(
      "echo x > f && ln f g && tar -cf data.tar --exclude nothing f g && "
      "tar -cf data.tar --transform 's,^f$,h,;s,h$,h,' f g && tar --delete -f data.tar h",
      "hard link");
  refused("echo x > f && tar --owner=2097152 -cf data.tar f", "an owner outside 0 to 2097151");
  refused("head -c 100000 /dev/urandom > data.tar", "data.tar");
  refused("mv control.tar data.tar && cp data.tar control.tar && echo 3.0 > debian-binary",
          "format 2");
}

}  // namespace weir::images
