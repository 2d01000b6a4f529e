#include "manifests/documents/release_fields.h"

#include <utility>

namespace weir::manifests {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

Result<std::string> build_id(JsonFields& fields, std::string_view key) {
  TRY_ASSIGN(std::string text, fields.line(key));
  if (text.size() != 40 || !parse_hex(text)) {
    return fields.refuse(key, "must be 40 lower-case hex digits");
  }
  return text;
}

}  // namespace

ordered_json to_json(const Blob& blob) {
  return {{"digest", blob.digest.string()}, {"size", blob.size.value}};
}

ordered_json to_json(const ReleaseKernel& kernel) {
  return {{"package", kernel.package},
          {"version", kernel.version},
          {"release", kernel.release},
          {"build_id", kernel.build_id},
          {"image", to_json(kernel.image)}};
}

ordered_json to_json(const ReleaseModule& module) {
  ordered_json out = {{"name", module.name},
                      {"package", module.package},
                      {"version", module.version},
                      {"srcversion", module.srcversion},
                      {"vermagic", module.vermagic},
                      {"build_id", module.build_id},
                      {"digest", module.digest.string()},
                      {"signature_key", module.signature_key},
                      {"pinned", module.pinned}};
  if (module.origin) {
    out["origin"] = {{"version", module.origin->version},
                     {"package_digest", module.origin->package_digest.string()},
                     {"dkms_conf", module.origin->dkms_conf.string()},
                     {"compiled", module.origin->compiled.string()}};
  }
  return out;
}

Result<std::string> filled(JsonFields& fields, std::string_view key) {
  TRY_ASSIGN(std::string text, fields.line(key));
  if (text.empty()) return fields.refuse(key, "must not be empty");
  return text;
}

Result<Blob> read_blob(JsonFields& parent, std::string_view key) {
  TRY_ASSIGN(JsonFields fields, parent.object(key));
  TRY_ASSIGN(const Digest digest, fields.digest("digest"));
  TRY_ASSIGN(const std::uint64_t size, fields.natural("size"));
  TRY(fields.finish());
  return Blob{digest, ByteCount{size}};
}

Result<ReleaseKernel> read_release_kernel(JsonFields& fields) {
  TRY_ASSIGN(std::string package, filled(fields, "package"));
  TRY_ASSIGN(std::string version, filled(fields, "version"));
  TRY_ASSIGN(std::string release, filled(fields, "release"));
  TRY_ASSIGN(std::string id, build_id(fields, "build_id"));
  TRY_ASSIGN(const Blob image, read_blob(fields, "image"));
  return ReleaseKernel{std::move(package), std::move(version), std::move(release), std::move(id),
                       image};
}

Result<std::optional<ModuleOrigin>> read_origin(JsonFields& parent) {
  if (!parent.has("origin")) return std::nullopt;
  TRY_ASSIGN(JsonFields fields, parent.object("origin"));
  TRY_ASSIGN(std::string version, filled(fields, "version"));
  TRY_ASSIGN(const Digest package, fields.digest("package_digest"));
  TRY_ASSIGN(const Digest conf, fields.digest("dkms_conf"));
  TRY_ASSIGN(const Digest compiled, fields.digest("compiled"));
  TRY(fields.finish());
  return ModuleOrigin{std::move(version), package, conf, compiled};
}

Result<ReleaseModule> read_release_module(JsonFields& fields) {
  TRY_ASSIGN(std::string name, filled(fields, "name"));
  TRY_ASSIGN(std::string package, filled(fields, "package"));
  TRY_ASSIGN(std::string version, fields.line("version"));
  TRY_ASSIGN(std::string srcversion, fields.line("srcversion"));
  TRY_ASSIGN(std::string vermagic, filled(fields, "vermagic"));
  TRY_ASSIGN(std::string id, build_id(fields, "build_id"));
  TRY_ASSIGN(const Digest digest, fields.digest("digest"));
  TRY_ASSIGN(std::string key, fields.line("signature_key"));
  if (!key.empty() && !parse_hex(key)) {
    return fields.refuse("signature_key", "must be lower-case hex digits");
  }
  // Releases of before listed no others.
  bool pinned = true;
  if (fields.has("pinned")) {
    TRY_ASSIGN(pinned, fields.boolean("pinned"));
  }
  TRY_ASSIGN(auto origin, read_origin(fields));
  return ReleaseModule{std::move(name),
                       std::move(package),
                       std::move(version),
                       std::move(srcversion),
                       std::move(vermagic),
                       std::move(id),
                       digest,
                       std::move(key),
                       pinned,
                       std::move(origin)};
}

Result<std::vector<std::string>> strings(JsonFields& fields, std::string_view key) {
  TRY_ASSIGN(const json* items, fields.array(key));
  std::vector<std::string> out;
  for (std::size_t i = 0; i < items->size(); ++i) {
    if (!(*items)[i].is_string()) return fields.refuse(element_path(key, i), "must be a string");
    out.push_back((*items)[i].get<std::string>());
  }
  return out;
}

}  // namespace weir::manifests
