#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "deployer/serve/edge/watcher.h"
#include "deployer/site/edge/site.h"

namespace weir::deployer {

/// The fleet that is watched, with the documents of the moment where they can be used, else with
/// those before them: nodes that are booted again must not wait for a registry to be mended, nor be
/// given half of one.
class WatchedSite {
 public:
  /// Opens the fleet with the documents of the moment.
  using Open = std::function<Result<std::unique_ptr<Site>>()>;
  explicit WatchedSite(Open open) : open_(std::move(open)) {}

  /// Opens it anew. What was open stays where that fails, or where the registry lost more peers
  /// than may go unasked. References to the former site are void afterwards.
  void renew();
  /// A person ordered something with these documents, and said what may go.
  void accept(const Documents& documents);

  /// Null: it could not be opened yet.
  [[nodiscard]] Site* site() const { return site_.get(); }
  /// `wait`: the registry lost too many peers, and there is none before it.
  [[nodiscard]] Revivals revivals() const { return revivals_; }
  /// Why the documents of the moment are not used, with file and line, and what is done meanwhile;
  /// empty: they are.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }

 private:
  Status judge(Site& candidate) const;

  Open open_;
  std::unique_ptr<Site> site_;
  std::optional<std::set<PublicKey>> former_;  ///< whom the accepted registry names
  Revivals revivals_ = Revivals::wait;
  std::string trouble_;
};

}  // namespace weir::deployer
