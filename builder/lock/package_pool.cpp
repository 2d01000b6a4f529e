#include "builder/lock/package_pool.h"

#include <algorithm>
#include <cstdio>
#include <set>

#include "builder/lock/solver_text.h"

namespace weir::builder {

Result<PackagePool> PackagePool::load(const manifests::ImageManifest& manifest,
                                      const std::vector<PackageIndex>& indices) {
  PackagePool out;
  pool_setdisttype(out.get(), DISTTYPE_DEB);
  pool_setarch(out.get(), manifest.architecture.c_str());
  int number = 0;
  for (const auto& index : indices) TRY(out.add(index, number++));
  out.drop_own_architecture(manifest.architecture);
  for (Id id = 2; id < out.pool_->nsolvables; ++id) {
    if (out.solvable(id)->repo != nullptr) out.by_name_[std::string(out.name(id))].push_back(id);
  }
  out.stand_in(manifest.provides);
  return out;
}

Status PackagePool::add(const PackageIndex& index, int number) {
  Repo* repo = repo_create(get(), index.suite().c_str());
  repo->appdata = const_cast<PackageIndex*>(&index);
  // A package from a suite that is not automatic must not win because it is newer.
  repo->priority = index.not_automatic() ? 0 : 1;
  repo->subpriority = -number;
  std::string text = solver_text(index.text());
  if (text.empty()) return {};
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(
      fmemopen(text.data(), text.size(), "r"), std::fclose);
  if (!file || repo_add_debpackages(repo, file.get(), 0) != 0) {
    return fail(Errc::invalid_input, "libsolv cannot read the index of " + index.suite());
  }
  return {};
}

// "libc6:amd64" is libc6 where all packages are of amd64 or of every architecture; libsolv takes it
// for a package of that whole name. Debian policy 7.1: an architecture-qualified relation.
void PackagePool::drop_own_architecture(const std::string& architecture) {
  const std::string suffix = ":" + architecture;
  std::map<Id, Id> plain;
  for (Id id = 2, count = pool_->ss.nstrings; id < count; ++id) {
    const std::string_view name = text(id);
    if (!name.ends_with(suffix) || name.size() == suffix.size()) continue;
    const std::string without(name.substr(0, name.size() - suffix.size()));
    plain[id] = pool_str2id(get(), without.c_str(), 1);
  }
  if (plain.empty()) return;
  const auto as_plain = [&plain](Id id) {
    const auto found = plain.find(id);
    return found == plain.end() ? id : found->second;
  };
  // A relation only refers to strings and to relations that were there before it.
  for (Id number = 1, count = pool_->nrels; number < count; ++number) {
    const Reldep relation = pool_->rels[number];
    const Id name = as_plain(relation.name);
    // What is compared with is a version; what comes after "|" is a relation.
    const Id rest = relation.flags == REL_OR ? as_plain(relation.evr) : relation.evr;
    if (name == relation.name && rest == relation.evr) continue;
    plain[MAKERELDEP(number)] = pool_rel2id(get(), name, rest, relation.flags, 1);
  }
  Pool* pool = get();  // as FOR_REPOS has it
  int at = 0;
  Repo* repo = nullptr;
  FOR_REPOS(at, repo) {
    for (int i = 0; i < repo->idarraysize; ++i) {
      repo->idarraydata[i] = as_plain(repo->idarraydata[i]);
    }
  }
}

void PackagePool::stand_in(const std::vector<std::string>& provided) {
  Repo* repo = repo_create(get(), "weir");
  const Id id = repo_add_solvable(repo);
  Solvable* self = solvable(id);
  self->name = pool_str2id(get(), "weir-stand-in", 1);
  self->evr = pool_str2id(get(), "1", 1);
  self->arch = ARCH_ALL;
  const auto provide = [&](Id dependency) {
    solvable_add_deparray(self, SOLVABLE_PROVIDES, dependency, 0);
  };
  provide(pool_rel2id(get(), self->name, self->evr, REL_EQ, 1));
  for (const auto& each : provided) {
    const Id provided_id = pool_str2id(get(), each.c_str(), 1);
    const auto& real = named(each);
    if (real.empty()) {
      provide(provided_id);
      continue;
    }
    Id newest = real.front();
    for (const Id other : real) newest = newer(other, newest) ? other : newest;
    provide(pool_rel2id(get(), provided_id, solvable(newest)->evr, REL_EQ, 1));
  }
  repo_internalize(repo);
  pool_set_installed(get(), repo);
  pool_addfileprovides(get());
  considered_.reset(new Map);
  map_init(considered_.get(), pool_->nsolvables);
  map_setall(considered_.get());
  pool_->considered = considered_.get();
  // What Weir stands in for is not also installed.
  for (const auto& each : provided) {
    for (const Id other : named(each)) exclude(other);
  }
}

const IndexedPackage* PackagePool::entry_of(Id id, const PackageIndex& index) const {
  const std::string_view architecture = text(solvable(id)->arch);
  auto [at, end] = index.named(name(id));
  for (; at != end; ++at) {
    if (at->version == version(id) && at->architecture == architecture) return at;
  }
  return nullptr;
}

const std::vector<Id>& PackagePool::named(std::string_view name) const {
  static const std::vector<Id> kNone;
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? kNone : found->second;
}

std::vector<std::string_view> PackagePool::names() const {
  std::vector<std::string_view> out;
  for (const auto& [key, ids] : by_name_) out.push_back(key);
  return out;
}

bool PackagePool::newer(Id a, Id b) const {
  const int order = pool_evrcmp(get(), solvable(a)->evr, solvable(b)->evr, EVRCMP_COMPARE);
  if (order != 0) return order > 0;
  // Two kernels of one source version: the newer name ("6.1.0-9" before "6.1.0-10").
  const int names = pool_evrcmp_str(get(), name(a).data(), name(b).data(), EVRCMP_COMPARE);
  return names != 0 ? names > 0 : a < b;
}

Id PackagePool::candidate(Id name) const {
  Id out = 0;
  for (const Id id : named(text(name))) {
    if (!may_be_chosen(id)) continue;
    if (out == 0) {
      out = id;
      continue;
    }
    const int mine = solvable(id)->repo->priority, best = solvable(out)->repo->priority;
    if (mine > best || (mine == best && pool_evrcmp(get(), solvable(id)->evr, solvable(out)->evr,
                                                    EVRCMP_COMPARE) > 0)) {
      out = id;
    }
  }
  return out;
}

std::string PackagePool::versions_of(const std::vector<Id>& ids) const {
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

std::vector<Id> PackagePool::satisfying(Id relation) const {
  std::vector<Id> out;
  for (const Id* id = pool_whatprovides_ptr(get(), relation); *id != 0; ++id) {
    if (is_stand_in(*id) || may_be_chosen(*id)) out.push_back(*id);
  }
  return out;
}

std::vector<Id> PackagePool::requirements(Id id) const {
  SolvQueue queue;
  solvable_lookup_deparray(solvable(id), SOLVABLE_REQUIRES, queue.get(), 0);
  std::vector<Id> all = queue.ids();
  // What comes behind the marker are Pre-Depends.
  const auto marker = std::find(all.begin(), all.end(), SOLVABLE_PREREQMARKER);
  std::vector<Id> out(marker == all.end() ? marker : std::next(marker), all.end());
  out.insert(out.end(), all.begin(), marker);
  return out;
}

std::vector<Id> PackagePool::conflicts(Id id) const {
  SolvQueue queue;
  solvable_lookup_deparray(solvable(id), SOLVABLE_CONFLICTS, queue.get(), 0);
  return queue.ids();
}

std::vector<Id> PackagePool::alternatives(Id relation) const {
  std::vector<Id> out;
  while (ISRELDEP(relation) && GETRELDEP(get(), relation)->flags == REL_OR) {
    out.push_back(GETRELDEP(get(), relation)->name);
    relation = GETRELDEP(get(), relation)->evr;
  }
  out.push_back(relation);
  return out;
}

Id PackagePool::name_in(Id relation) const {
  while (ISRELDEP(relation)) relation = GETRELDEP(get(), relation)->name;
  return relation;
}

std::string PackagePool::print(Id relation) const {
  std::string out;
  for (Id each : alternatives(relation)) {
    std::string comparison;
    if (ISRELDEP(each) && GETRELDEP(get(), each)->flags < 8) {
      const Reldep* compared = GETRELDEP(get(), each);
      // libsolv's order of bits; Debian doubles what is strict.
      constexpr const char* kNames[] = {"", ">>", "=", ">=", "<<", "<>", "<=", ""};
      comparison = " (" + std::string(kNames[compared->flags]) + " " +
                   std::string(text(compared->evr)) + ")";
      each = compared->name;
    }
    const bool any = ISRELDEP(each) && GETRELDEP(get(), each)->flags == REL_MULTIARCH;
    out += (out.empty() ? "" : " | ") + std::string(text(name_in(each))) + (any ? ":any" : "") +
           comparison;
  }
  return out;
}

}  // namespace weir::builder
