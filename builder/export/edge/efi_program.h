#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "manifests/base/digest.h"
#include "manifests/base/result.h"

namespace weir::builder {

struct SecureBootSigner {
  std::string key;          ///< PEM file
  std::string certificate;  ///< PEM file
  std::string beside;       ///< a file beside which sbsign may work
};

/// Signs with the stock sbsign. The signature states the time of signing, so it differs from run
/// to run; without it (`sbattach --remove`) the bytes are those that were given.
/// errors   not_found: sbsign is missing; unauthorized: it refused, with its words; io
[[nodiscard]] Result<std::vector<std::uint8_t>> sign_efi_program(Bytes program,
                                                                 const SecureBootSigner& signer);

}  // namespace weir::builder
