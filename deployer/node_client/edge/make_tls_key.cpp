#include "deployer/node_client/edge/make_tls_key.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>

#include "deployer/node_client/tls_key.h"

namespace weir::node_client {

Result<TlsKey> make_tls_key() {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), &EVP_PKEY_free);
  // A secure heap buffer: the PEM text is wiped when it is freed.
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_secmem()), &BIO_free);
  if (!key || !out ||
      PEM_write_bio_PKCS8PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) !=
          1) {
    return fail(Errc::bug, "TLS key: cannot be made");
  }
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  std::string pem(text, static_cast<std::size_t>(size));
  TRY_ASSIGN(const Digest pin, pin_of(pem));
  return TlsKey{std::move(pem), pin};
}

}  // namespace weir::node_client
