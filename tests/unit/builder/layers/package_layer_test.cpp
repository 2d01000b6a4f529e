#include "builder/layers/package_layer.h"

#include <doctest/doctest.h>

#include <string>

#include "builder/layers/kernel_layers.h"
#include "builder/layers/system_layers.h"
#include "manifests/documents/maintainer_script.h"
#include "tests/unit/builder/mirror/package_workshop.h"

namespace weir::builder {
namespace {

using test::Workshop;

manifests::LockedPackage demo(const Workshop& workshop) {
  workshop.write("p/bin/tool", "#!/bin/sh\n");
  workshop.write("p/etc/tool.conf", "x\n");
  workshop.write("p/DEBIAN/conffiles", "/etc/tool.conf\n");
  workshop.write("p/usr/share/doc/tool/copyright", "free\n");
  workshop.write("p/usr/share/doc/tool/README", "read\n");
  workshop.write("p/usr/share/man/man1/tool.1", "manual\n");
  return workshop.package("tool", "1.0-1", "p", "#!/bin/sh\nset -e\nexit 0\n");
}

std::string listing(const Workshop& workshop, const BuiltLayer& layer) {
  workshop.write("layer", {reinterpret_cast<const char*>(layer.bytes.data()), layer.bytes.size()});
  return workshop.run("zstdcat layer | cpio -it --quiet");
}

std::string file_in(const Workshop& workshop, const std::string& path) {
  return workshop.run("zstdcat layer | cpio -i --quiet --to-stdout " + path);
}

Digest digest_of_key(const manifests::LockedPackage& package, const LayerOptions& options) {
  return layer_key(package, options, "builder");
}

}  // namespace

TEST_CASE("what of a package a node will not have is known by path, also of a cached layer") {
  const Workshop workshop;
  const auto package = demo(workshop);
  // mknod(1) needs root; tar's header does not.
  workshop.run(
      "ar x tool_1.0-1.deb && xz -dc data.tar.xz > data.tar && python3 - <<'PYTHON'\n"
      R"(
import io, tarfile
with tarfile.open("data.tar", "a", format=tarfile.PAX_FORMAT) as tar:
    for name, kind in (("./dev", tarfile.DIRTYPE), ("./dev/tool0", tarfile.CHRTYPE)):
        entry = tarfile.TarInfo(name)
        entry.type, entry.mode, entry.devmajor, entry.devminor = kind, 0o755, 10, 200
        tar.addfile(entry)
    entry = tarfile.TarInfo("./bin/ping")
    entry.mode, entry.size = 0o755, 1
    entry.pax_headers = {"SCHILY.xattr.security.capability": "x"}
    tar.addfile(entry, io.BytesIO(b"x"))
PYTHON
rm tool_1.0-1.deb && ar rc tool_1.0-1.deb debian-binary control.tar.* data.tar)");
  const auto built = make_package_layer(package, as_bytes(workshop.read("tool_1.0-1.deb")), {});
  REQUIRE_MESSAGE(built.has_value(), built.error().message);
  CHECK(built->facts.without ==
        std::vector<std::string>{
            "/bin/ping: security.capability, an attribute that images do not hold",
            "/dev/tool0, a device node: the kernel fills /dev itself"});
  const auto again = parse_layer_facts(print(built->facts));
  REQUIRE_MESSAGE(again.has_value(), again.error().message);
  CHECK(again->without == built->facts.without);
}

TEST_CASE("a package becomes a layer with merged /usr, its status, and without documentation") {
  const Workshop workshop;
  const auto package = demo(workshop);
  const std::string deb = workshop.read("tool_1.0-1.deb");
  LayerOptions options;
  options.epoch = 1700000000;
  const auto built = make_package_layer(package, as_bytes(deb), options);
  REQUIRE_MESSAGE(built.has_value(), built.error().message);
  CHECK(listing(workshop, *built) ==
        "etc\netc/tool.conf\nusr\nusr/bin\nusr/bin/tool\nusr/share\nusr/share/doc\n"
        "usr/share/doc/tool\nusr/share/doc/tool/copyright\nvar\nvar/lib\nvar/lib/dpkg\n"
        "var/lib/dpkg/status.d\nvar/lib/dpkg/status.d/tool\nvar/lib/dpkg/status.d/tool.md5sums\n");
  CHECK(file_in(workshop, "var/lib/dpkg/status.d/tool")
            .starts_with("Package: tool\nStatus: install ok installed\nVersion: 1.0-1\n"));
  // md5sum's own words about the files that stayed, at their new places.
  CHECK(workshop.run("mkdir out && cd out && zstdcat ../layer | cpio -i --quiet && "
                     "md5sum -c --quiet var/lib/dpkg/status.d/tool.md5sums && "
                     "wc -l < var/lib/dpkg/status.d/tool.md5sums") == "3\n");
  CHECK(built->facts.conffiles == std::set<std::string>{"etc/tool.conf"});
  CHECK(built->facts.newest == 1000000000);
  CHECK(built->facts.scripts.at("postinst") ==
        manifests::script_digest("#!/bin/sh\nset -e\nexit 0\n", {"tool", "1.0-1"}));

  options.documentation = true;
  const auto whole = make_package_layer(package, as_bytes(deb), options);
  REQUIRE(whole.has_value());
  CHECK(listing(workshop, *whole).find("usr/share/man/man1/tool.1\n") != std::string::npos);
}

TEST_CASE("a package that is not the one of the lock is refused") {
  const Workshop workshop;
  const auto package = demo(workshop);
  const std::string deb = workshop.read("tool_1.0-1.deb");
  auto name = package, version = package, architecture = package;
  name.name = "other";
  version.version = "1.0-2";
  architecture.architecture = "all";
  for (const auto& wrong : {name, version, architecture}) {
    const auto built = make_package_layer(wrong, as_bytes(deb), {});
    REQUIRE_FALSE(built.has_value());
    CHECK(built.error().code == Errc::integrity);
    CHECK(built.error().message.starts_with("package " + wrong.name + " " + wrong.version + ": "));
  }
}

TEST_CASE("a kernel's package gives its boot image and only the pinned modules, untouched") {
  const Workshop workshop;
  const std::string root = std::string("k/lib/modules/") + test::kRelease + "/";
  const std::string magic = std::string("vermagic=") + test::kVermagic;
  workshop.module(root + "kernel/one.ko", {"name=one", magic, "depends=two", "version=3"}, {},
                  {"two_call"});
  workshop.module(root + "kernel/two.ko", {"name=two", magic, "depends="}, {"two_call"}, {});
  workshop.module(root + "kernel/three.ko", {"name=three", "vermagic=9.8 SMP ", "depends="}, {},
                  {});
  workshop.run("xz " + root + "kernel/two.ko");
  workshop.write(root + "modules.builtin", "kernel/four.ko\n");
  workshop.write("k/boot/config-9.9", "CONFIG_X=y\n");
  const std::string image = workshop.boot_image("zstd -q");
  workshop.write("k/boot/vmlinuz-9.9", image);
  const auto package = workshop.package("linux-image-demo", "9.9-1", "k");
  const std::string deb = workshop.read("linux-image-demo_9.9-1.deb");

  LayerOptions options{1700000000, false, KernelRole::named, {"four", "one"}};
  const auto make = [&]() -> Result<BuiltLayer> {
    TRY_ASSIGN(OpenedPackage opened, open_package(package, as_bytes(deb), options));
    std::vector<OpenedPackage> packages;
    packages.push_back(std::move(opened));
    TRY_ASSIGN(auto layers, make_kernel_layers(std::move(packages), options));
    return std::move(layers.front());
  };
  const auto built = make();
  REQUIRE_MESSAGE(built.has_value(), built.error().message);
  CHECK(std::string(built->kernel_image.begin(), built->kernel_image.end()) == image);
  const std::string listed = listing(workshop, *built);
  for (const char* in :
       {"kernel/one.ko\n", "kernel/two.ko.xz\n", "/modules.dep\n", "/modules.builtin\n"}) {
    CAPTURE(in);
    CHECK(listed.find(in) != std::string::npos);
  }
  for (const char* out : {"boot", "three.ko"}) {
    CAPTURE(out);
    CHECK(listed.find(out) == std::string::npos);
  }
  const std::string folder = std::string("usr/lib/modules/") + test::kRelease + "/";
  CHECK(file_in(workshop, folder + "modules.dep") ==
        "kernel/one.ko: kernel/two.ko.xz\nkernel/two.ko.xz:\n");
  const auto& facts = built->facts.kernel;
  REQUIRE(facts.has_value());
  CHECK(facts->load == std::vector<std::string>{"one"});
  REQUIRE(facts->modules.size() == 2);
  CHECK(facts->modules[0].version == "3");
  CHECK(facts->modules[0].pinned);
  CHECK(facts->modules[0].package == "linux-image-demo");
  CHECK(facts->modules[1].name == "two");
  CHECK_FALSE(facts->modules[1].pinned);
  CHECK(facts->modules[1].digest == Digest::of(as_bytes(workshop.read(root + "kernel/two.ko.xz"))));
  CHECK(facts->modules[0].digest == Digest::of(as_bytes(workshop.read(root + "kernel/one.ko"))));
  CHECK(facts->kernel.image.digest == Digest::of(as_bytes(image)));

  const auto again = parse_layer_facts(print(built->facts));
  REQUIRE_MESSAGE(again.has_value(), again.error().message);
  CHECK(print(*again) == print(built->facts));
  CHECK(again->kernel == facts);
  CHECK(again->entries == built->facts.entries);

  options.modules = {"three"};
  const auto foreign = make();
  REQUIRE_FALSE(foreign.has_value());
  CHECK(foreign.error().code == Errc::integrity);
  CHECK(foreign.error().message.find("kernel/three.ko) is for '9.8 SMP '") != std::string::npos);
}

TEST_CASE("a layer's key changes with everything that its bytes depend on") {
  const Digest digest = Digest::of(as_bytes("deb"));
  const manifests::LockedPackage package{"p", "1", "amd64", "pool/p", {1}, digest, "s", "w"};
  const Digest key = digest_of_key(package, {});
  auto other = package;
  other.digest = Digest::of(as_bytes("other"));
  CHECK(digest_of_key(other, {}) != key);
  CHECK(digest_of_key(package, {0, true, KernelRole::none, {}}) != key);
  const Digest kernel = digest_of_key(package, {0, false, KernelRole::named, {"a"}});
  CHECK(kernel != key);
  CHECK(digest_of_key(package, {0, false, KernelRole::named, {"a", "b"}}) != kernel);
  CHECK(digest_of_key(package, {0, false, KernelRole::part, {"a"}}) != kernel);
  LayerOptions split{0, false, KernelRole::named, {"a"}};
  split.kernel_packages = {digest};
  CHECK(digest_of_key(package, split) != kernel);
  LayerOptions foreign{0, false, KernelRole::named, {"a"}};
  foreign.foreign.chosen = {{"a", "q"}};
  const Digest chosen = digest_of_key(package, foreign);
  CHECK(chosen != kernel);
  foreign.foreign.modules = {{"q", "usr/lib/modules/1/updates/a.ko", digest}};
  const Digest with = digest_of_key(package, foreign);
  CHECK(with != chosen);
  foreign.foreign.modules[0].digest = Digest::of(as_bytes("other"));
  CHECK(digest_of_key(package, foreign) != with);
  CHECK(layer_key(package, {}, "another builder") != key);
  // Where a package comes from, and when, is not in its layer.
  other = package;
  other.path = "elsewhere";
  other.suite = "t";
  CHECK(digest_of_key(other, {99, false, KernelRole::none, {}}) == key);
}

TEST_CASE("our own layers hold what weir-init, weir-node and people look for") {
  const auto base = make_base_tree(5);
  REQUIRE(base.has_value());
  CHECK(print(*base) ==
        "/bin 0777 0:0 5 symbolic link -> usr/bin\n"
        "/dev 0755 0:0 5 folder\n"
        "/dev/console 0600 0:0 5 device character 5,1\n"
        "/etc 0755 0:0 5 folder\n"
        "/lib 0777 0:0 5 symbolic link -> usr/lib\n"
        "/lib64 0777 0:0 5 symbolic link -> usr/lib64\n"
        "/proc 0755 0:0 5 folder\n"
        "/root 0700 0:0 5 folder\n"
        "/run 0755 0:0 5 folder\n"
        "/sbin 0777 0:0 5 symbolic link -> usr/sbin\n"
        "/sys 0755 0:0 5 folder\n"
        "/tmp 1777 0:0 5 folder\n"
        "/usr 0755 0:0 5 folder\n"
        "/usr/bin 0755 0:0 5 folder\n"
        "/usr/lib 0755 0:0 5 folder\n"
        "/usr/lib64 0755 0:0 5 folder\n"
        "/usr/sbin 0755 0:0 5 folder\n"
        "/var 0755 0:0 5 folder\n"
        "/var/tmp 1777 0:0 5 folder\n");
  const Digest digest = Digest::of(as_bytes("lock"));
  const auto programs = make_programs_tree("init", "agent");
  REQUIRE(programs.has_value());
  Settings settings{digest,
                    {"a", "b"},
                    {{"wg", "1", "amd64"}},
                    {{"user", 100}},
                    {{"/lib/x", "text", 0600}},
                    "bookworm-security",
                    true};
  const auto own = make_settings_tree(settings, 5);
  REQUIRE(own.has_value());
  const auto text_in = [&](const images::FileTree& tree, const char* path) {
    const images::Node* node = tree.find(*images::ImagePath::parse(path));
    REQUIRE(node != nullptr);
    const auto& bytes = *node->file()->content;
    return std::string(bytes.begin(), bytes.end());
  };
  const auto text = [&](const char* path) { return text_in(*own, path); };
  CHECK(text_in(*programs, "init") == "init");
  CHECK(text_in(*programs, "usr/lib/weir/weir-node") == "agent");
  CHECK(text("usr/lib/weir/lock-digest") == digest.string() + "\n");
  CHECK(text("usr/lib/weir/modules") == "a\nb\n");
  CHECK(text("usr/lib/weir/tools") == "wg 1\n");
  CHECK(text("usr/lib/x") == "text");
  CHECK(text("etc/passwd").find("user:*:100:100::") != std::string::npos);
  CHECK(text("etc/os-release").find("VERSION_CODENAME=bookworm\n") != std::string::npos);
  // nobody and nogroup are everywhere: policy 9.2.2.
  CHECK(text("etc/passwd").find("\nnobody:*:65534:65534:") != std::string::npos);
  CHECK(text("etc/group") == "root:*:0:\nuser:*:100:\nnogroup:*:65534:\n");
  settings.files = {{"/etc/passwd", "mine", 0755}};
  CHECK_FALSE(make_settings_tree(settings, 5).has_value());
}

TEST_CASE("users, groups and folders of scripts stand in the settings' layer") {
  Settings settings{Digest::of(as_bytes("lock")), {}, {}, {{"unbound", 500}}, {}, "bookworm"};
  settings.system_users = {{"frr", 101, 102, "/nonexistent", "/usr/sbin/nologin"},
                           {"unbound", 500, 500, "/var/lib/unbound", "/bin/false"}};
  settings.system_groups = {{"adm", 4, {"frr"}}, {"frr", 102, {}}, {"unbound", 500, {}}};
  settings.folders = {{"/lib/x", 0, 4, 02750}, {"/var/lib/unbound", 500, 500, 0755}};
  settings.group_ids = {0, 4, 42, 4711};
  LayerFacts below{{"below", {Digest::of({}), {}}, Digest::of({}), {}}, 0, {}, {}, {}, {}, {}};
  below.entries["var"] = {EntryKind::folder, 0700, 7, 8, ""};
  Overlay overlay;
  REQUIRE(overlay.add(below).empty());
  const auto tree = make_settings_tree(settings, 5, overlay);
  REQUIRE_MESSAGE(tree.has_value(), tree.error().message);
  const auto text = [&](const char* path) {
    const auto& bytes = *tree->find(*images::ImagePath::parse(path))->file()->content;
    return std::string(bytes.begin(), bytes.end());
  };
  CHECK(text("etc/passwd") ==
        "root:*:0:0:root:/root:/bin/sh\n"
        "unbound:*:500:500::/var/lib/unbound:/bin/false\n"
        "frr:*:101:102::/nonexistent:/usr/sbin/nologin\n"
        "nobody:*:65534:65534::/nonexistent:/usr/sbin/nologin\n");
  // Of Debian's own, those that own a file: shadow.
  CHECK(text("etc/group") ==
        "root:*:0:\nunbound:*:500:\nadm:*:4:frr\nfrr:*:102:\nnogroup:*:65534:\nshadow:*:42:\n");
  const std::string shown = print(*tree);
  CHECK(shown.find("/usr/lib/x 2750 0:4 5 folder\n") != std::string::npos);
  CHECK(shown.find("/var/lib/unbound 0755 500:500 5 folder\n") != std::string::npos);
  // What is on the way stays as it is.
  CHECK(shown.find("/var 0700 7:8 5 folder\n") != std::string::npos);
  CHECK(shown.find("/var/lib 0755 0:0 5 folder\n") != std::string::npos);
}

}  // namespace weir::builder
