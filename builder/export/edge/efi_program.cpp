#include "builder/export/edge/efi_program.h"

#include <chrono>

#include "images/store/edge/output.h"
#include "manifests/base/edge/file.h"
#include "manifests/base/edge/process.h"
#include "manifests/base/size_limits.h"

namespace weir::builder {
namespace {

constexpr std::chrono::minutes kPatience{2};

std::string one_line(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  for (char& c : text) {
    if (c == '\n') c = ' ';
  }
  return text;
}

}  // namespace

Result<std::vector<std::uint8_t>> sign_efi_program(Bytes program, const SecureBootSigner& signer) {
  TRY_ASSIGN(const auto folder, images::OutputFolder::begin(signer.beside + ".signing"));
  const std::string unsigned_path = folder.aside() + "/unsigned.efi";
  const std::string signed_path = folder.aside() + "/signed.efi";
  TRY(write_file(unsigned_path, {reinterpret_cast<const char*>(program.data()), program.size()}));
  Program sbsign;
  TRY_ASSIGN(sbsign.path, find_program("sbsign"));
  sbsign.arguments = {"--key",    signer.key,  "--cert",     signer.certificate,
                      "--output", signed_path, unsigned_path};
  sbsign.environment = {kProgramPath, "LC_ALL=C"};
  TRY_ASSIGN(const Ended child, run(sbsign, "", {kPatience}));
  if (child.status != 0) {
    return fail(Errc::unauthorized, "sbsign refused: " + one_line(child.error));
  }
  TRY_ASSIGN(const std::string bytes, read_file(signed_path, manifests::kLargestBlob));
  return std::vector<std::uint8_t>(bytes.begin(), bytes.end());
}

}  // namespace weir::builder
