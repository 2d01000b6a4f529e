#include "builder/dkms/edge/compile_record.h"

#include <nlohmann/json.hpp>

#include "manifests/base/edge/file.h"
#include "manifests/base/json_reader.h"

namespace weir::builder {
namespace {

using manifests::JsonFields;
using nlohmann::json;
using nlohmann::ordered_json;

constexpr ByteCount kMaxRecord{1ULL << 20};

std::string path_of_record(const Digest& key, const Cache& cache) {
  return cache.path() + "/compiled/" + key.hex();
}

Result<CompiledModule> read_module(JsonFields& fields, const Cache& cache) {
  TRY_ASSIGN(std::string name, fields.line("name"));
  TRY_ASSIGN(std::string package, fields.line("package"));
  TRY_ASSIGN(std::string version, fields.line("version"));
  TRY_ASSIGN(const Digest package_digest, fields.digest("package_digest"));
  TRY_ASSIGN(const Digest conf, fields.digest("dkms_conf"));
  TRY_ASSIGN(const Digest compiled, fields.digest("compiled"));
  TRY_ASSIGN(const std::uint64_t size, fields.natural("size"));
  TRY(fields.finish());
  TRY_ASSIGN(const std::string bytes, read_blob(cache, compiled, ByteCount{size}));
  return CompiledModule{std::move(name),
                        std::move(package),
                        {std::move(version), package_digest, conf, compiled},
                        images::content_of(bytes)};
}

Result<std::vector<CompiledModule>> read_record(const Digest& key, const Cache& cache) {
  TRY_ASSIGN(const std::string text, read_file(path_of_record(key, cache), kMaxRecord));
  TRY_ASSIGN(const json document, manifests::parse_json(text));
  TRY_ASSIGN(JsonFields fields, JsonFields::open(document, ""));
  TRY_ASSIGN(const json* items, fields.array("modules"));
  std::vector<CompiledModule> out;
  for (std::size_t i = 0; i < items->size(); ++i) {
    TRY_ASSIGN(JsonFields item,
               JsonFields::open((*items)[i], manifests::element_path("modules", i)));
    TRY_ASSIGN(CompiledModule module, read_module(item, cache));
    out.push_back(std::move(module));
  }
  return out;
}

}  // namespace

Status write_compile_record(const Digest& key, const std::vector<CompiledModule>& modules,
                            const Cache& cache) {
  ordered_json list = ordered_json::array();
  for (const CompiledModule& module : modules) {
    const auto& content = *module.content;
    TRY(cache.put(module.origin.compiled,
                  {reinterpret_cast<const char*>(content.data()), content.size()}));
    list.push_back({{"name", module.name},
                    {"package", module.package},
                    {"version", module.origin.version},
                    {"package_digest", module.origin.package_digest.string()},
                    {"dkms_conf", module.origin.dkms_conf.string()},
                    {"compiled", module.origin.compiled.string()},
                    {"size", content.size()}});
  }
  TRY(make_folders(cache.path() + "/compiled"));
  return write_file(path_of_record(key, cache), ordered_json{{"modules", list}}.dump() + "\n", 0644,
                    Durability::none);
}

std::optional<std::vector<CompiledModule>> read_compile_record(const Digest& key,
                                                               const Cache& cache) {
  auto found = read_record(key, cache);
  if (!found) return std::nullopt;
  return std::move(*found);
}

}  // namespace weir::builder
