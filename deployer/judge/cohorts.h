#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace weir::judge {

/// One client and how its preparation ended.
struct Subject {
  std::map<std::string, std::string> labels;
  bool prepared = false;
};

/// All clients that share a label's value.
struct Cohort {
  std::string label, value;
  std::size_t prepared = 0, failed = 0;
  bool operator==(const Cohort&) const = default;
};

struct CohortTable {
  std::vector<Cohort> cohorts;  ///< by label, then value
  /// Cohorts with failures that fail more often than everybody together.
  [[nodiscard]] std::vector<Cohort> suspicious() const;
  std::size_t prepared = 0, failed = 0;
};

/// Counts every client once for each of its labels.
[[nodiscard]] CohortTable tabulate(const std::vector<Subject>& subjects);

}  // namespace weir::judge
