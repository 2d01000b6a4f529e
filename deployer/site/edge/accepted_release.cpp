#include "deployer/site/edge/accepted_release.h"

#include <utility>

#include "images/store/folder/edge/folder_store.h"
#include "images/store/read_evidence.h"
#include "keys/trust/edge/fleet_trust.h"
#include "keys/trust/edge/trust_files.h"

namespace weir::deployer {
namespace {

/// All that a release of this fleet is judged by.
struct Case {
  keys::Believed believed;
  manifests::ReleaseEvidence evidence;
  keys::TrustDemands demands;
  keys::Circumstances circumstances;
};

/// Before the store is opened: what is withheld there must not keep a revoked signer in power.
Result<keys::Believed> read_believed(Site& site, Seeing seeing) {
  TRY_ASSIGN(auto authority, keys::read_fleet_authority(site.fleet(), site.documents().folder));
  keys::TrustMemory memory;
  memory.path = site.state_path("trust.state");
  memory.writes = seeing == Seeing::remembered;
  memory.waiting = {[&site] { return site.cancelled(); },
                    [&site](const std::string& line) { site.say(line); }};
  TRY_ASSIGN(auto believed, keys::believe(std::move(authority), std::move(memory)));
  if (!believed.note().empty()) site.say(believed.note());
  return believed;
}

Result<Case> read_case(Site& site, const ReleaseName& name, Seeing seeing) {
  TRY_ASSIGN(auto believed, read_believed(site, seeing));
  const std::string store_path = site.path(site.fleet().store);
  TRY_ASSIGN_IN(const auto store, images::FolderStore::open(store_path), "store");
  TRY_ASSIGN_IN(auto evidence, images::read_evidence(store, name), "store " + store_path);
  evidence.where += " in " + store_path;
  TRY_ASSIGN(auto demands, keys::read_fleet_demands(site.fleet(), site.documents().folder));
  TRY_ASSIGN(const UtcTime now, keys::read_clock());
  TRY_ASSIGN(auto running, running_releases(site));
  auto seen = believed.seen();
  return Case{std::move(believed),
              std::move(evidence),
              std::move(demands),
              {now, std::move(seen), std::move(running)}};
}

}  // namespace

Result<std::set<Digest>> running_releases(Site& site) {
  std::set<Digest> out;
  TRY_ASSIGN(const auto pools, site.store().pools());
  for (const auto& [_, pool] : pools) out.insert(pool.release_digest);
  return out;
}

Result<keys::Verified<manifests::Release>> read_verified_release(Site& site,
                                                                 const ReleaseName& name,
                                                                 Seeing seeing) {
  TRY_ASSIGN(const Case it, read_case(site, name, seeing));
  return keys::judge(it.evidence, it.believed.authority(), it.demands, it.circumstances).release();
}

Status Site::remember(const keys::Verified<manifests::Release>& release) {
  TRY_ASSIGN(const Case it, read_case(*this, release->name, Seeing::remembered));
  if (Digest::of(as_bytes(it.evidence.release)) != release.digest()) {
    return fail(Errc::integrity, it.evidence.where + ": was replaced meanwhile by another one");
  }
  return keys::remember_accepted(it.evidence, it.believed, it.demands, it.circumstances);
}

}  // namespace weir::deployer
