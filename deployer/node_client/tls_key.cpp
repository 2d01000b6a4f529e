#include "deployer/node_client/tls_key.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>

#include "manifests/base/secret_bytes.h"

namespace weir::node_client {
namespace {

template <auto free>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    free(object);
  }
};
using Stream = std::unique_ptr<BIO, Freed<BIO_free>>;

// RFC 8410, section 7: PrivateKeyInfo of an Ed25519 key, up to its 32 bytes.
constexpr std::array<std::uint8_t, 16> kHead = {0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
                                                0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20};
constexpr std::size_t kSecret = 32, kEncoded = kHead.size() + kSecret;
constexpr std::size_t kLine = kEncoded / 3 * 4;  // base64 without padding
constexpr std::string_view kBegin = "-----BEGIN PRIVATE KEY-----\n";
constexpr std::string_view kEnd = "\n-----END PRIVATE KEY-----\n";

bool is_base64(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '/';
}

// The line between begin and end; empty: the text has another shape.
std::string_view line_of(std::string_view pem) {
  if (!pem.starts_with(kBegin)) return {};
  pem.remove_prefix(kBegin.size());
  const auto line = pem.substr(0, kLine);
  if (line.size() < kLine || !std::all_of(line.begin(), line.end(), is_base64)) return {};
  pem.remove_prefix(kLine);
  return pem == kEnd || pem == kEnd.substr(0, kEnd.size() - 1) ? line : std::string_view();
}

}  // namespace

void FreeTls::operator()(evp_pkey_st* key) const {
  EVP_PKEY_free(key);
}

void FreeTls::operator()(x509_st* certificate) const {
  X509_free(certificate);
}

Result<TlsPrivateKey> read_tls_key(std::string_view private_key_pem) {
  const auto line = line_of(private_key_pem);
  SecretBytes encoded(kEncoded);
  const bool good =
      !line.empty() &&
      EVP_DecodeBlock(encoded.data(), reinterpret_cast<const unsigned char*>(line.data()),
                      static_cast<int>(line.size())) == static_cast<int>(kEncoded) &&
      std::equal(kHead.begin(), kHead.end(), encoded.begin());
  TlsPrivateKey key(good ? EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr,
                                                        encoded.data() + kHead.size(), kSecret)
                         : nullptr);
  if (!key) {
    return fail(Errc::invalid_input,
                "TLS key: not an Ed25519 private key in PEM without passphrase");
  }
  return key;
}

std::string print_tls_key(std::span<const std::uint8_t, 32> secret) {
  SecretBytes encoded(kHead.begin(), kHead.end());
  encoded.insert(encoded.end(), secret.begin(), secret.end());
  SecretBytes line(kLine + 1);  // it ends what it writes with a 0
  EVP_EncodeBlock(line.data(), encoded.data(), static_cast<int>(encoded.size()));
  std::string out;
  out.reserve(kBegin.size() + kLine + kEnd.size());
  out.append(kBegin).append(reinterpret_cast<const char*>(line.data()), kLine).append(kEnd);
  return out;
}

Result<Digest> pin_of(const TlsPrivateKey& key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key.get(), &der);
  if (size <= 0) return fail(Errc::bug, "TLS key: cannot be encoded");
  const Digest pin = Digest::of({der, static_cast<std::size_t>(size)});
  OPENSSL_free(der);
  return pin;
}

Result<TlsCertificate> certificate_of(const TlsPrivateKey& key) {
  TlsCertificate certificate(X509_new());
  X509* x509 = certificate.get();
  X509_NAME* name = x509 == nullptr ? nullptr : X509_get_subject_name(x509);
  static constexpr unsigned char kName[] = "weir";
  const bool made =
      name != nullptr && X509_set_version(x509, X509_VERSION_3) == 1 &&
      ASN1_INTEGER_set(X509_get_serialNumber(x509), 1) == 1 &&
      X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, kName, -1, -1, 0) == 1 &&
      X509_set_issuer_name(x509, name) == 1 &&
      // No clock decides about these keys, so the dates say "always" (RFC 5280, 4.1.2.5).
      ASN1_TIME_set_string_X509(X509_getm_notBefore(x509), "19700101000000Z") == 1 &&
      ASN1_TIME_set_string_X509(X509_getm_notAfter(x509), "99991231235959Z") == 1 &&
      X509_set_pubkey(x509, key.get()) == 1 && X509_sign(x509, key.get(), nullptr) > 0;
  if (!made) return fail(Errc::bug, "TLS certificate: cannot be made");
  return certificate;
}

Result<std::string> certificate_for(std::string_view private_key_pem) {
  TRY_ASSIGN(const TlsPrivateKey key, read_tls_key(private_key_pem));
  TRY_ASSIGN(const TlsCertificate certificate, certificate_of(key));
  const Stream out(BIO_new(BIO_s_mem()));
  char* text = nullptr;
  const bool written = out && PEM_write_bio_X509(out.get(), certificate.get()) == 1;
  const long size = written ? BIO_get_mem_data(out.get(), &text) : 0;
  if (size <= 0) return fail(Errc::bug, "TLS certificate: cannot be written");
  return std::string(text, static_cast<std::size_t>(size));
}

}  // namespace weir::node_client
