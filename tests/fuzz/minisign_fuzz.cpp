#include "keys/signing/minisign.h"
#include "tests/fuzz/property.h"

// One input is tried as each of minisign's three kinds of file. Encrypted keys are only parsed: a
// scrypt run would take seconds.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto key = keys::parse_public_key(text)) {
    const auto again = keys::parse_public_key(print(*key));
    MUST_HOLD(again.has_value() && *again == *key);
  }
  if (const auto locked = keys::needs_passphrase(text); locked && !*locked) {
    const auto none = keys::Secret::of_size(0);
    MUST_HOLD(none.has_value());
    if (const auto key = keys::decrypt_secret_key(text, *none)) {
      const auto signature = keys::sign(*key, Bytes(data, size), "fuzz");
      MUST_HOLD(signature.has_value());
      MUST_HOLD(keys::verify(keys::public_key_of(*key), Bytes(data, size), *signature));
    }
  }
  if (const auto signer = keys::signer_of(text)) {
    keys::SigningPublicKey key{.id = *signer, .key = {}};
    MUST_HOLD(!keys::verify(key, Bytes(data, size), text));
    MUST_HOLD(keys::trusted_comment_of(text).has_value());
  }
  return 0;
}
