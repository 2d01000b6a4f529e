#include "images/store/folder/edge/attachments.h"

#include <sys/stat.h>

#include <filesystem>
#include <set>
#include <utility>

#include "manifests/base/edge/file.h"
#include "manifests/documents/dsse.h"

namespace weir::images {
namespace {

constexpr ByteCount kLimit{64 << 10};
// With the one beside the release a release has 64 signatures.
constexpr std::size_t kMostSignatures = 63, kMostStatements = 1000;
constexpr std::string_view kJson = ".json", kMinisig = ".minisig";
constexpr const char* kProvenance = "/provenance.intoto.jsonl";

std::string folder_of(const std::string& store, const Digest& subject, AttachmentKind kind) {
  const char* place = kind == AttachmentKind::signature    ? "/signatures/"
                      : kind == AttachmentKind::provenance ? "/attestations/"
                                                           : "/statements/";
  return store + place + subject.hex();
}

std::string word_of(AttachmentKind kind) {
  return kind == AttachmentKind::rebuilt ? "rebuilt-" : "booted-";
}

bool is_there(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0;
}

/// Names of files that begin and end so, sorted. errors: exhausted: more than `most`; io
Result<std::set<std::string>> names_in(const std::string& folder, const std::string& begin,
                                       std::string_view end, std::size_t most) {
  std::set<std::string> out;
  std::error_code error;
  std::filesystem::directory_iterator at(folder, error);
  for (; !error && at != std::filesystem::directory_iterator(); at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (!name.starts_with(begin) || !name.ends_with(end)) continue;
    if (out.size() == most) {
      return fail(Errc::exhausted, folder + ": more than " + std::to_string(most) + " documents");
    }
    out.insert(name);
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return fail_errno(Errc::io, error.value(), folder);
  }
  return out;
}

Result<Attached> read_signatures(const std::string& folder) {
  TRY_ASSIGN(const auto names, names_in(folder, "", kMinisig, kMostSignatures));
  Attached out;
  for (const std::string& name : names) {
    auto text = read_file(folder + "/" + name, kLimit);
    if (text) {
      out.found.push_back({std::move(*text), {}, name.substr(0, name.size() - kMinisig.size())});
    } else {
      out.unreadable.push_back(std::move(text).error().message);
    }
  }
  return out;
}

Result<Attached> read_statements(const std::string& folder, const std::string& word) {
  TRY_ASSIGN(const auto names, names_in(folder, word, kJson, kMostStatements));
  Attached out;
  for (const std::string& name : names) {
    auto signature = read_file(folder + "/" + name + std::string(kMinisig), kLimit);
    // Its writer was stopped before the document counted, or still writes.
    if (!signature && signature.error().code == Errc::not_found) continue;
    auto json = read_file(folder + "/" + name, kLimit);
    if (!json || !signature) {
      out.unreadable.push_back((json ? signature.error() : json.error()).message);
      continue;
    }
    const std::string stem = name.substr(0, name.size() - kJson.size());
    out.found.push_back(
        {std::move(*json), std::move(*signature), stem.substr(stem.rfind('-') + 1)});
  }
  return out;
}

Result<Attached> read_provenance(const std::string& folder) {
  Attached out;
  auto text = read_file(folder + kProvenance, manifests::kLargestEnvelope);
  if (text) {
    out.found.push_back({std::move(*text)});
  } else if (text.error().code != Errc::not_found) {
    return tl::unexpected(std::move(text).error());
  }
  return out;
}

}  // namespace

Result<std::string> write_attachment(const std::string& store, const Digest& subject,
                                     AttachmentKind kind, const Attachment& document) {
  const std::string folder = folder_of(store, subject, kind);
  TRY(make_folders(folder));
  if (kind == AttachmentKind::signature) {
    const std::string path = folder + "/" + document.by + std::string(kMinisig);
    if (is_there(path)) {
      return fail(Errc::busy, "key " + document.by + " has signed this release already");
    }
    TRY(write_file(path, document.bytes));
    return path;
  }
  if (kind == AttachmentKind::provenance) {
    const std::string path = folder + kProvenance;
    const auto there = read_file(path, manifests::kLargestEnvelope);
    if (!there || *there != document.bytes) TRY(write_file(path, document.bytes));
    return path;
  }
  const std::string digest = Digest::of(as_bytes(document.bytes)).hex().substr(0, 16);
  const std::string path =
      folder + "/" + word_of(kind) + digest + "-" + document.by + std::string(kJson);
  // The signature first: a statement counts from the moment its document is there.
  TRY(write_file(path + std::string(kMinisig), document.signature));
  TRY(write_file(path, document.bytes));
  return path;
}

Result<Attached> read_attachments(const std::string& store, const Digest& subject,
                                  AttachmentKind kind) {
  const std::string folder = folder_of(store, subject, kind);
  if (kind == AttachmentKind::signature) return read_signatures(folder);
  if (kind == AttachmentKind::provenance) return read_provenance(folder);
  return read_statements(folder, word_of(kind));
}

}  // namespace weir::images
