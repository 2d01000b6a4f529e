#include "keys/commands/edge/trust_signing.h"

#include <unistd.h>

#include <algorithm>
#include <vector>

#include "keys/signing/edge/key_files.h"
#include "keys/trust/trust.h"
#include "manifests/base/edge/file.h"

namespace weir::keys {
namespace {

using manifests::Trust;
using manifests::TrustFile;

constexpr std::string_view kPending = ".pending";

/// The newest version, and the one before where there is one.
Result<std::vector<Trust>> last_two(const TrustFile& file) {
  std::vector<Trust> out;
  const std::size_t first = file.versions.size() > 1 ? file.versions.size() - 2 : 0;
  for (std::size_t i = file.versions.size(); i > first; --i) {
    TRY_ASSIGN(auto trust, manifests::parse_trust(file.versions[i - 1].document));
    out.push_back(std::move(trust));
  }
  return out;
}

/// The root key of this id that has not signed yet.
Result<SigningPublicKey> may_sign(const TrustFile& file, const KeyId& id) {
  TRY_ASSIGN(const auto versions, last_two(file));
  const std::string text = print(id), version = std::to_string(versions.front().version);
  for (const std::string& signature : file.versions.back().signatures) {
    const auto signer = signer_of(signature);
    if (signer && *signer == id) {
      return fail(Errc::busy, "key " + text + " has signed version " + version + " already");
    }
  }
  std::string name;
  for (const Trust& trust : versions) {
    const auto& root = trust.roles.at(manifests::Role::root).keys;
    for (const auto& key : trust.keys) {
      if (manifests::key_id_of(key.public_key) != text) continue;
      name = " (" + key.name + ")";
      if (std::find(root.begin(), root.end(), text) == root.end()) continue;
      return parse_public_key(key.public_key);
    }
  }
  return fail(Errc::unauthorized, "key " + text + name + " is not a root key of version " +
                                      version + " or the one before");
}

Answer answer_for(const std::string& path, const TrustFile& file, std::string_view verb,
                  const std::string& missing) {
  const std::string version = std::to_string(file.versions.size());
  return {
      path + ": " + std::string(verb) + " version " + version + ", " +
          (missing.empty() ? "signed by enough root keys"
                           : "not complete yet, sign it with `weir-keys trust sign`: " + missing),
      {{"file", path},
       {"version", file.versions.size()},
       {"complete", missing.empty()},
       {"missing", missing}},
      missing.empty() ? Exit::done : Exit::needs_person};
}

/// What it lacks to be believed; empty: nothing. When it expires does not matter here.
Result<std::string> lacking(const TrustFile& file) {
  TRY_ASSIGN(std::string missing, missing_signatures(file));
  if (!missing.empty()) return missing;
  const auto verified = verify_trust(manifests::print(file), {}, UtcTime{0});
  return verified ? std::string() : verified.error().message;
}

// What lies there is what the file goes on from, or is it already.
Status check_follows(const TrustFile& file, const std::string& path) {
  const auto text = read_file(path, manifests::kLargestTrustFile);
  if (!text && text.error().code == Errc::not_found) return {};
  TRY(text);
  TRY_ASSIGN_IN(const TrustFile there, manifests::parse_trust_file(*text), path);
  const bool follows =
      there.versions.size() <= file.versions.size() &&
      std::equal(there.versions.begin(), there.versions.end(), file.versions.begin(),
                 [](const auto& a, const auto& b) { return a.document == b.document; });
  if (follows) return {};
  return fail(Errc::busy, path +
                              ": was changed meanwhile, and what was signed here does not follow "
                              "it: remove the .pending file and change it again");
}

}  // namespace

Status sign_newest(TrustFile& file, const Signer& signer) {
  TRY(may_sign(file, signer.id));
  manifests::SignedTrust& last = file.versions.back();
  TRY_ASSIGN(auto signature,
             sign_prehashed(signer, prehash(as_bytes(last.document)),
                            "weir trust version " + std::to_string(file.versions.size())));
  last.signatures.push_back(std::move(signature));
  return {};
}

Status add_signature(TrustFile& file, const std::string& signature) {
  TRY_ASSIGN(const KeyId id, signer_of(signature));
  TRY_ASSIGN(const SigningPublicKey key, may_sign(file, id));
  manifests::SignedTrust& last = file.versions.back();
  TRY(verify(key, as_bytes(last.document), signature));
  last.signatures.push_back(signature);
  return {};
}

std::optional<std::string> place_of_pending(const std::string& path) {
  if (!path.ends_with(kPending) || path.size() == kPending.size()) return std::nullopt;
  return path.substr(0, path.size() - kPending.size());
}

bool waits_for_its_place(const std::string& path, const TrustFile& file) {
  if (!place_of_pending(path)) return false;
  const auto missing = lacking(file);
  return missing && missing->empty();
}

Result<Answer> write_trust_file(const std::string& path, const TrustFile& file, Writing writing) {
  TRY_ASSIGN(const std::string missing, lacking(file));
  if (writing == Writing::planned) {
    Answer out = answer_for(path, file, "would hold", missing);
    out.exit = Exit::done;
    return out;
  }
  const std::string text = manifests::print(file);
  const std::string pending = path + std::string(kPending);
  if (writing == Writing::if_signed && !missing.empty()) {
    if (exists(pending)) {
      return fail(Errc::busy, pending +
                                  ": another change waits for signatures there: sign it "
                                  "(weir-keys trust sign) or remove it");
    }
    TRY(write_file(pending, text));
    Answer out = answer_for(pending, file, "holds", missing);
    out.text += "\n" + path + " stays as it is until then";
    return out;
  }
  if (const auto target = place_of_pending(path); target && missing.empty()) {
    TRY(check_output(*target));
    TRY(write_file(path, text));
    TRY(check_follows(file, *target));
    TRY(write_file(*target, text));
    ::unlink(path.c_str());
    return answer_for(*target, file, "now holds", missing);
  }
  TRY(write_file(path, text));
  return answer_for(path, file, "holds", missing);
}

}  // namespace weir::keys
