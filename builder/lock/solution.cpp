#include "builder/lock/solution.h"

#include <algorithm>
#include <memory>

#include "builder/kernel/kernel_packages.h"
#include "builder/lock/kernel_choice.h"
#include "builder/lock/kernel_hint.h"
#include "manifests/base/closest_names.h"

namespace weir::builder {
namespace {

using manifests::ImageManifest;

struct FreeSolver {
  void operator()(Solver* solver) const { solver_free(solver); }
};

std::string quoted(std::string_view text) {
  return "'" + std::string(text) + "'";
}

class Solving {
 public:
  Solving(PackagePool& pool, const ImageManifest& manifest, const Kept& kept)
      : pool_(pool), manifest_(manifest), kept_(kept) {}

  Result<Solution> run() {
    TRY(ask());
    TRY(choose());
    solution_.reasons = reasons();
    TRY(check_one_kernel());
    return std::move(solution_);
  }

 private:
  [[nodiscard]] KernelOffer offer(Id id) const;
  [[nodiscard]] Result<KernelChoice> kernel() const;
  [[nodiscard]] std::string hint(const std::string& package) const;
  Status ask();
  Status choose();
  [[nodiscard]] std::set<Id> that_stay() const;
  Result<std::set<Id>> install(SolvQueue& jobs) const;
  [[nodiscard]] std::map<Id, Reason> reasons() const;
  [[nodiscard]] Status check_one_kernel() const;

  PackagePool& pool_;
  const ImageManifest& manifest_;
  const Kept& kept_;
  std::vector<Id> roots_;  // the kernel, and what the manifest asks for, as apt would take it
  Id kernel_modules_ = 0;  // of a kernel that does not depend on them
  Solution solution_;
};

KernelOffer Solving::offer(Id id) const {
  Solvable* package = pool_.solvable(id);
  KernelOffer out{.id = id,
                  .name = pool_.name(id),
                  .version = pool_.version(id),
                  .architecture = pool_id2str(pool_.get(), package->arch),
                  .automatic = !pool_.index_of(id).not_automatic(),
                  .allowed = pool_.may_be_chosen(id)};
  // libsolv does not keep it.
  const IndexedPackage* entry = pool_.entry_of(id, pool_.index_of(id));
  if (entry != nullptr) out.section = entry->section;
  // libsolv counts bytes.
  if (const auto size = solvable_lookup_num(package, SOLVABLE_INSTALLSIZE, 0); size > 0) {
    out.installed_kib = size / 1024;
  }
  for (const Id relation : pool_.requirements(id)) {
    for (const Id alternative : pool_.alternatives(relation)) {
      out.depends.emplace_back(pool_id2str(pool_.get(), pool_.name_in(alternative)));
    }
  }
  return out;
}

Result<KernelChoice> Solving::kernel() const {
  const KernelOffers offers{
      .names = pool_.names(),
      .named =
          [&](std::string_view package) {
            std::vector<KernelOffer> out;
            for (const Id id : pool_.named(package)) out.push_back(offer(id));
            return out;
          },
      .newer = [&](const KernelOffer& x, const KernelOffer& y) { return pool_.newer(x.id, y.id); }};
  return choose_kernel(manifest_.kernel, manifest_.architecture, kept_.kernel, offers);
}

std::string Solving::hint(const std::string& package) const {
  for (const std::string_view kind : {"linux-image-", "linux-headers-"}) {
    if (!package.starts_with(kind)) continue;
    const auto newer = [this](std::string_view a, std::string_view b) {
      return pool_.newer(pool_.named(a).front(), pool_.named(b).front());
    };
    auto out = kernel_hint(package, kind, manifest_.architecture, pool_.names(), newer);
    if (!out.empty()) return out;
  }
  return suggestion(package, pool_.names());
}

Status Solving::ask() {
  if (!manifest_.kernel.package.empty()) {
    TRY_ASSIGN(const KernelChoice choice, kernel());
    solution_.kernel = choice.kernel;
    kernel_modules_ = choice.modules.value_or(0);
  }
  pool_.prepare();
  if (solution_.kernel != 0) roots_ = {solution_.kernel};
  if (kernel_modules_ != 0) roots_.push_back(kernel_modules_);
  for (std::size_t i = 0; i < manifest_.packages.size(); ++i) {
    const auto& package = manifest_.packages[i];
    const auto& versions = pool_.named(package);
    if (versions.empty()) {
      return fail(Errc::invalid_input, "packages[" + std::to_string(i) + "]: no suite has " +
                                           quoted(package) + hint(package));
    }
    // Without a version that may be chosen, what Weir stands in for or the lock forbids: libsolv
    // says it.
    const Id candidate = pool_.candidate(pool_.solvable(versions.front())->name);
    if (candidate != 0) roots_.push_back(candidate);
  }
  return {};
}

std::set<Id> Solving::that_stay() const {
  std::set<Id> out;
  for (const auto& package : kept_.packages) {
    for (const Id id : pool_.named(package.name)) {
      if (pool_.may_be_chosen(id)) out.insert(id);
    }
  }
  return out;
}

Result<std::set<Id>> Solving::install(SolvQueue& jobs) const {
  const std::unique_ptr<Solver, FreeSolver> solver(solver_create(pool_.get()));
  solver_set_flag(solver.get(), SOLVER_FLAG_IGNORE_RECOMMENDED, 1);
  if (solution_.kernel != 0) {
    queue_push2(jobs.get(), SOLVER_INSTALL | SOLVER_SOLVABLE, solution_.kernel);
  }
  if (kernel_modules_ != 0) {
    queue_push2(jobs.get(), SOLVER_INSTALL | SOLVER_SOLVABLE, kernel_modules_);
  }
  queue_push2(jobs.get(), SOLVER_LOCK | SOLVER_SOLVABLE_NAME,
              pool_str2id(pool_.get(), "weir-stand-in", 1));
  for (const auto& package : manifest_.packages) {
    queue_push2(jobs.get(), SOLVER_INSTALL | SOLVER_SOLVABLE_NAME,
                pool_str2id(pool_.get(), package.c_str(), 1));
  }
  if (solver_solve(solver.get(), jobs.get()) > 0) {
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
  std::set<Id> out;
  for (const Id id : installed.ids()) {
    if (!pool_.is_stand_in(id)) out.insert(id);
  }
  return out;
}

// What apt would take is what libsolv is to install; it only has to agree. Where it does not, or
// where apt's way ends, it chooses, and prefers what was taken on that way, the earlier the more.
Status Solving::choose() {
  solution_.choice = choose_as_apt(pool_, roots_, that_stay());
  const auto& taken = solution_.choice.packages;
  if (solution_.choice.whole) {
    SolvQueue jobs;
    for (const Id id : taken) queue_push2(jobs.get(), SOLVER_INSTALL | SOLVER_SOLVABLE, id);
    auto packages = install(jobs);
    if (packages && *packages == std::set<Id>(taken.begin(), taken.end())) {
      solution_.packages = std::move(*packages);
      solution_.as_apt = true;
      return {};
    }
  }
  SolvQueue jobs;
  for (auto id = taken.rbegin(); id != taken.rend(); ++id) {
    queue_push2(jobs.get(), SOLVER_FAVOR | SOLVER_SOLVABLE, *id);
  }
  TRY_ASSIGN(solution_.packages, install(jobs));
  return {};
}

// Breadth first from what was asked for, so that each reason is a shortest one.
std::map<Id, Reason> Solving::reasons() const {
  std::map<Id, Reason> why;
  std::vector<Id> order;
  const auto reach = [&](Id id, Reason reason) {
    if (solution_.packages.contains(id) && why.emplace(id, reason).second) order.push_back(id);
  };
  reach(solution_.kernel, {});
  if (kernel_modules_ != 0) {
    reach(kernel_modules_, {solution_.kernel, pool_.solvable(kernel_modules_)->name});
  }
  for (const auto& package : manifest_.packages) {
    for (const Id id : pool_.named(package)) reach(id, {});
  }
  for (std::size_t next = 0; next < order.size(); ++next) {
    const Id by = order[next];
    for (const Id relation : pool_.requirements(by)) {
      for (const Id id : pool_.satisfying(relation)) reach(id, {by, relation});
    }
  }
  return why;
}

// The packages of a split kernel are named after one release.
Status Solving::check_one_kernel() const {
  if (solution_.kernel == 0) return {};
  const auto own = read_kernel_package_name(pool_.name(solution_.kernel));
  for (const Id id : solution_.packages) {
    const std::string_view name = pool_.name(id);
    if (!is_kernel_name(name) || id == solution_.kernel) continue;
    if (read_kernel_package_name(name).release == own.release) continue;
    const auto reason = solution_.reasons.find(id);
    const bool needed = reason != solution_.reasons.end() && reason->second.by != 0;
    return fail(
        Errc::invalid_input,
        "packages: " + std::string(name) +
            (needed ? ", needed by " + std::string(pool_.name(reason->second.by)) + "," : "") +
            " is a second kernel beside " + std::string(pool_.name(solution_.kernel)) +
            " (kernel.package), and an image boots one: leave it out");
  }
  return {};
}

}  // namespace

Result<Solution> solve(PackagePool& pool, const ImageManifest& manifest, const Kept& kept) {
  return Solving(pool, manifest, kept).run();
}

}  // namespace weir::builder
