#include "images/store/edge/statements.h"

#include <filesystem>
#include <set>

#include "manifests/base/edge/file.h"

namespace weir::images {
namespace {

constexpr ByteCount kLimit{64 << 10};
constexpr std::size_t kMost = 1000;
constexpr std::string_view kJson = ".json", kSignature = ".json.minisig";

std::string folder_of(const Store& store, const Digest& release) {
  return store.path() + "/statements/" + release.hex();
}

}  // namespace

Result<std::string> write_statement(const Store& store, const Digest& release,
                                    std::string_view kind, std::string_view by,
                                    const manifests::SignedText& statement) {
  const std::string folder = folder_of(store, release);
  TRY(make_folders(folder));
  const std::string digest = Digest::of(as_bytes(statement.json)).hex().substr(0, 16);
  const std::string path = folder + "/" + std::string(kind) + "-" + digest + "-" + std::string(by);
  // The signature first: a statement counts from the moment its document is there.
  TRY(write_file(path + std::string(kSignature), statement.signature));
  TRY(write_file(path + std::string(kJson), statement.json));
  return path + std::string(kJson);
}

Result<std::vector<manifests::SignedText>> read_statements(const Store& store,
                                                           const Digest& release,
                                                           std::string_view kind) {
  const std::string folder = folder_of(store, release);
  std::set<std::string> names;
  std::error_code error;
  std::filesystem::directory_iterator at(folder, error);
  for (; !error && at != std::filesystem::directory_iterator(); at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (!name.starts_with(std::string(kind) + "-") || !name.ends_with(kJson)) continue;
    if (names.size() == kMost) {
      return fail(Errc::exhausted, folder + ": more than " + std::to_string(kMost) + " statements");
    }
    names.insert(name);
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return fail_errno(Errc::io, error.value(), folder);
  }
  std::vector<manifests::SignedText> out;
  for (const std::string& name : names) {
    TRY_ASSIGN(std::string json, read_file(folder + "/" + name, kLimit));
    auto signature = read_file(folder + "/" + name + ".minisig", kLimit);
    if (!signature && signature.error().code == Errc::not_found) continue;
    TRY(signature);
    out.push_back({std::move(json), std::move(*signature)});
  }
  return out;
}

}  // namespace weir::images
