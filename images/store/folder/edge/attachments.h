#pragma once

#include <string>

#include "images/store/store.h"

// Documents beside a release in a store's folder, as docs/store.md names their files.
namespace weir::images {

/// As Store::attach and Store::attached, in the folder `store`.
[[nodiscard]] Result<std::string> write_attachment(const std::string& store, const Digest& subject,
                                                   AttachmentKind kind, const Attachment& document);
[[nodiscard]] Result<Attached> read_attachments(const std::string& store, const Digest& subject,
                                                AttachmentKind kind);

}  // namespace weir::images
