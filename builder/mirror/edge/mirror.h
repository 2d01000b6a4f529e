#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "manifests/base/result.h"

namespace weir::builder {

/// Where each suite's archive is: the base URL below which "dists/SUITE/" and "pool/" lie, without
/// a slash at the end. Made at run time and never written into a document.
class Mirrors {
 public:
  /// errors: not_found, naming the suite and what to do
  [[nodiscard]] Result<std::string> base_of(std::string_view suite) const;
  void set(std::string suite, std::string base) { bases_[std::move(suite)] = std::move(base); }

 private:
  std::map<std::string, std::string, std::less<>> bases_;
};

/// Whether `--mirror` arguments can be read, also where no mirror is asked. errors: invalid_input
[[nodiscard]] Status check_mirrors(const std::vector<std::string>& overrides);

/// Finds the archive of each suite.
///
/// suites     as the manifest names them
/// overrides  `--mirror` arguments: "URL" for all suites, "SUITE=URL" for one; http or https only
/// returns    bases for suites without an override come from `apt-get indextargets`: the configured
///            site of that suite, or, where it is not configured (such as a backports suite), the
///            site of the suite that its name starts with
/// errors     invalid_input: an override that is not such a URL; not_found: a suite apt does not
///            know; io: apt-get cannot be run
[[nodiscard]] Result<Mirrors> read_mirrors(const std::vector<std::string>& suites,
                                           const std::vector<std::string>& overrides);

}  // namespace weir::builder
