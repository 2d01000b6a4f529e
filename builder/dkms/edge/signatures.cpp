#include "builder/dkms/edge/signatures.h"

#include "builder/kernel/module_signing.h"
#include "manifests/base/edge/file.h"

namespace weir::builder {
namespace {

constexpr ByteCount kMaxSignature{64ULL << 10};

std::string path_of_signature(Bytes module, const KernelCertificate& certificate,
                              const Cache& cache) {
  const std::string text = "weir module signature\n" + Digest::of(module).string() + "\n" +
                           Digest::of(as_bytes(certificate.certificate)).string() + "\n";
  return cache.path() + "/signatures/" + Digest::of(as_bytes(text)).hex();
}

Status check_signature_of(Bytes module, const KernelCertificate& certificate,
                          const std::string& message) {
  const std::string whole =
      with_signature({reinterpret_cast<const char*>(module.data()), module.size()}, message);
  TRY_ASSIGN(const auto signature, read_module_signature(as_bytes(whole)));
  if (!signature) return fail(Errc::integrity, "no signature");
  return verify_module_signature(as_bytes(whole), *signature, certificate);
}

}  // namespace

std::optional<std::string> find_signature(Bytes module, const KernelCertificate& certificate,
                                          const Cache& cache) {
  auto found = read_file(path_of_signature(module, certificate, cache), kMaxSignature);
  if (!found || !check_signature_of(module, certificate, *found)) return std::nullopt;
  return std::move(*found);
}

Status keep_signature(Bytes module, const KernelCertificate& certificate,
                      const std::string& message, const Cache& cache) {
  TRY(check_signature_of(module, certificate, message));
  TRY(make_folders(cache.path() + "/signatures"));
  return write_file(path_of_signature(module, certificate, cache), message, 0644,
                    Durability::content);
}

}  // namespace weir::builder
