#include "deployer/node_client/edge/make_tls_key.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "manifests/base/edge/file.h"
#include "manifests/base/secret_bytes.h"

namespace weir::node_client {
namespace {

constexpr ByteCount kLongestKey{16U << 10};

}  // namespace

Result<TlsKey> make_tls_key() {
  SecretBytes secret(32);
  if (RAND_priv_bytes(secret.data(), static_cast<int>(secret.size())) != 1) {
    return fail(Errc::bug, "TLS key: cannot be made");
  }
  TlsKey out{print_tls_key(std::span<const std::uint8_t, 32>(secret)), Digest::of({})};
  TRY_ASSIGN(const TlsPrivateKey key, read_tls_key(out.private_key_pem));
  TRY_ASSIGN(out.pin, pin_of(key));
  return out;
}

Result<TlsPrivateKey> read_tls_key_file(const std::string& path) {
  TRY_ASSIGN(std::string pem, read_secret_file(path, kLongestKey));
  auto key = read_tls_key(pem);
  OPENSSL_cleanse(pem.data(), pem.size());
  TRY_IN(key, path);
  return key;
}

}  // namespace weir::node_client
