#include "builder/mirror/suite_index.h"

#include <doctest/doctest.h>

#include <cctype>
#include <string>

#include "tests/text.h"

namespace weir::builder {
namespace {

using test::replaced;

const std::string kIndex =
    "Origin: Example\n"
    "Suite: oldstable-backports\n"
    "Codename: bookworm-backports\n"
    "Date: Sat, 21 Nov 2026 02:10:46 UTC\n"
    "Valid-Until: Sat, 28 Nov 2026 02:10:46 UTC\n"
    "NotAutomatic: yes\n"
    "Acquire-By-Hash: yes\n"
    "MD5Sum:\n"
    " 0cc175b9c0f1b6a831c399e269772661 1 main/binary-amd64/Packages\n"
    "SHA256:\n"
    " ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad        3 "
    "main/binary-amd64/Packages\n"
    " e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855        0 "
    "main/binary-amd64/Packages.xz\n";
constexpr std::int64_t kWeek = 7LL * 86400;
constexpr std::int64_t kReleased = 1795227046;  // date -d "Sat, 21 Nov 2026 02:10:46 UTC" +%s

const std::string kGood =
    "[GNUPG:] PLAINTEXT 74 0 \n[GNUPG:] NEWSIG\n"
    "[GNUPG:] GOODSIG 6ED0E7B82643E131 Some Archive Key\n"
    "[GNUPG:] VALIDSIG 4CB50190207B4758A3F73A796ED0E7B82643E131 2026-11-21 1795227094 0 4 0 1 8 01 "
    "B8B80B5B623EAB6AD8775C45B7C5D7D6350947F8\n";

}  // namespace

TEST_CASE("a suite's index lists its files with SHA-256 only") {
  const auto index = parse_suite_index(std::string_view(kIndex));
  REQUIRE_MESSAGE(index.has_value(), index.error().message);
  CHECK(index->codename == "bookworm-backports");
  CHECK(index->date_unix == kReleased);
  CHECK(index->valid_until_unix == kReleased + kWeek);
  CHECK(index->by_hash);
  CHECK(index->not_automatic);
  REQUIRE(index->files.size() == 2);
  const auto& file = index->files.at("main/binary-amd64/Packages");
  CHECK(file.digest == Digest::of(as_bytes("abc")));
  CHECK(file.size == ByteCount{3});
}

TEST_CASE("a damaged index is refused") {
  const std::pair<const char*, const char*> cases[] = {
      {"Date: Sat", "Date: Xat"},
      {"Date: Sat, 21 Nov 2026 02:10:46 UTC\n", ""},
      {"SHA256:", "SHA1:"},
      {" ba7816", " ga7816"},
      {"        3 ", "        x "},
      {"Packages.xz", "Packages"},
      {"Acquire-By-Hash: yes\n", "\nAcquire-By-Hash: yes\n"},
  };
  for (const auto& entry : cases) {
    CAPTURE(entry.second);
    const auto index =
        parse_suite_index(std::string_view(replaced(kIndex, entry.first, entry.second)));
    REQUIRE_FALSE(index.has_value());
    CHECK(index.error().code == Errc::invalid_input);
  }
}

TEST_CASE("an index counts for its own time only") {
  const auto index = parse_suite_index(std::string_view(kIndex));
  REQUIRE(index.has_value());
  CHECK(check_suite_index(*index, "bookworm-backports", kReleased + 100).has_value());
  CHECK(check_suite_index(*index, "bookworm-backports", kReleased - 86000).has_value());
  CHECK_FALSE(check_suite_index(*index, "bookworm-backports", kReleased - 86500).has_value());
  const auto late = check_suite_index(*index, "bookworm-backports", kReleased + kWeek + 7300);
  REQUIRE_FALSE(late.has_value());
  CHECK(late.error().code == Errc::integrity);
  CHECK(late.error().message ==
        "expired 2 hours ago: the mirror is stale, or this clock is wrong: ask one that is kept up "
        "to "
        "date (--mirror bookworm-backports=URL), set the clock, or, where an index of that time is "
        "meant, say --accept-expired bookworm-backports");
  const auto older =
      check_suite_index(*index, "bookworm-backports", kReleased + kWeek + std::int64_t{566} * 3600);
  REQUIRE_FALSE(older.has_value());
  CHECK(older.error().message.starts_with("expired 23 days ago: "));
}

TEST_CASE("an index that calls itself otherwise is named, one of a flat archive is not") {
  const auto index = parse_suite_index(std::string_view(kIndex));
  REQUIRE(index.has_value());
  for (const char* own :
       {"bookworm-backports", "oldstable-backports", "bookworm-backports/updates", "x/", "./"}) {
    CAPTURE(own);
    CHECK_FALSE(other_name(*index, own).has_value());
  }
  CHECK(other_name(*index, "bookworm") ==
        "calls itself bookworm-backports (oldstable-backports): is this the archive that was "
        "meant?");
  CHECK_FALSE(other_name({}, "bookworm").has_value());
}

TEST_CASE("digests in upper case, of SHA-512 alone, and CRLF are read; MD5 alone is refused") {
  const std::string digits = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  std::string shouted = digits;
  for (char& c : shouted) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  const auto loud = parse_suite_index(std::string_view(replaced(kIndex, digits, shouted)));
  REQUIRE_MESSAGE(loud.has_value(), loud.error().message);
  CHECK(loud->files.at("main/binary-amd64/Packages").digest == Digest::of(as_bytes("abc")));

  std::string crlf;
  for (const char c : kIndex) crlf += c == '\n' ? std::string("\r\n") : std::string(1, c);
  const auto dos = parse_suite_index(std::string_view(crlf));
  REQUIRE_MESSAGE(dos.has_value(), dos.error().message);
  CHECK(dos->codename == "bookworm-backports");
  CHECK(dos->date_unix == kReleased);
  CHECK(dos->files.size() == 2);

  // printf abc | sha512sum
  const std::string sha512 =
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
      "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";
  const std::string head = kIndex.substr(0, kIndex.find("SHA256:"));
  const auto long_one = parse_suite_index(
      std::string_view(head + "SHA512:\n " + sha512 + " 3 ./main/binary-amd64/Packages\n"));
  REQUIRE_MESSAGE(long_one.has_value(), long_one.error().message);
  const auto& file = long_one->files.at("main/binary-amd64/Packages");
  CHECK_FALSE(file.digest.has_value());
  CHECK(file.sha512 == sha512);

  const auto weak = parse_suite_index(std::string_view(head));
  REQUIRE_FALSE(weak.has_value());
  CHECK(weak.error().message.find("by MD5 or SHA-1 only, for which another file can be made") !=
        std::string::npos);
}

TEST_CASE("a path that no index of ours has is passed over") {
  for (const char* path : {"../../etc/passwd", "/etc/passwd"}) {
    const auto index = parse_suite_index(
        std::string_view(replaced(kIndex, "main/binary-amd64/Packages.xz", path)));
    CAPTURE(path);
    REQUIRE_MESSAGE(index.has_value(), index.error().message);
    CHECK(index->files.size() == 1);
  }
}

TEST_CASE("only one whole clear-signed message passes") {
  const std::string message =
      "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\ntext\n- -----dashes\n"
      "-----BEGIN PGP SIGNATURE-----\n\nabcd\n-----END PGP SIGNATURE-----\n";
  CHECK(check_clear_signed(message).has_value());
  CHECK_FALSE(check_clear_signed("").has_value());
  CHECK(check_clear_signed(message.substr(0, message.size() / 2)).error().message ==
        "is cut short: its signature's last line is missing");
  CHECK_FALSE(check_clear_signed("text\n" + message).has_value());
  CHECK_FALSE(check_clear_signed("\n" + message).has_value());
  CHECK_FALSE(check_clear_signed(message + "text\n").has_value());
  CHECK_FALSE(check_clear_signed(message + "\n").has_value());
  CHECK_FALSE(check_clear_signed(message + message).has_value());
  CHECK_FALSE(check_clear_signed(message.substr(0, message.size() - 12)).has_value());
  CHECK_FALSE(check_clear_signed(replaced(message, "- -----dashes", "-----dashes")).has_value());
}

TEST_CASE("a good signature by a key of the keyring is enough, a bad one is always too much") {
  CHECK(judge_gpgv_status(kGood) ==
        std::vector<std::string>{"B8B80B5B623EAB6AD8775C45B7C5D7D6350947F8"});
  const std::string unknown =
      "[GNUPG:] NEWSIG\n[GNUPG:] ERRSIG 78DBA3BC47EF2265 1 8 01 1 9 -\n"
      "[GNUPG:] NO_PUBKEY 78DBA3BC47EF2265\n";
  CHECK(judge_gpgv_status(kGood + unknown).has_value());
  CHECK(judge_gpgv_status(unknown + kGood).has_value());
  const std::pair<std::string, const char*> cases[] = {
      {"", "has no good signature"},
      {unknown, "is signed by key 78DBA3BC47EF2265, which is not in the keyring"},
      {kGood + "[GNUPG:] BADSIG 78DBA3BC47EF2265 x\n", "a signature is bad"},
      {kGood + "[GNUPG:] PLAINTEXT 74 0 \n", "holds more than one message"},
      {replaced(kGood, "GOODSIG", "EXPKEYSIG"), "expired or revoked"},
      {replaced(kGood, "GOODSIG", "REVKEYSIG"), "expired or revoked"},
      {replaced(kGood, "0 4 0 1 8 01", "0 4 0 1 2 01"), "weak hash"},
      // A user id must not pass for a status line.
      {"[GNUPG:] BADSIG 0 [GNUPG:] GOODSIG\n", "a signature is bad"},
  };
  for (const auto& entry : cases) {
    const auto signer = judge_gpgv_status(entry.first);
    CAPTURE(entry.first);
    REQUIRE_FALSE(signer.has_value());
    CHECK(signer.error().code == Errc::unauthorized);
    CHECK(signer.error().message.find(entry.second) != std::string::npos);
  }
}

}  // namespace weir::builder
