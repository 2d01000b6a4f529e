#include "builder/dkms/edge/compile_record.h"

#include <nlohmann/json.hpp>

#include "builder/kernel/kernel_module.h"
#include "manifests/base/edge/file.h"
#include "manifests/base/json_reader.h"
#include "manifests/base/printable.h"

namespace weir::builder {
namespace {

using manifests::JsonFields;
using nlohmann::json;

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

// Of what stands in the record besides itself.
std::string sum_of(const json& modules) {
  return Digest::of(as_bytes(modules.dump())).string();
}

// Whether it is what compiling this package for this kernel makes.
Status check_module(const CompiledModule& module, const manifests::LockedPackage& package,
                    const std::string& release) {
  if (module.package != package.name || module.origin.version != package.version ||
      module.origin.package_digest != package.digest) {
    return fail(Errc::integrity, module.name + " is of another package");
  }
  TRY_ASSIGN_IN(const KernelModule facts, parse_kernel_module(*module.content), module.name);
  if (facts.name != module.name) return fail(Errc::integrity, module.name + " is " + facts.name);
  if (!facts.vermagic.starts_with(release + " ")) {
    return fail(Errc::integrity, module.name + " is for another kernel, " + facts.vermagic);
  }
  return {};
}

Result<std::vector<CompiledModule>> read_record(const std::string& text,
                                                const manifests::LockedPackage& package,
                                                const std::string& release, const Cache& cache) {
  TRY_ASSIGN(const json document, manifests::parse_json(text));
  TRY_ASSIGN(JsonFields fields, JsonFields::open(document, ""));
  TRY_ASSIGN(const json* items, fields.array("modules"));
  if (items->empty()) return fail(Errc::integrity, "it names no module");
  TRY_ASSIGN(const std::string sum, fields.line("digest"));
  TRY(fields.finish());
  if (sum != sum_of(*items)) return fail(Errc::integrity, "it was changed");
  std::vector<CompiledModule> out;
  for (std::size_t i = 0; i < items->size(); ++i) {
    TRY_ASSIGN(JsonFields item,
               JsonFields::open((*items)[i], manifests::element_path("modules", i)));
    TRY_ASSIGN(CompiledModule module, read_module(item, cache));
    TRY(check_module(module, package, release));
    out.push_back(std::move(module));
  }
  return out;
}

}  // namespace

Status write_compile_record(const Digest& key, const std::vector<CompiledModule>& modules,
                            const Cache& cache) {
  json list = json::array();
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
  const json record = {{"modules", list}, {"digest", sum_of(list)}};
  return write_file(path_of_record(key, cache), record.dump() + "\n", 0644, Durability::none);
}

CompileRecord read_compile_record(const Digest& key, const manifests::LockedPackage& package,
                                  const std::string& release, const Cache& cache) {
  const std::string path = path_of_record(key, cache);
  const auto text = read_file(path, kMaxRecord);
  if (!text && text.error().code == Errc::not_found) return {};
  auto found = text ? read_record(*text, package, release, cache)
                    : Result<std::vector<CompiledModule>>(tl::unexpected(text.error()));
  if (found) return {.modules = std::move(*found)};
  return {.doubt = path + " is not what compiling " + package.name + " made (" +
                   printable(found.error().message) + ")"};
}

}  // namespace weir::builder
