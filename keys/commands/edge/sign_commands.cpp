#include "keys/commands/edge/sign_commands.h"

#include <algorithm>
#include <chrono>

#include "keys/signing/edge/key_files.h"
#include "keys/signing/edge/pkcs11_key.h"
#include "keys/signing/edge/signing_key.h"
#include "manifests/base/edge/file.h"

namespace weir::keys {
namespace {

namespace po = boost::program_options;

constexpr ByteCount kLargestSigned{1ULL << 30};
constexpr ByteCount kSmall{16384};

void add_key_options(po::options_description& out) {
  out.add_options()("key", po::value<std::string>()->value_name("FILE"), "the secret key")(
      "pkcs11", po::value<std::string>()->value_name("URI"),
      "in place of --key: a key in a token, \"pkcs11:token=NAME;object=KEY?module-path=FILE\"");
}

bool names_one_key(const po::variables_map& given) {
  return (given.count("key") == 0) != (given.count("pkcs11") == 0);
}

Answer which_key() {
  return misused("which key signs? --key FILE or --pkcs11 URI");
}

Result<Answer> write_signature(const po::variables_map& given, const std::string& out,
                               const Prehash& hash, const std::string& comment) {
  TRY_ASSIGN(const SigningKey key, SigningKey::open(optional_text(given, "key").value_or(""),
                                                    optional_text(given, "pkcs11").value_or("")));
  const Signer signer = key.signer();
  TRY_ASSIGN(const std::string signature, sign_prehashed(signer, hash, comment));
  TRY(write_file(out, signature));
  return Answer{"signed by key " + print(signer.id) + ": " + out,
                {{"key_id", print(signer.id)}, {"signature", out}}};
}

// sign

po::options_description sign_options() {
  po::options_description out("Options");
  out.add_options()("file", po::value<std::string>()->value_name("FILE")->required(),
                    "what to sign");
  add_key_options(out);
  out.add_options()("signature", po::value<std::string>()->value_name("FILE"),
                    "where the signature goes, in place of FILE.minisig")(
      "comment", po::value<std::string>()->value_name("TEXT"),
      "trusted comment: covered by the signature; default: time and file name");
  return out;
}

Result<Answer> sign_file(const po::variables_map& given) {
  const std::string path = text_of(given, "file");
  const std::string out = optional_text(given, "signature").value_or(path + ".minisig");
  if (!names_one_key(given)) return which_key();
  if (given.count("plan") != 0) {
    return Answer{"would sign " + path + " into " + out, {{"plan", {{"signature", out}}}}};
  }
  TRY_ASSIGN(const std::string content, read_file(path, kLargestSigned));
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(
      std::chrono::system_clock::now().time_since_epoch());
  const std::string comment = optional_text(given, "comment")
                                  .value_or("timestamp:" + std::to_string(now.count()) + "\tfile:" +
                                            path.substr(path.rfind('/') + 1) + "\thashed");
  return write_signature(given, out, prehash(as_bytes(content)), comment);
}

// sign-digest

po::options_description sign_digest_options() {
  po::options_description out("Options");
  out.add_options()("file", po::value<std::string>()->value_name("PREFIX")->required(),
                    "PREFIX.digest and PREFIX.comment, of weir-builder export-digest");
  add_key_options(out);
  return out;
}

Result<Answer> sign_digest(const po::variables_map& given) {
  const std::string prefix = text_of(given, "file");
  const std::string out = prefix + ".minisig";
  if (!names_one_key(given)) return which_key();
  TRY_ASSIGN(const std::string digest, read_file(prefix + ".digest", kSmall));
  TRY_ASSIGN(const std::string comment, read_file(prefix + ".comment", kSmall));
  Prehash hash{};
  if (digest.size() != hash.size()) {
    return fail(Errc::invalid_input, prefix + ".digest: must be a BLAKE2b-512 digest of 64 bytes");
  }
  std::copy(digest.begin(), digest.end(), hash.begin());
  if (given.count("plan") != 0) {
    return Answer{"would sign BLAKE2b-512 " + hex_of(hash) + " (" + comment + ") into " + out,
                  {{"plan", {{"signature", out}, {"blake2b_512", hex_of(hash)}}}}};
  }
  return write_signature(given, out, hash, comment);
}

// pkcs11

po::options_description pkcs11_options() {
  po::options_description out("Options");
  out.add_options()("pkcs11", po::value<std::string>()->value_name("URI")->required(),
                    "\"pkcs11:token=NAME;object=KEY?module-path=FILE\"")(
      "out", po::value<std::string>()->value_name("FILE"), "writes the public key there");
  return out;
}

Result<Answer> show_token_key(const po::variables_map& given) {
  TRY_ASSIGN(const Pkcs11Key key, Pkcs11Key::open(text_of(given, "pkcs11")));
  const std::string text = print(key.public_key());
  if (const auto path = optional_text(given, "out"); path && given.count("plan") == 0) {
    TRY(write_new_file(*path, text, 0644));
  }
  std::string line = text.substr(text.find('\n') + 1);
  line.pop_back();
  return Answer{line, {{"key_id", print(key.public_key().id)}, {"public_key", line}}};
}

}  // namespace

std::vector<Command> sign_commands() {
  return {
      {"sign", "FILE --key KEY | --pkcs11 URI", "signs a file (FILE.minisig)",
       "  weir-keys sign release.json --key release.key\n"
       "  weir-keys sign release.json --pkcs11 'pkcs11:token=release;object=signing'\n",
       sign_options, sign_file},
      {"sign-digest", "PREFIX --key KEY | --pkcs11 URI", "signs a release on a machine without it",
       "  weir-keys sign-digest usb/gateway --plan\n"
       "  weir-keys sign-digest usb/gateway --key release.key\n",
       sign_digest_options, sign_digest},
      {"pkcs11", "--pkcs11 URI [--out FILE.pub]", "prints the public key of a key in a token",
       "  weir-keys pkcs11 --out release.pub \\\n"
       "      --pkcs11 'pkcs11:token=release;object=signing?module-path=/usr/lib/softhsm/"
       "libsofthsm2.so'\n",
       pkcs11_options, show_token_key},
  };
}

}  // namespace weir::keys
