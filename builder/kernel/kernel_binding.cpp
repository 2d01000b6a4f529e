#include "builder/kernel/kernel_binding.h"

#include <cstdio>
#include <set>
#include <utility>

#include "builder/kernel/flat_exports.h"
#include "images/formats/elf.h"

namespace weir::builder {
namespace {

struct Offer {
  std::optional<std::uint32_t> sum;
  std::string by;  ///< "the kernel" or "module NAME"
};
using Offers = std::map<std::string, Offer, std::less<>>;

std::string hex(std::uint32_t sum) {
  char out[11];
  std::snprintf(out, sizeof out, "0x%08x", sum);
  return out;
}

std::string called(const ImageModule& module) {
  return "module " + module.facts.name + " (/" + module.path + ")";
}

tl::unexpected<Error> refuse(const ImageModule& module, const std::string& why) {
  return fail(Errc::integrity, called(module) + " " + why);
}

constexpr const char* kTogether =
    ": kernel and modules must come from one build; take the module of this kernel's own package, "
    "or lock the kernel that the module was built for";

Status check_sum(const ImageModule& module, const std::string& symbol, const Offer& offer,
                 const ModuleSymbols& asked) {
  if (!offer.sum) return {};
  const auto built = asked.versions.find(symbol);
  if (built == asked.versions.end()) {
    return refuse(module, "uses the symbol " + symbol + " of " + offer.by +
                              " but does not state the checksum it was built against, which the "
                              "kernel asks for" +
                              kTogether);
  }
  if (built->second == *offer.sum) return {};
  return refuse(module, "was built against another " + symbol + ": it expects checksum " +
                            hex(built->second) + " and " + offer.by + " has " + hex(*offer.sum) +
                            kTogether);
}

Status check_module(const ImageModule& module, const ModuleSymbols& symbols, const Offers& offers) {
  for (const auto& [symbol, optional] : symbols.needs) {
    const auto offer = offers.find(symbol);
    if (offer != offers.end()) {
      TRY(check_sum(module, symbol, offer->second, symbols));
    } else if (!optional) {
      return refuse(module, "uses the symbol " + symbol +
                                ", which neither the kernel nor a module of the image exports" +
                                kTogether);
    }
  }
  // What is stated but not called: the kernel compares `module_layout` so.
  for (const auto& [symbol, _] : symbols.versions) {
    const auto offer = offers.find(symbol);
    if (offer != offers.end() && !symbols.needs.contains(symbol)) {
      TRY(check_sum(module, symbol, offer->second, symbols));
    }
  }
  return {};
}

Status check_symbols(const SymbolSums& kernel, const std::vector<ImageModule>& modules) {
  Offers offers;
  for (const auto& [name, sum] : kernel) offers.emplace(name, Offer{sum, "the kernel"});
  std::vector<ModuleSymbols> all;
  for (const ImageModule& module : modules) {
    TRY_ASSIGN_IN(ModuleSymbols symbols, read_module_symbols(*module.unpacked), called(module));
    for (const auto& [name, sum] : symbols.exports) {
      const auto [at, fresh] = offers.emplace(name, Offer{sum, "module " + module.facts.name});
      if (!fresh) {
        return refuse(module, "exports the symbol " + name + ", which " + at->second.by +
                                  " exports too: the kernel would refuse the second");
      }
    }
    all.push_back(std::move(symbols));
  }
  for (std::size_t i = 0; i < modules.size(); ++i) {
    TRY(check_module(modules[i], all[i], offers));
  }
  return {};
}

std::string known_keys(const KernelKeys& keys) {
  std::string out;
  for (const auto& one : keys.certificates) {
    out += (out.empty() ? "" : ", ") + one.serial + " (" + one.subject + ")";
  }
  return out.empty() ? "none" : out;
}

Status check_signature(const ImageModule& module, const ModuleSignature& signature,
                       const KernelKeys& keys) {
  const KernelCertificate* certificate = keys.find(signature.key);
  if (certificate == nullptr) {
    return refuse(module, "is signed with key " + signature.key +
                              ", which is not one of the kernel's: " + known_keys(keys) +
                              kTogether);
  }
  if (verify_module_signature(*module.unpacked, signature, *certificate)) return {};
  return refuse(module,
                "is not what its signer signed: its content does not match its signature "
                "by key " +
                    signature.key + ", so it was changed afterwards; fetch its package again");
}

// Of a module that Weir compiled: the kernel's own key is nobody's any more.
Status check_own_signature(const ImageModule& module) {
  TRY_ASSIGN_IN(const auto signature, read_module_signature(*module.unpacked), called(module));
  if (module.own_signer->empty()) {
    if (!signature) return {};
    return refuse(module, "is signed with key " + signature->key +
                              ", and the manifest names no module_signer");
  }
  TRY_ASSIGN(const KernelCertificate signer,
             parse_kernel_certificate(as_bytes(*module.own_signer)));
  KernelKeys keys;
  keys.certificates.push_back(signer);
  if (!signature || keys.find(signature->key) == nullptr) {
    return refuse(module, "is not signed by the manifest's module_signer, " + signer.subject);
  }
  return check_signature(module, *signature, keys);
}

Result<std::string> check_signatures(const KernelKeys& keys, const std::vector<ImageModule>& all) {
  std::vector<ImageModule> modules;
  for (const ImageModule& module : all) {
    if (module.own_signer) {
      TRY(check_own_signature(module));
    } else {
      modules.push_back(module);
    }
  }
  std::vector<std::optional<ModuleSignature>> signatures;
  std::string signed_one;  // what else is signed, as a refusal says it
  if (keys.checks_signatures && !keys.certificates.empty())
    signed_one = "this kernel's modules are";
  for (const ImageModule& module : modules) {
    TRY_ASSIGN_IN(auto signature, read_module_signature(*module.unpacked), called(module));
    if (signature && signed_one.empty()) signed_one = "module " + module.facts.name + " is";
    signatures.push_back(std::move(signature));
  }
  std::string key;
  std::string first;
  if (signed_one.empty()) return key;
  for (std::size_t i = 0; i < modules.size(); ++i) {
    const auto& signature = signatures[i];
    if (!signature) {
      return refuse(modules[i], "is not signed, while " + signed_one +
                                    ": its signature was removed, or it was built elsewhere" +
                                    kTogether);
    }
    TRY(check_signature(modules[i], *signature, keys));
    if (i == 0) {
      key = signature->key;
      first = modules[i].facts.name;
    } else if (signature->key != key) {
      return refuse(modules[i], "is signed with key " + signature->key + " and module " + first +
                                    " with key " + key + kTogether);
    }
  }
  return key;
}

}  // namespace

Result<KernelBinding> read_kernel_binding(const KernelImage& kernel) {
  KernelBinding out;
  TRY_ASSIGN_IN(out.exports,
                images::is_elf(kernel.vmlinux) ? read_kernel_exports(kernel.vmlinux)
                                               : find_kernel_exports(kernel.vmlinux),
                "kernel " + kernel.release);
  out.keys = find_kernel_keys(kernel.vmlinux);
  return out;
}

Status check_vermagic(const KernelImage& kernel, const std::vector<ImageModule>& modules) {
  std::set<std::string> accepted;
  for (const ImageModule& module : modules) {
    const std::string& magic = module.facts.vermagic;
    if (accepted.contains(magic)) continue;
    if (!accepts_vermagic(kernel, magic)) {
      return refuse(module, "is for '" + magic + "', which kernel " + kernel.release +
                                " would refuse to load" + kTogether);
    }
    accepted.insert(magic);
  }
  return {};
}

Result<std::string> check_binding(const KernelImage& kernel, const KernelBinding& binding,
                                  const std::vector<ImageModule>& modules) {
  TRY(check_vermagic(kernel, modules));
  // Before what is in a module is believed: who vouches for it.
  TRY_ASSIGN(std::string key, check_signatures(binding.keys, modules));
  TRY(check_symbols(binding.exports, modules));
  return key;
}

}  // namespace weir::builder
