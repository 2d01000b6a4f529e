#pragma once

#include <optional>
#include <string>

#include "builder/kernel/module_signature.h"
#include "builder/mirror/edge/cache.h"
#include "manifests/base/digest.h"
#include "manifests/base/result.h"

namespace weir::builder {

/// Signatures over compiled modules, which the cache keeps: whoever lacks the key can use them.
/// `signatures/KEY` is PKCS #7 in DER.
///
/// module        its content, unpacked and not signed
/// certificate   who is to have signed it
/// returns       one that holds; nothing where there is none, or one that does not
[[nodiscard]] std::optional<std::string> find_signature(Bytes module,
                                                        const KernelCertificate& certificate,
                                                        const Cache& cache);

/// errors: integrity: it is no signature by this certificate's key; io, exhausted
[[nodiscard]] Status keep_signature(Bytes module, const KernelCertificate& certificate,
                                    const std::string& message, const Cache& cache);

}  // namespace weir::builder
