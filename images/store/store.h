#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "manifests/base/digest.h"
#include "manifests/base/result.h"
#include "manifests/documents/release.h"

namespace weir::images {

/// A release's document and signature, byte for byte as stored and not yet checked.
struct StoredRelease {
  ReleaseName name;
  std::string json;
  std::string signature;  ///< .minisig text
};

/// What a document says of the one that it is attached to, its subject.
enum class AttachmentKind : std::uint8_t {
  signature,   ///< a further signature over it; `by` signs once
  rebuilt,     ///< "I made it again and got the same bytes"
  booted,      ///< "I booted it and it passed"
  provenance,  ///< how it came to be: one envelope with all signatures, in place of the one before
};

/// A document that is attached, as stored and not yet checked.
struct Attachment {
  std::string bytes;
  std::string signature{};  ///< .minisig text over `bytes`; empty where those carry their own
  std::string by{};         ///< the signer's key id, 16 hex digits; empty where there are several
};

struct Attached {
  std::vector<Attachment> found;        ///< always in the same order
  std::vector<std::string> unreadable;  ///< what was left out, a sentence each: too large, no file
};

/// Where releases and their blobs are: documents by name, bytes by digest, and documents attached
/// to a document (what OCI calls referrers). Several threads and processes may use one store at
/// once. A blob appears whole or not at all, and a release after all of its blobs.
class Store {
 public:
  virtual ~Store() = default;

  /// What people call it: a folder's path.
  [[nodiscard]] virtual const std::string& path() const = 0;

  [[nodiscard]] virtual Result<std::vector<ReleaseName>> list() const = 0;
  /// errors: not_found, naming the releases that are there
  [[nodiscard]] virtual Result<StoredRelease> read_release(const ReleaseName& name) const = 0;
  /// Puts release and signature beside blobs that are already there. A release that is there
  /// already, byte for byte, stays as it is, with all that is attached to it.
  virtual Status write_release(const ReleaseName& name, std::string_view json,
                               std::string_view signature) = 0;

  /// Keeps a release document that nobody has signed yet. It is not a release of the store before
  /// `write_release` gets it together with a signature. errors: io, exhausted
  virtual Status write_unsigned(const ReleaseName& name, std::string_view json) = 0;
  /// errors: not_found; io
  [[nodiscard]] virtual Result<std::string> read_unsigned(const ReleaseName& name) const = 0;
  /// Releases of which a document waits so, by name. errors: io
  [[nodiscard]] virtual Result<std::vector<ReleaseName>> list_unsigned() const = 0;
  /// Forgets it; fine where there is none.
  virtual void remove_unsigned(const ReleaseName& name) = 0;
  /// Ends what a killed `remove_unsigned` began; a document that waits stays.
  virtual void tidy_unsigned(const ReleaseName& name) = 0;

  /// Keeps other processes that change the store out, until this store goes: for changes that hang
  /// on what is there. Waits for them. errors: io
  virtual Status keep_others_out() = 0;

  /// Attaches a document. The same again changes nothing.
  ///
  /// subject  digest of what it is about; need not be in the store
  /// returns  where it is, for people
  /// errors   busy: `signature` by somebody whose signature is there; io, exhausted
  virtual Result<std::string> attach(const Digest& subject, AttachmentKind kind,
                                     const Attachment& document) = 0;
  /// All documents of a kind that are attached to a subject.
  /// errors   exhausted: more than 63 signatures or 1000 statements; io
  [[nodiscard]] virtual Result<Attached> attached(const Digest& subject,
                                                  AttachmentKind kind) const = 0;

  [[nodiscard]] virtual bool has_blob(const Digest& digest) const = 0;
  /// Returns whether it was new. Its bytes outlive a power cut then, its name after `sync_blobs`.
  virtual Result<bool> write_blob(const Digest& digest, Bytes bytes) = 0;
  /// Comes before whatever refers to a blob is written; `write_release` does it itself.
  [[nodiscard]] virtual Status sync_blobs() const = 0;
  /// Gives the blob to `sink` in pieces, hashing it again. The error comes after the last piece, so
  /// nothing may depend on them before this returned well.
  /// errors: not_found; integrity, naming the blob: digest or size differ from `blob`; the sink's
  /// own
  virtual Status read_blob(const manifests::Blob& blob,
                           const std::function<Status(Bytes)>& sink) const = 0;

  /// A document that is known by its digest alone, such as a release's lock.
  /// errors: not_found; exhausted: larger than `limit`; integrity
  [[nodiscard]] virtual Result<std::string> read_document(const Digest& digest,
                                                          ByteCount limit) const = 0;
};

/// All signatures over a stored release, the one beside it first; not yet checked. errors: as
/// Store::attached
[[nodiscard]] Result<Attached> all_signatures(const Store& store, const StoredRelease& release);

/// The document that waits for its first signature, else the stored release's. errors: not_found;
/// io
[[nodiscard]] Result<std::string> unsigned_or_stored(const Store& store, const ReleaseName& name);

}  // namespace weir::images
