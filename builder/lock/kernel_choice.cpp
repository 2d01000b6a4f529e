#include "builder/lock/kernel_choice.h"

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <set>

#include "builder/kernel/kernel_packages.h"
#include "builder/lock/kernel_hint.h"
#include "manifests/base/closest_names.h"

namespace weir::builder {
namespace {

using manifests::matches;
using Offers = std::vector<KernelOffer>;

// Debian's smallest kernel takes 10 MiB, an empty package 16 KiB.
constexpr std::uint64_t kSmallestKernel = 256;
constexpr int kMostChoices = 8;  ///< from one metapackage to the next

// What ends a pattern for kernels of another architecture than the image's.
constexpr std::array<std::string_view, 13> kArchitectures = {
    "amd64",   "arm64",    "armhf",       "armmp",   "i386",    "686",  "686-pae",
    "loong64", "mips64el", "powerpc64le", "ppc64el", "riscv64", "s390x"};

std::string in_quotes(std::string_view text) {
  return "'" + std::string(text) + "'";
}

tl::unexpected<Error> refuse(const std::string& why) {
  return fail(Errc::invalid_input, "kernel.package: " + why);
}

bool is_variant(std::string_view name) {
  return name.ends_with("-unsigned") || name.ends_with("-dbg") ||
         name.ends_with("-signed-template") || name.starts_with("linux-binary-unsigned-") ||
         name.starts_with("linux-image-unsigned-");
}

// Of a kernel's packages those without a kernel, by what follows "linux-"; what they hold.
std::string_view held_by(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kOthers = {
      {{"linux-modules-", "modules"},
       {"linux-base-", "lists of what is built into a kernel"},
       {"linux-headers-", "headers"},
       {"linux-kbuild-", "build tools"},
       {"linux-source-", "sources"},
       {"linux-config-", "configurations"}}};
  // What else is in Debian's section of kernels, or has "linux-" before its name.
  constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kEndings = {
      {{"-dbg", "debugging symbols"},
       {"-signed-template", "what kernels are signed with"},
       {"-dkms", "sources of modules"},
       {"-source", "sources"},
       {"-tools", "tools"},
       {"-utils", "tools"},
       {"-perf", "tools"},
       {"-cpupower", "tools"},
       {"-dev", "headers"},
       {"-doc", "documentation"}}};
  if (name.starts_with("firmware-")) return "firmware";
  if (name.starts_with("linux-compiler-")) return "a compiler";
  if (name == "linux-base") return "scripts that the packages of kernels share";
  for (const auto& [ending, what] : kEndings) {
    if (name.ends_with(ending)) return what;
  }
  for (const auto& [prefix, what] : kOthers) {
    if (name.starts_with(prefix)) return what;
  }
  return {};
}

// "linux-6.1" and "vendor-kernel-6.1", and neither "util-linux" nor "kernelshark".
bool is_named_as_kernel(std::string_view name) {
  if (name.starts_with("linux-")) return true;
  constexpr std::string_view kWord = "kernel";
  for (auto at = name.find(kWord); at != std::string_view::npos; at = name.find(kWord, at + 1)) {
    const auto end = at + kWord.size();
    if ((at == 0 || name[at - 1] == '-') && (end == name.size() || name[end] == '-')) return true;
  }
  return false;
}

// Debian's section of kernels is "kernel", or "contrib/kernel". Others put theirs where nothing in
// particular is, or nowhere, and give it a name.
bool may_be_kernel(const KernelOffer& offer) {
  constexpr std::array<std::string_view, 4> kOpen = {"", "admin", "misc", "metapackages"};
  const std::string_view section = offer.section.substr(offer.section.rfind('/') + 1);
  if (section == "kernel" || offer.name.starts_with("linux-image-") ||
      offer.name.starts_with("linux-binary-")) {
    return true;
  }
  return is_named_as_kernel(offer.name) &&
         std::find(kOpen.begin(), kOpen.end(), section) != kOpen.end();
}

std::string versions_of(const Offers& offers, const KernelOffers& all) {
  Offers sorted = offers;
  std::sort(sorted.begin(), sorted.end(), all.newer);
  std::string out;
  std::set<std::string_view> seen;
  for (const KernelOffer& offer : sorted) {
    if (!seen.insert(offer.version).second) continue;
    if (seen.size() > 5) return out + ", ...";
    out += (out.empty() ? "" : ", ") + std::string(offer.version);
  }
  return out;
}

class Choice {
 public:
  Choice(const manifests::KernelPin& pin, const std::string& architecture,
         const std::optional<std::string>& kept, const KernelOffers& all)
      : pin_(pin),
        architecture_(architecture),
        kept_(kept),
        all_(all),
        exact_(pin.package.find('*') == std::string::npos) {}

  Result<KernelChoice> run() {
    TRY_ASSIGN(const Offers fitting, candidates());
    TRY_ASSIGN(KernelOffer kernel, best_of(fitting));
    TRY_ASSIGN(kernel, followed(kernel));
    TRY(check_holds_kernel(kernel));
    KernelChoice out{kernel.id};
    TRY_ASSIGN(out.modules, modules_of(kernel));
    return out;
  }

 private:
  // Names that the pin means, before versions count.
  [[nodiscard]] std::vector<std::string_view> matching() const {
    std::vector<std::string_view> out;
    for (const std::string_view name : all_.names) {
      // A full name may ask for a variant; a wildcard never means one.
      if (exact_ ? name == pin_.package
                 : !is_variant(name) && held_by(name).empty() && matches(pin_.package, name)) {
        out.push_back(name);
      }
    }
    if (exact_) return out;
    // Nor a metapackage, nor the kernel's half, where a whole one fits too.
    prefer(out, [](std::string_view name) {
      const auto read = read_kernel_package_name(name);
      return read.kind.empty() || !read.release.empty();
    });
    prefer(out, [](std::string_view name) { return name.starts_with("linux-image-"); });
    return out;
  }

  template <class Better>
  static void prefer(std::vector<std::string_view>& names, Better better) {
    if (std::any_of(names.begin(), names.end(), better)) {
      std::erase_if(names, [&](std::string_view name) { return !better(name); });
    }
  }

  [[nodiscard]] Offers offers_of(const std::vector<std::string_view>& names) const {
    Offers out;
    for (const std::string_view name : names) {
      auto some = all_.named(name);
      out.insert(out.end(), some.begin(), some.end());
    }
    return out;
  }

  [[nodiscard]] Result<Offers> candidates() const {
    std::vector<std::string_view> names = matching();
    if (kept_ && !names.empty()) {
      TRY_ASSIGN(names, only_kept(names));
    }
    Offers named = offers_of(names);
    if (named.empty()) return no_kernel();
    std::string others;
    std::erase_if(named, [&](const KernelOffer& offer) {
      if (offer.architecture == architecture_ || offer.architecture == "all") return false;
      others = std::string(offer.name) + " is for " + std::string(offer.architecture);
      return true;
    });
    if (named.empty()) return refuse(others + ", and the image is for " + architecture_);
    Offers fitting;
    for (const KernelOffer& offer : named) {
      if (offer.allowed && (!pin_.version || matches(*pin_.version, offer.version))) {
        fitting.push_back(offer);
      }
    }
    if (!fitting.empty()) return fitting;
    TRY(check_one_is_kernel(named));
    const bool ruled_out = std::any_of(named.begin(), named.end(), [&](const KernelOffer& offer) {
      return !pin_.version || matches(*pin_.version, offer.version);
    });
    if (ruled_out) {
      return refuse(in_quotes(pin_.package) +
                    " is ruled out by `constraints`, `provides` or what the lock keeps; the "
                    "suites have " +
                    versions_of(named, all_));
    }
    return fail(Errc::invalid_input, "kernel.version: no kernel " + in_quotes(pin_.package) +
                                         " has a version that matches " + in_quotes(*pin_.version) +
                                         "; the suites have " + versions_of(named, all_));
  }

  // A kernel that stays has to be one that the pin means, if need be through its metapackage.
  [[nodiscard]] Result<std::vector<std::string_view>> only_kept(
      const std::vector<std::string_view>& names) const {
    for (const std::string_view name : names) {
      if (name == *kept_) return std::vector<std::string_view>{*kept_};
    }
    const auto there = std::find(all_.names.begin(), all_.names.end(), *kept_);
    for (const KernelOffer& offer : offers_of(names)) {
      const auto next = meant_by(offer);
      if (next && there != all_.names.end() &&
          read_kernel_package_name(*next).flavour == read_kernel_package_name(*kept_).flavour) {
        return std::vector<std::string_view>{*there};
      }
    }
    return refuse(in_quotes(pin_.package) + " is not the kernel that was to stay (" + *kept_ +
                  "): let it move too, with --update kernel");
  }

  [[nodiscard]] tl::unexpected<Error> no_kernel() const {
    if (kept_) {
      return refuse(in_quotes(pin_.package) + " is not the kernel that was to stay (" + *kept_ +
                    "): let it move too, with --update kernel");
    }
    std::string why = "no kernel matches " + in_quotes(pin_.package);
    for (const std::string_view other : kArchitectures) {
      if (other == architecture_ || !pin_.package.ends_with("-" + std::string(other))) continue;
      why += ", which asks for " + std::string(other) + ", and the image is for " + architecture_;
      break;
    }
    return refuse(why + kernel_hint(pin_.package, "linux-image-", architecture_, all_.names,
                                    [this](std::string_view a, std::string_view b) {
                                      return is_newer(a, b);
                                    }));
  }

  [[nodiscard]] bool is_newer(std::string_view a, std::string_view b) const {
    const Offers first = all_.named(a), second = all_.named(b);
    return !first.empty() && !second.empty() && all_.newer(first.front(), second.front());
  }

  // The newest of the plain flavour.
  [[nodiscard]] Result<KernelOffer> best_of(const Offers& fitting) const {
    std::map<std::string_view, KernelOffer> flavours;
    for (const KernelOffer& offer : fitting) {
      const auto [at, fresh] =
          flavours.emplace(read_kernel_package_name(offer.name).flavour, offer);
      if (!fresh && better(offer, at->second)) at->second = offer;
    }
    const auto shortest = std::min_element(
        flavours.begin(), flavours.end(),
        [](const auto& a, const auto& b) { return a.first.size() < b.first.size(); });
    const std::string plain(shortest->first);
    const bool is_plain = std::all_of(flavours.begin(), flavours.end(), [&](const auto& other) {
      return plain.empty() || other.first == plain || other.first.ends_with("-" + plain);
    });
    if (is_plain) return shortest->second;
    std::string names;
    for (const auto& [_, offer] : flavours) {
      names += (names.empty() ? "" : ", ") + std::string(offer.name);
    }
    return refuse(in_quotes(pin_.package) + " fits kernels of several flavours (" + names +
                  "), and none of them is the plain one: end the pattern with the flavour");
  }

  // As apt would choose: what is newer in a suite that is not automatic (priority 1, or 100) does
  // not count beside what is in another one (500). A version is a pin, and counts all suites alike.
  [[nodiscard]] bool better(const KernelOffer& a, const KernelOffer& b) const {
    if (!pin_.version && a.automatic != b.automatic) return a.automatic;
    return all_.newer(a, b);
  }

  // The kernel's name that a metapackage depends on; nothing where it is none.
  [[nodiscard]] static std::optional<std::string_view> meant_by(const KernelOffer& offer) {
    if (!read_kernel_package_name(offer.name).release.empty()) return std::nullopt;
    std::set<std::string_view> kernels;
    for (const std::string_view need : offer.depends) {
      if (need != offer.name && need.starts_with("linux-image-") && !is_variant(need)) {
        kernels.insert(need);
      }
    }
    if (kernels.size() != 1) return std::nullopt;
    return *kernels.begin();
  }

  [[nodiscard]] Result<KernelOffer> followed(KernelOffer offer) const {
    for (int step = 0; step < kMostChoices; ++step) {
      const auto next = meant_by(offer);
      if (!next) return offer;
      const KernelOffer* best = nullptr;
      const Offers some = all_.named(*next);
      for (const KernelOffer& one : some) {
        if (!one.allowed || one.architecture != offer.architecture) continue;
        const bool same = one.version == offer.version;
        const bool is_better =
            best == nullptr || (best->version != offer.version && (same || better(one, *best)));
        if (is_better) best = &one;
      }
      if (best == nullptr) {
        return refuse(std::string(offer.name) + " stands for " + std::string(*next) +
                      ", which no suite has" + suggestion(*next, all_.names));
      }
      offer = KernelOffer(*best);
    }
    return refuse(in_quotes(pin_.package) + " stands for packages that stand for each other");
  }

  // What a package brings of itself, in its own version.
  [[nodiscard]] std::optional<std::uint64_t> installed_size(const KernelOffer& kernel) const {
    std::uint64_t out = 0;
    std::set<std::string_view> seen = {kernel.name};
    std::deque<KernelOffer> open = {kernel};
    while (!open.empty()) {
      const KernelOffer offer = std::move(open.front());
      open.pop_front();
      if (!offer.installed_kib) return std::nullopt;
      out += *offer.installed_kib;
      for (const std::string_view need : offer.depends) {
        if (!seen.insert(need).second) continue;
        for (KernelOffer& one : all_.named(need)) {
          if (one.version != kernel.version || !one.allowed) continue;
          open.push_back(std::move(one));
          break;
        }
      }
    }
    return out;
  }

  // By name and section, one of `named` or what it stands for.
  [[nodiscard]] Status check_one_is_kernel(const Offers& named) const {
    Status out;
    for (const KernelOffer& offer : named) {
      if (meant_by(offer)) return {};
      out = check_may_be_kernel(offer);
      if (out) return {};
    }
    return out;
  }

  [[nodiscard]] Status check_may_be_kernel(const KernelOffer& kernel) const {
    const std::string name(kernel.name);
    const std::string_view held = held_by(kernel.name);
    if (!held.empty()) {
      return refuse(name + " holds " + std::string(held) + ", and no kernel" + instead_of(name));
    }
    if (!may_be_kernel(kernel)) {
      const std::string section(kernel.section);
      return refuse(name + " is no kernel, by its name and its section" +
                    (section.empty() ? "" : " (" + section + ")") + some_kernels());
    }
    return {};
  }

  [[nodiscard]] Status check_holds_kernel(const KernelOffer& kernel) const {
    TRY(check_may_be_kernel(kernel));
    const std::string name(kernel.name);
    const auto size = installed_size(kernel);
    if (!size || *size >= kSmallestKernel) return {};
    return refuse(name + " holds no kernel: with all that it needs of its own version (" +
                  std::string(kernel.version) + ") it takes " + std::to_string(*size) + " KiB" +
                  instead_of(name));
  }

  // What else to write, where nothing is like what stands there: metapackages, if there are any.
  [[nodiscard]] std::string some_kernels() const {
    std::vector<std::string_view> names;
    for (const std::string_view name : all_.names) {
      if (name.starts_with("linux-image-") && !is_variant(name)) names.push_back(name);
    }
    prefer(names,
           [](std::string_view name) { return read_kernel_package_name(name).release.empty(); });
    std::string out;
    for (std::size_t i = 0; i < std::min<std::size_t>(names.size(), 3); ++i) {
      out.append(i == 0 ? "; the suites have " : ", ").append(names[i]);
    }
    return out + (names.size() > 3 ? ", ..." : "");
  }

  // Another package of the same release that boots.
  [[nodiscard]] std::string instead_of(const std::string& name) const {
    std::string release = name.substr(0, name.rfind("-dbg"));
    for (const std::string_view prefix :
         {"linux-image-", "linux-modules-", "linux-base-", "linux-headers-", "linux-binary-"}) {
      if (release.starts_with(prefix)) release.erase(0, prefix.size());
    }
    for (const std::string& other : {"linux-image-" + release, "linux-binary-" + release}) {
      if (other == name || all_.named(other).empty()) continue;
      return ": write " + other;
    }
    std::vector<std::string_view> kernels;
    for (const std::string_view other : all_.names) {
      if (other == name) continue;
      if (other.starts_with("linux-image-") && !is_variant(other)) kernels.push_back(other);
    }
    const std::string close = suggestion(name, kernels);
    return close.empty() ? some_kernels() : close;
  }

  // `linux-binary-RELEASE` is a kernel that does not depend on its modules.
  [[nodiscard]] Result<std::optional<int>> modules_of(const KernelOffer& kernel) const {
    const auto read = read_kernel_package_name(kernel.name);
    if (!read.kind.starts_with("linux-binary") || read.release.empty()) return std::optional<int>();
    const std::string modules = "linux-modules-" + std::string(read.release);
    for (const KernelOffer& offer : all_.named(modules)) {
      if (offer.version == kernel.version && offer.allowed) return std::optional(offer.id);
    }
    return refuse(std::string(kernel.name) + " is a kernel without modules, and no suite has " +
                  modules + " " + std::string(kernel.version) +
                  instead_of(std::string(kernel.name)));
  }

  const manifests::KernelPin& pin_;
  const std::string& architecture_;
  const std::optional<std::string>& kept_;
  const KernelOffers& all_;
  const bool exact_;
};

}  // namespace

bool is_kernel_name(std::string_view package) {
  return held_by(package).empty() && !read_kernel_package_name(package).release.empty();
}

Result<KernelChoice> choose_kernel(const manifests::KernelPin& pin, const std::string& architecture,
                                   const std::optional<std::string>& kept,
                                   const KernelOffers& offers) {
  return Choice(pin, architecture, kept, offers).run();
}

}  // namespace weir::builder
