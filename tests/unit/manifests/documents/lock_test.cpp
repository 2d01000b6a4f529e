#include "manifests/documents/lock.h"

#include <doctest/doctest.h>

#include "tests/text.h"

namespace weir::manifests {
namespace {

using test::replaced;

Lock small_lock() {
  const Digest digest = Digest::of(as_bytes("abc"));
  return Lock{.name = *ReleaseName::parse("gateway-6.1"),
              .architecture = "amd64",
              .manifest_digest = digest,
              .source_epoch = 1795226446,
              .sources = {{"bookworm", digest, "Sat, 21 Nov 2026 02:00:46 UTC",
                           "1F89983E0081FDE018F3CC9673A4F27B8DD47936"}},
              .kernel = "linux-image-6.1.0-56-cloud-amd64",
              .packages = {{"libmnl0", "1.0.4-3", "amd64",
                            "pool/main/libm/libmnl/libmnl0_1.0.4-3_amd64.deb", ByteCount{12500},
                            digest, "bookworm", "needed by wireguard-tools"},
                           {"linux-image-6.1.0-56-cloud-amd64", "6.1.192-2", "amd64",
                            "pool/updates/main/l/linux-signed-amd64/x.deb", ByteCount{1}, digest,
                            "bookworm", "kernel"}},
              .provides = {"linux-initramfs-tool"},
              .accept_scripts = {{"libc6", "postinst", {digest}, "nothing runs yet"}},
              .programs = {{"weir-init", digest, ByteCount{4096}}},
              .builder_version = "0.1.0",
              .compressor = "newc+zstd-1.5.4-9",
              .version = 7};
}

}  // namespace

TEST_CASE("a printed lock reads back as the same, and prints the same bytes") {
  const Lock lock = small_lock();
  const std::string text = print(lock);
  const auto again = parse_lock(text);
  REQUIRE_MESSAGE(again.has_value(), again.error().message);
  CHECK(*again == lock);
  CHECK(print(*again) == text);
  CHECK(text.back() == '\n');
  Lock other = lock;
  other.sources[0].vendor = "frr";
  CHECK(parse_lock(print(other)) == other);
}

TEST_CASE(
    "a lock in other bytes than its canonical ones is another lock, and refused with what to do") {
  const std::string text = print(small_lock());
  CHECK(parse_canonical_lock(text) == small_lock());
  std::string crlf;
  for (const char c : text) {
    crlf += c == '\n' ? std::string("\r\n") : std::string(1, c);
  }
  const std::pair<std::string, const char*> others[] = {
      {crlf, "its lines end with CR LF, as git's autocrlf makes them"},
      {replaced(text, "\n  \"name\"", "\n    \"name\""),
       "indentation, order or escapes were changed"},
      {text + "\n", "indentation, order or escapes were changed"},
      {text.substr(0, text.size() - 1), "indentation, order or escapes were changed"},
      {replaced(text, "\"kernel\"", "\"\\u006bernel\""),
       "indentation, order or escapes were changed"},
  };
  for (const auto& [other, says] : others) {
    const auto& shown = other;
    CAPTURE(shown);
    CHECK(parse_lock(other) == small_lock());
    const auto lock = parse_canonical_lock(other);
    REQUIRE_FALSE(lock.has_value());
    CHECK(lock.error().code == Errc::invalid_input);
    CHECK(lock.error().message.find(says) != std::string::npos);
    CHECK(lock.error().message.ends_with("take them back as they were, or lock again"));
  }
}

TEST_CASE("what modules are compiled with is in the lock where any is, and holds together") {
  Lock lock = small_lock();
  CHECK(print(lock).find("module_build") == std::string::npos);
  LockedPackage source = lock.packages[0];
  source.name = "jool-dkms";
  LockedPackage headers = source;
  headers.name = "linux-headers-6.1.0-56-cloud-amd64";
  lock.module_build = LockedModuleBuild{{"jool-dkms"}, headers.name, {source, headers}, "MIIC"};
  const std::string text = print(lock);
  const auto again = parse_canonical_lock(text);
  REQUIRE_MESSAGE(again.has_value(), again.error().message);
  CHECK(*again == lock);

  const std::pair<std::pair<const char*, const char*>, const char*> cases[] = {
      {{"\"headers\": \"linux-headers-6.1.0-56", "\"headers\": \"linux-headers-6.1.0-55"},
       "module_build: 'linux-headers-6.1.0-55-cloud-amd64' is not among its packages"},
      {{"\"name\": \"jool-dkms\"", "\"name\": \"zzz\""},
       "module_build.packages[1].name: 'linux-headers-6.1.0-56-cloud-amd64' is out of order"},
      {{"\"signer\": \"MIIC\"", "\"signer\": \"\""}, "module_build.signer"}};
  for (const auto& one : cases) {
    CAPTURE(one.second);
    const auto refused = parse_lock(replaced(text, one.first.first, one.first.second));
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().message.find(one.second) != std::string::npos);
  }
}

TEST_CASE("a lock that contradicts itself is refused with its field") {
  const std::string text = print(small_lock());
  const struct {
    std::string_view from, to, expected;
  } cases[] = {
      {"weir.lock/3", "weir.lock/2", "lock: type: 'weir.lock/2' is not 'weir.lock/3'"},
      {"\"version\": 7", "\"version\": 9007199254740992", "version: must be at most 2^53 - 1"},
      {"\"version\": 7,", "", "version: missing"},
      {"\"kernel\":", "\"kernel\": \"x\", \"kernel\":", "kernel"},
      {"\"kernel\": \"linux", "\"kernel\": \"minix", "kernel: 'minix-image"},
      {"\"architecture\"", "\"odd\": 1, \"architecture\"", "odd"},
      {"pool/main", "../pool", "packages[0].path: must be a path inside an archive"},
      {"\"size\": 12500", "\"size\": 18446744073709551616",
       "packages[0].size: is too large: must be below 2^64"},
      {"\"size\": 12500", "\"size\": -1", "packages[0].size: must be a whole number, not negative"},
      {"\"size\": 12500", "\"size\": 1.5",
       "packages[0].size: must be a whole number, not negative"},
      {"pool/main", "/pool", "packages[0].path: must be a path inside an archive"},
      {"pool/main", "pool//main", "packages[0].path: must be a path inside an archive"},
      {"\"name\": \"libmnl0\"", "\"name\": \"zlib\"",
       "packages[1].name: 'linux-image-6.1.0-56-cloud-amd64' is out of order"},
      {"\"suite\": \"bookworm\"", "\"suite\": \"trixie\"", "'bookworm' is not among the sources"},
      {"\"size\": 12500", "\"size\": -1", "packages[0].size"},
      {"1F89983E", "1f89983e", "sources[0].signer: must be a key's fingerprint"},
      {"\"signer\"", "\"vendor\": \"debian\", \"signer\"",
       "sources[0].vendor: must name a vendor (a-z, 0-9, '-', '.') other than debian"},
      {"\"signer\"", "\"vendor\": \"a/b\", \"signer\"", "sources[0].vendor: must name a vendor"},
      {"1F89983E", "", "sources[0].signer: must be a key's fingerprint"},
      {"\"compressor\": \"newc+zstd-1.5.4-9\"", "\"compressor\": \"\"", "compressor"},
      {"sha256:ba78", "sha256:BA78", "manifest_digest"},
  };
  for (const auto& entry : cases) {
    const auto lock = parse_lock(replaced(text, entry.from, entry.to));
    CAPTURE(std::string(entry.to));
    REQUIRE_FALSE(lock.has_value());
    CAPTURE(lock.error().message);
    CHECK(lock.error().code == Errc::invalid_input);
    CHECK(lock.error().message.find(entry.expected) != std::string::npos);
  }
  CHECK_FALSE(parse_lock(text + "{}").has_value());
  CHECK_FALSE(parse_lock(text.substr(0, text.size() / 2)).has_value());
}

}  // namespace weir::manifests
