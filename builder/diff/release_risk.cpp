#include "builder/diff/release_risk.h"

#include <algorithm>
#include <map>

#include "builder/kernel/kernel_packages.h"
#include "builder/kernel/module_selection.h"

namespace weir::builder {
namespace {

// "6.12" of "6.12.95+deb12-cloud-amd64".
std::string series_of(const std::string& release) {
  const auto dot = release.find('.');
  if (dot == std::string::npos) return release;
  return release.substr(0, release.find_first_not_of("0123456789", dot + 1));
}

class Risks {
 public:
  Risks(const ReleaseDiff& diff, const ReleaseFacts& from, const ReleaseFacts& to)
      : diff_(diff), from_(from), to_(to) {}

  std::vector<Risk> all() {
    sum_up();
    kernel();
    modules();
    packages();
    files();
    settings();
    std::stable_sort(out_.begin() + 1, out_.end(),  // the sum stays first

                     [](const Risk& a, const Risk& b) { return a.level < b.level; });
    return std::move(out_);
  }

 private:
  void say(RiskLevel level, std::string sentence) { out_.push_back({level, std::move(sentence)}); }

  // Kernel, modules and tools in one sentence.
  void sum_up() {
    const auto& kernel = diff_.kernel;
    const bool abi = kernel.release_from != kernel.release_to;
    const std::string a = series_of(kernel.release_from), b = series_of(kernel.release_to);
    std::string text = "kernel ";
    if (!abi) {
      text +=
          kernel.release_from + (kernel.change == Change::unchanged ? " unchanged" : " rebuilt");
    } else {
      text += (a == b ? kernel.release_from : a) + " -> " + (a == b ? kernel.release_to : b) +
              ": module ABI changes";
    }
    for (const auto& module : diff_.modules) {
      if (module.change == Change::now_built_in || module.change == Change::now_module) {
        text += "; " + module.name + " is " + std::string(name_of(module.change));
      }
    }
    for (const auto& tool : diff_.tools) {
      const bool told = tool.change != Change::unchanged || tool.name.starts_with("wireguard");
      if (!told) continue;
      text += "; " + tool.name + " " + std::string(name_of(tool.change));
      if (tool.change == Change::upgraded || tool.change == Change::downgraded) {
        text += " " + tool.from + " -> " + tool.to;
      }
    }
    say(abi && a != b ? RiskLevel::high : abi ? RiskLevel::medium : RiskLevel::low, text);
  }

  void kernel() {
    const auto& kernel = diff_.kernel;
    if (kernel.change == Change::downgraded) {
      say(RiskLevel::high, "the kernel goes back, " + kernel.version_from + " -> " +
                               kernel.version_to + ": fixes of the newer one are lost");
    }
    if (kernel.release_from == kernel.release_to && kernel.build_id_from != kernel.build_id_to) {
      say(RiskLevel::high, "the kernel calls itself " + kernel.release_to +
                               " as before, but is another build: modules of the one may be "
                               "refused by the other");
    }
  }

  void modules() {
    const bool abi = diff_.kernel.release_from != diff_.kernel.release_to;
    for (const auto& now : to_.release.modules) {
      for (const auto& old : from_.release.modules) {
        if (old.name != now.name) continue;
        if (!old.signature_key.empty() && now.signature_key.empty()) {
          say(RiskLevel::high, "module " + now.name + " is no longer signed");
        }
        const std::string before = origin(from_.release, old), after = origin(to_.release, now);
        if (before != after) {
          say(RiskLevel::medium,
              "module " + now.name + " now comes from " + after + ", not from " + before);
        }
      }
    }
    for (const auto& module : diff_.modules) {
      const bool pinned = is_pinned(from_, module.name);
      if (module.change == Change::removed && pinned) {
        say(RiskLevel::high, "module " + module.name + " is no longer pinned: what needs it fails");
      }
      if (module.change == Change::content && !abi) {
        say(RiskLevel::medium, "module " + module.name + " has other bytes for the same kernel");
      }
      if (module.change == Change::content && abi && module.name == "wireguard" &&
          module.from != module.to) {
        say(RiskLevel::medium, "the wireguard module's code changes (" + module.from + " -> " +
                                   module.to +
                                   "): handshakes of every client class are worth a "
                                   "look before the commit");
      }
    }
  }

  static std::string origin(const manifests::Release& release,
                            const manifests::ReleaseModule& module) {
    if (is_kernels_own(release, module)) return "the kernel's package";
    return module.package == kFromFile ? "a file" : "package " + module.package;
  }

  static bool is_pinned(const ReleaseFacts& facts, const std::string& name) {
    const auto& modules = facts.release.modules;
    return std::any_of(modules.begin(), modules.end(),
                       [&](const auto& module) { return module.name == name && module.pinned; }) ||
           (facts.manifest &&
            std::count(facts.manifest->modules.begin(), facts.manifest->modules.end(), name) != 0);
  }

  void packages() {
    std::map<Change, std::string> lists;
    for (const auto& package : diff_.packages) {
      const VersionChange& version = package.version;
      if (version.name == diff_.kernel.package_from || version.name == diff_.kernel.package_to) {
        continue;
      }
      std::string& list = lists[version.change];
      list += (list.empty() ? "" : ", ") + version.name;
      if (version.change == Change::downgraded) list += " " + version.from + " -> " + version.to;
      if (version.name == "libc6") {
        say(RiskLevel::medium, "libc6 changes, and every program of the image runs over it");
      }
    }
    for (const auto& tool : diff_.tools) {
      if (tool.change == Change::removed) {
        say(RiskLevel::high, "tool " + tool.name + " is no longer asked for");
      }
    }
    const auto tell = [&](Change change, RiskLevel level, const std::string& before,
                          const std::string& after) {
      const auto found = lists.find(change);
      if (found != lists.end()) say(level, before + found->second + after);
    };
    tell(Change::downgraded, RiskLevel::high, "packages go back: ", ": fixes may be lost");
    tell(Change::rebuilt, RiskLevel::medium, "same version, other content: ", "");
    tell(Change::upgraded, RiskLevel::low, "packages move forward: ", "");
    tell(Change::added, RiskLevel::low, "new packages: ", "");
    tell(Change::removed, RiskLevel::low, "packages leave: ", "");
    if (to_.release.source_epoch < from_.release.source_epoch) {
      say(RiskLevel::medium, "its package indices are older than those of the release before");
    }
  }

  void files() {
    for (const auto& file : diff_.files) {
      const auto found = to_.entries.find(file.path.substr(1));
      if (found == to_.entries.end()) continue;
      const ListedEntry& now = found->second.entry;
      const auto old = from_.entries.find(file.path.substr(1));
      const std::uint32_t before = old == from_.entries.end() ? 0 : old->second.entry.mode;
      constexpr std::uint32_t kSetIds = 06000;
      if (now.kind == EntryKind::file && (now.mode & kSetIds & ~before) != 0) {
        say(RiskLevel::high, file.path + " (" + file.layer + ") now runs as its owner or group");
      }
      if (file.change != Change::content || file.layer != "weir") continue;
      if (file.path.ends_with("/weir-init") || file.path.ends_with("/weir-node") ||
          file.path == "/init") {
        say(RiskLevel::medium, "our own " + file.path + " changes");
      }
    }
  }

  void settings() {
    for (const auto& setting : diff_.settings) {
      if (setting.name == "command_line") {
        say(RiskLevel::medium,
            "the kernel's command line changes: '" + setting.from + "' -> '" + setting.to + "'");
      }
      if (setting.name.starts_with("/etc/") && setting.to == name_of(Change::content)) {
        say(RiskLevel::low, "configuration " + setting.name + " (" +
                                setting.from.substr(setting.from.find(' ') + 1) + ") changes");
      }
    }
    const auto &old = from_.release.terms, &now = to_.release.terms;
    if (old && now && old->channel != now->channel) {
      say(RiskLevel::high,
          "another channel: " + old->channel.string() + " -> " + now->channel.string());
    } else if (old && now && now->version < old->version) {
      say(RiskLevel::high, "its release version goes back, " + std::to_string(old->version) +
                               " -> " + std::to_string(now->version) +
                               ": whoever has the newer one refuses it");
    } else if (old && now && old->version < now->replaces_from) {
      say(RiskLevel::high, "it may replace version " + std::to_string(now->replaces_from) +
                               " and later only, and this is " + std::to_string(old->version));
    }
    if (from_.release.architecture != to_.release.architecture) {
      say(RiskLevel::high, "another architecture: " + from_.release.architecture + " -> " +
                               to_.release.architecture);
    }
    if (!from_.manifest || !to_.manifest) {
      say(RiskLevel::low,
          "the store lacks an image manifest, so settings and built-in modules are compared as far "
          "as the release documents tell");
    }
  }

  const ReleaseDiff& diff_;
  const ReleaseFacts& from_;
  const ReleaseFacts& to_;
  std::vector<Risk> out_;
};

}  // namespace

std::vector<Risk> risks_of(const ReleaseDiff& diff, const ReleaseFacts& from,
                           const ReleaseFacts& to) {
  return Risks(diff, from, to).all();
}

}  // namespace weir::builder
