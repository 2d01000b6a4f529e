#include "builder/kernel/module_signature.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <string_view>

#include "builder/kernel/openssl_handles.h"

namespace weir::builder {
namespace {

void free_certificates(STACK_OF(X509) * certificates) {
  sk_X509_free(certificates);
}
using Certificates = std::unique_ptr<STACK_OF(X509), FreeWith<free_certificates>>;

tl::unexpected<Error> bad_signature(std::string_view why) {
  ERR_clear_error();
  return fail(Errc::invalid_input, "its signature " + std::string(why));
}

std::string hex_of_number(const ASN1_INTEGER* number) {
  const Number value(ASN1_INTEGER_to_BN(number, nullptr));
  if (!value) return {};
  std::string raw(static_cast<std::size_t>(BN_num_bytes(value.get())), '\0');
  BN_bn2bin(value.get(), reinterpret_cast<unsigned char*>(raw.data()));
  return hex_of(as_bytes(raw));
}

std::string hex_of_text(const ASN1_OCTET_STRING* text) {
  return hex_of(
      Bytes(ASN1_STRING_get0_data(text), static_cast<std::size_t>(ASN1_STRING_length(text))));
}

CmsMessage parse_message(Bytes der) {
  const unsigned char* at = der.data();
  CmsMessage out(d2i_CMS_ContentInfo(nullptr, &at, static_cast<long>(der.size())));
  if (!out || at != der.data() + der.size() ||
      OBJ_obj2nid(CMS_get0_type(out.get())) != NID_pkcs7_signed) {
    return nullptr;
  }
  return out;
}

Result<std::string> signer_of(Bytes der) {
  const CmsMessage message = parse_message(der);
  if (!message) return bad_signature("is not a PKCS #7 message");
  STACK_OF(CMS_SignerInfo)* signers = CMS_get0_SignerInfos(message.get());
  if (sk_CMS_SignerInfo_num(signers) != 1) return bad_signature("has not exactly one signer");
  ASN1_OCTET_STRING* key_id = nullptr;
  X509_NAME* issuer = nullptr;
  ASN1_INTEGER* serial = nullptr;
  if (CMS_SignerInfo_get0_signer_id(sk_CMS_SignerInfo_value(signers, 0), &key_id, &issuer,
                                    &serial) != 1) {
    return bad_signature("does not name its key");
  }
  std::string out = key_id != nullptr ? hex_of_text(key_id) : hex_of_number(serial);
  if (out.empty()) return bad_signature("does not name its key");
  return out;
}

std::optional<KernelCertificate> parse_certificate(Bytes der) {
  const unsigned char* at = der.data();
  const Certificate found(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  ERR_clear_error();
  if (!found || at != der.data() + der.size()) return std::nullopt;
  KernelCertificate out;
  out.serial = hex_of_number(X509_get0_serialNumber(found.get()));
  if (const auto* id = X509_get0_subject_key_id(found.get())) out.key_id = hex_of_text(id);
  const Stream text(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(text.get(), X509_get_subject_name(found.get()), 0, XN_FLAG_ONELINE);
  char* data = nullptr;
  const long size = BIO_get_mem_data(text.get(), &data);
  if (size > 0) out.subject.assign(data, static_cast<std::size_t>(size));
  out.certificate.assign(der.begin(), der.end());
  return out;
}

}  // namespace

Result<KernelCertificate> parse_kernel_certificate(Bytes der) {
  if (auto found = parse_certificate(der)) return std::move(*found);
  return fail(Errc::invalid_input, "is not an X.509 certificate");
}

Result<std::optional<ModuleSignature>> read_module_signature(Bytes module) {
  const auto from_end = [&](std::size_t size) { return module.subspan(module.size() - size); };
  if (module.size() < kModuleSignatureMark.size() + kModuleSignatureTrailer ||
      std::memcmp(from_end(kModuleSignatureMark.size()).data(), kModuleSignatureMark.data(),
                  kModuleSignatureMark.size()) != 0) {
    return std::optional<ModuleSignature>();
  }
  const Bytes trailer = from_end(kModuleSignatureMark.size() + kModuleSignatureTrailer)
                            .first(kModuleSignatureTrailer);
  // The kernel wants all but the kind and the size to be zero (kernel/module_signature.c).
  if (trailer[2] != kModuleSignaturePkcs7) return bad_signature("is not of kind PKCS #7");
  for (const std::size_t i : {0, 1, 3, 4, 5, 6, 7}) {
    if (trailer[i] != 0) return bad_signature("ends in fields that should be zero");
  }
  const std::size_t size = std::size_t{trailer[8]} << 24 | std::size_t{trailer[9]} << 16 |
                           std::size_t{trailer[10]} << 8 | trailer[11];
  const std::size_t rest = module.size() - kModuleSignatureMark.size() - kModuleSignatureTrailer;
  if (size == 0 || size >= rest) return bad_signature("is cut");
  ModuleSignature out;
  out.covered = rest - size;
  out.message = module.subspan(out.covered, size);
  TRY_ASSIGN(out.key, signer_of(out.message));
  return std::optional(std::move(out));
}

const KernelCertificate* KernelKeys::find(const std::string& key) const {
  const auto found =
      std::find_if(certificates.begin(), certificates.end(), [&](const KernelCertificate& one) {
        return one.serial == key || (!one.key_id.empty() && one.key_id == key);
      });
  return found == certificates.end() ? nullptr : &*found;
}

KernelKeys find_kernel_keys(Bytes vmlinux) {
  KernelKeys out;
  const auto contains = [&](std::string_view text) {
    return ::memmem(vmlinux.data(), vmlinux.size(), text.data(), text.size()) != nullptr;
  };
  out.checks_signatures = contains(kModuleSignatureMark);
  // SEQUENCE { SEQUENCE { [0] { INTEGER 2 }, INTEGER ...: version 3, then the serial number. Both
  // sequences are long enough for sizes of two bytes.
  constexpr std::string_view version("\xa0\x03\x02\x01\x02\x02", 6);
  for (std::size_t from = 0; from < vmlinux.size();) {
    const void* hit =
        ::memmem(vmlinux.data() + from, vmlinux.size() - from, version.data(), version.size());
    if (hit == nullptr) break;
    const auto at =
        static_cast<std::size_t>(static_cast<const std::uint8_t*>(hit) - vmlinux.data());
    from = at + 1;
    if (at < 8) continue;
    const Bytes head = vmlinux.subspan(at - 8);
    if (head[0] != 0x30 || head[1] != 0x82 || head[4] != 0x30 || head[5] != 0x82) continue;
    const std::size_t size = (std::size_t{head[2]} << 8 | head[3]) + 4;
    if (size > head.size()) continue;
    if (auto found = parse_certificate(head.first(size))) {
      out.certificates.push_back(std::move(*found));
    }
  }
  return out;
}

Status verify_module_signature(Bytes module, const ModuleSignature& signature,
                               const KernelCertificate& certificate) {
  const CmsMessage message = parse_message(signature.message);
  const unsigned char* at = reinterpret_cast<const unsigned char*>(certificate.certificate.data());
  const Certificate signer(
      d2i_X509(nullptr, &at, static_cast<long>(certificate.certificate.size())));
  const Certificates signers(sk_X509_new_null());
  // Of a bare memory BIO CMS_verify makes one of its own, which it loses where it refuses the
  // message before it reads (OpenSSL 3.0, crypto/cms/cms_smime.c).
  const Stream content(BIO_new(BIO_f_null()));
  Stream bytes(BIO_new_mem_buf(module.data(), static_cast<int>(signature.covered)));
  const bool readable = content && bytes;
  if (readable) BIO_push(content.get(), bytes.release());
  bool good = false;
  if (message && signer && signers && readable && sk_X509_push(signers.get(), signer.get()) > 0) {
    good = CMS_verify(message.get(), signers.get(), nullptr, content.get(), nullptr,
                      CMS_BINARY | CMS_DETACHED | CMS_NOINTERN | CMS_NO_SIGNER_CERT_VERIFY) == 1;
  }
  ERR_clear_error();
  if (good) return {};
  return fail(Errc::integrity, "the signature does not match the content");
}

}  // namespace weir::builder
