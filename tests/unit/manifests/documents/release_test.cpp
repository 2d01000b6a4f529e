#include "manifests/documents/release.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/text.h"

namespace weir::manifests {
namespace {

using test::replaced;

Digest digest_of(std::string_view text) {
  return Digest::of(as_bytes(text));
}

Release example_release() {
  const std::string id(40, 'a');
  return Release{
      *ReleaseName::parse("gateway-6.12"),
      "amd64",
      1763000000,
      digest_of("lock"),
      {"linux-image-6.12.57+deb12-cloud-amd64",
       "6.12.57-1~bpo12+1",
       "6.12.57+deb12-cloud-amd64",
       id,
       {digest_of("kernel"), ByteCount{9000}}},
      {{"wireguard", "linux-image-6.12.57+deb12-cloud-amd64", "1.0.0", "ABCDEF",
        "6.12.57+deb12-cloud-amd64 SMP preempt mod_unload modversions ", std::string(40, 'b'),
        digest_of("module"), "0a9eda18"}},
      {{"wireguard-tools", "1.0.20210914-1+b1", "amd64"}},
      {{"libc6", "2.36-9+deb12u10", "amd64"}, {"wireguard-tools", "1.0.20210914-1+b1", "amd64"}},
      {"debconf", "linux-initramfs-tool"},
      {{"libc6", {digest_of("blob"), ByteCount{400}}, digest_of("cpio"), ByteCount{900}}},
      "console=ttyS0 \"quoted\"",
      {{"bookworm", digest_of("inrelease"), "Sat, 06 Sep 2025 10:06:37 UTC"}},
      "0.1.0",
      std::nullopt,
      {1, 1200, 60000000}};
}

}  // namespace

TEST_CASE("a release survives printing and parsing, and prints to the same bytes again") {
  const std::string text = print(example_release());
  const auto parsed = parse_release(text);
  REQUIRE_MESSAGE(parsed.has_value(), parsed.error().message);
  CHECK(*parsed == example_release());
  CHECK(print(*parsed) == text);
  CHECK(text.starts_with("{\n  \"type\": \"weir.release/1\",\n  \"name\": \"gateway-6.12\",\n"));
  CHECK(text.ends_with("}\n"));
}

TEST_CASE("a release may state its terms: all four or none") {
  Release release = example_release();
  release.terms = ReleaseTerms{12, *ChannelName::parse("stable"), 10, UtcTime{1826841600}};
  const std::string text = print(release);
  CHECK(text.starts_with(
      "{\n  \"type\": \"weir.release/1\",\n  \"name\": \"gateway-6.12\",\n  \"version\": 12,\n"
      "  \"channel\": \"stable\",\n  \"replaces_from\": 10,\n"
      "  \"expires\": \"2027-11-22T00:00:00Z\",\n  \"architecture\""));
  CHECK(parse_release(text).value() == release);
  const struct {
    std::string from, to, says;
  } cases[] = {
      {"\"version\": 12,", "", "version: missing"},
      {"\"channel\": \"stable\",", "", "channel: missing"},
      {"\"expires\"", "\"expired\"", "expires: missing"},
      {": 10,", ": 13,", "replaces_from: must not be above"},
      {": 12,", ": 9007199254740992,", "version: must be at most"},
      {"2027-11-22T", "2027-11-32T", "expires: "},
      {"\"stable\"", "\"../x\"", "channel: "},
  };
  for (const auto& [from, to, says] : cases) {
    const auto& shown = says;  // clang 14 captures no structured binding
    CAPTURE(shown);
    const auto parsed = parse_release(replaced(text, from, to));
    REQUIRE_FALSE(parsed.has_value());
    CHECK_MESSAGE(parsed.error().message.find(says) != std::string::npos, parsed.error().message);
  }
}

TEST_CASE("accepted files are in the document where there are any") {
  Release release = example_release();
  CHECK(print(release).find("\"accepted\"") == std::string::npos);
  release.scan.accepted = {{"/a", Digest::of({})}, {"/b", Digest::of({})}};
  const std::string text = print(release);
  CHECK(text.find("\"accepted\": [") != std::string::npos);
  CHECK(parse_release(text).value() == release);
}

TEST_CASE("the search for own keys is in the document where there was one") {
  Release release = example_release();
  CHECK(print(release).find("own_keys") == std::string::npos);
  release.scan.own_keys = OwnKeys{3, Digest::of({})};
  const std::string text = print(release);
  CHECK(parse_release(text).value() == release);
  const auto none = parse_release(replaced(text, "\"count\": 3", "\"count\": 0"));
  REQUIRE_FALSE(none.has_value());
  CHECK(none.error().message.find("scan.own_keys.count: must be positive") != std::string::npos);
}

TEST_CASE("a layer may unpack to one byte less than 2 GiB") {
  CHECK(parse_release(replaced(print(example_release()), "\"content_size\": 900",
                               "\"content_size\": 2147483647"))
            .has_value());
}

TEST_CASE("what is not a release is refused, and the field is named") {
  const std::string text = print(example_release());
  const std::string id(40, 'a'), zero = "sha256:" + std::string(64, '0');
  const struct {
    std::string document, says;
  } cases[] = {
      {"", "not JSON"},
      {text + "{}", "not JSON"},
      {text + std::string("\0{}", 3), "not JSON: a NUL byte"},
      {replaced(text, "\"name\"", "\"nom\""), "name: missing"},
      {replaced(text, "\"name\"", "\"nom\": 1, \"name\""), "nom: unknown field"},
      {replaced(text, "\"build_id\"", "\"extra\": 1, \"build_id\""), "kernel.extra: unknown field"},
      {replaced(text, "\"name\"", "\"name\": \"x\", \"name\""), "'name' appears twice"},
      {replaced(text, "weir.release/1", "weir.release/2"), "type: 'weir.release/2'"},
      {replaced(text, "gateway-6.12", "Gateway"), "name: "},
      {replaced(text, id, id + "0"), "kernel.build_id: "},
      {replaced(text, "0a9eda18", "0A9EDA18"), "modules[0].signature_key: must be lower-case"},
      {replaced(text, "60000000", "-1"), "scan.bytes: "},
      {replaced(text, "60000000", "1, \"accepted\": []"), "scan.accepted: must not be empty"},
      {replaced(text, "60000000",
                "1, \"accepted\": [{\"path\": \"a\", \"digest\": \"" + zero + "\"}]"),
       "scan.accepted[0].path: must be absolute"},
      {replaced(text, "60000000",
                "1, \"accepted\": [{\"path\": \"/b\", \"digest\": \"" + zero +
                    "\"}, {\"path\": \"/a\", \"digest\": \"" + zero + "\"}]"),
       "scan.accepted[1]: is out of order or there twice"},
      {replaced(text, "9000", "-9000"), "kernel.image.size: "},
      {replaced(text, "9000", "9000.5"), "kernel.image.size: "},
      {replaced(text, "\"size\": 400", "\"size\": 401"), "blob.size: must be a multiple of 4"},
      {replaced(text, "\"content_size\": 900", "\"content_size\": 2147483648"),
       "layers[0].content_size: must be less than 2 GiB"},
      {replaced(text, "\"lock_digest\": \"sha256:", "\"lock_digest\": \""), "lock_digest: "},
      {replaced(text, "\"debconf\"", "7"), "provides[0]: "},
      {replaced(text, "\"name\": \"libc6\"", "\"name\": \"zlib\""), "packages[1].name: "},
      {replaced(text, "console=ttyS0", "console\\n"), "command_line: must be one line"},
      {std::string(100, '[') + std::string(100, ']'), "nested deeper"},
  };
  for (const auto& [document, says] : cases) {
    const auto& shown = says;  // clang 14 captures no structured binding
    CAPTURE(shown);
    const auto parsed = parse_release(document);
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error().code == Errc::invalid_input);
    CAPTURE(parsed.error().message);
    CHECK(parsed.error().message.find(says) != std::string::npos);
  }
}

}  // namespace weir::manifests
