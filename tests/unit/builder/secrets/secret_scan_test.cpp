#include "builder/secrets/secret_scan.h"

#include <doctest/doctest.h>

#include <map>
#include <string>

#include "tests/folders.h"
#include "tests/unit/images/scratch.h"

namespace weir::builder {
namespace {

using keys::Secret;

const std::string kSecrets = test::source_folder() + "/tests/data/builder/secrets/";

SecretScanner scanner_for(const std::vector<Secret>& keys = {}) {
  auto scanner = SecretScanner::create(keys);
  REQUIRE_MESSAGE(scanner.has_value(), scanner.error().message);
  return std::move(*scanner);
}

std::vector<Secret> one_key(const std::string& raw) {
  std::vector<Secret> out;
  auto key = Secret::copy_of(as_bytes(raw));
  REQUIRE(key.has_value());
  out.push_back(std::move(*key));
  return out;
}

std::string shell(const std::string& command) {
  return test::must("export LC_ALL=C; " + command);
}

}  // namespace

TEST_CASE("every kind of secret key that a tool writes is found where grep finds it") {
  // By file: what grep looks for, and what it is.
  const std::map<std::string, std::pair<std::string, std::string>> expected = {
      {"wireguard_conf", {"PrivateKey", "a WireGuard private or preshared key"}},
      {"wireguard_preshared", {"presharedkey", "a WireGuard private or preshared key"}},
      {"wireguard_json", {"private_key", "a WireGuard private or preshared key"}},
      {"wireguard_uapi", {"private_key", "a WireGuard private or preshared key"}},
      {"wireguard_yaml", {"privateKey", "a WireGuard private or preshared key"}},
      {"networkmanager", {"private-key", "a WireGuard private or preshared key"}},
      {"networkmanager_preshared", {"preshared-key", "a WireGuard private or preshared key"}},
      {"openwrt", {"private_key", "a WireGuard private or preshared key"}},
      {"openwrt_preshared", {"preshared_key", "a WireGuard private or preshared key"}},
      {"openwrt_show", {"private_key", "a WireGuard private or preshared key"}},
      {"pem_rsa", {"-----BEGIN RSA", "a private key in PEM or OpenPGP armour"}},
      {"pem_rsa_encrypted", {"-----BEGIN RSA", "a private key in PEM or OpenPGP armour"}},
      {"pem_ec", {"-----BEGIN EC", "a private key in PEM or OpenPGP armour"}},
      {"pem_pkcs8", {"-----BEGIN PRIV", "a private key in PEM or OpenPGP armour"}},
      {"pem_pkcs8_encrypted", {"-----BEGIN ENCR", "a private key in PEM or OpenPGP armour"}},
      {"pem_in_json", {"-----BEGIN PRIV", "a private key in PEM or OpenPGP armour"}},
      {"pem_blank_after_dashes", {"-----BEGIN PRIV", "a private key in PEM or OpenPGP armour"}},
      {"pem_short_lines", {"-----BEGIN PRIV", "a private key in PEM or OpenPGP armour"}},
      {"pem_one_line", {"-----BEGIN PRIV", "a private key in PEM or OpenPGP armour"}},
      {"pem_one_line_encrypted", {"-----BEGIN RSA", "a private key in PEM or OpenPGP armour"}},
      {"pem_cr", {"-----BEGIN PRIV", "a private key in PEM or OpenPGP armour"}},
      {"pem_commented", {"-----BEGIN RSA", "a private key in PEM or OpenPGP armour"}},
      {"pem_commented_c", {"-----BEGIN PRIV", "a private key in PEM or OpenPGP armour"}},
      {"pem_c_string", {"-----BEGIN PRIV", "a private key in PEM or OpenPGP armour"}},
      {"pem_python", {"-----BEGIN EC", "a private key in PEM or OpenPGP armour"}},
      {"pem_javascript", {"-----BEGIN PRIV", "a private key in PEM or OpenPGP armour"}},
      {"wireguard_json_escaped", {"PrivateKey", "a WireGuard private or preshared key"}},
      {"wireguard_json_in_json", {"private_key", "a WireGuard private or preshared key"}},
      {"openssh", {"-----BEGIN OPENSSH", "a private key in PEM or OpenPGP armour"}},
      {"openssh_bare", {"b3BlbnNzaC1rZXktdjE", "an OpenSSH private key"}},
      {"openpgp", {"-----BEGIN PGP", "a private key in PEM or OpenPGP armour"}},
      {"minisign", {"RWQAAEIy", "a minisign secret key"}},
      {"minisign_encrypted", {"RWRTY0Iy", "a minisign secret key"}},
      {"age", {"AGE-SECRET-KEY", "an age secret key"}},
  };
  const SecretScanner scanner = scanner_for();
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kSecrets + "found")) {
    const std::string name = entry.path().filename().string();
    CAPTURE(name);
    REQUIRE(expected.contains(name));
    const auto& [words, what] = expected.at(name);
    const std::string content = test::bytes_of(entry.path().string());
    const auto found = scanner.scan(as_bytes(content));
    REQUIRE_FALSE(found.empty());
    CHECK(found[0].what == what);
    CHECK(std::to_string(found[0].offset) + ":" + words + "\n" ==
          shell("grep -abo -m1 -e '" + words + "' " + entry.path().string()));
    // Wherever it lies, and also in the middle of something binary.
    for (std::size_t before = 0; before < 16; ++before) {
      std::string moved(before, '\x7f');
      moved += content + std::string(before, '\0');
      const auto again = scanner.scan(as_bytes(moved));
      REQUIRE(again.size() == found.size());
      CHECK(again[0].offset == found[0].offset + before);
    }
    ++files;
  }
  CHECK(files == expected.size());
}

TEST_CASE("what only looks like a secret is not found") {
  const SecretScanner scanner = scanner_for();
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kSecrets + "not_found")) {
    CAPTURE(entry.path().string());
    const std::string content = test::bytes_of(entry.path().string());
    for (const SecretFinding& finding : scanner.scan(as_bytes(content))) {
      FAIL_CHECK(finding.what << " at " << finding.offset);
    }
    ++files;
  }
  CHECK(files > 10);
  // Programs that handle such keys and know their words.
  for (const char* program : {"/usr/bin/wg", "/usr/bin/openssl", "/usr/bin/minisign",
                              "/usr/bin/gpg", "/usr/bin/ssh-keygen"}) {
    if (!std::filesystem::exists(program)) continue;
    CAPTURE(program);
    CHECK(scanner.scan(as_bytes(test::bytes_of(program))).empty());
  }
}

TEST_CASE("the fleet's own keys are found raw, in hex and in base64, however they are embedded") {
  const test::TemporaryFolder folder;
  const std::string raw = shell("head -c 32 /dev/urandom | tee " + folder.path + "/k");
  const SecretScanner scanner = scanner_for(one_key(raw));
  const SecretScanner other = scanner_for(one_key(shell("head -c 32 /dev/urandom")));
  CHECK(scanner.identity() != other.identity());
  CHECK(scanner.identity() != scanner_for().identity());
  CHECK(scanner.identity() == scanner_for(one_key(raw)).identity());
  const std::string in = folder.path + "/k";
  const struct {
    std::string content, what;
  } cases[] = {
      {raw, "a key of the fleet"},
      {shell("xxd -p -c 64 " + in), "a key of the fleet in hex"},
      {shell("xxd -u -p -c 64 " + in), "a key of the fleet in hex"},
      {shell("base64 -w0 " + in), "a key of the fleet"},
      {shell("base64 -w0 " + in + " | tr +/ -_"), "a key of the fleet"},
      {shell("{ printf x; cat " + in + "; echo more; } | base64 -w0"), "a key of the fleet"},
      {shell("{ printf xy; cat " + in + "; echo more; } | base64 -w0"), "a key of the fleet"},
      {shell("{ printf xyz; cat " + in + "; echo more; } | base64 -w0 | tr +/ -_"),
       "a key of the fleet"},
  };
  for (const auto& [content, what] : cases) {
    const auto& shown = content;  // clang 14 captures no structured binding
    CAPTURE(shown);
    for (const std::string& before :
         {std::string(), std::string("before "), std::string(9, '\0')}) {
      const std::string text = before + content + " after";
      const auto found = scanner.scan(as_bytes(text));
      REQUIRE(found.size() == 1);
      CHECK(found[0].what == what);
      CHECK(found[0].offset >= before.size());
      CHECK(found[0].offset <= before.size() + 6);
      CHECK(other.scan(as_bytes(text)).empty());
    }
  }
  for (const std::string& like :
       {shell("sha256sum " + in), shell("base64 -w0 " + in + " | wg pubkey"),
        shell("head -c 15 " + in + " | base64"), shell("tail -c 15 " + in + " | xxd -p"),
        raw.substr(1), shell("base64 " + in).substr(24)}) {
    CHECK(scanner.scan(as_bytes(like)).empty());
  }
  CHECK_FALSE(SecretScanner::create(one_key("short")).has_value());
}

TEST_CASE("a key that tools break into lines is found once, wherever the line ends") {
  const test::TemporaryFolder folder;
  const std::string in = folder.path + "/k", padded = folder.path + "/p";
  constexpr const char* kTools[] = {"xxd -p",
                                    "xxd -u -p",
                                    "xxd -p -c 16",
                                    "xxd -p -c 32",
                                    "base64",
                                    "base64 -w 64",
                                    "openssl base64",
                                    "base64 -w 64 | sed 's/$/\\r/'",
                                    "base64 -w 76 | tr +/ -_",
                                    "base64 | sed 's/.*/    \"&\\\\n\"/'",
                                    "xxd -p | sed 's/^/# /'",
                                    "base64 -w0 | sed 's,/,\\\\/,g'"};
  for (const std::size_t size : {16, 32, 64}) {
    const std::string raw = shell("head -c " + std::to_string(size) + " /dev/urandom | tee " + in);
    const SecretScanner scanner = scanner_for(one_key(raw));
    const SecretScanner other = scanner_for(one_key(shell("head -c 32 /dev/urandom")));
    // All places in a line of 64 characters, which are 48 bytes.
    for (std::size_t before = 0; before < 48; before += size == 32 ? 1 : 7) {
      shell("{ head -c " + std::to_string(before) + " /dev/zero; cat " + in + "; echo more; } > " +
            padded);
      for (const char* tool : kTools) {
        CAPTURE(size);
        CAPTURE(before);
        CAPTURE(tool);
        const std::string text = shell("{ " + std::string(tool) + "; } < " + padded);
        CAPTURE(text);
        const auto found = scanner.scan(as_bytes(text));
        REQUIRE(found.size() == 1);
        CHECK(found[0].fleet);
        CHECK(other.scan(as_bytes(text)).empty());
      }
    }
  }
}

TEST_CASE("half of a key is found, and less is not") {
  const test::TemporaryFolder folder;
  const std::string in = folder.path + "/k";
  const std::string raw = shell("head -c 32 /dev/urandom | tee " + in);
  const SecretScanner scanner = scanner_for(one_key(raw));
  for (const std::string& half :
       {shell("head -c 17 " + in + " | base64"), shell("tail -c 17 " + in + " | xxd -p"),
        shell("head -c 16 " + in + " | xxd -p") +
            "\n00000010: " + shell("tail -c 15 " + in + " | xxd -p")}) {
    CAPTURE(half);
    const auto found = scanner.scan(as_bytes(half));
    REQUIRE(found.size() == 1);
    CHECK(found[0].offset <= 1);
  }
}

TEST_CASE("a tree with secrets is refused with paths and offsets, and a clean one is counted") {
  const SecretScanner scanner = scanner_for();
  images::FileTree tree;
  const auto put = [&](const char* path, const std::string& content) {
    REQUIRE(tree.put(*images::ImagePath::parse(path),
                     {0644, 0, 0, 0, images::File{images::content_of(content)}})
                .has_value());
  };
  put("etc/motd", "hello");
  put("usr/bin/x", "12345678901");
  const ScannedTree clean = find_secrets(tree, scanner);
  CHECK(clean.found == std::vector<std::string>());
  CHECK(clean.scan == manifests::ReleaseScan{kScanRules, 2, 16});

  const std::string conf = test::bytes_of(kSecrets + "found/wireguard_conf");
  put("etc/wireguard/wg0.conf", conf);
  const auto found = find_secrets(tree, scanner).found;
  REQUIRE_FALSE(found.empty());
  CHECK(found[0] == "/etc/wireguard/wg0.conf holds a WireGuard private or preshared key at byte " +
                        std::to_string(conf.find("PrivateKey")) + " (sha256 " +
                        Digest::of(as_bytes(conf)).hex() + ")");
  // The secret itself is nobody's business.
  const std::string key = conf.substr(conf.find("= ", conf.find("PrivateKey")) + 2, 43);
  for (const std::string& line : found) CHECK(line.find(key) == std::string::npos);

  const Digest digest = Digest::of(as_bytes(conf));
  const AcceptedSecrets accepted = {{"/etc/wireguard/wg0.conf", {digest}, "an example"}};
  const ScannedTree excused = find_secrets(tree, scanner, accepted);
  CHECK(excused.found == std::vector<std::string>());
  CHECK(excused.scan.accepted ==
        std::vector<manifests::AcceptedFile>{{"/etc/wireguard/wg0.conf", digest}});
  CHECK(still_passes(excused.scan, accepted));
  CHECK_FALSE(still_passes(excused.scan, {}));
  CHECK(still_passes(clean.scan, {}));
  for (const AcceptedSecrets& other :
       {AcceptedSecrets{{"/etc/wireguard/wg0.conf", {Digest::of({})}, ""}},
        AcceptedSecrets{{"/etc/motd", {digest}, ""}}}) {
    CHECK(find_secrets(tree, scanner, other).found == found);
  }

  // One line for a file, however often.
  put("etc/wireguard/wg1.conf", conf + conf + conf);
  const auto thrice = find_secrets(tree, scanner).found;
  REQUIRE(thrice.size() == 2);
  CHECK(thrice[1].find("at byte " + std::to_string(conf.find("PrivateKey")) +
                       " and 2 more places (sha256 ") != std::string::npos);
}

TEST_CASE("names and links' targets are searched, and the key is not shown") {
  const test::TemporaryFolder folder;
  const std::string in = folder.path + "/k";
  const std::string raw = shell("head -c 32 /dev/urandom | tee " + in),
                    hex = shell("xxd -p -c 64 " + in).substr(0, 64),
                    base64 = shell("base64 -w0 " + in);
  const SecretScanner scanner = scanner_for(one_key(raw));
  const auto refused = [&](const std::string& path, const images::Node& node) {
    images::FileTree tree;
    REQUIRE(tree.put(*images::ImagePath::parse(path), node).has_value());
    const auto found = find_secrets(tree, scanner).found;
    REQUIRE(found.size() == 1);
    for (const std::string& key : {raw, hex, base64.substr(1, 41)}) {
      CHECK(found[0].find(key) == std::string::npos);
    }
    return found[0];
  };
  const images::Node file{0644, 0, 0, 0, images::File{images::content_of("x")}};
  CHECK(refused("etc/of-" + hex + ".conf", file) ==
        "the name /etc/of-… holds a key of the fleet in hex at byte 8");
  // Standard base64 has slashes: the key may be spread over folders.
  // Where it begins with one, so does the finding.
  CHECK(refused("etc/" + base64, file).starts_with("the name /etc"));
  // A folder's name is reported once, not again for what is in it.
  CHECK(refused("srv/" + hex + "/a/b", file) ==
        "the name /srv/… holds a key of the fleet in hex at byte 5");
  const auto link = [](const std::string& target) {
    return images::Node{0777, 0, 0, 0, images::Symlink{target}};
  };
  CHECK(refused("etc/link", link("../run/" + hex)) ==
        "/etc/link is a link whose target holds a key of the fleet in hex at byte 7");
  CHECK(refused("etc/link", link("private-key=EAt+0xWV4+vUmu0n+Jhpqo1ODH3sPkPSYfvBFNph7Xw="))
            .starts_with("/etc/link is a link whose target holds a WireGuard private"));

  images::FileTree clean;
  REQUIRE(clean.put(*images::ImagePath::parse("etc/" + hex.substr(33)), file).has_value());
  REQUIRE(clean.put(*images::ImagePath::parse("etc/link"), link(hex.substr(0, 31))).has_value());
  CHECK(find_secrets(clean, scanner).found == std::vector<std::string>());
}

TEST_CASE("a scanner tells how many keys it has and which set they are") {
  CHECK_FALSE(scanner_for().own_keys().has_value());
  const std::string a(32, 'a'), b(32, 'b');
  auto both = one_key(a), turned = one_key(b);
  both.push_back(std::move(one_key(b)[0]));
  turned.push_back(std::move(one_key(a)[0]));
  turned.push_back(std::move(one_key(a)[0]));
  const auto known = scanner_for(both).own_keys();
  REQUIRE(known.has_value());
  CHECK(known->count == 2);
  CHECK(known->identity == scanner_for(both).identity());
  CHECK(scanner_for(turned).own_keys() == known);
  CHECK(scanner_for(one_key(a)).own_keys()->identity != known->identity);
}

}  // namespace weir::builder
