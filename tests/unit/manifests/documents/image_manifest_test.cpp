#include "manifests/documents/image_manifest.h"

#include <doctest/doctest.h>

#include "tests/text.h"

namespace weir::manifests {
namespace {

using test::replaced;

const std::string kSmall = R"(name: gateway-6.1
architecture: amd64
sources:
  suites: [bookworm, bookworm-security]
kernel:
  package: "linux-image-6.1.*-cloud-amd64"
modules: [wireguard, virtio_net]
packages: [wireguard-tools]
constraints:
  wireguard-tools: "1.0.*"
provides: [linux-initramfs-tool]
accept_scripts:
  - package: libc6
    script: postinst
    sha256: ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad
    why: restarts services, of which a new system has none
users:
  - {name: node, id: 990}
files:
  - path: /etc/motd
    content: |
      hello
    mode: "0600"
command_line: console=ttyS0 quiet
accept_secrets:
  - path: /usr/lib/libtest.so
    sha256: [ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad]
    why: its self-test's
)";

}  // namespace

TEST_CASE("a manifest is read as it is written") {
  const auto manifest = parse_image_manifest(kSmall);
  REQUIRE_MESSAGE(manifest.has_value(), manifest.error().message);
  CHECK(manifest->name.string() == "gateway-6.1");
  CHECK(manifest->sources.at(0).suites ==
        std::vector<std::string>{"bookworm", "bookworm-security"});
  CHECK(manifest->sources.at(0).components == std::vector<std::string>{"main"});
  CHECK(manifest->sources.at(0).keyring == "/usr/share/keyrings/debian-archive-keyring.gpg");
  CHECK(manifest->kernel == KernelPin{"linux-image-6.1.*-cloud-amd64", std::nullopt});
  CHECK(manifest->constraints.at("wireguard-tools") == "1.0.*");
  CHECK(manifest->accept_scripts.at(0).digests.at(0) == Digest::of(as_bytes("abc")));
  CHECK(manifest->accept_secrets.at(0) ==
        AcceptedSecret{"/usr/lib/libtest.so", {Digest::of(as_bytes("abc"))}, "its self-test's"});
  CHECK(manifest->users.at(0) == ImageUser{"node", 990});
  CHECK(manifest->files.at(0) == ImageFile{"/etc/motd", "hello\n", 0600});
  CHECK_FALSE(manifest->documentation);
  CHECK_FALSE(manifest->node_programs.has_value());
}

TEST_CASE("how releases stand among others has defaults, and says what it cannot be") {
  const auto plain = parse_image_manifest(kSmall);
  CHECK_FALSE(plain->release.version.has_value());
  CHECK(plain->release.channel.string() == "stable");
  CHECK(plain->release.replaces_from == 0);
  CHECK(plain->release.valid_for == std::chrono::hours(24 * 365));
  const auto with = [](const std::string& text) {
    return parse_image_manifest(kSmall + "release: " + text + "\n");
  };
  const auto full = with("{version: 12, channel: lab, replaces_from: 10, valid_for: 90d}");
  REQUIRE_MESSAGE(full.has_value(), full.error().message);
  CHECK(full->release ==
        ReleasePolicy{12, *ChannelName::parse("lab"), 10, std::chrono::hours(24 * 90)});
  CHECK(*parse_image_manifest(print(*full)) == *full);
  for (const auto& [text, says] :
       {std::pair("{version: 0}", "release.version: "),
        std::pair("{channel: ../x}", "release.channel: "),
        std::pair("{version: 2, replaces_from: 3}", "replaces_from: "),
        std::pair("{valid_for: 90}", "release.valid_for: "),
        std::pair("{valid_for: 0d}", "release.valid_for: "), std::pair("{ufo: 1}", "ufo")}) {
    const auto& shown = text;  // clang 14 captures no structured binding
    CAPTURE(shown);
    const auto refused = with(text);
    REQUIRE_FALSE(refused.has_value());
    CHECK_MESSAGE(refused.error().message.find(says) != std::string::npos, refused.error().message);
  }
}

TEST_CASE("a printed manifest reads back as the same") {
  auto manifest = parse_image_manifest(kSmall);
  REQUIRE(manifest.has_value());
  manifest->files[0].content = "odd: \"\\\t #\n\n x";
  manifest->node_programs = "../bin";
  manifest->documentation = true;
  manifest->kernel.version = "6.1.*";
  const auto again = parse_image_manifest(print(*manifest));
  REQUIRE_MESSAGE(again.has_value(), again.error().message);
  CHECK(*again == *manifest);
}

TEST_CASE("a module may be compiled from a DKMS package, and signed by a certificate's key") {
  const auto with = [&](const std::string& modules) {
    return parse_image_manifest(replaced(kSmall, "[wireguard, virtio_net]", modules));
  };
  const auto manifest = with(
      "[{name: jool, dkms: jool-dkms}, {name: a, dkms: b-dkms}, {name: jool_siit, dkms: jool-dkms}]"
      "\nmodule_signer: keys/modules.pem");
  REQUIRE_MESSAGE(manifest.has_value(), manifest.error().message);
  CHECK(manifest->module_sources.at("jool").dkms == "jool-dkms");
  CHECK(manifest->module_sources.at("jool").package.empty());
  CHECK(manifest->module_signer == "keys/modules.pem");
  CHECK(dkms_packages(*manifest) == std::vector<std::string>{"b-dkms", "jool-dkms"});
  const auto again = parse_image_manifest(print(*manifest));
  REQUIRE_MESSAGE(again.has_value(), again.error().message);
  CHECK(*again == *manifest);

  const auto nothing_to_sign = with("[wireguard]\nmodule_signer: keys/modules.pem");
  REQUIRE_FALSE(nothing_to_sign.has_value());
  CHECK(nothing_to_sign.error().message.find("manifest:8: module_signer: no module is compiled") !=
        std::string::npos);
}

TEST_CASE("a module may come from another package or from a file") {
  const std::string digest = Digest::of(as_bytes("abc")).hex();
  const auto with = [&](const std::string& modules) {
    return parse_image_manifest(replaced(kSmall, "[wireguard, virtio_net]", modules));
  };
  const auto manifest = with(
      "[{name: wireguard, package: wireguard-modules}, virtio_net, {name: "
      "x-y, file: ../x-y.ko.zst, sha256: " +
      digest + "}]");
  REQUIRE_MESSAGE(manifest.has_value(), manifest.error().message);
  CHECK(manifest->modules == std::vector<std::string>{"wireguard", "virtio_net", "x-y"});
  CHECK(manifest->module_sources ==
        std::map<std::string, ModuleSource>{
            {"wireguard", {"wireguard-modules"}},
            {"x-y", {"", "../x-y.ko.zst", Digest::of(as_bytes("abc"))}}});
  const auto again = parse_image_manifest(print(*manifest));
  REQUIRE_MESSAGE(again.has_value(), again.error().message);
  CHECK(*again == *manifest);

  const std::pair<std::string, std::string> cases[] = {
      {"[{name: a, package: b1}, a]", "modules[1]: 'a' stands here twice"},
      {"[a-b, a_b]", "modules[1]: 'a_b' stands here twice"},
      {"[{name: a}]", "modules[0]: must say a package, a file or dkms"},
      {"[{name: a, dkms: b-dkms, package: b1}]",
       "modules[0].package: a module that is compiled comes from its DKMS package alone"},
      {"[{name: a, dkms: ../b}]", "modules[0].dkms: '../b' is not a package name"},
      {"[{name: a, package: b1, file: a.ko}]",
       "modules[0].file: a module comes from a package or from a file, not from both"},
      {"[{name: a, file: a.ko}]", "modules[0]: sha256 is missing"},
      {"[{name: a, file: a.tar, sha256: " + digest + "}]",
       "modules[0].file: 'a.tar' is not a file that ends in .ko, .ko.xz or .ko.zst"},
      {"[{package: b1}]", "modules[0]: name is missing"}};
  for (const auto& one : cases) {
    const auto refused = with(one.first);
    REQUIRE_FALSE(refused.has_value());
    CHECK_MESSAGE(refused.error().message.find("manifest:7: " + one.second) != std::string::npos,
                  refused.error().message);
  }
}

TEST_CASE("a refusal names line and field") {
  const struct {
    std::string_view from, to, expected;
  } cases[] = {
      {"packages:", "package:",
       "manifest:8: package: unknown field; known here: name, architecture"},
      {"kernel:", "name: other\nkernel:", "manifest:5: name: given twice"},
      {"wireguard, virtio_net", "wireguard, ../x",
       "manifest:7: modules[1]: '../x' is not a module"},
      {"[wireguard-tools]", "[wireguard-tools, wireguard-tools]",
       "manifest:8: packages[1]: 'wireguard-tools' stands here twice"},
      {"\"1.0.*\"", "\"1.0 *\"",
       "manifest:10: constraints.wireguard-tools: '1.0 *' is not a version"},
      {"ba7816", "zz7816", "manifest:15: accept_scripts[0].sha256: "},
      {"script: postinst", "script: prerm",
       "manifest:14: accept_scripts[0].script: 'prerm' is not preinst"},
      {"id: 990", "id: 0", "manifest:18: users[0].id: must be a whole number from 1"},
      {"/etc/motd", "/etc/../motd", "manifest:20: files[0].path: '/etc/../motd' is not"},
      {"\"0600\"", "\"4755\"", "manifest:23: files[0].mode: must be octal permissions"},
      {"[bookworm, bookworm-security]", "[../x]", "manifest:4: sources.suites[0]: '../x' is not"},
      {"[bookworm, bookworm-security]", "[bookworm]\n  mirror: ftp",
       "manifest:5: sources.mirror: must be 'apt'"},
      {"amd64\n", "armhf\n",
       "manifest:2: architecture: 'armhf' is no architecture that images are made for (there are "
       "amd64, arm64)"},
      {"architecture: amd64\n", "", "architecture is missing"},
      {"name: gateway-6.1", "name: &x gateway-6.1", "manifest:1: "},
      {"quiet", "quiet\n  more: x", "manifest:25: "},
      {"provides: [linux-initramfs-tool]", "provides: [wireguard-tools]",
       "manifest:11: provides: 'wireguard-tools' is also asked for in packages"},
  };
  for (const auto& entry : cases) {
    const auto manifest = parse_image_manifest(replaced(kSmall, entry.from, entry.to));
    CAPTURE(std::string(entry.to));
    REQUIRE_FALSE(manifest.has_value());
    CAPTURE(manifest.error().message);
    CHECK(manifest.error().code == Errc::invalid_input);
    CHECK(manifest.error().message.find(entry.expected) != std::string::npos);
  }
  CHECK(parse_image_manifest("name: a\n# \xc3\x28\n").error().message ==
        "manifest:2: is not UTF-8");
  CHECK_FALSE(parse_image_manifest("").has_value());
  CHECK_FALSE(parse_image_manifest("- a").has_value());
  CHECK_FALSE(parse_image_manifest(kSmall + "---\n" + kSmall).has_value());
  CHECK_FALSE(parse_image_manifest(std::string(1000, '[')).has_value());
}

// docs/schemas/lock.schema.json: a line of a lock has at most 4096 bytes.
TEST_CASE("a reason that no lock could hold is refused where it is written") {
  const std::string reason = "restarts services, of which a new system has none";
  const auto with = [&](std::size_t size) {
    return parse_image_manifest(replaced(kSmall, reason, std::string(size, 'x')));
  };
  CHECK(with(4096).has_value());
  REQUIRE_FALSE(with(4097).has_value());
  CHECK(with(4097).error().message.find("accept_scripts[0].why: is longer than 4096 bytes") !=
        std::string::npos);
}

TEST_CASE("files that cannot stand in one image are refused where they are written") {
  const auto refusal_of = [](const std::string& files, const std::string& folders) {
    const std::string text = replaced(kSmall, "files:\n", "folders: [" + folders + "]\nfiles:\n") +
                             "documentation: false\n";
    const auto from = text.find("files:\n"), to = text.find("command_line:");
    std::string list;
    for (std::size_t at = 0; at < files.size();) {
      const auto end = std::min(files.find(' ', at), files.size());
      list += "  - {path: " + files.substr(at, end - at) + ", content: x}\n";
      at = end + 1;
    }
    const auto read =
        parse_image_manifest(text.substr(0, from) + "files:\n" + list + text.substr(to));
    return read.has_value() ? std::string() : read.error().message;
  };
  const auto folder = [](const std::string& path) { return "{path: " + path + "}"; };
  const std::string below = " lies below it";
  const struct {
    std::string files, folders, expected;
  } cases[] = {
      {"/a /a/b", "",
       "manifest:21: files[0].path: '/a' cannot be a file: '/a/b' (files[1].path)" + below},
      {"/a/b/c /a-b /a", "",
       "manifest:23: files[2].path: '/a' cannot be a file: '/a/b/c' (files[0].path)" + below},
      {"/bin/x /usr/bin/x", "",
       "manifest:22: files[1].path: '/usr/bin/x' is '/bin/x' (files[0].path): every image has its "
       "folder as a link into /usr"},
      {"/usr/lib/x /lib/x/y", "",
       "manifest:21: files[0].path: '/usr/lib/x' cannot be a file: '/lib/x/y' (files[1].path)" +
           below},
      {"/sbin", "",
       "manifest:21: files[0].path: '/sbin' cannot be a file: every image has it as a link into "
       "/usr"},
      {"/a /a/./b", "", "manifest:22: files[1].path: '/a/./b' is not an absolute path"},
      {"/a //a", "", "manifest:22: files[1].path: '//a' is not an absolute path"},
      {"/a /a", "", "manifest:22: files[1]: the same as an entry above"},
      {"/b /a", folder("/a"),
       "manifest:22: files[1].path: '/a' cannot be a file: it is also '/a' (folders[0].path)"},
      {"/a", folder("/a/b"),
       "manifest:21: files[0].path: '/a' cannot be a file: '/a/b' (folders[0].path)" + below},
      {"/a", folder("/lib/x") + "," + folder("/usr/lib/x"),
       "manifest:19: folders[1].path: '/usr/lib/x' is '/lib/x' (folders[0].path): every image has "
       "its folder as a link into /usr"},
      {"/etc/passwd", "",
       "manifest:21: files[0].path: '/etc/passwd' is a file that every image has already"},
      {"/init/x", "", "manifest:21: files[0].path: '/init' is a file that every image has already"},
      {"/a", folder("/etc/hosts"),
       "manifest:19: folders[0].path: '/etc/hosts' is a file that every image has already"},
      {"/etc", "", "manifest:21: files[0].path: '/etc' cannot be a file: "},
      {"/dev/null", "",
       "manifest:21: files[0].path: '/dev/null' would be hidden: nodes mount a file system at "
       "'/dev' when they boot"},
      {"/a /proc/x", "", "manifest:22: files[1].path: '/proc/x' would be hidden: "},
      {"/run/a/b", "", "manifest:21: files[0].path: '/run/a/b' would be hidden: "},
      {"/sys/x", "", "manifest:21: files[0].path: '/sys/x' would be hidden: "},
      {"/tmp/x", "", "manifest:21: files[0].path: '/tmp/x' would be hidden: "},
      {"/a", folder("/run/x"), "manifest:19: folders[0].path: '/run/x' would be hidden: "},
      {"/tmp", "",
       "manifest:21: files[0].path: '/tmp' cannot be a file: it is also '/tmp' (a folder of every "
       "image)"}};
  for (const auto& each : cases) {
    CAPTURE(each.files);
    CAPTURE(each.folders);
    const std::string refusal = refusal_of(each.files, each.folders);
    CAPTURE(refusal);
    CHECK(refusal.starts_with(each.expected));
  }
  CHECK(refusal_of("/a/b /a/c /a-b /etc/x /bin/x /var/run/x /runs/x /usr/sbin/x /usr/lib/weir/x",
                   folder("/a") + "," + folder("/tmp")) == "");
}

TEST_CASE("a star stands for any run of characters") {
  CHECK(matches("linux-image-6.1.*-cloud-amd64", "linux-image-6.1.0-56-cloud-amd64"));
  CHECK_FALSE(
      matches("linux-image-6.1.*-cloud-amd64", "linux-image-6.1.0-56-cloud-amd64-unsigned"));
  CHECK_FALSE(matches("linux-image-6.12.*-cloud-amd64", "linux-image-6.12-cloud-amd64"));
  CHECK(matches("6.1.*", "6.1."));
  CHECK_FALSE(matches("6.1.*", "6.12"));
  CHECK(matches("*", ""));
  CHECK(matches("a*b*c", "aXbbYc"));
  CHECK_FALSE(matches("a*b*c", "aXbbYcd"));
  CHECK_FALSE(matches("", "a"));
  CHECK(matches("exact", "exact"));
}

}  // namespace weir::manifests
