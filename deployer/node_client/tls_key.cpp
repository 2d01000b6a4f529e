#include "deployer/node_client/tls_key.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

namespace weir::node_client {
namespace {

template <auto free>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Stream = std::unique_ptr<BIO, Freed<BIO_free>>;

Result<Key> read_key(const std::string& pem) {
  const Stream in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  // No password callback: a key that asks for one is refused instead of reading the terminal.
  const auto no_password = [](char*, int, int, void*) { return -1; };
  Key key(in ? PEM_read_bio_PrivateKey(in.get(), nullptr, no_password, nullptr) : nullptr);
  if (!key || EVP_PKEY_get_id(key.get()) != EVP_PKEY_ED25519) {
    return fail(Errc::invalid_input,
                "TLS key: not an Ed25519 private key in PEM without passphrase");
  }
  return key;
}

}  // namespace

Result<Digest> pin_of(const std::string& private_key_pem) {
  TRY_ASSIGN(const Key key, read_key(private_key_pem));
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key.get(), &der);
  if (size <= 0) return fail(Errc::bug, "TLS key: cannot be encoded");
  const Digest pin = Digest::of({der, static_cast<std::size_t>(size)});
  OPENSSL_free(der);
  return pin;
}

Result<std::string> certificate_for(const std::string& private_key_pem) {
  TRY_ASSIGN(const Key key, read_key(private_key_pem));
  const Certificate certificate(X509_new());
  const Stream out(BIO_new(BIO_s_mem()));
  X509* x509 = certificate.get();
  X509_NAME* name = x509 == nullptr ? nullptr : X509_get_subject_name(x509);
  static constexpr unsigned char kName[] = "weir";
  const bool made =
      name != nullptr && out && X509_set_version(x509, X509_VERSION_3) == 1 &&
      ASN1_INTEGER_set(X509_get_serialNumber(x509), 1) == 1 &&
      X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, kName, -1, -1, 0) == 1 &&
      X509_set_issuer_name(x509, name) == 1 &&
      // No clock decides about these keys, so the dates say "always" (RFC 5280, 4.1.2.5).
      ASN1_TIME_set_string_X509(X509_getm_notBefore(x509), "19700101000000Z") == 1 &&
      ASN1_TIME_set_string_X509(X509_getm_notAfter(x509), "99991231235959Z") == 1 &&
      X509_set_pubkey(x509, key.get()) == 1 && X509_sign(x509, key.get(), nullptr) > 0 &&
      PEM_write_bio_X509(out.get(), x509) == 1;
  char* text = nullptr;
  const long size = made ? BIO_get_mem_data(out.get(), &text) : 0;
  if (size <= 0) return fail(Errc::bug, "TLS certificate: cannot be made");
  return std::string(text, static_cast<std::size_t>(size));
}

}  // namespace weir::node_client
