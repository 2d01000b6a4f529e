#include "keys/identity/edge/identity_check.h"

#include <utility>

#include "keys/identity/edge/identity_files.h"
#include "keys/identity/wireguard_identity.h"
#include "keys/signing/edge/key_files.h"
#include "manifests/base/edge/file.h"
#include "manifests/base/paths.h"
#include "manifests/base/printable.h"

namespace weir::keys {
namespace {

tl::unexpected<Error> refused(Error error, const std::string& field, const std::string& way_on) {
  error.message = field + ": " + error.message;
  if (!way_on.empty()) error.message += "; " + way_on;
  return tl::unexpected(std::move(error));
}

}  // namespace

Status check_identity(const manifests::Fleet& fleet, const std::string& folder) {
  const std::string path = path_at(folder, fleet.identity);
  const auto text = read_file(path, kLargestKeyFile);
  if (!text) {
    return refused(
        text.error(), "identity",
        text.error().code == Errc::not_found
            ? "put the fleet's there, or make one: weir-keys generate-wireguard --out " +
                  shell_word(path) +
                  (fleet.identity_key_file
                       ? " --key-file " + shell_word(path_at(folder, *fleet.identity_key_file))
                       : "")
            : "");
  }
  const auto kind = sealed_with(*text);
  if (!kind) {
    Error error = kind.error();
    error.message = path + ": " + error.message;
    return refused(std::move(error), "identity",
                   "it has to be what weir-keys generate-wireguard wrote: put that there again");
  }
  TRY_ASSIGN_IN(const IdentityKeys public_keys, sealed_public_keys(*text), "identity: " + path);
  TRY_IN(check_served(public_keys), "identity: " + path);
  if (!fleet.identity_key_file) {
    if (*kind == SealingKey::Kind::passphrase) return {};
    return fail(Errc::invalid_input, "identity: " + path +
                                         ": sealed with a key file: name that one as "
                                         "`identity_key_file`");
  }
  const std::string key_path = path_at(folder, *fleet.identity_key_file);
  if (*kind == SealingKey::Kind::passphrase) {
    return fail(Errc::invalid_input, "identity_key_file: " + path +
                                         " is sealed with a passphrase, not with " + key_path +
                                         ": take the field out of the fleet");
  }
  SealingKey key{SealingKey::Kind::key_file, {}};
  if (auto bytes = read_key_file(key_path)) {
    key.bytes = std::move(*bytes);
  } else {
    return refused(bytes.error(), "identity_key_file",
                   bytes.error().code == Errc::unauthorized
                       ? ""
                       : "put the one there that " + path + " was sealed with");
  }
  if (const auto identity = open_identity(*text, key); !identity) {
    Error error = identity.error();
    if (error.code == Errc::integrity) return refused(std::move(error), "identity: " + path, "");
    error.message = key_path + " does not open " + path + ": " + error.message;
    return refused(std::move(error), "identity_key_file",
                   "name the key file that it was sealed with");
  }
  return {};
}

}  // namespace weir::keys
