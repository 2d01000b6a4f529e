#pragma once

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "keys/signing/edge/key_files.h"
#include "keys/trust/trust.h"

namespace weir::testing {

inline constexpr UtcTime kNow{1800000000};

/// Throw-away signing keys, by number.
class People {
 public:
  explicit People(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) pairs_.push_back(*keys::make_signing_key());
  }
  [[nodiscard]] const keys::SigningKeyPair& pair(std::size_t i) const { return pairs_[i]; }
  [[nodiscard]] std::string id(std::size_t i) const { return keys::print(pairs_[i].public_key.id); }
  [[nodiscard]] manifests::TrustKey key(std::size_t i) const {
    std::string line = print(pairs_[i].public_key);
    line = line.substr(line.find('\n') + 1);
    line.pop_back();
    return {"person-" + std::to_string(i), line};
  }
  [[nodiscard]] manifests::TrustRole role(const std::vector<std::size_t>& who,
                                          std::uint32_t threshold) const {
    manifests::TrustRole out{{}, threshold};
    for (const std::size_t i : who) out.keys.push_back(id(i));
    return out;
  }
  [[nodiscard]] std::string sign(std::size_t i, std::string_view text) const {
    return *keys::sign(pairs_[i].secret_key, as_bytes(text), "test");
  }
  [[nodiscard]] std::vector<std::string> sign_all(const std::vector<std::size_t>& who,
                                                  std::string_view text) const {
    std::vector<std::string> out;
    for (const std::size_t i : who) out.push_back(sign(i, text));
    return out;
  }

  /// A version whose root and release role are these people's.
  [[nodiscard]] manifests::Trust trust(std::uint64_t version, const std::vector<std::size_t>& who,
                                       std::uint32_t threshold) const {
    manifests::Trust out;
    out.version = version;
    out.expires = UtcTime{kNow.seconds + 1000};
    for (const std::size_t i : who) out.keys.push_back(key(i));
    out.roles[manifests::Role::root] = role(who, threshold);
    out.roles[manifests::Role::release] = role(who, threshold);
    out.channels.push_back({*manifests::ChannelName::parse("stable"), {}});
    return out;
  }

 private:
  std::vector<keys::SigningKeyPair> pairs_;
};

/// A release that says nothing of itself but its name; no blob of it is anywhere.
inline manifests::Release release_named(const std::string& name) {
  const auto digest = [](const char* of) { return Digest::of(as_bytes(of)); };
  return {
      .name = *ReleaseName::parse(name),
      .architecture = "amd64",
      .source_epoch = 1,
      .lock_digest = digest("lock"),
      .kernel = {"linux-image", "1-1", "1", std::string(40, 'a'), {digest("kernel"), ByteCount{8}}},
      .modules = {},
      .tools = {},
      .packages = {},
      .provides = {},
      .layers = {{"libc6", {digest("blob"), ByteCount{400}}, digest("cpio"), ByteCount{900}}},
      .command_line = "quiet",
      .sources = {},
      .builder_version = "1"};
}

inline std::string release_text(const std::string& name, std::uint64_t version,
                                const std::string& channel = "stable",
                                std::uint64_t replaces_from = 0,
                                UtcTime expires = UtcTime{kNow.seconds + 500}) {
  manifests::Release release = release_named(name);
  release.terms = manifests::ReleaseTerms{version, *manifests::ChannelName::parse(channel),
                                          replaces_from, expires};
  return print(release);
}

}  // namespace weir::testing
