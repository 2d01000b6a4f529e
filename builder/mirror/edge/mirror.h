#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "builder/mirror/edge/connections.h"
#include "builder/mirror/edge/download.h"
#include "builder/mirror/suite_source.h"
#include "manifests/base/result.h"
#include "manifests/documents/lock.h"

namespace weir::builder {

/// What the command line says about where files come from.
struct MirrorRequest {
  /// `--mirror`: "URL" for all suites, "SUITE=URL" for one; several are asked in turn.
  std::vector<std::string> mirrors{};
  /// `--snapshot`: likewise, a snapshot service's scheme (builder/mirror/snapshot.h).
  std::vector<std::string> snapshots{};
  /// When fetching ends.
  std::optional<std::chrono::steady_clock::time_point> until{};
};

/// Where each suite's archive is: the addresses below which "dists/SUITE/" and "pool/" lie, without
/// a slash at the end, in the order in which to ask. Made at run time and never written into a
/// document. Logins that were part of an address are put aside, and are in none of them.
class Mirrors {
 public:
  explicit Mirrors(Connections connections = {},
                   std::optional<std::chrono::steady_clock::time_point> until = {});

  /// errors: not_found, naming the suite, those that are closest to it, and what to do
  [[nodiscard]] Result<std::vector<std::string>> bases_of(std::string_view suite) const;
  /// Whether all have bases. errors: not_found, naming all that have none
  [[nodiscard]] Status check_known(const std::vector<SuiteSource>& suites) const;
  /// Remembers what else there is, for people who mistyped a suite.
  void known(const std::vector<std::string>& suites) {
    known_.insert(suites.begin(), suites.end());
  }
  /// Remembers which of apt's files were not read, and why, for where a suite has no address.
  void not_read(const std::vector<std::string>& files) { unread_ = files; }
  /// Adds an address behind those that the suite has. errors: invalid_input
  Status add(const std::string& suite, std::string_view url);
  /// The same, behind those that are there, of a snapshot service.
  Status add_snapshot(const std::string& suite, std::string_view url);
  /// Those of a suite's bases that are a snapshot service's.
  [[nodiscard]] std::vector<std::string> snapshots_of(std::string_view suite) const;
  /// How files are to be fetched from them.
  [[nodiscard]] const DownloadPolicy& policy() const { return policy_; }

 private:
  std::shared_ptr<Connections> connections_;
  DownloadPolicy policy_;
  std::map<std::string, std::vector<std::string>, std::less<>> bases_, snapshots_;
  std::set<std::string> known_;
  std::vector<std::string> unread_;
};

/// Whether the arguments can be read, also where no mirror is asked. errors: invalid_input
[[nodiscard]] Status check_mirrors(const MirrorRequest& request);

/// Finds the archive of each suite.
///
/// returns   of each suite what the request says of it by its label; else what the file of apt's
///           that names it says; else what the request says of all; else what this machine's apt
///           does (`apt_mirrors_of`), whether or not it was ever updated; none, where it knows none
/// errors    invalid_input: an override that is no URL, or for a suite that is not there, or, where
///           this machine's apt is asked, a file of its sources that apt refuses; io: apt-config
///           cannot be run
[[nodiscard]] Result<Mirrors> read_mirrors(const std::vector<SuiteSource>& suites,
                                           const std::string& architecture,
                                           const MirrorRequest& request);

/// The same for the sources of a lock: behind its archive, each suite has the addresses of the
/// snapshot service that the request names, of the time of the source's date.
///
/// known     the manifest's sources, as far as they could be read
/// errors    as above; as snapshot_addresses
[[nodiscard]] Result<Mirrors> read_mirrors(const std::vector<manifests::LockedSource>& sources,
                                           const std::vector<SuiteSource>& known,
                                           const std::string& architecture,
                                           const MirrorRequest& request);

}  // namespace weir::builder
