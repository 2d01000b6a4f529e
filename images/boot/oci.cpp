#include "images/boot/oci.h"

#include <algorithm>

#include "images/boot/oci_media_types.h"
#include "manifests/base/json_reader.h"
#include "manifests/documents/architecture.h"

namespace weir::images {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::string_view kReleaseType = "application/vnd.weir.release.v1+json";
constexpr std::string_view kKernelType = "application/vnd.weir.kernel.v1";
constexpr std::string_view kLayerType = "application/vnd.weir.layer.v1.cpio+zstd";
constexpr std::string_view kSignatureType = "application/vnd.weir.signature.v1.minisign";
constexpr std::string_view kLockType = "application/vnd.weir.lock.v3+json";
constexpr std::string_view kImageManifestType = "application/vnd.weir.image-manifest.v1+yaml";
constexpr std::string_view kStubType = "application/vnd.weir.efi-stub.v1";
constexpr const char* kRefName = "org.opencontainers.image.ref.name";

ordered_json descriptor(std::string_view type, const manifests::Blob& blob) {
  return {{"mediaType", type}, {"digest", blob.digest.string()}, {"size", blob.size.value}};
}

ordered_json titled(std::string_view type, const manifests::Blob& blob, std::string_view title) {
  ordered_json out = descriptor(type, blob);
  out["annotations"] = {{oci::kTitle, title}};
  return out;
}

std::string_view stub_name(const manifests::Release& release) {
  const auto known = manifests::parse_architecture(release.architecture);
  return known ? known->efi_stub : "efi.stub";
}

std::string ref_of(const json& entry) {
  const auto annotations = entry.find("annotations");
  if (annotations == entry.end() || !annotations->is_object()) return {};
  const auto ref = annotations->find(kRefName);
  return ref != annotations->end() && ref->is_string() ? ref->get<std::string>() : std::string();
}

Result<json> entries_of(std::string_view index) {
  if (index.empty()) return json::array();
  TRY_ASSIGN(const json document, manifests::parse_json(index));
  if (!document.is_object() || document.value("schemaVersion", json()) != 2) {
    return fail(Errc::invalid_input, "not an OCI image index (schemaVersion 2)");
  }
  const auto entries = document.find("manifests");
  if (entries == document.end() || !entries->is_array() ||
      !std::all_of(entries->begin(), entries->end(), [](const json& e) { return e.is_object(); })) {
    return fail(Errc::invalid_input, "manifests: must be a list of objects");
  }
  return *entries;
}

}  // namespace

std::string print_oci_manifest(const manifests::Release& release, const manifests::Blob& document,
                               const manifests::Blob& signature,
                               const std::optional<ReleaseOrigin>& origin) {
  ordered_json layers = ordered_json::array();
  layers.push_back(titled(kKernelType, release.kernel.image, "kernel"));
  for (const manifests::ReleaseLayer& layer : release.layers) {
    layers.push_back(titled(kLayerType, layer.blob, layer.name));
  }
  if (origin) {
    layers.push_back(titled(kLockType, origin->lock, "lock.json"));
    layers.push_back(titled(kImageManifestType, origin->manifest, "image.yaml"));
    if (origin->stub) layers.push_back(titled(kStubType, *origin->stub, stub_name(release)));
  }
  layers.push_back(titled(kSignatureType, signature, "release.json.minisig"));
  const ordered_json out = {{"schemaVersion", 2},
                            {"mediaType", oci::kManifestType},
                            {"artifactType", kReleaseType},
                            {"config", descriptor(kReleaseType, document)},
                            {"layers", layers},
                            {"annotations", {{oci::kTitle, release.name.string()}}}};
  return out.dump(2) + "\n";
}

Result<std::string> put_in_index(std::string_view index, const ReleaseName& name,
                                 const manifests::Blob& manifest) {
  TRY_ASSIGN(json entries, entries_of(index));
  std::erase_if(entries.get_ref<json::array_t&>(),
                [&](const json& entry) { return ref_of(entry) == name.string(); });
  ordered_json entry = descriptor(oci::kManifestType, manifest);
  entry["annotations"] = {{kRefName, name.string()}};
  entries.push_back(json(entry));
  std::stable_sort(entries.begin(), entries.end(),
                   [](const json& a, const json& b) { return ref_of(a) < ref_of(b); });
  const ordered_json out = {
      {"schemaVersion", 2}, {"mediaType", oci::kIndexType}, {"manifests", entries}};
  return out.dump(2) + "\n";
}

}  // namespace weir::images
