#include "builder/release/edge/attest.h"

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "builder/commands/edge/commands.h"
#include "builder/commands/edge/json_output.h"
#include "builder/release/edge/trusted.h"
#include "images/store/folder/edge/folder_store.h"
#include "keys/signing/edge/key_files.h"
#include "keys/signing/edge/signing_key.h"
#include "manifests/base/edge/destination.h"
#include "manifests/base/edge/file.h"

namespace weir::builder {
namespace {

constexpr ByteCount kSmallDocument{64 << 10};

struct AttestOptions {
  std::string name, store, key, pkcs11, bytes, signature, public_key;
  std::vector<std::string> release_keys;
  bool json = false, plan = false;
};

struct Attested {
  Attestation made;
  AttestOutcome outcome;
};

// The provenance of a release that is signed and whole: nobody signs what a stranger put into the
// store. `own` is the key that will sign, if it is known yet.
Result<Attestation> prepare(const AttestOptions& given, const images::Store& store,
                            const std::optional<keys::SigningPublicKey>& own) {
  TRY_ASSIGN(const ReleaseName name, ReleaseName::parse(given.name));
  std::vector<keys::SigningPublicKey> believed;
  if (own) believed.push_back(*own);
  for (const std::string& file : given.release_keys) {
    TRY_ASSIGN(const auto key, keys::read_public_key(file));
    believed.push_back(key);
  }
  TRY_ASSIGN(auto by, keys::believe(std::move(believed)));
  TRY_ASSIGN(const auto trusted, verify_stored(store, name, {std::move(by)}));
  return make_attestation(store, *trusted.release, trusted.release.digest());
}

Result<Attested> sign(const AttestOptions& given, images::Store& store) {
  if (!given.key.empty() || !given.pkcs11.empty()) {
    TRY_ASSIGN(const auto key, keys::SigningKey::open(given.key, given.pkcs11));
    TRY_ASSIGN(auto made, prepare(given, store, key.public_key()));
    TRY_ASSIGN(auto outcome, attest(store, made, key.signer(), given.plan));
    return Attested{std::move(made), std::move(outcome)};
  }
  TRY_ASSIGN(const auto key, keys::read_public_key(given.public_key));
  TRY_ASSIGN(auto made, prepare(given, store, key));
  TRY_ASSIGN(const std::string text, read_file(given.signature, kSmallDocument));
  TRY_ASSIGN_IN(const auto signature,
                keys::foreign_signature(key, manifests::kInTotoPayload, made.statement, text),
                given.signature);
  TRY_ASSIGN(auto outcome, write_attestation(store, made, signature, given.plan));
  return Attested{std::move(made), std::move(outcome)};
}

void print_outcome(const AttestOptions& given, const Attestation& made,
                   const AttestOutcome& outcome) {
  if (given.json) {
    const nlohmann::ordered_json out = {
        {"release", given.name},
        {"release_digest", made.release.string()},
        {"statement_digest", Digest::of(as_bytes(made.statement)).string()},
        {"spdx_digest", Digest::of(as_bytes(made.spdx)).string()},
        {"cyclonedx_digest", Digest::of(as_bytes(made.cyclonedx)).string()},
        {"signers", outcome.signers},
        {"written", outcome.written && !given.plan}};
    print_result(out);
    return;
  }
  std::string signers;
  for (const auto& id : outcome.signers) signers += (signers.empty() ? "" : ", ") + id;
  const char* what = !outcome.written ? "has" : given.plan ? "would get" : "got";
  std::printf("release %s %s a provenance signed by %s\n", given.name.c_str(), what,
              signers.c_str());
}

Status run(const AttestOptions& given) {
  TRY_ASSIGN(images::FolderStore store, images::FolderStore::open(given.store));
  if (!given.bytes.empty()) {
    TRY(keys::check_output(given.bytes));
    TRY_ASSIGN(const Attestation made, prepare(given, store, std::nullopt));
    TRY(write_file(given.bytes, manifests::pre_authentication_encoding(manifests::kInTotoPayload,
                                                                       made.statement)));
    std::printf("sign the bytes of %s with Ed25519:  minisign -S -l -m %s\n", given.bytes.c_str(),
                given.bytes.c_str());
    return {};
  }
  TRY(check_folders(given.store + "/blobs/sha256"));
  TRY_ASSIGN(const Attested attested, sign(given, store));
  print_outcome(given, attested.made, attested.outcome);
  return {};
}

Status check(const AttestOptions& given) {
  int ways = 0;
  for (const std::string* way : {&given.key, &given.pkcs11, &given.bytes, &given.signature}) {
    ways += way->empty() ? 0 : 1;
  }
  if (ways == 1 && given.signature.empty() == given.public_key.empty() &&
      (given.bytes.empty() || !given.release_keys.empty())) {
    return {};
  }
  return fail(Errc::invalid_input,
              "--key, --pkcs11, --bytes with --release-key, or --signature with --public-key");
}

}  // namespace

Command attest_command() {
  auto given = std::make_shared<AttestOptions>();
  return {
      .name = "attest",
      .summary = "signs a release's provenance (DSSE, in-toto, SLSA)",
      .about =
          "Signs a release's provenance: which lock, packages and programs it was made from, as "
          "an\n"
          "in-toto statement with SLSA's predicate in a DSSE envelope. It names both SBOMs by\n"
          "digest. build does this by itself where it has a key; this is for releases signed\n"
          "elsewhere, and for further signatures. The release is verified first.",
      .examples =
          "  weir-builder attest gateway-6.12 --store store --key release.key\n"
          "  weir-builder attest gateway-6.12 --store store --release-key release.pub \\\n"
          "    --bytes usb/provenance\n"
          "  minisign -S -l -s release.key -m usb/provenance          on another machine\n"
          "  weir-builder attest gateway-6.12 --store store --public-key release.pub \\\n"
          "    --signature usb/provenance.minisig\n",
      .takes = Positional{"RELEASE", &given->name},
      .options =
          {{"store", "DIR", &given->store, "where the release is", Need::required},
           {"key", "FILE", &given->key, "minisign secret key that signs"},
           {"pkcs11", "URI", &given->pkcs11,
            "signs with a key in a token or hardware module, in place of --key"},
           {"bytes", "FILE", &given->bytes,
            "signs nothing: writes the bytes that another machine has to sign"},
           {"signature", "FILE", &given->signature,
            "attaches what it signed: 64 bytes of Ed25519, or a .minisig of minisign -S -l"},
           {"public-key", "FILE", &given->public_key,
            "with --signature: the signer's minisign public key; what does not fit it is refused"},
           {"release-key", "FILE", &given->release_keys,
            "believes this minisign public key's signature over the release (may be repeated), as "
            "the "
            "signing key's own"},
           {"plan", "", &given->plan, "tells what would be written and writes nothing"},
           {"json", "", &given->json, "prints the result as JSON"}},
      .check = [given] { return check(*given); },
      .run = [given]() -> Result<Exit> {
        TRY(run(*given));
        return Exit::done;
      }};
}

}  // namespace weir::builder
