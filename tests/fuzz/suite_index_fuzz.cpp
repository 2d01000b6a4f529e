#include "builder/mirror/suite_index.h"
#include "tests/fuzz/property.h"

// One input is tried as an InRelease file, as the text gpgv takes out of one, and as gpgv's status.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (builder::check_clear_signed(text)) {
    MUST_HOLD(text.starts_with("-----BEGIN PGP SIGNED MESSAGE-----"));
    MUST_HOLD(text.find("-----BEGIN PGP SIGNATURE-----") != std::string_view::npos);
  }
  if (const auto signer = builder::judge_gpgv_status(text)) {
    MUST_HOLD(text.find("GOODSIG") != std::string_view::npos);
    MUST_HOLD(text.find("\n[GNUPG:] BADSIG ") == std::string_view::npos);
  }
  const auto index = builder::parse_suite_index(text);
  if (!index) return 0;
  for (const auto& [path, file] : index->files) {
    MUST_HOLD(!path.starts_with('/') && path.find("..") == std::string::npos);
  }
  (void)builder::other_name(*index, index->codename);
  (void)builder::check_suite_index(*index, index->codename, index->date_unix);
  return 0;
}
