#pragma once

#include <map>
#include <string>
#include <utility>

#include "images/store/store.h"

namespace weir::test {

/// A store that holds its state in memory, with the contract of any other.
class MemoryStore : public images::Store {
 public:
  [[nodiscard]] const std::string& path() const override { return path_; }
  [[nodiscard]] Result<std::vector<ReleaseName>> list() const override {
    std::vector<ReleaseName> out;
    for (const auto& [name, _] : releases_) out.push_back(name);
    return out;
  }
  [[nodiscard]] Result<images::StoredRelease> read_release(const ReleaseName& name) const override {
    const auto found = releases_.find(name);
    if (found == releases_.end()) {
      return fail(Errc::not_found, "no release '" + name.string() + "' in the store " + path_);
    }
    return images::StoredRelease{name, found->second.first, found->second.second};
  }
  Status write_release(const ReleaseName& name, std::string_view json,
                       std::string_view signature) override {
    TRY_ASSIGN(const auto release, manifests::parse_release(json));
    if (release.name != name) return fail(Errc::invalid_input, "another release's document");
    std::vector<manifests::Blob> blobs{release.kernel.image};
    for (const auto& layer : release.layers) blobs.push_back(layer.blob);
    for (const auto& blob : blobs) {
      if (!has_blob(blob.digest)) return fail(Errc::not_found, "a blob is not in the store");
    }
    releases_.insert_or_assign(name, std::pair(std::string(json), std::string(signature)));
    return {};
  }
  Status write_unsigned(const ReleaseName& name, std::string_view json) override {
    waiting_.insert_or_assign(name, std::string(json));
    return {};
  }
  [[nodiscard]] Result<std::string> read_unsigned(const ReleaseName& name) const override {
    const auto found = waiting_.find(name);
    if (found == waiting_.end()) return fail(Errc::not_found, name.string() + " does not wait");
    return found->second;
  }
  [[nodiscard]] Result<std::vector<ReleaseName>> list_unsigned() const override {
    std::vector<ReleaseName> out;
    for (const auto& [name, _] : waiting_) out.push_back(name);
    return out;
  }
  void remove_unsigned(const ReleaseName& name) override { waiting_.erase(name); }
  void tidy_unsigned(const ReleaseName&) override {}

  Status keep_others_out() override { return {}; }
  Result<std::string> attach(const Digest& subject, images::AttachmentKind kind,
                             const images::Attachment& document) override {
    auto& there = attached_[{subject, kind}];
    // What makes a document another one.
    std::string key = document.by;
    if (kind != images::AttachmentKind::signature && kind != images::AttachmentKind::provenance) {
      key = Digest::of(as_bytes(document.bytes)).hex() + document.by;
    }
    if (kind == images::AttachmentKind::signature && there.contains(key)) {
      return fail(Errc::busy, "key " + document.by + " has signed this release already");
    }
    there.insert_or_assign(key, document);
    return "memory:" + key;
  }
  [[nodiscard]] Result<images::Attached> attached(const Digest& subject,
                                                  images::AttachmentKind kind) const override {
    images::Attached out;
    const auto found = attached_.find({subject, kind});
    if (found == attached_.end()) return out;
    for (const auto& [_, document] : found->second) out.found.push_back(document);
    return out;
  }

  [[nodiscard]] bool has_blob(const Digest& digest) const override {
    return blobs_.contains(digest);
  }
  Result<bool> write_blob(const Digest& digest, Bytes bytes) override {
    if (Digest::of(bytes) != digest) return fail(Errc::bug, "other bytes");
    return blobs_.try_emplace(digest, bytes.begin(), bytes.end()).second;
  }
  [[nodiscard]] Status sync_blobs() const override { return {}; }
  Status read_blob(const manifests::Blob& blob,
                   const std::function<Status(Bytes)>& sink) const override {
    const auto found = blobs_.find(blob.digest);
    if (found == blobs_.end()) return fail(Errc::not_found, blob.digest.string());
    TRY(sink(as_bytes(found->second)));
    if (found->second.size() == blob.size.value) return {};
    return fail(Errc::integrity, blob.digest.string() + " has another size");
  }
  [[nodiscard]] Result<std::string> read_document(const Digest& digest,
                                                  ByteCount limit) const override {
    const auto found = blobs_.find(digest);
    if (found == blobs_.end()) return fail(Errc::not_found, digest.string());
    if (found->second.size() > limit.value) return fail(Errc::exhausted, digest.string());
    return found->second;
  }

 private:
  std::string path_ = "memory";
  std::map<ReleaseName, std::pair<std::string, std::string>> releases_;
  std::map<ReleaseName, std::string> waiting_;
  std::map<std::pair<Digest, images::AttachmentKind>, std::map<std::string, images::Attachment>>
      attached_;
  std::map<Digest, std::string> blobs_;
};

}  // namespace weir::test
