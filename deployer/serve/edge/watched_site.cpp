#include "deployer/serve/edge/watched_site.h"

#include <algorithm>

#include "deployer/orders/edge/observe.h"
#include "deployer/serve/registry_guard.h"

namespace weir::deployer {
namespace {

constexpr std::chrono::milliseconds kSitePatience{3000};

std::set<PublicKey> names_of(const Documents& documents) {
  std::set<PublicKey> out;
  for (const auto& [key, peer] : documents.peers) out.insert(key);
  return out;
}

}  // namespace

void WatchedSite::accept(const Documents& documents) {
  former_ = names_of(documents);
}

Status WatchedSite::judge(Site& candidate) const {
  const auto& peers = candidate.peers();
  const bool lost_nobody =
      former_ && std::all_of(former_->begin(), former_->end(),
                             [&](const PublicKey& key) { return peers.contains(key); });
  if (lost_nobody) return {};
  TRY_ASSIGN(const Observed observed, observe(candidate, kSitePatience));
  return judge_registry(candidate.documents(), observed, former_.value_or(std::set<PublicKey>()));
}

void WatchedSite::renew() {
  auto candidate = open_();
  Status fine;
  if (candidate) {
    fine = judge(**candidate);
  } else {
    fine = tl::unexpected(candidate.error());
  }
  if (fine) {
    accept((*candidate)->documents());
    revivals_ = Revivals::now;
    trouble_.clear();
  } else if (revivals_ == Revivals::now) {
    trouble_ = fine.error().message + "; watching goes on with the documents before";
    return;
  } else {
    trouble_ = fine.error().message + "; a node that is booted again waits until this is mended";
    if (!candidate) return;
  }
  site_ = std::move(*candidate);
}

}  // namespace weir::deployer
