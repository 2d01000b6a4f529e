#include "builder/kernel/module_signing.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "builder/kernel/openssl_handles.h"

namespace weir::builder {
namespace {

Stream stream_of(Bytes bytes) {
  return Stream(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

std::string der_of(BIO* stream) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(stream, &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

// What the passphrase of an encrypted key came to, behind OpenSSL's callback.
struct Asked {
  const std::function<Result<std::string>()>& passphrase;
  std::optional<Error> error{};
  bool any = false;
};

int ask(char* buffer, int size, int /*writing*/, void* context) {
  auto& asked = *static_cast<Asked*>(context);
  asked.any = true;
  auto text = asked.passphrase();
  if (!text) {
    asked.error = std::move(text).error();
    return -1;
  }
  const auto count = std::min(text->size(), static_cast<std::size_t>(size));
  std::copy_n(text->data(), count, buffer);
  explicit_bzero(text->data(), text->size());
  return static_cast<int>(count);
}

}  // namespace

Result<std::string> read_signing_certificate(std::string_view pem) {
  const Stream stream = stream_of(as_bytes(pem));
  const Certificate found(PEM_read_bio_X509(stream.get(), nullptr, nullptr, nullptr));
  const Certificate second(PEM_read_bio_X509(stream.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  if (!found) {
    return fail(Errc::invalid_input, "holds no certificate in PEM (-----BEGIN CERTIFICATE-----)");
  }
  if (second) return fail(Errc::invalid_input, "holds several certificates: one signs modules");
  const int kind = EVP_PKEY_get_base_id(X509_get0_pubkey(found.get()));
  if (kind != EVP_PKEY_RSA && kind != EVP_PKEY_EC) {
    return fail(
        Errc::invalid_input,
        "is the certificate of a key that kernels do not check modules by: make an RSA one");
  }
  const Stream out(BIO_new(BIO_s_mem()));
  i2d_X509_bio(out.get(), found.get());
  return der_of(out.get());
}

Status check_holds_private_key(std::string_view pem) {
  if (pem.find("PRIVATE KEY-----") != std::string_view::npos) return {};
  constexpr std::pair<std::string_view, std::string_view> kOthers[] = {
      {"CERTIFICATE REQUEST-----", "the request for a certificate"},
      {"CERTIFICATE-----", "a certificate"},
      {"PUBLIC KEY-----", "a public key"}};
  for (const auto& [mark, what] : kOthers) {
    if (pem.find(mark) == std::string_view::npos) continue;
    return fail(Errc::invalid_input, "holds " + std::string(what) +
                                         ", and what signs is the private key that belongs to it "
                                         "(-----BEGIN PRIVATE KEY-----)");
  }
  return fail(Errc::invalid_input, "holds no private key in PEM (-----BEGIN PRIVATE KEY-----)");
}

Result<ModuleSigningKey> ModuleSigningKey::open(
    std::string_view pem, const std::function<Result<std::string>()>& passphrase) {
  Asked asked{passphrase};
  const Stream stream = stream_of(as_bytes(pem));
  std::shared_ptr<EVP_PKEY> key(PEM_read_bio_PrivateKey(stream.get(), nullptr, ask, &asked),
                                EVP_PKEY_free);
  ERR_clear_error();
  if (key) return ModuleSigningKey(std::move(key));
  if (asked.error) return tl::unexpected(std::move(*asked.error));
  if (asked.any) return fail(Errc::unauthorized, "does not open with this passphrase");
  TRY(check_holds_private_key(pem));
  return fail(Errc::invalid_input, "holds a private key in PEM that is damaged");
}

Status ModuleSigningKey::check_is_of(const KernelCertificate& certificate) const {
  const auto* at = reinterpret_cast<const unsigned char*>(certificate.certificate.data());
  const Certificate signer(
      d2i_X509(nullptr, &at, static_cast<long>(certificate.certificate.size())));
  const bool ours = signer && X509_check_private_key(signer.get(), key_.get()) == 1;
  ERR_clear_error();
  if (ours) return {};
  return fail(Errc::invalid_input,
              "is not the key of the certificate that the lock names (module_signer), which is " +
                  certificate.subject + ", serial number " + certificate.serial);
}

Result<std::string> ModuleSigningKey::sign(Bytes module,
                                           const KernelCertificate& certificate) const {
  TRY(check_is_of(certificate));
  const auto* at = reinterpret_cast<const unsigned char*>(certificate.certificate.data());
  const Certificate signer(
      d2i_X509(nullptr, &at, static_cast<long>(certificate.certificate.size())));
  constexpr unsigned kHow = CMS_NOCERTS | CMS_BINARY | CMS_DETACHED | CMS_STREAM | CMS_PARTIAL;
  const CmsMessage message(CMS_sign(nullptr, nullptr, nullptr, nullptr, kHow));
  const Stream content = stream_of(module);
  const Stream out(BIO_new(BIO_s_mem()));
  const bool made =
      message && content && out &&
      CMS_add1_signer(message.get(), signer.get(), key_.get(), EVP_sha256(),
                      CMS_NOCERTS | CMS_BINARY | CMS_NOSMIMECAP | CMS_NOATTR) != nullptr &&
      CMS_final(message.get(), content.get(), nullptr, CMS_NOCERTS | CMS_BINARY) == 1 &&
      i2d_CMS_bio(out.get(), message.get()) == 1;
  ERR_clear_error();
  if (!made) return fail(Errc::invalid_input, "does not sign: OpenSSL refuses this key");
  return der_of(out.get());
}

std::string with_signature(std::string_view module, std::string_view message) {
  std::string out(module);
  out += message;
  const auto size = static_cast<std::uint32_t>(message.size());
  std::array<char, kModuleSignatureTrailer> trailer{};
  trailer[2] = kModuleSignaturePkcs7;
  for (std::size_t i = 0; i < 4; ++i) trailer[8 + i] = static_cast<char>(size >> (24 - 8 * i));
  out.append(trailer.data(), trailer.size());
  out += kModuleSignatureMark;
  return out;
}

}  // namespace weir::builder
