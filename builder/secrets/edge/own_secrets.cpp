#include "builder/secrets/edge/own_secrets.h"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "keys/identity/edge/identity_files.h"
#include "keys/signing/edge/key_files.h"

namespace weir::builder {
namespace {

namespace fs = std::filesystem;
using keys::Secret;

constexpr std::size_t kFiles = 1000;
constexpr std::size_t kRawKey = 32, kWireGuardKey = 44, kSeed = 32;

tl::unexpected<Error> refuse(const std::string& path, const std::string& why) {
  return fail(Errc::invalid_input, path + ": " + why);
}

Result<std::vector<std::string>> files_below(const std::string& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return std::vector<std::string>{path};
  std::vector<std::string> out;
  auto at = fs::recursive_directory_iterator(path, error);
  for (const auto end = fs::recursive_directory_iterator(); !error && at != end;
       at.increment(error)) {
    const auto extension = at->path().extension();
    if (!at->is_regular_file(error) || extension == ".pub" || extension == ".minisig") continue;
    out.push_back(at->path().string());
    if (out.size() > kFiles) return refuse(path, "more than 1000 files");
  }
  if (error) return fail(Errc::io, path + ": " + error.message());
  std::sort(out.begin(), out.end());
  return out;
}

std::string_view without_line_end(std::string_view text) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

/// The one in a file that is no identity.
Result<Secret> secret_in(Secret content, const std::string& path) {
  if (content.size() == kRawKey) return content;
  if (without_line_end(content.text()).size() == kWireGuardKey) {
    return keys::read_wireguard_key(path);
  }
  if (content.text().starts_with("untrusted comment:")) {
    TRY_ASSIGN(const keys::SigningSecretKey key, keys::read_secret_key(path));
    return Secret::copy_of(key.key.bytes().first(kSeed));
  }
  return refuse(path,
                "is no sealed identity, WireGuard key, minisign secret key or key file, so it "
                "cannot be looked for in the image");
}

Status read_secrets(const std::string& path, const std::optional<std::string>& key_file,
                    std::vector<Secret>& out) {
  TRY_ASSIGN(Secret content, keys::read_guarded(path));
  // A key file is any 32 bytes, also such as begin like a sealed identity.
  if (content.size() == kRawKey || !content.text().starts_with('{')) {
    TRY_ASSIGN(Secret secret, secret_in(std::move(content), path));
    out.push_back(std::move(secret));
    return {};
  }
  TRY_ASSIGN(const auto identity, keys::read_identity(path, key_file));
  for (const keys::WireGuardKeyPair& epoch : identity.oldest_first()) {
    TRY_ASSIGN(Secret secret, Secret::copy_of(epoch.private_key().bytes()));
    out.push_back(std::move(secret));
  }
  return {};
}

}  // namespace

Result<std::vector<Secret>> read_own_secrets(const std::vector<std::string>& paths,
                                             const std::optional<std::string>& key_file) {
  std::vector<Secret> out;
  for (const std::string& path : paths) {
    TRY_ASSIGN(const auto files, files_below(path));
    for (const std::string& file : files) TRY(read_secrets(file, key_file, out));
    if (files.empty()) return refuse(path, "holds no keys");
  }
  // Who has it and a sealed identity has the identity's key.
  if (key_file) {
    TRY_ASSIGN(Secret secret, keys::read_key_file(*key_file));
    out.push_back(std::move(secret));
  }
  return out;
}

}  // namespace weir::builder
