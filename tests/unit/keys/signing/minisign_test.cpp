#include "keys/signing/minisign.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <functional>
#include <utility>
#include <vector>

#include "keys/signing/edge/key_files.h"
#include "manifests/base/edge/file.h"
#include "tests/unit/keys/scratch.h"

// The other side in these tests is the stock minisign program.
namespace weir::keys {
namespace {

using testing::run;
using testing::Scratch;

constexpr const char* kMessage = "what was signed\n";

Secret secret_of(std::string_view text) {
  return *Secret::copy_of(as_bytes(text));
}

std::string contents(const std::string& path) {
  return *read_file(path, ByteCount{1 << 20});
}

/// A pair that minisign made, without a passphrase, and a file.
struct Stock {
  Scratch folder;
  std::string secret_path = folder / "stock.key", public_path = folder / "stock.pub";
  std::string file = folder / "file";
  Stock() {
    REQUIRE(run("minisign -G -W -p " + public_path + " -s " + secret_path).status == 0);
    REQUIRE(write_file(file, kMessage).has_value());
  }
};

/// `text` with the character at `at` replaced by another base64 digit.
std::string damaged(std::string text, std::size_t at) {
  text[at] = text[at] == 'A' ? 'B' : 'A';
  return text;
}

}  // namespace

TEST_CASE("minisign accepts our keys and signatures") {
  const Scratch folder;
  const auto pair = make_signing_key();
  REQUIRE(pair.has_value());
  const std::string file = folder / "file";
  const auto signature = sign(pair->secret_key, as_bytes(kMessage), "a comment");
  REQUIRE(signature.has_value());
  REQUIRE(write_file(file, kMessage).has_value());
  REQUIRE(write_file(file + ".minisig", *signature).has_value());
  REQUIRE(write_file(folder / "our.pub", print(pair->public_key)).has_value());
  const auto checked = run("minisign -V -H -p " + folder / "our.pub" + " -m " + file + " 2>&1");
  CHECK_MESSAGE(checked.status == 0, checked.output);
  CHECK(checked.output.find("Trusted comment: a comment") != std::string::npos);

  const auto text = print_secret_key(pair->secret_key, nullptr, "lab");
  REQUIRE(text.has_value());
  REQUIRE(write_new_file(folder / "our.key", text->text(), 0600).has_value());
  CHECK(run("minisign -S -s " + folder / "our.key" + " -m " + file + " 2>&1").status == 0);
  CHECK(verify(pair->public_key, as_bytes(kMessage), contents(file + ".minisig")).has_value());
  CHECK(run("minisign -R -p " + folder / "again.pub" + " -s " + folder / "our.key").status == 0);
  CHECK(read_public_key(folder / "again.pub").value() == pair->public_key);
}

TEST_CASE("minisign's keys and signatures, prehashed and legacy, are accepted here") {
  const Stock stock;
  const auto key = read_public_key(stock.public_path);
  REQUIRE(key.has_value());
  // minisign writes the id as a number, without leading zeros.
  const std::string id = print(key->id);
  CHECK(contents(stock.public_path).find(id.substr(id.find_first_not_of('0'))) !=
        std::string::npos);
  for (const char* mode : {"", "-l "}) {
    REQUIRE(run("minisign -S " + std::string(mode) + "-t 'stock says' -s " + stock.secret_path +
                " -m " + stock.file)
                .status == 0);
    const std::string signature = contents(stock.file + ".minisig");
    CHECK(verify(*key, as_bytes(kMessage), signature).has_value());
    CHECK(signer_of(signature).value() == key->id);
    CHECK(trusted_comment_of(signature).value() == "stock says");
    CHECK(verify(*key, as_bytes("what was sign3d\n"), signature).error().code ==
          Errc::unauthorized);
  }
  const auto opened = read_secret_key(stock.secret_path);
  REQUIRE(opened.has_value());
  CHECK(public_key_of(*opened) == *key);
}

TEST_CASE("encrypted keys go both ways, and a wrong passphrase is refused") {
  const Scratch folder;
  REQUIRE(run("printf 'open sesame\\nopen sesame\\n' | minisign -G -p " + folder / "a.pub" +
              " -s " + folder / "a.key 2>&1")
              .status == 0);
  const std::string theirs = contents(folder / "a.key");
  CHECK(needs_passphrase(theirs).value());
  const auto opened = decrypt_secret_key(theirs, secret_of("open sesame"));
  REQUIRE_MESSAGE(opened.has_value(), opened.error().message);
  CHECK(public_key_of(*opened) == read_public_key(folder / "a.pub").value());
  CHECK(decrypt_secret_key(theirs, secret_of("open barley")).error().code == Errc::unauthorized);

  SecretKeyProtection protection{secret_of("tr\xc3\xb6pfchen"), {}};
  protection.salt.fill(7);
  const auto ours = print_secret_key(*opened, &protection, "minisign encrypted secret key");
  REQUIRE_MESSAGE(ours.has_value(), ours.error().message);
  REQUIRE(write_new_file(folder / "b.key", ours->text(), 0600).has_value());
  const auto recreated = run("printf 'tr\xc3\xb6pfchen\\n' | minisign -R -s " + folder / "b.key" +
                             " -p " + folder / "b.pub 2>&1");
  CHECK_MESSAGE(recreated.status == 0, recreated.output);
  CHECK(read_public_key(folder / "b.pub").value() == public_key_of(*opened));
}

TEST_CASE("every changed character of a signature is noticed") {
  const Stock stock;
  const auto key = *read_public_key(stock.public_path);
  REQUIRE(run("minisign -S -s " + stock.secret_path + " -m " + stock.file).status == 0);
  const std::string good = contents(stock.file + ".minisig");
  const std::size_t second = good.find('\n') + 1;
  for (std::size_t at = second; at < good.size(); ++at) {
    if (good[at] == '\n' || good[at] == '=') continue;
    CAPTURE(at);
    CHECK_FALSE(verify(key, as_bytes(kMessage), damaged(good, at)).has_value());
  }
  for (std::size_t size = 0; size + 1 < good.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(verify(key, as_bytes(kMessage), good.substr(0, size)).has_value());
  }
  const std::size_t comment = good.find("timestamp");
  CHECK(verify(key, as_bytes(kMessage), damaged(good, comment)).error().message ==
        "the trusted comment was changed after signing");
}

TEST_CASE("another key's signature is refused with both names") {
  const auto one = make_signing_key();
  const auto other = make_signing_key();
  const std::string signature = *sign(one->secret_key, as_bytes(kMessage), "");
  const auto refused = verify(other->public_key, as_bytes(kMessage), signature);
  CHECK(refused.error().code == Errc::unauthorized);
  CHECK(refused.error().message ==
        "signed by key " + print(one->public_key.id) + ", not by " + print(other->public_key.id));
  SigningPublicKey same_name = other->public_key;
  same_name.id = one->public_key.id;
  CHECK(verify(same_name, as_bytes(kMessage), signature).error().code == Errc::unauthorized);
}

TEST_CASE("damaged and truncated key files are refused, never half read") {
  const Stock stock;
  const std::string public_text = contents(stock.public_path);
  const std::string secret_text = contents(stock.secret_path);
  const Secret none = secret_of("");
  for (std::size_t size = 0; size + 1 < public_text.size(); ++size) {
    CAPTURE(size);
    CHECK(parse_public_key(public_text.substr(0, size)).error().code == Errc::invalid_input);
  }
  for (std::size_t size = 0; size + 1 < secret_text.size(); ++size) {
    CAPTURE(size);
    CHECK(decrypt_secret_key(secret_text.substr(0, size), none).error().code ==
          Errc::invalid_input);
  }
  // In the base64 line: 62 raw bytes in front of the key, then 64 of it, 4 characters for 3 bytes.
  const std::size_t line = secret_text.find('\n') + 1;
  for (std::size_t at = line + 84; at < line + 168; ++at) {
    CAPTURE(at);
    CHECK_FALSE(decrypt_secret_key(damaged(secret_text, at), none).has_value());
  }
  CHECK(parse_public_key(public_text.substr(public_text.find('\n') + 1)).has_value());
  CHECK_FALSE(parse_public_key(secret_text).has_value());
  CHECK_FALSE(needs_passphrase(public_text).has_value());
}

TEST_CASE("of changed files, exactly those that minisign takes are taken here") {
  const Stock stock;
  REQUIRE(run("minisign -S -s " + stock.secret_path + " -m " + stock.file).status == 0);
  const std::string good_key = contents(stock.public_path),
                    good_secret = contents(stock.secret_path),
                    good_signature = contents(stock.file + ".minisig");
  const auto key = *parse_public_key(good_key);
  const std::string bom = "\xef\xbb\xbf";
  const auto ends = [](std::string text, const std::string& end) {
    for (std::size_t at = 0; (at = text.find('\n', at)) != text.npos; at += end.size()) {
      text.replace(at, 1, end);
    }
    return text;
  };
  const auto without_first = [](const std::string& text) {
    return text.substr(text.find('\n') + 1);
  };
  using Change = std::function<std::string(const std::string&)>;
  const std::vector<std::pair<const char*, Change>> changes = {
      {"nothing", [](auto& it) { return it; }},
      {"a blank line at the end", [](auto& it) { return it + "\n"; }},
      {"blank lines at the end", [](auto& it) { return it + "\n \n\t\n\n"; }},
      {"text at the end", [](auto& it) { return it + "more\n"; }},
      {"no line end", [](auto& it) { return it.substr(0, it.size() - 1); }},
      {"CRLF", [&](auto& it) { return ends(it, "\r\n"); }},
      {"CRLF and a blank line", [&](auto& it) { return ends(it + "\n", "\r\n"); }},
      {"a byte order mark", [&](auto& it) { return bom + it; }},
      {"a byte order mark and CRLF", [&](auto& it) { return bom + ends(it, "\r\n"); }},
      {"two byte order marks", [&](auto& it) { return bom + bom + it; }},
      {"a byte order mark in line 2",
       [&](auto& it) { return it.substr(0, it.find('\n') + 1) + bom + without_first(it); }},
      {"blanks at the ends of lines", [&](auto& it) { return ends(it, " \n"); }},
      {"tabs at the ends of lines", [&](auto& it) { return ends(it, "\t\n"); }},
      {"a blank line in front", [](auto& it) { return "\n" + it; }},
      {"a blank line inside",
       [](auto& it) {
         std::string out = it;
         return out.insert(it.find('\n'), "\n");
       }},
      {"no comment", [&](auto& it) { return without_first(it); }},
      {"another comment", [&](auto& it) { return "anything\n" + without_first(it); }},
      {"an empty comment", [&](auto& it) { return "\n" + without_first(it); }},
      {"a long comment",
       [&](auto& it) {
         return "untrusted comment: " + std::string(1200, 'x') + "\n" + without_first(it);
       }},
      {"nothing in it", [](auto&) { return std::string(); }},
  };
  const std::string file = stock.folder / "changed";
  std::size_t taken = 0;
  for (const auto& [what, change] : changes) {
    const std::string changed = what;
    CAPTURE(changed);
    const auto theirs = [&](const std::string& command, const std::string& text) {
      REQUIRE(write_file(file, text, 0600).has_value());
      const bool took = run(command + " </dev/null 2>&1").status == 0;
      taken += took ? 1 : 0;
      return took;
    };
    // A line alone is what `minisign -P` takes, and a trust holds: it is no file.
    if (change(good_key) != without_first(good_key)) {
      const std::string text = change(good_key);
      CHECK(parse_public_key(text).has_value() ==
            theirs("minisign -V -m " + stock.file + " -p " + file, text));
    }
    const std::string secret_text = change(good_secret);
    CHECK(decrypt_secret_key(secret_text, secret_of("")).has_value() ==
          theirs("minisign -S -m " + stock.file + " -x " + stock.folder / "x -s " + file,
                 secret_text));
    const std::string signature = change(good_signature);
    CHECK(verify(key, as_bytes(kMessage), signature).has_value() ==
          theirs("minisign -V -m " + stock.file + " -p " + stock.public_path + " -x " + file,
                 signature));
  }
  CHECK(taken > 25);
}

TEST_CASE("parameters that would take more memory than minisign's are refused before use") {
  const auto pair = make_signing_key();
  const auto clear = print_secret_key(pair->secret_key, nullptr, "x");
  std::string text(clear->text());
  std::string raw = *parse_base64(text.substr(2 + std::string("untrusted comment: ").size(), 212));
  raw.replace(2, 2, "Sc");
  raw.replace(38, 16, std::string("\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x01", 16));
  text = "untrusted comment: x\n" + base64_of(as_bytes(raw)) + "\n";
  CHECK(decrypt_secret_key(text, secret_of("x")).error().code == Errc::exhausted);
}

TEST_CASE("comments are one line") {
  const auto pair = make_signing_key();
  CHECK(sign(pair->secret_key, {}, "a\nb").error().code == Errc::invalid_input);
  CHECK(sign(pair->secret_key, {}, std::string(8001, 'a')).error().code == Errc::invalid_input);
  CHECK(print_secret_key(pair->secret_key, nullptr, "a\rb").error().code == Errc::invalid_input);
}

TEST_CASE("a secret in clear that others may read is refused, and keys are never overwritten") {
  const Stock stock;
  REQUIRE(::chmod(stock.secret_path.c_str(), 0640) == 0);
  const auto refused = read_secret_key(stock.secret_path);
  CHECK(refused.error().code == Errc::unauthorized);
  CHECK(refused.error().message.find("chmod 600") != std::string::npos);
  const std::string before = contents(stock.secret_path);
  CHECK(write_new_file(stock.secret_path, "x", 0600).error().code == Errc::busy);
  CHECK(contents(stock.secret_path) == before);
  CHECK(read_secret_key(stock.folder / "absent").error().code == Errc::not_found);
}

}  // namespace weir::keys
