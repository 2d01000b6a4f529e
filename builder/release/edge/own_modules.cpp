#include "builder/release/edge/own_modules.h"

#include <utility>

#include "builder/dkms/edge/compile.h"
#include "builder/dkms/edge/signatures.h"
#include "builder/kernel/edge/module_files.h"
#include "builder/kernel/module_signing.h"
#include "builder/lock/edge/locked_image.h"
#include "images/formats/cpio_reader.h"
#include "images/store/layer_content.h"

namespace weir::builder {
namespace {

Result<images::Content> sign(const BuildInput& input, const CompiledModule& module,
                             const KernelCertificate& signer, const Cache& cache) {
  auto message = find_signature(*module.content, signer, cache);
  if (!message && input.signs_later) return module.content;
  if (!message && !input.module_key) {
    return fail(Errc::unauthorized, "module " + module.name + " is to be signed by " +
                                        signer.subject +
                                        " (module_signer), and was not yet: give its key with "
                                        "--module-key, here or to weir-builder module");
  }
  if (!message) {
    TRY_ASSIGN_IN(message, input.module_key->sign(*module.content, signer), "--module-key");
    TRY(keep_signature(*module.content, signer, *message, cache));
  }
  const auto& bytes = *module.content;
  return images::content_of(
      with_signature({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, *message));
}

// Those of all that was compiled which the image takes.
Status add_compiled(const BuildInput& input, const std::vector<CompiledModule>& compiled,
                    const Cache& cache, OwnModules& out) {
  TRY_ASSIGN(const auto signer, module_signer_of(input.lock));
  TRY_ASSIGN_IN(const auto chosen, choose_compiled(input.manifest, compiled), input.manifest_path);
  for (const CompiledModule& module : chosen) {
    NamedModule named{module.name, module.name + ".ko", module.content, module.package,
                      std::string()};
    if (signer) {
      TRY_ASSIGN(named.content, sign(input, module, *signer, cache));
      named.own_signer = signer->certificate;
    }
    out.modules.push_back(std::move(named));
    out.origins.emplace(module.name, module.origin);
  }
  return {};
}

// The lock is of this manifest, so this is about a lock that somebody wrote.
Status check_sources(const BuildInput& input) {
  const auto wanted = manifests::dkms_packages(input.manifest);
  const auto& build = input.lock.module_build;
  if (build ? build->sources == wanted : wanted.empty()) return {};
  return fail(Errc::integrity, input.lock_path +
                                   ": module_build is not for the manifest's DKMS "
                                   "packages: " +
                                   input.lock_again);
}

}  // namespace

Result<std::optional<KernelCertificate>> module_signer_of(const manifests::Lock& lock) {
  if (!lock.module_build || lock.module_build->signer.empty()) {
    return std::optional<KernelCertificate>();
  }
  TRY_ASSIGN_IN(const std::string der, parse_base64(lock.module_build->signer),
                "module_build.signer");
  TRY_ASSIGN_IN(auto out, parse_kernel_certificate(as_bytes(der)), "module_build.signer");
  return std::optional(std::move(out));
}

Result<OwnModules> known_modules(const BuildInput& input, const Cache& cache) {
  OwnModules out;
  if (input.manifest.module_sources.empty()) return out;
  TRY(check_sources(input));
  TRY_ASSIGN(out.modules, fetch_modules(input.manifest, input.lock, input.manifest_path, cache));
  if (!input.lock.module_build) return out;
  const CompileInput what{*input.lock.module_build, input.lock.architecture};
  std::vector<CompiledModule> compiled;
  for (const std::string& package : what.build.sources) {
    CompileRecord found;
    if (!input.compile_again) found = find_compiled(what, package, cache);
    if (!found.doubt.empty()) out.doubts.push_back(found.doubt + ": it is compiled again");
    if (!found.modules) {
      out.uncompiled.push_back(package);
      continue;
    }
    std::move(found.modules->begin(), found.modules->end(), std::back_inserter(compiled));
  }
  if (out.uncompiled.empty()) TRY(add_compiled(input, compiled, cache, out));
  if (!out.uncompiled.empty()) {
    TRY_IN(check_compiles_here(what.architecture), input.manifest_path);
  }
  return out;
}

Result<OwnModules> make_own_modules(const BuildInput& input, const Cache& cache,
                                    const MirrorRequest& request, Progress& progress) {
  TRY_ASSIGN(OwnModules out, known_modules(input, cache));
  if (out.uncompiled.empty()) return out;
  for (const std::string& doubt : out.doubts) progress.note(doubt);
  const CompileInput what{*input.lock.module_build, input.lock.architecture};
  TRY_ASSIGN(auto compiled, compile(
                                what, out.uncompiled, cache,
                                [&] { return mirrors_of(input, request); }, progress));
  for (const std::string& package : what.build.sources) {
    const auto& made = out.uncompiled;
    if (std::find(made.begin(), made.end(), package) != made.end()) continue;
    CompileRecord found = find_compiled(what, package, cache);
    if (!found.modules) {
      return fail(Errc::io, package + ": what was compiled before left the cache: again");
    }
    std::move(found.modules->begin(), found.modules->end(), std::back_inserter(compiled));
  }
  out.uncompiled.clear();
  TRY(add_compiled(input, compiled, cache, out));
  return out;
}

Status recover_signatures(const images::Store& store, const manifests::Release& release,
                          const manifests::Lock& lock, const Cache& cache) {
  TRY_ASSIGN(const auto signer, module_signer_of(lock));
  if (!signer) return {};
  for (const auto& layer : release.layers) {
    if (layer.name != kModulesLayer) continue;
    TRY_ASSIGN(const auto cpio, images::read_layer_content(store, layer));
    TRY_ASSIGN(const images::FileTree tree, images::decode_cpio(cpio));
    for (const auto& [path, node] : tree.nodes()) {
      if (node.file() == nullptr || path.parent().name() != "dkms") continue;
      const Bytes bytes = *node.file()->content;
      TRY_ASSIGN_IN(const auto signature, read_module_signature(bytes), "/" + path.string());
      if (!signature) continue;
      const std::string message(signature->message.begin(), signature->message.end());
      TRY_IN(keep_signature(bytes.first(signature->covered), *signer, message, cache),
             "/" + path.string());
    }
  }
  return {};
}

}  // namespace weir::builder
