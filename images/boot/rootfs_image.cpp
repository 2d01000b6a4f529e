#include "images/boot/rootfs_image.h"

#include <array>
#include <chrono>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "images/boot/oci_media_types.h"
#include "images/formats/archive.h"
#include "manifests/documents/architecture.h"
#include "manifests/messages/node_api.h"

namespace weir::images {
namespace {

using nlohmann::ordered_json;

constexpr const char* kConfigType = "application/vnd.oci.image.config.v1+json";
constexpr const char* kTarLayerType = "application/vnd.oci.image.layer.v1.tar+gzip";
constexpr const char* kEmptyType = "application/vnd.oci.empty.v1+json";
// The gzip header states no time.
constexpr const char* kGzip = "gzip:compression-level=6,gzip:!timestamp";

// RFC 3339, in UTC.
std::string print_time(std::int64_t seconds) {
  const std::chrono::sys_seconds point{std::chrono::seconds(seconds)};
  const auto day = std::chrono::floor<std::chrono::days>(point);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(point - day);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02dZ",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text.data();
}

// OCI's names for processors are Go's, and so are Debian's where they agree.
std::string processor(const std::string& debian) {
  if (debian == "armhf") return "arm";
  if (debian == "i386") return "386";
  return debian;
}

ordered_json descriptor(const char* type, const manifests::Blob& blob) {
  return {{"mediaType", type}, {"digest", blob.digest.string()}, {"size", blob.size.value}};
}

manifests::Blob blob_of(std::string_view text) {
  return {Digest::of(as_bytes(text)), ByteCount{text.size()}};
}

// An artifact without a config of its own (manifest.md, guidelines for artifact usage).
std::string print_referrer(const RootfsDocument& document, const ordered_json& subject,
                           const std::string& time) {
  ordered_json layer = descriptor(document.media_type.c_str(), document.blob);
  layer["annotations"] = {{oci::kTitle, document.file}};
  const ordered_json out = {{"schemaVersion", 2},
                            {"mediaType", oci::kManifestType},
                            {"artifactType", document.artifact_type},
                            {"config", descriptor(kEmptyType, blob_of(kEmptyOciConfig))},
                            {"layers", ordered_json::array({std::move(layer)})},
                            {"subject", subject},
                            {"annotations", {{"org.opencontainers.image.created", time}}}};
  return out.dump(2) + "\n";
}

}  // namespace

std::vector<std::size_t> group_rootfs_layers(const std::vector<ByteCount>& sizes,
                                             std::size_t most) {
  std::vector<std::size_t> out(sizes.size(), 1);
  std::vector<std::uint64_t> bytes;
  bytes.reserve(sizes.size());
  for (const ByteCount size : sizes) bytes.push_back(size.value);
  while (out.size() > most) {
    std::size_t smallest = 0;
    for (std::size_t i = 1; i + 1 < bytes.size(); ++i) {
      if (bytes[i] + bytes[i + 1] < bytes[smallest] + bytes[smallest + 1]) smallest = i;
    }
    const auto at = static_cast<std::ptrdiff_t>(smallest);
    out[smallest] += out[smallest + 1];
    bytes[smallest] += bytes[smallest + 1];
    out.erase(out.begin() + at + 1);
    bytes.erase(bytes.begin() + at + 1);
  }
  return out;
}

RootfsImage print_rootfs_image(const manifests::Release& release, const Digest& release_digest,
                               const std::vector<RootfsLayer>& layers,
                               const std::vector<RootfsDocument>& documents) {
  const std::string time = print_time(release.source_epoch);
  ordered_json diff_ids = ordered_json::array(), history = ordered_json::array(),
               blobs = ordered_json::array();
  for (const RootfsLayer& layer : layers) {
    diff_ids.push_back(layer.content_digest.string());
    history.push_back({{"created", time}, {"created_by", "weir-builder: layer " + layer.name}});
    ordered_json blob = descriptor(kTarLayerType, layer.blob);
    blob["annotations"] = {{oci::kTitle, layer.name}};
    blobs.push_back(std::move(blob));
  }
  const ordered_json labels = {{"org.opencontainers.image.version", release.name.string()},
                               {"weir.release-digest", release_digest.string()},
                               {"weir.lock-digest", release.lock_digest.string()},
                               {"weir.kernel", release.kernel.release}};
  ordered_json config = {{"created", time}, {"architecture", processor(release.architecture)}};
  const auto known = manifests::parse_architecture(release.architecture);
  if (known && !known->oci_variant.empty()) config["variant"] = known->oci_variant;
  config["os"] = "linux";
  config["config"] = {{"Env", ordered_json::array({"PATH=/usr/sbin:/usr/bin:/sbin:/bin"})},
                      {"Entrypoint", ordered_json::array({manifests::kInitPath})},
                      {"Labels", labels}};
  config["rootfs"] = {{"type", "layers"}, {"diff_ids", diff_ids}};
  config["history"] = history;
  RootfsImage out;
  out.config = config.dump(2) + "\n";
  const ordered_json manifest = {{"schemaVersion", 2},
                                 {"mediaType", oci::kManifestType},
                                 {"config", descriptor(kConfigType, blob_of(out.config))},
                                 {"layers", blobs},
                                 {"annotations", labels}};
  out.manifest = manifest.dump(2) + "\n";
  const ordered_json subject = descriptor(oci::kManifestType, blob_of(out.manifest));
  ordered_json entry = subject;
  entry["annotations"] = {{"org.opencontainers.image.ref.name", release.name.string()}};
  ordered_json entries = ordered_json::array({std::move(entry)});
  for (const RootfsDocument& document : documents) {
    out.referrers.push_back(print_referrer(document, subject, time));
    ordered_json referrer = descriptor(oci::kManifestType, blob_of(out.referrers.back()));
    referrer["artifactType"] = document.artifact_type;
    entries.push_back(std::move(referrer));
  }
  const ordered_json index = {
      {"schemaVersion", 2}, {"mediaType", oci::kIndexType}, {"manifests", std::move(entries)}};
  out.index = index.dump(2) + "\n";
  return out;
}

Result<std::vector<std::uint8_t>> compress_rootfs_layer(Bytes tar) {
  const std::unique_ptr<struct archive, int (*)(struct archive*)> writer(archive_write_new(),
                                                                         &archive_write_free);
  const std::unique_ptr<struct archive_entry, void (*)(struct archive_entry*)> entry(
      archive_entry_new(), &archive_entry_free);
  if (!writer || !entry) return no_memory();
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_pathname(entry.get(), "layer");
  std::vector<std::uint8_t> out;
  const auto grow = [](struct archive*, void* bytes, const void* piece,
                       std::size_t size) -> la_ssize_t {
    const auto* first = static_cast<const std::uint8_t*>(piece);
    auto& all = *static_cast<std::vector<std::uint8_t>*>(bytes);
    all.insert(all.end(), first, first + size);
    return static_cast<la_ssize_t>(size);
  };
  const bool written =
      archive_write_set_format_raw(writer.get()) == ARCHIVE_OK &&
      archive_write_add_filter_gzip(writer.get()) == ARCHIVE_OK &&
      archive_write_set_options(writer.get(), kGzip) == ARCHIVE_OK &&
      archive_write_set_bytes_in_last_block(writer.get(), 1) == ARCHIVE_OK &&
      archive_write_open(writer.get(), &out, nullptr, grow, nullptr) == ARCHIVE_OK &&
      archive_write_header(writer.get(), entry.get()) == ARCHIVE_OK &&
      archive_write_data(writer.get(), tar.data(), tar.size()) ==
          static_cast<la_ssize_t>(tar.size()) &&
      archive_write_close(writer.get()) == ARCHIVE_OK;
  if (!written) return archive_failed(writer.get(), "gzip");
  return out;
}

}  // namespace weir::images
