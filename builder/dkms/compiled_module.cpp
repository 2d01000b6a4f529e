#include "builder/dkms/compiled_module.h"

#include <algorithm>
#include <set>
#include <utility>

#include "builder/kernel/kernel_module.h"

namespace weir::builder {
namespace {

std::string names_of(const std::vector<CompiledModule>& compiled, const std::string& package) {
  std::string out;
  for (const CompiledModule& module : compiled) {
    if (module.package != package) continue;
    out += (out.empty() ? "" : ", ") + module.name;
  }
  return out.empty() ? "nothing" : out;
}

}  // namespace

Result<std::vector<CompiledModule>> choose_compiled(const manifests::ImageManifest& manifest,
                                                    const std::vector<CompiledModule>& compiled) {
  std::vector<std::string> wanted;
  for (const auto& [name, source] : manifest.module_sources) {
    if (source.dkms.empty()) continue;
    const std::string plain = module_name(name);
    const auto is_it = [&plain, &package = source.dkms](const CompiledModule& module) {
      return module.name == plain && module.package == package;
    };
    const bool made = std::any_of(compiled.begin(), compiled.end(), is_it);
    if (!made) {
      return fail(Errc::not_found, "modules: " + name + " is not what " + source.dkms +
                                       " makes, which is " + names_of(compiled, source.dkms));
    }
    wanted.push_back(plain);
  }
  std::set<std::string> chosen;
  std::vector<CompiledModule> out;
  while (!wanted.empty()) {
    const std::string name = std::move(wanted.back());
    wanted.pop_back();
    const auto found = std::find_if(compiled.begin(), compiled.end(),
                                    [&](const auto& module) { return module.name == name; });
    // What it needs besides is the kernel's own.
    if (found == compiled.end() || !chosen.insert(name).second) continue;
    TRY_ASSIGN_IN(const KernelModule facts, parse_kernel_module(*found->content),
                  "module " + name + " of " + found->package);
    wanted.insert(wanted.end(), facts.depends.begin(), facts.depends.end());
    out.push_back(*found);
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return out;
}

}  // namespace weir::builder
