#include "builder/commands/edge/module_key.h"

#include "keys/signing/edge/key_files.h"
#include "keys/signing/edge/passphrase.h"

namespace weir::builder {

Result<std::shared_ptr<const ModuleSigningKey>> read_module_key(const std::string& path) {
  TRY_ASSIGN(const keys::Secret pem, keys::read_guarded_secret(path));
  const auto passphrase = [&]() -> Result<std::string> {
    TRY_ASSIGN(const keys::Secret typed,
               keys::ask_passphrase("Passphrase of " + path + ": ", keys::Asking::known));
    return std::string(typed.text());
  };
  TRY_ASSIGN_IN(ModuleSigningKey key, ModuleSigningKey::open(pem.text(), passphrase), path);
  return std::make_shared<const ModuleSigningKey>(std::move(key));
}

}  // namespace weir::builder
