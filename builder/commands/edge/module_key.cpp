#include "builder/commands/edge/module_key.h"

#include <functional>

#include "keys/signing/edge/key_files.h"
#include "keys/signing/edge/passphrase.h"

namespace weir::builder {
namespace {

using Passphrase = std::function<Result<std::string>()>;

// What a file is comes before who may read it: a certificate need not be kept from anybody.
Result<ModuleSigningKey> open_module_key(const std::string& path,
                                         const std::optional<KernelCertificate>& signer,
                                         const Passphrase& passphrase) {
  TRY_ASSIGN(const keys::Secret seen, keys::read_guarded(path));
  TRY_IN(check_holds_private_key(seen.text()), path);
  TRY_ASSIGN(const keys::Secret pem, keys::read_guarded_secret(path));
  TRY_ASSIGN_IN(ModuleSigningKey key, ModuleSigningKey::open(pem.text(), passphrase), path);
  if (signer) TRY_IN(key.check_is_of(*signer), path);
  return key;
}

}  // namespace

Result<std::shared_ptr<const ModuleSigningKey>> read_module_key(
    const std::string& path, const std::optional<KernelCertificate>& signer) {
  const auto passphrase = [&]() -> Result<std::string> {
    TRY_ASSIGN(const keys::Secret typed,
               keys::ask_passphrase("Passphrase of " + path + ": ", keys::Asking::known));
    return std::string(typed.text());
  };
  TRY_ASSIGN(ModuleSigningKey key, open_module_key(path, signer, passphrase));
  return std::make_shared<const ModuleSigningKey>(std::move(key));
}

Status check_module_key(const std::string& path, const std::optional<KernelCertificate>& signer) {
  bool asked = false;
  const auto key = open_module_key(path, signer, [&]() -> Result<std::string> {
    asked = true;
    return fail(Errc::unauthorized, "a plan asks for no passphrase");
  });
  if (!key && !asked) return tl::unexpected(key.error());
  return {};
}

std::string describe_signing(const std::optional<std::string>& path,
                             const std::optional<KernelCertificate>& signer) {
  if (!signer) return "not at all: the manifest names no module_signer";
  const std::string who = "by " + signer->subject;
  if (path) return who + ", with " + *path;
  return who + ", but no --module-key is given: what the cache has no signature of is refused";
}

}  // namespace weir::builder
