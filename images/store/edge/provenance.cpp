#include "images/store/edge/provenance.h"

#include "manifests/base/edge/file.h"
#include "manifests/documents/dsse.h"

namespace weir::images {
namespace {

std::string folder_of(const Store& store, const Digest& release) {
  return store.path() + "/attestations/" + release.hex();
}

constexpr const char* kFile = "/provenance.intoto.jsonl";

}  // namespace

Result<bool> write_provenance(const Store& store, const Digest& release,
                              std::string_view envelope) {
  TRY_ASSIGN(const auto there, read_provenance(store, release));
  if (there && *there == envelope) return false;
  TRY(make_folders(folder_of(store, release)));
  TRY(write_file(folder_of(store, release) + kFile, envelope));
  return true;
}

Result<std::optional<std::string>> read_provenance(const Store& store, const Digest& release) {
  auto text = read_file(folder_of(store, release) + kFile, manifests::kLargestEnvelope);
  if (!text && text.error().code == Errc::not_found) return std::optional<std::string>();
  TRY(text);
  return std::optional(std::move(*text));
}

}  // namespace weir::images
