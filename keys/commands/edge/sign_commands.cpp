#include "keys/commands/edge/sign_commands.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "keys/commands/edge/command.h"
#include "keys/signing/edge/key_files.h"
#include "keys/signing/edge/pkcs11_key.h"
#include "keys/signing/edge/signing_key.h"
#include "manifests/base/edge/file.h"
#include "manifests/base/printable.h"

namespace weir::keys {
namespace {

constexpr ByteCount kLargestSigned{1ULL << 30};
constexpr ByteCount kSmall{16384};

/// A key that signs: a file, or in a token.
struct KeyOptions : Manner {
  std::string key, pkcs11;
};

std::vector<Option> key_options(KeyOptions& given) {
  return {{"key", "FILE", &given.key, "the secret key"},
          {"pkcs11", "URI", &given.pkcs11,
           "in place of --key: a key in a token, "
           "\"pkcs11:token=NAME;object=KEY?module-path=FILE\""}};
}

Status check_one_key(const KeyOptions& given) {
  if (given.key.empty() != given.pkcs11.empty()) return {};
  return fail(Errc::invalid_input, "which key signs? --key FILE or --pkcs11 URI");
}

Result<Answer> write_signature(const KeyOptions& given, const std::string& out, const Prehash& hash,
                               const std::string& comment) {
  TRY_ASSIGN(const SigningKey key, SigningKey::open(given.key, given.pkcs11));
  const Signer signer = key.signer();
  TRY_ASSIGN(const std::string signature, sign_prehashed(signer, hash, comment));
  TRY(write_file(out, signature));
  return Answer{"signed by key " + print(signer.id) + ": " + printable(out),
                {{"key_id", print(signer.id)}, {"signature", out}}};
}

// sign

struct SignOptions : KeyOptions {
  std::string file;
  std::optional<std::string> signature, comment;
};

Result<Answer> sign_file(const SignOptions& given) {
  const std::string& path = given.file;
  const std::string out = given.signature.value_or(path + ".minisig");
  TRY(check_output(out));
  std::error_code ignored;
  if (std::filesystem::equivalent(out, path, ignored)) {
    return fail(Errc::invalid_input,
                "--signature " + out + ": is the file that is signed: name another place");
  }
  if (given.plan) {
    if (!given.key.empty()) TRY(check_secret_key(given.key));
    return Answer{"would sign " + path + " into " + out, {{"plan", {{"signature", out}}}}};
  }
  TRY_ASSIGN(const std::string content, read_file(path, kLargestSigned));
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(
      std::chrono::system_clock::now().time_since_epoch());
  const std::string comment =
      given.comment.value_or("timestamp:" + std::to_string(now.count()) +
                             "\tfile:" + printable(path.substr(path.rfind('/') + 1)) + "\thashed");
  return write_signature(given, out, prehash(as_bytes(content)), comment);
}

// sign-digest

struct SignDigestOptions : KeyOptions {
  std::string prefix;
};

Result<Answer> sign_digest(const SignDigestOptions& given) {
  const std::string& prefix = given.prefix;
  const std::string out = prefix + ".minisig";
  TRY(check_output(out));
  TRY_ASSIGN(const std::string digest, read_file(prefix + ".digest", kSmall));
  TRY_ASSIGN(const std::string comment, read_file(prefix + ".comment", kSmall));
  Prehash hash{};
  if (digest.size() != hash.size()) {
    return fail(Errc::invalid_input, prefix + ".digest: must be a BLAKE2b-512 digest of 64 bytes");
  }
  std::copy(digest.begin(), digest.end(), hash.begin());
  if (given.plan) {
    if (!given.key.empty()) TRY(check_secret_key(given.key));
    return Answer{
        "would sign BLAKE2b-512 " + hex_of(hash) + " (" + printable(comment) + ") into " + out,
        {{"plan", {{"signature", out}, {"blake2b_512", hex_of(hash)}}}}};
  }
  return write_signature(given, out, hash, comment);
}

// pkcs11

struct TokenOptions : Manner {
  std::string uri;
  std::optional<std::string> out;
};

Result<Answer> show_token_key(const TokenOptions& given) {
  if (given.out) TRY(check_output(*given.out));
  TRY_ASSIGN(const Pkcs11Key key, Pkcs11Key::open(given.uri));
  const std::string text = print(key.public_key());
  if (given.out && !given.plan) TRY(write_new_file(*given.out, text, 0644));
  std::string line = text.substr(text.find('\n') + 1);
  line.pop_back();
  return Answer{line, {{"key_id", print(key.public_key().id)}, {"public_key", line}}};
}

// verify

struct VerifyOptions : Manner {
  std::string file, key;
  std::optional<std::string> signature;
};

Result<Answer> verify_file(const VerifyOptions& given) {
  const std::string& path = given.file;
  TRY_ASSIGN(const SigningPublicKey key, read_public_key(given.key));
  TRY_ASSIGN(const std::string signature,
             if_missing(read_file(given.signature.value_or(path + ".minisig"), kSmall),
                        "say with --signature where it is, or sign " + path + ": weir-keys sign"));
  TRY_ASSIGN(const std::string content, read_file(path, kLargestSigned));
  TRY_IN(verify(key, as_bytes(content), signature), path);
  TRY_ASSIGN(const std::string comment, trusted_comment_of(signature));
  return Answer{path + ": signed by key " + print(key.id) + "\ntrusted comment: " + comment,
                {{"key_id", print(key.id)}, {"trusted_comment", comment}}};
}

std::vector<Option> with(std::vector<Option> options, const std::vector<Option>& more) {
  options.insert(options.end(), more.begin(), more.end());
  return options;
}

}  // namespace

std::vector<Command> sign_commands() {
  const auto file = std::make_shared<SignOptions>();
  const auto digest = std::make_shared<SignDigestOptions>();
  const auto token = std::make_shared<TokenOptions>();
  const auto checked = std::make_shared<VerifyOptions>();
  return {
      answering(
          {.name = "sign",
           .summary = "signs a file (FILE.minisig)",
           .examples = "  weir-keys sign release.json --key release.key\n"
                       "  weir-keys sign release.json --pkcs11 "
                       "'pkcs11:token=release;object=signing'\n",
           .takes = Positional{"FILE", &file->file},
           .options = with(key_options(*file),
                           {{"signature", "FILE", &file->signature,
                             "where the signature goes, in place of FILE.minisig"},
                            {"comment", "TEXT", &file->comment,
                             "trusted comment: covered by the signature; default: time and file "
                             "name"}}),
           .check = [file] { return check_one_key(*file); },
           .run = {}},
          file, sign_file),
      answering({.name = "sign-digest",
                 .summary = "signs a release on a machine without it",
                 .about = "Signs PREFIX.digest with PREFIX.comment, which weir-builder "
                          "export-digest wrote, into\nPREFIX.minisig.",
                 .examples = "  weir-keys sign-digest usb/gateway --plan --key release.key\n"
                             "  weir-keys sign-digest usb/gateway --key release.key\n",
                 .takes = Positional{"PREFIX", &digest->prefix},
                 .options = key_options(*digest),
                 .check = [digest] { return check_one_key(*digest); },
                 .run = {}},
                digest, sign_digest),
      answering({.name = "pkcs11",
                 .summary = "prints the public key of a key in a token",
                 .examples = "  weir-keys pkcs11 --out release.pub \\\n"
                             "      --pkcs11 "
                             "'pkcs11:token=release;object=signing?module-path=/usr/lib/softhsm/"
                             "libsofthsm2.so'\n",
                 .options = {{"pkcs11", "URI", &token->uri,
                              "\"pkcs11:token=NAME;object=KEY?module-path=FILE\"", Need::required},
                             {"out", "FILE", &token->out, "writes the public key there"}},
                 .run = {}},
                token, show_token_key),
      answering({.name = "verify",
                 .summary = "checks a file's signature",
                 .examples = "  weir-keys verify release.json --key release.pub\n"
                             "  minisign -V -p release.pub -m release.json      the same with the "
                             "stock tool\n",
                 .takes = Positional{"FILE", &checked->file},
                 .options = {{"key", "FILE", &checked->key, "the public key", Need::required},
                             {"signature", "FILE", &checked->signature,
                              "the signature, where it is not FILE.minisig"}},
                 .run = {}},
                checked, verify_file),
  };
}

}  // namespace weir::keys
