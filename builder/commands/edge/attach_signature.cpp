#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "builder/commands/edge/commands.h"
#include "builder/commands/edge/json_output.h"
#include "images/store/folder/edge/folder_store.h"
#include "keys/signing/edge/key_files.h"
#include "manifests/base/edge/destination.h"
#include "manifests/base/edge/file.h"

namespace weir::builder {
namespace {

constexpr ByteCount kSmall{64 << 10};

struct AttachOptions {
  std::string name, store, key, signature, raw;
  bool json = false, plan = false;
};

Result<keys::Ed25519Signature> read_raw(const std::string& path) {
  TRY_ASSIGN(const std::string bytes, read_file(path, kSmall));
  keys::Ed25519Signature out{};
  if (bytes.size() != out.size()) {
    return fail(Errc::invalid_input,
                path + ": must be the 64 bytes of an Ed25519 signature, and has " +
                    std::to_string(bytes.size()));
  }
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

/// The .minisig text of two signatures that some other tool made: one over the digest, one over
/// that signature followed by the comment.
Result<std::string> assemble(const std::string& prefix, const keys::SigningPublicKey& key,
                             const std::string& document) {
  TRY_ASSIGN(const std::string comment, read_file(prefix + ".comment", kSmall));
  TRY_ASSIGN(const keys::Ed25519Signature first, read_raw(prefix + ".sig"));
  TRY_ASSIGN(const keys::Ed25519Signature second, read_raw(prefix + ".comment.sig"));
  std::size_t asked = 0;
  const keys::Signer made{key.id, [&](Bytes) -> Result<keys::Ed25519Signature> {
                            return asked++ == 0 ? first : second;
                          }};
  return keys::sign_prehashed(made, keys::prehash(as_bytes(document)), comment);
}

Status attach(const AttachOptions& given) {
  TRY_ASSIGN(const ReleaseName name, ReleaseName::parse(given.name));
  TRY_ASSIGN(images::FolderStore store, images::FolderStore::open(given.store));
  TRY(check_folders(given.store + "/releases"));
  TRY_ASSIGN(const keys::SigningPublicKey key, keys::read_public_key(given.key));
  // Whether a signature is the first, and which others there are, stays so until it is there.
  if (!given.plan) TRY(store.keep_others_out());
  const auto waiting = store.read_unsigned(name);
  TRY_ASSIGN(const std::string document, images::unsigned_or_stored(store, name));
  std::string signature;
  if (given.raw.empty()) {
    TRY_ASSIGN(signature, read_file(given.signature, kSmall));
  } else {
    TRY_ASSIGN(signature, assemble(given.raw, key, document));
  }
  TRY_IN(keys::verify(key, as_bytes(document), signature), "release " + given.name);
  const Digest digest = Digest::of(as_bytes(document));
  const std::string id = keys::print(key.id);
  // What waits may be stored already: its signature stays when another key signs it too.
  const auto there = store.read_release(name);
  const auto before = there ? keys::signer_of(there->signature) : Result<keys::KeyId>(key.id);
  const bool further = there && there->json == document && before && *before != key.id;
  const bool first = waiting && !further;
  if (!given.plan) {
    if (first) {
      TRY(store.write_release(name, document, signature));
      store.remove_unsigned(name);
    } else {
      if (waiting) {
        store.remove_unsigned(name);
      } else {
        store.tidy_unsigned(name);
      }
      TRY_ASSIGN(const auto stored, store.read_release(name));
      TRY_ASSIGN(const auto all, images::all_signatures(store, stored));
      for (const auto& other : all.found) {
        const auto signer = keys::signer_of(other.bytes);
        if (signer && *signer == key.id) {
          return fail(Errc::busy, "key " + id + " has signed release " + given.name + " already");
        }
      }
      TRY(store.attach(digest, images::AttachmentKind::signature, {signature, {}, id}));
    }
  }
  if (given.json) {
    const nlohmann::ordered_json out = {{"release", given.name},
                                        {"release_digest", digest.string()},
                                        {"signer", id},
                                        {"first", first}};
    print_result(out);
    return {};
  }
  std::printf("release %s: %s the signature of key %s\n", given.name.c_str(),
              given.plan ? "would get" : "has", id.c_str());
  return {};
}

}  // namespace

Command attach_signature_command() {
  auto given = std::make_shared<AttachOptions>();
  return {
      .name = "attach-signature",
      .summary = "adds a signature made elsewhere",
      .about =
          "Adds a signature that was made somewhere else. The first one makes a release of what\n"
          "build --unsigned left; further ones count where a trust demands several.",
      .examples =
          "  weir-builder attach-signature gateway-6.12 --store store --key release.pub \\\n"
          "    --signature usb/gateway.minisig\n"
          "  weir-builder attach-signature gateway-6.12 --store store --key release.pub --raw "
          "usb/g\n"
          "    usb/g.sig, usb/g.comment and usb/g.comment.sig: Ed25519 signatures of "
          "usb/g.digest,\n"
          "    and of usb/g.sig followed by usb/g.comment, by any tool\n",
      .takes = Positional{"RELEASE", &given->name},
      .options = {{"store", "DIR", &given->store, "where the release is", Need::required},
                  {"key", "FILE", &given->key,
                   "the signer's minisign public key; what does not fit it is refused",
                   Need::required},
                  {"signature", "FILE", &given->signature,
                   "a .minisig file of minisign, weir-keys sign or weir-keys sign-digest"},
                  {"raw", "PREFIX", &given->raw, "raw signatures of another tool"},
                  {"plan", "", &given->plan, "checks the signature and writes nothing"},
                  {"json", "", &given->json, "prints the result as JSON"}},
      .check = [given]() -> Status {
        if (given->signature.empty() != given->raw.empty()) return {};
        return fail(Errc::invalid_input, "--signature FILE or --raw PREFIX");
      },
      .run = [given]() -> Result<Exit> {
        TRY(attach(*given));
        return Exit::done;
      }};
}

}  // namespace weir::builder
