#include "images/store/store.h"

#include <utility>

namespace weir::images {

Result<Attached> all_signatures(const Store& store, const StoredRelease& release) {
  TRY_ASSIGN(Attached out,
             store.attached(Digest::of(as_bytes(release.json)), AttachmentKind::signature));
  out.found.insert(out.found.begin(), Attachment{release.signature});
  return out;
}

Result<std::string> unsigned_or_stored(const Store& store, const ReleaseName& name) {
  auto waiting = store.read_unsigned(name);
  if (waiting || waiting.error().code != Errc::not_found) return waiting;
  TRY_ASSIGN(auto stored, store.read_release(name));
  return std::move(stored.json);
}

}  // namespace weir::images
