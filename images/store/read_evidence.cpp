#include "images/store/read_evidence.h"

#include <utility>

namespace weir::images {

Result<manifests::ReleaseEvidence> read_evidence(const Store& store, const ReleaseName& name) {
  using manifests::StatementKind;
  TRY_ASSIGN(StoredRelease stored, store.read_release(name));
  manifests::ReleaseEvidence out{name, "release " + name.string(), {}, {}, {}, {}};
  const auto take = [&](Attached& attached, auto put) {
    for (Attachment& each : attached.found) put(std::move(each));
    for (std::string& why : attached.unreadable) out.unreadable.push_back(std::move(why));
  };
  TRY_ASSIGN(Attached signatures, all_signatures(store, stored));
  take(signatures, [&](Attachment it) { out.signatures.push_back(std::move(it.bytes)); });
  const Digest digest = Digest::of(as_bytes(stored.json));
  for (const auto& [kind, attachments] :
       {std::pair(StatementKind::rebuild, AttachmentKind::rebuilt),
        std::pair(StatementKind::boot_check, AttachmentKind::booted)}) {
    TRY_ASSIGN(Attached statements, store.attached(digest, attachments));
    auto& into = out.statements[kind];
    take(statements, [&](Attachment it) {
      into.push_back({std::move(it.bytes), std::move(it.signature)});
    });
  }
  out.release = std::move(stored.json);
  return out;
}

}  // namespace weir::images
