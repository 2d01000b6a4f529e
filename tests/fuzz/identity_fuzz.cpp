#include "keys/identity/wireguard_identity.h"
#include "tests/fuzz/property.h"

// Sealed identities. The ones with a passphrase are only parsed: Argon2id would take most of the
// time.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto named = keys::sealed_public_keys(text);
  const auto kind = keys::sealed_with(text);
  MUST_HOLD(named.has_value() == kind.has_value());
  if (kind && *kind == keys::SealingKey::Kind::key_file) {
    // The corpus was sealed with 32 times "k".
    auto key = keys::Secret::copy_of(as_bytes(std::string(32, 'k')));
    MUST_HOLD(key.has_value());
    const auto identity =
        keys::open_identity(text, {keys::SealingKey::Kind::key_file, std::move(*key)});
    if (identity) {
      MUST_HOLD(keys::keys_of(*identity) == *named);
      MUST_HOLD(keys::check_served(*named).has_value() == (named->outgoing() == nullptr));
    }
  }
  (void)keys::parse_wireguard_key(text);
  return 0;
}
