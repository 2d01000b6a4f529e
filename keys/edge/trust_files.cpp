#include "keys/edge/trust_files.h"

#include <chrono>

#include "manifests/edge/file.h"

namespace weir::keys {

Result<UtcTime> read_clock() {
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(
      std::chrono::system_clock::now().time_since_epoch());
  if (now.count() < 1577836800) {  // 2020-01-01
    return fail(Errc::unauthorized, "this machine's clock says " + UtcTime{now.count()}.string() +
                                        ": set it, or nobody can tell what has expired");
  }
  return UtcTime{now.count()};
}

Result<manifests::TrustState> read_trust_state(const std::string& path) {
  const auto text = read_file(path, ByteCount{1 << 20});
  if (!text && text.error().code == Errc::not_found) return manifests::TrustState{};
  TRY(text);
  TRY_ASSIGN_IN(manifests::TrustState state, manifests::parse_trust_state(*text), path);
  return state;
}

Status write_trust_state(const std::string& path, const manifests::TrustState& state) {
  return write_file(path, print(state), 0600);
}

Result<Verified<manifests::Trust>> read_trust(const std::string& path,
                                              const manifests::TrustState& seen, UtcTime now) {
  TRY_ASSIGN(const std::string text, read_file(path, manifests::kLargestTrustFile));
  TRY_ASSIGN_IN(auto trust, verify_trust(text, seen, now), path);
  return trust;
}

}  // namespace weir::keys
