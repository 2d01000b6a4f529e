#include "builder/lock/solution.h"

#include <algorithm>
#include <memory>

#include "manifests/base/closest_names.h"

namespace weir::builder {
namespace {

using manifests::ImageManifest;
using manifests::matches;

struct FreeSolver {
  void operator()(Solver* solver) const { solver_free(solver); }
};

bool ends_with_variant(std::string_view name) {
  return name.ends_with("-unsigned") || name.ends_with("-dbg");
}

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
    return std::move(solution_);
  }

 private:
  [[nodiscard]] Result<Id> kernel() const;
  Status ask();
  Status choose();
  [[nodiscard]] std::set<Id> that_stay() const;
  Result<std::set<Id>> install(SolvQueue& jobs) const;
  [[nodiscard]] std::map<Id, Reason> reasons() const;

  PackagePool& pool_;
  const ImageManifest& manifest_;
  const Kept& kept_;
  std::vector<Id> roots_;  // the kernel, and what the manifest asks for, as apt would take it
  Solution solution_;
};

Result<Id> Solving::kernel() const {
  const auto& pin = manifest_.kernel;
  std::vector<Id> named, fitting;
  for (const auto& [package, ids] : pool_.by_name()) {
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
    for (const auto& [package, ids] : pool_.by_name()) {
      if (package.starts_with("linux-image-") && !ends_with_variant(package)) {
        kernels.emplace_back(package);
      }
    }
    return fail(Errc::invalid_input, "kernel.package: no kernel matches " + quoted(pin.package) +
                                         suggestion(pin.package, kernels));
  }
  for (const Id id : named) {
    if (!pool_.may_be_chosen(id)) continue;
    if (!pin.version || matches(*pin.version, pool_.version(id))) fitting.push_back(id);
  }
  if (fitting.empty()) {
    return fail(Errc::invalid_input, "kernel.version: no kernel " + quoted(pin.package) +
                                         " has a version that matches " +
                                         quoted(pin.version.value_or("*")) + "; the suites have " +
                                         pool_.versions_of(named));
  }
  return *std::min_element(fitting.begin(), fitting.end(),
                           [&](Id a, Id b) { return pool_.newer(a, b); });
}

Status Solving::ask() {
  TRY_ASSIGN(solution_.kernel, kernel());
  pool_.prepare();
  roots_ = {solution_.kernel};
  for (std::size_t i = 0; i < manifest_.packages.size(); ++i) {
    const auto& package = manifest_.packages[i];
    const auto& versions = pool_.named(package);
    if (versions.empty()) {
      return fail(Errc::invalid_input, "packages[" + std::to_string(i) + "]: no suite has " +
                                           quoted(package) + suggestion(package, pool_.names()));
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
  queue_push2(jobs.get(), SOLVER_INSTALL | SOLVER_SOLVABLE, solution_.kernel);
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

}  // namespace

Result<Solution> solve(PackagePool& pool, const ImageManifest& manifest, const Kept& kept) {
  return Solving(pool, manifest, kept).run();
}

}  // namespace weir::builder
