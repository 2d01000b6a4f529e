#include "builder/lock/solver.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <set>

#include "builder/lock/libsolv.h"
#include "manifests/base/closest_names.h"

namespace weir::builder {
namespace {

using manifests::ImageManifest;
using manifests::LockedPackage;
using manifests::matches;

struct FreePool {
  void operator()(Pool* pool) const { pool_free(pool); }
};
struct FreeSolver {
  void operator()(Solver* solver) const { solver_free(solver); }
};

class SolvQueue {
 public:
  SolvQueue() { queue_init(&queue_); }
  ~SolvQueue() { queue_free(&queue_); }
  SolvQueue(const SolvQueue&) = delete;
  SolvQueue& operator=(const SolvQueue&) = delete;
  Queue* get() { return &queue_; }
  [[nodiscard]] std::vector<Id> ids() const {
    return {queue_.elements, queue_.elements + queue_.count};
  }

 private:
  Queue queue_;
};

// What must not be chosen, as a bit a package.
class Considered {
 public:
  explicit Considered(Pool* pool) : pool_(pool) {
    map_init(&map_, pool->nsolvables);
    map_setall(&map_);
    pool_->considered = &map_;
  }
  ~Considered() {
    pool_->considered = nullptr;
    map_free(&map_);
  }
  Considered(const Considered&) = delete;
  Considered& operator=(const Considered&) = delete;
  void exclude(Id id) { MAPCLR(&map_, id); }

 private:
  Pool* pool_;
  Map map_{};
};

bool ends_with_variant(std::string_view name) {
  return name.ends_with("-unsigned") || name.ends_with("-dbg");
}

std::string quoted(std::string_view text) {
  return "'" + std::string(text) + "'";
}

class Resolver {
 public:
  Resolver(const ImageManifest& manifest, const std::vector<PackageIndex>& indices,
           const Kept& kept)
      : manifest_(manifest), indices_(indices), kept_(kept) {}

  Result<Resolution> run();

 private:
  [[nodiscard]] Pool* pool() const { return pool_.get(); }
  [[nodiscard]] std::string_view name(Id id) const {
    return pool_id2str(pool(), pool_id2solvable(pool(), id)->name);
  }
  [[nodiscard]] std::string_view version(Id id) const {
    return pool_id2str(pool(), pool_id2solvable(pool(), id)->evr);
  }
  [[nodiscard]] bool newer(Id a, Id b) const {
    const auto* x = pool_id2solvable(pool(), a);
    const auto* y = pool_id2solvable(pool(), b);
    const int order = pool_evrcmp(pool(), x->evr, y->evr, EVRCMP_COMPARE);
    if (order != 0) return order > 0;
    // Two kernels of one source version: the newer name ("6.1.0-9" before "6.1.0-10").
    const int names = pool_evrcmp_str(pool(), name(a).data(), name(b).data(), EVRCMP_COMPARE);
    return names != 0 ? names > 0 : a < b;
  }

  Status load();
  Status stand_in();
  Status constrain();
  Status keep();
  [[nodiscard]] const IndexedPackage* entry_of(Id id, const PackageIndex& index) const;
  [[nodiscard]] Result<Id> kernel() const;
  Status ask();
  Result<std::vector<Id>> solve();
  [[nodiscard]] std::map<Id, std::string> reasons(const std::set<Id>& chosen) const;
  [[nodiscard]] LockedPackage lock(Id id, std::string why) const;
  [[nodiscard]] std::string versions_of(const std::vector<Id>& ids) const;
  [[nodiscard]] std::vector<std::string_view> names() const;

  const ImageManifest& manifest_;
  const std::vector<PackageIndex>& indices_;
  const Kept& kept_;
  std::unique_ptr<Pool, FreePool> pool_{pool_create()};
  std::unique_ptr<Considered> considered_;
  std::map<std::string_view, std::vector<Id>> by_name_;
  Id kernel_ = 0;
  SolvQueue jobs_;
};

Status Resolver::load() {
  pool_setdisttype(pool(), DISTTYPE_DEB);
  pool_setarch(pool(), manifest_.architecture.c_str());
  int number = 0;
  for (const auto& index : indices_) {
    Repo* repo = repo_create(pool(), index.suite().c_str());
    repo->appdata = const_cast<PackageIndex*>(&index);
    // A package from a suite that is not automatic must not win because it is newer.
    repo->priority = index.not_automatic() ? 0 : 1;
    repo->subpriority = -number++;
    if (index.text().empty()) continue;
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(
        fmemopen(const_cast<char*>(index.text().data()), index.text().size(), "r"), std::fclose);
    if (!file || repo_add_debpackages(repo, file.get(), 0) != 0) {
      return fail(Errc::invalid_input, "libsolv cannot read the index of " + index.suite());
    }
  }
  for (Id id = 2; id < pool()->nsolvables; ++id) {
    if (pool_id2solvable(pool(), id)->repo != nullptr) by_name_[name(id)].push_back(id);
  }
  return {};
}

Status Resolver::stand_in() {
  Repo* repo = repo_create(pool(), "weir");
  const Id id = repo_add_solvable(repo);
  Solvable* self = pool_id2solvable(pool(), id);
  self->name = pool_str2id(pool(), "weir-stand-in", 1);
  self->evr = pool_str2id(pool(), "1", 1);
  self->arch = ARCH_ALL;
  const auto provide = [&](Id dependency) {
    solvable_add_deparray(self, SOLVABLE_PROVIDES, dependency, 0);
  };
  provide(pool_rel2id(pool(), self->name, self->evr, REL_EQ, 1));
  for (const auto& provided : manifest_.provides) {
    const Id provided_id = pool_str2id(pool(), provided.c_str(), 1);
    const auto real = by_name_.find(provided);
    if (real == by_name_.end()) {
      provide(provided_id);
      continue;
    }
    Id newest = real->second.front();
    for (const Id other : real->second) newest = newer(other, newest) ? other : newest;
    const Id evr = pool_id2solvable(pool(), newest)->evr;
    provide(pool_rel2id(pool(), provided_id, evr, REL_EQ, 1));
  }
  repo_internalize(repo);
  pool_set_installed(pool(), repo);
  pool_addfileprovides(pool());
  considered_ = std::make_unique<Considered>(pool());
  // What Weir stands in for is not also installed.
  for (const auto& provided : manifest_.provides) {
    const auto real = by_name_.find(provided);
    if (real == by_name_.end()) continue;
    for (const Id other : real->second) considered_->exclude(other);
  }
  return {};
}

std::string Resolver::versions_of(const std::vector<Id>& ids) const {
  std::vector<Id> sorted = ids;
  std::sort(sorted.begin(), sorted.end(), [&](Id a, Id b) { return newer(a, b); });
  std::string out;
  std::set<std::string_view> seen;
  for (const Id id : sorted) {
    if (!seen.insert(version(id)).second) continue;
    if (seen.size() > 5) return out + ", ...";
    out += (out.empty() ? "" : ", ") + std::string(version(id));
  }
  return out;
}

std::vector<std::string_view> Resolver::names() const {
  std::vector<std::string_view> out;
  for (const auto& [key, ids] : by_name_) out.push_back(key);
  return out;
}

Status Resolver::constrain() {
  for (const auto& [package, pattern] : manifest_.constraints) {
    const auto found = by_name_.find(package);
    if (found == by_name_.end()) {
      return fail(Errc::invalid_input, "constraints." + package + ": no suite has this package" +
                                           suggestion(package, names()));
    }
    bool any = false;
    for (const Id id : found->second) {
      const bool fits = matches(pattern, version(id));
      if (!fits) considered_->exclude(id);
      any = any || fits;
    }
    if (!any) {
      return fail(Errc::invalid_input, "constraints." + package + ": no version matches " +
                                           quoted(pattern) + "; the suites have " +
                                           versions_of(found->second));
    }
  }
  return {};
}

const IndexedPackage* Resolver::entry_of(Id id, const PackageIndex& index) const {
  const std::string_view architecture = pool_id2str(pool(), pool_id2solvable(pool(), id)->arch);
  auto [at, end] = index.named(name(id));
  for (; at != end; ++at) {
    if (at->version == version(id) && at->architecture == architecture) return at;
  }
  return nullptr;
}

// A package that stays can be in the image as it is locked, or not at all.
Status Resolver::keep() {
  std::string gone;
  for (const auto& package : kept_.packages) {
    bool any = false;
    const IndexedPackage* other = nullptr;
    const auto found = by_name_.find(package.name);
    for (const Id id : found == by_name_.end() ? std::vector<Id>() : found->second) {
      const auto* index =
          static_cast<const PackageIndex*>(pool_id2solvable(pool(), id)->repo->appdata);
      const IndexedPackage* entry = entry_of(id, *index);
      const bool same =
          entry->version == package.version && entry->architecture == package.architecture;
      if (same && entry->digest == package.digest) {
        any = true;
        continue;
      }
      if (same) other = entry;
      considered_->exclude(id);
    }
    if (any) continue;
    if (other != nullptr) {
      return fail(Errc::integrity, package.name + " " + package.version + ": the lock has digest " +
                                       package.digest.hex() + ", the signed index has " +
                                       other->digest.hex() + ": the lock was changed; lock again");
    }
    gone += " --update " + (package.name == kept_.kernel ? "kernel" : package.name);
  }
  if (gone.empty()) return {};
  return fail(Errc::not_found,
              "some packages that were to stay have left the signed indices, so no lock of today "
              "can hold them: let them move too, with" +
                  gone);
}

Result<Id> Resolver::kernel() const {
  const auto& pin = manifest_.kernel;
  std::vector<Id> named, fitting;
  for (const auto& [package, ids] : by_name_) {
    // A full name may ask for such a variant; a wildcard never means one.
    const bool exact = package == pin.package;
    if (!exact && (ends_with_variant(package) || !matches(pin.package, package))) continue;
    if (kept_.kernel && package != *kept_.kernel) continue;
    named.insert(named.end(), ids.begin(), ids.end());
  }
  if (named.empty() && kept_.kernel) {
    return fail(Errc::invalid_input, "kernel.package: " + quoted(pin.package) +
                                         " is not the kernel that was to stay (" + *kept_.kernel +
                                         "): let it move too, with --update kernel");
  }
  if (named.empty()) {
    // With a wildcard nothing is "close" by letters: show kernels of the same flavour instead.
    std::vector<std::string_view> kernels;
    for (const auto& [package, ids] : by_name_) {
      if (package.starts_with("linux-image-") && !ends_with_variant(package)) {
        kernels.push_back(package);
      }
    }
    return fail(Errc::invalid_input, "kernel.package: no kernel matches " + quoted(pin.package) +
                                         suggestion(pin.package, kernels));
  }
  for (const Id id : named) {
    if (!MAPTST(pool()->considered, id)) continue;
    if (!pin.version || matches(*pin.version, version(id))) fitting.push_back(id);
  }
  if (fitting.empty()) {
    return fail(Errc::invalid_input, "kernel.version: no kernel " + quoted(pin.package) +
                                         " has a version that matches " +
                                         quoted(pin.version.value_or("*")) + "; the suites have " +
                                         versions_of(named));
  }
  return *std::min_element(fitting.begin(), fitting.end(), [&](Id a, Id b) { return newer(a, b); });
}

Status Resolver::ask() {
  TRY_ASSIGN(kernel_, kernel());
  pool_createwhatprovides(pool());
  queue_push2(jobs_.get(), SOLVER_INSTALL | SOLVER_SOLVABLE, kernel_);
  queue_push2(jobs_.get(), SOLVER_LOCK | SOLVER_SOLVABLE_NAME,
              pool_str2id(pool(), "weir-stand-in", 1));
  for (std::size_t i = 0; i < manifest_.packages.size(); ++i) {
    const auto& package = manifest_.packages[i];
    if (!by_name_.contains(package)) {
      return fail(Errc::invalid_input, "packages[" + std::to_string(i) + "]: no suite has " +
                                           quoted(package) + suggestion(package, names()));
    }
    queue_push2(jobs_.get(), SOLVER_INSTALL | SOLVER_SOLVABLE_NAME,
                pool_str2id(pool(), package.c_str(), 1));
  }
  return {};
}

Result<std::vector<Id>> Resolver::solve() {
  const std::unique_ptr<Solver, FreeSolver> solver(solver_create(pool()));
  solver_set_flag(solver.get(), SOLVER_FLAG_IGNORE_RECOMMENDED, 1);
  if (solver_solve(solver.get(), jobs_.get()) > 0) {
    std::string problem = solver_problem2str(solver.get(), 1);
    std::replace(problem.begin(), problem.end(), '\n', ' ');
    return fail(Errc::not_found,
                "the packages cannot be installed together: " + problem +
                    (kept_.packages.empty() ? "" : " (--update more of them, if they may move)"));
  }
  const std::unique_ptr<Transaction, void (*)(Transaction*)> transaction(
      solver_create_transaction(solver.get()), transaction_free);
  SolvQueue installed;
  transaction_installedresult(transaction.get(), installed.get());
  auto out = installed.ids();
  std::erase_if(out,
                [&](Id id) { return pool_id2solvable(pool(), id)->repo == pool()->installed; });
  return out;
}

// Breadth first from what was asked for, so that each reason is a shortest one.
std::map<Id, std::string> Resolver::reasons(const std::set<Id>& chosen) const {
  std::map<Id, std::string> why;
  std::vector<Id> order;
  const auto reach = [&](Id id, std::string reason) {
    if (chosen.contains(id) && why.emplace(id, std::move(reason)).second) order.push_back(id);
  };
  reach(kernel_, "kernel");
  for (const auto& package : manifest_.packages) {
    for (const Id id : by_name_.at(package)) reach(id, "asked for");
  }
  for (std::size_t next = 0; next < order.size(); ++next) {
    SolvQueue dependencies;
    solvable_lookup_deparray(pool_id2solvable(pool(), order[next]), SOLVABLE_REQUIRES,
                             dependencies.get(), 0);
    const std::string reason = "needed by " + std::string(name(order[next]));
    for (const Id dependency : dependencies.ids()) {
      if (dependency == SOLVABLE_PREREQMARKER) continue;
      const Id* providers = pool_whatprovides_ptr(pool(), dependency);
      for (; *providers != 0; ++providers) reach(*providers, reason);
    }
  }
  return why;
}

LockedPackage Resolver::lock(Id id, std::string why) const {
  const auto* index = static_cast<const PackageIndex*>(pool_id2solvable(pool(), id)->repo->appdata);
  const IndexedPackage* entry = entry_of(id, *index);
  for (const auto& other : indices_) {
    const IndexedPackage* same = entry_of(id, other);
    if (same != nullptr && same->digest == entry->digest) {
      index = &other;
      entry = same;
      break;
    }
  }
  return LockedPackage{.name = std::string(entry->name),
                       .version = std::string(entry->version),
                       .architecture = std::string(entry->architecture),
                       .path = std::string(entry->path),
                       .size = entry->size,
                       .digest = entry->digest,
                       .suite = index->suite(),
                       .why = std::move(why)};
}

Result<Resolution> Resolver::run() {
  TRY(load());
  TRY(stand_in());
  TRY(constrain());
  TRY(keep());
  TRY(ask());
  TRY_ASSIGN(const auto ids, solve());
  const auto why = reasons({ids.begin(), ids.end()});
  Resolution out{.kernel = std::string(name(kernel_)), .packages = {}};
  for (const Id id : ids) {
    const auto found = why.find(id);
    if (found == why.end()) {
      return fail(Errc::bug, std::string(name(id)) +
                                 " was chosen, and nothing in the image asks for it or needs it");
    }
    out.packages.push_back(lock(id, found->second));
  }
  std::sort(out.packages.begin(), out.packages.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  for (const auto& [package, pattern] : manifest_.constraints) {
    const bool used = std::any_of(out.packages.begin(), out.packages.end(),
                                  [name = package](const auto& p) { return p.name == name; });
    if (!used) {
      return fail(Errc::invalid_input,
                  "constraints." + package + ": this package is not in the image; remove the line");
    }
  }
  return out;
}

}  // namespace

Result<Resolution> resolve(const ImageManifest& manifest, const std::vector<PackageIndex>& indices,
                           const Kept& kept) {
  return Resolver(manifest, indices, kept).run();
}

}  // namespace weir::builder
