#include "builder/mirror/edge/inrelease.h"

#include <unistd.h>

#include "manifests/base/edge/process.h"

namespace weir::builder {

// The one place that may call text signed.
class InReleaseVerifier {
 public:
  static SignedText make(std::string text, std::string signer) {
    return {std::move(text), std::move(signer)};
  }
};

Result<SignedText> verify_inrelease(std::string_view file, const std::string& keyring) {
  TRY(check_clear_signed(file));
  // gpgv looks for names without a slash in the user's own folder.
  if (!keyring.starts_with('/') || ::access(keyring.c_str(), R_OK) != 0) {
    return fail(Errc::not_found, "cannot read the keyring " + keyring +
                                     " (Debian's comes with the package debian-archive-keyring)");
  }
  Program gpgv;
  TRY_ASSIGN(gpgv.path, find_program("gpgv"));
  gpgv.arguments = {"--quiet", "--keyring", keyring, "--status-fd", "3", "--output", "-", "-"};
  gpgv.environment = {kProgramPath, "LC_ALL=C"};
  gpgv.extra = Stream::captured();
  TRY_ASSIGN(auto child, run(gpgv, file, {std::chrono::seconds(30)}));
  TRY_ASSIGN(auto signer, judge_gpgv_status(child.extra));
  return InReleaseVerifier::make(std::move(child.output), std::move(signer));
}

}  // namespace weir::builder
