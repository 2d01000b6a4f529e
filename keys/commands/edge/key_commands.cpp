#include "keys/commands/edge/key_commands.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "keys/commands/edge/command.h"
#include "keys/identity/edge/identity_files.h"
#include "keys/signing/edge/key_files.h"
#include "keys/signing/edge/passphrase.h"
#include "keys/signing/minisign.h"

namespace weir::keys {
namespace {

/// Whether a new file could be put there.
Status check_new(const std::string& path) {
  if (!exists(path)) return check_output(path);
  return fail(Errc::busy, path + ": is there already, and keys are never overwritten");
}

/// Two names of one file, however they are written.
Status check_different(const std::string& one, const std::string& other) {
  std::error_code ignored;
  const auto place = [&](const std::string& path) {
    return std::filesystem::weakly_canonical(std::filesystem::absolute(path, ignored), ignored);
  };
  if (one != other && place(one) != place(other)) return {};
  return fail(Errc::invalid_input, one + " and " + other + " are one file: name two");
}

// generate

struct GenerateOptions : Manner {
  std::string out;
  bool no_passphrase = false;
  std::optional<std::string> comment;
};

Result<Answer> generate(const GenerateOptions& given) {
  const std::string secret_path = given.out + ".key", public_path = given.out + ".pub";
  TRY(check_new(secret_path));
  TRY(check_new(public_path));
  const bool clear = given.no_passphrase;
  if (given.plan) {
    return Answer{"would write " + secret_path + (clear ? " (in clear)" : " (encrypted)") +
                      " and " + public_path,
                  {{"plan", {{"secret_key", secret_path}, {"public_key", public_path}}}}};
  }
  std::optional<SecretKeyProtection> protection;
  if (!clear) {
    TRY_ASSIGN(Secret passphrase,
               ask_passphrase("New passphrase for " + secret_path, Asking::fresh));
    tell_derivation();
    protection = SecretKeyProtection{std::move(passphrase), {}};
    TRY_ASSIGN(const Secret salt, random_secret(protection->salt.size()));
    std::copy(salt.bytes().begin(), salt.bytes().end(), protection->salt.begin());
  }
  TRY_ASSIGN(const SigningKeyPair pair, make_signing_key());
  const std::string comment = given.comment.value_or(clear ? "minisign secret key, not encrypted"
                                                           : "minisign encrypted secret key");
  TRY_ASSIGN(const Secret text,
             print_secret_key(pair.secret_key, protection ? &*protection : nullptr, comment));
  const std::string public_text = print(pair.public_key);
  TRY(write_new_files({{secret_path, text.text(), 0600}, {public_path, public_text, 0644}}));
  return Answer{"key " + print(pair.public_key.id) + "\nsecret key: " + secret_path +
                    (clear ? " (in clear: for labs only)" : " (encrypted)") +
                    "\npublic key: " + public_path,
                {{"key_id", print(pair.public_key.id)},
                 {"secret_key", secret_path},
                 {"public_key", public_path},
                 {"encrypted", !clear}}};
}

// generate-wireguard

struct GenerateWireGuardOptions : Manner {
  std::string out;
  std::optional<std::string> key_file;
};

Result<Answer> generate_wireguard(const GenerateWireGuardOptions& given) {
  const std::string& path = given.out;
  const auto& key_file = given.key_file;
  if (key_file) TRY(check_different(path, *key_file));
  TRY(check_new(path));
  const bool new_key_file = key_file && !exists(*key_file);
  if (new_key_file) TRY(check_new(*key_file));
  if (given.plan) {
    return Answer{"would write " + path + (new_key_file ? " and " + *key_file : ""),
                  {{"plan", {{"identity", path}, {"makes_key_file", new_key_file}}}}};
  }
  SealingKey key{SealingKey::Kind::passphrase, {}};
  if (!key_file) {
    TRY_ASSIGN(key.bytes, ask_passphrase("New passphrase for " + path, Asking::fresh));
    tell_derivation();
  } else {
    key.kind = SealingKey::Kind::key_file;
    if (new_key_file) {
      TRY_ASSIGN(key.bytes, random_secret(32));
    } else {
      TRY_ASSIGN(key.bytes, read_key_file(*key_file));
    }
  }
  TRY_ASSIGN(const WireGuardIdentity identity, make_wireguard_identity());
  TRY_ASSIGN(const Secret salt, random_secret(16));
  TRY_ASSIGN(const Secret nonce, random_secret(24));
  TRY_ASSIGN(const std::string sealed, seal_identity(identity, key, salt.bytes(), nonce.bytes()));
  // What opens it comes first: an identity is never without that.
  std::vector<NewFile> files;
  if (new_key_file) files.push_back({*key_file, key.bytes.text(), 0600});
  files.push_back({path, sealed, 0600});
  TRY(write_new_files(files));
  const std::string public_key = identity.current().public_key().string();
  Answer out{"public key: " + public_key + "\nsealed identity: " + path,
             {{"public_key", public_key}, {"identity", path}}};
  if (key_file) {
    out.text += "\nkey file: " + *key_file + (new_key_file ? " (new)" : "");
    out.json["key_file"] = *key_file;
  }
  return out;
}

// public

struct PublicOptions : Manner {
  std::string file;
};

Result<Answer> show_public(const PublicOptions& given) {
  const std::string& path = given.file;
  const auto signing = [](const SigningPublicKey& key, const char* kind) {
    std::string line = print(key);
    line = line.substr(line.find('\n') + 1);
    line.pop_back();
    return Answer{line, {{"kind", kind}, {"key_id", print(key.id)}, {"public_key", line}}};
  };
  TRY_ASSIGN(const Secret content, read_guarded(path));
  if (const auto key = parse_public_key(content.text())) return signing(*key, "signing-public-key");
  if (content.text().starts_with("{")) {
    TRY_ASSIGN_IN(const IdentityKeys keys, sealed_public_keys(content.text()), path);
    const std::string current = keys.current().string();
    Answer out{current, {{"kind", "wireguard-identity"}, {"public_key", current}}};
    if (const PublicKey* outgoing = keys.outgoing()) {
      out.text += "\non its way out: " + outgoing->string();
      out.json["outgoing_public_key"] = outgoing->string();
    }
    return out;
  }
  if (const auto key = parse_wireguard_key(content.text())) {
    TRY_ASSIGN_IN(const PublicKey public_key, public_key_of(*key), path);
    return Answer{public_key.string(),
                  {{"kind", "wireguard-private-key"}, {"public_key", public_key.string()}}};
  }
  if (needs_passphrase(content.text())) {
    TRY_ASSIGN(const SigningSecretKey key, read_secret_key(path));
    return signing(public_key_of(key), "signing-secret-key");
  }
  return fail(Errc::invalid_input,
              path + ": neither a minisign key, a sealed identity nor a WireGuard private key");
}

}  // namespace

std::vector<Command> key_commands() {
  const auto signing = std::make_shared<GenerateOptions>();
  const auto wireguard = std::make_shared<GenerateWireGuardOptions>();
  const auto shown = std::make_shared<PublicOptions>();
  return {
      answering(
          {.name = "generate",
           .summary = "makes a signing key pair (minisign's)",
           .examples = "  weir-keys generate --out release\n"
                       "  WEIR_PASSPHRASE=... weir-keys generate --out release --comment 'gateway "
                       "releases'\n"
                       "  weir-keys generate --out lab --no-passphrase\n",
           .options = {{"out", "PREFIX", &signing->out,
                        "writes PREFIX.key (mode 0600) and PREFIX.pub", Need::required},
                       {"no-passphrase", "", &signing->no_passphrase,
                        "leaves the secret key in clear: for labs only"},
                       {"comment", "TEXT", &signing->comment, "first line of the secret key file"}},
           .run = {}},
          signing, generate),
      answering({.name = "generate-wireguard",
                 .summary = "makes the gateways' WireGuard identity, sealed",
                 .examples = "  weir-keys generate-wireguard --out gateway.identity\n"
                             "  weir-keys generate-wireguard --out gateway.identity --key-file "
                             "gateway.seal\n",
                 .options = {{"out", "FILE", &wireguard->out, "the sealed identity (mode 0600)",
                              Need::required},
                             {"key-file", "FILE", &wireguard->key_file,
                              "seals with this file instead of a passphrase; made if it is missing "
                              "(32 random bytes, mode 0600)"}},
                 .run = {}},
                wireguard, generate_wireguard),
      answering(
          {.name = "public",
           .summary = "prints the public key of a key file",
           .about =
               "Prints the public key of a signing key, public or secret, of a sealed "
               "identity, or of a\nWireGuard private key. Of an identity of two epochs the second "
               "line is the key that is on\nits way out.",
           .examples = "  weir-keys public release.key\n  weir-keys public gateway.identity\n",
           .takes = Positional{"FILE", &shown->file},
           .run = {}},
          shown, show_public),
  };
}

}  // namespace weir::keys
