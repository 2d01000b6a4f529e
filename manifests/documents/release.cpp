#include "manifests/documents/release.h"

#include <algorithm>

#include "manifests/base/json_reader.h"
#include "manifests/base/size_limits.h"
#include "manifests/documents/release_fields.h"

namespace weir::manifests {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::string_view kReleaseType = "weir.release/1";

ordered_json to_json(const ReleasePackage& package) {
  return {
      {"name", package.name}, {"version", package.version}, {"architecture", package.architecture}};
}

ordered_json to_json(const ReleaseLayer& layer) {
  return {{"name", layer.name},
          {"blob", to_json(layer.blob)},
          {"content_digest", layer.content_digest.string()},
          {"content_size", layer.content_size.value}};
}

ordered_json to_json(const ReleaseSource& source) {
  return {{"suite", source.suite},
          {"inrelease_digest", source.inrelease_digest.string()},
          {"date", source.date}};
}

void put(const std::optional<ReleaseTerms>& terms, ordered_json& out) {
  if (!terms) return;
  out["version"] = terms->version;
  out["channel"] = terms->channel.string();
  out["replaces_from"] = terms->replaces_from;
  out["expires"] = terms->expires.string();
}

ordered_json to_json(const ReleaseScan& scan) {
  ordered_json out = {{"rules", scan.rules}, {"files", scan.files}, {"bytes", scan.bytes}};
  if (scan.own_keys) {
    out["own_keys"] = {{"count", scan.own_keys->count},
                       {"identity", scan.own_keys->identity.string()}};
  }
  if (scan.accepted.empty()) return out;
  ordered_json accepted = ordered_json::array();
  for (const AcceptedFile& file : scan.accepted) {
    accepted.push_back({{"path", file.path}, {"digest", file.digest.string()}});
  }
  out["accepted"] = std::move(accepted);
  return out;
}

template <class T>
ordered_json list(const std::vector<T>& items) {
  ordered_json out = ordered_json::array();
  for (const T& item : items) out.push_back(to_json(item));
  return out;
}

Result<ReleasePackage> package(JsonFields& fields) {
  TRY_ASSIGN(std::string name, filled(fields, "name"));
  TRY_ASSIGN(std::string version, filled(fields, "version"));
  TRY_ASSIGN(std::string architecture, filled(fields, "architecture"));
  return ReleasePackage{std::move(name), std::move(version), std::move(architecture)};
}

Result<ReleaseLayer> layer(JsonFields& fields) {
  TRY_ASSIGN(std::string name, filled(fields, "name"));
  TRY_ASSIGN(const Blob stored, read_blob(fields, "blob"));
  TRY_ASSIGN(const Digest content, fields.digest("content_digest"));
  TRY_ASSIGN(const std::uint64_t size, fields.natural("content_size"));
  if (stored.size.value % 4 != 0) return fields.refuse("blob.size", "must be a multiple of 4");
  if (ByteCount{size} > kLargestBlob) {
    return fields.refuse("content_size", "must be less than 2 GiB, or no node could boot it");
  }
  return ReleaseLayer{std::move(name), stored, content, ByteCount{size}};
}

Result<ReleaseSource> source(JsonFields& fields) {
  TRY_ASSIGN(std::string suite, filled(fields, "suite"));
  TRY_ASSIGN(const Digest inrelease, fields.digest("inrelease_digest"));
  TRY_ASSIGN(std::string date, fields.line("date"));
  return ReleaseSource{std::move(suite), inrelease, std::move(date)};
}

// All four fields or none.
Result<std::optional<ReleaseTerms>> terms(JsonFields& fields) {
  constexpr std::uint64_t kLargest = (1ULL << 53) - 1;
  const auto any = {"version", "channel", "replaces_from", "expires"};
  if (std::none_of(any.begin(), any.end(), [&](const char* key) { return fields.has(key); })) {
    return std::optional<ReleaseTerms>();
  }
  TRY_ASSIGN(const std::uint64_t version, fields.natural("version"));
  TRY_ASSIGN(const std::string channel_text, fields.line("channel"));
  TRY_ASSIGN_IN(ChannelName channel, ChannelName::parse(channel_text), "channel");
  TRY_ASSIGN(const std::uint64_t from, fields.natural("replaces_from"));
  TRY_ASSIGN(const std::string expires_text, fields.line("expires"));
  TRY_ASSIGN_IN(const UtcTime expires, UtcTime::parse(expires_text), "expires");
  if (version > kLargest) return fields.refuse("version", "must be at most 2^53 - 1");
  if (from > version) return fields.refuse("replaces_from", "must not be above `version`");
  return std::optional(ReleaseTerms{version, std::move(channel), from, expires});
}

Result<AcceptedFile> accepted_file(JsonFields& fields) {
  TRY_ASSIGN(std::string path, fields.line("path"));
  if (path.size() < 2 || path.front() != '/') return fields.refuse("path", "must be absolute");
  TRY_ASSIGN(const Digest digest, fields.digest("digest"));
  return AcceptedFile{std::move(path), digest};
}

Result<std::vector<AcceptedFile>> accepted_files(JsonFields& fields) {
  if (!fields.has("accepted")) return std::vector<AcceptedFile>();
  TRY_ASSIGN(auto out, objects<AcceptedFile>(fields, "accepted", accepted_file));
  for (std::size_t i = 1; i < out.size(); ++i) {
    if (out[i - 1].path < out[i].path) continue;
    return fields.refuse(element_path("accepted", i), "is out of order or there twice");
  }
  if (out.empty()) return fields.refuse("accepted", "must not be empty");
  return out;
}

Result<std::optional<OwnKeys>> read_own_keys(JsonFields& parent) {
  if (!parent.has("own_keys")) return std::nullopt;
  TRY_ASSIGN(JsonFields fields, parent.object("own_keys"));
  TRY_ASSIGN(const std::uint64_t count, fields.natural("count"));
  if (count == 0) return fields.refuse("count", "must be positive");
  TRY_ASSIGN(const Digest identity, fields.digest("identity"));
  TRY(fields.finish());
  return OwnKeys{count, identity};
}

Result<ReleaseScan> read_scan(JsonFields& parent) {
  TRY_ASSIGN(JsonFields fields, parent.object("scan"));
  ReleaseScan out;
  TRY_ASSIGN(out.rules, fields.natural("rules"));
  TRY_ASSIGN(out.files, fields.natural("files"));
  TRY_ASSIGN(out.bytes, fields.natural("bytes"));
  TRY_ASSIGN(out.own_keys, read_own_keys(fields));
  TRY_ASSIGN(out.accepted, accepted_files(fields));
  TRY(fields.finish());
  return out;
}

// "by name" in the contract: sorted, and none twice.
template <class T>
Status check_sorted(std::string_view key, const std::vector<T>& items) {
  for (std::size_t i = 1; i < items.size(); ++i) {
    if (items[i - 1].name < items[i].name) continue;
    return fail(Errc::invalid_input, element_path(key, i) + ".name: '" + items[i].name +
                                         "' is out of order or there twice");
  }
  return {};
}

Status check_layers(const std::vector<ReleaseLayer>& layers) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (!names.insert(layers[i].name).second) {
      return fail(Errc::invalid_input,
                  element_path("layers", i) + ".name: '" + layers[i].name + "' appears twice");
    }
  }
  if (layers.empty()) return fail(Errc::invalid_input, "layers: must not be empty");
  return {};
}

Status check(const Release& release) {
  TRY(check_sorted("modules", release.modules));
  TRY(check_sorted("tools", release.tools));
  TRY(check_sorted("packages", release.packages));
  TRY(check_layers(release.layers));
  if (release.command_line.find_first_of(std::string_view("\n\0", 2)) != std::string::npos) {
    return fail(Errc::invalid_input, "command_line: must be one line");
  }
  return {};
}

Result<Release> read_release(JsonFields& fields) {
  TRY_ASSIGN(const std::string type, fields.line("type"));
  if (type != kReleaseType) {
    return fields.refuse("type", "'" + type + "' is not '" + std::string(kReleaseType) + "'");
  }
  TRY_ASSIGN(const std::string name_text, fields.line("name"));
  TRY_ASSIGN_IN(ReleaseName name, ReleaseName::parse(name_text), "name");
  TRY_ASSIGN(auto release_terms, terms(fields));
  TRY_ASSIGN(std::string architecture, filled(fields, "architecture"));
  TRY_ASSIGN(const std::int64_t epoch, fields.integer("source_epoch"));
  TRY_ASSIGN(const Digest lock_digest, fields.digest("lock_digest"));
  TRY_ASSIGN(JsonFields of_kernel, fields.object("kernel"));
  TRY_ASSIGN(ReleaseKernel release_kernel, read_release_kernel(of_kernel));
  TRY(of_kernel.finish());
  TRY_ASSIGN(auto modules, objects<ReleaseModule>(fields, "modules", read_release_module));
  TRY_ASSIGN(auto tools, objects<ReleasePackage>(fields, "tools", package));
  TRY_ASSIGN(auto packages, objects<ReleasePackage>(fields, "packages", package));
  TRY_ASSIGN(auto provides, strings(fields, "provides"));
  TRY_ASSIGN(auto layers, objects<ReleaseLayer>(fields, "layers", layer));
  TRY_ASSIGN(std::string command_line, fields.string("command_line"));
  TRY_ASSIGN(auto sources, objects<ReleaseSource>(fields, "sources", source));
  TRY_ASSIGN(std::string builder_version, filled(fields, "builder_version"));
  TRY_ASSIGN(const ReleaseScan scan, read_scan(fields));
  TRY(fields.finish());
  Release release{std::move(name),
                  std::move(architecture),
                  epoch,
                  lock_digest,
                  std::move(release_kernel),
                  std::move(modules),
                  std::move(tools),
                  std::move(packages),
                  std::move(provides),
                  std::move(layers),
                  std::move(command_line),
                  std::move(sources),
                  std::move(builder_version),
                  std::move(release_terms),
                  scan};
  TRY(check(release));
  return release;
}

}  // namespace

Result<Release> parse_release(std::string_view text) {
  TRY_ASSIGN_IN(const json document, parse_json(text), "release");
  TRY_ASSIGN_IN(JsonFields fields, JsonFields::open(document, ""), "release");
  auto release = read_release(fields);
  if (!release && release.error().message.ends_with(": missing")) {
    release.error().message +=
        ": an older build of Weir made this release, or somebody cut it: build it again";
  }
  TRY_IN(release, "release");
  return release;
}

std::string print(const Release& release) {
  ordered_json document = {{"type", kReleaseType}, {"name", release.name.string()}};
  put(release.terms, document);
  document["architecture"] = release.architecture;
  document["source_epoch"] = release.source_epoch;
  document["lock_digest"] = release.lock_digest.string();
  document["kernel"] = to_json(release.kernel);
  document["modules"] = list(release.modules);
  document["tools"] = list(release.tools);
  document["packages"] = list(release.packages);
  document["provides"] = release.provides;
  document["layers"] = list(release.layers);
  document["command_line"] = release.command_line;
  document["sources"] = list(release.sources);
  document["builder_version"] = release.builder_version;
  document["scan"] = to_json(release.scan);
  return document.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace weir::manifests
