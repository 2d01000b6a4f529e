#include "deployer/judge/cohorts.h"

#include <utility>

namespace weir::judge {

CohortTable tabulate(const std::vector<Subject>& subjects) {
  std::map<std::pair<std::string, std::string>, Cohort> cohorts;
  CohortTable out;
  for (const Subject& subject : subjects) {
    ++(subject.prepared ? out.prepared : out.failed);
    for (const auto& label : subject.labels) {
      Cohort& cohort =
          cohorts.try_emplace(label, Cohort{label.first, label.second, 0, 0}).first->second;
      ++(subject.prepared ? cohort.prepared : cohort.failed);
    }
  }
  for (auto& [label, cohort] : cohorts) out.cohorts.push_back(std::move(cohort));
  return out;
}

std::vector<Cohort> CohortTable::suspicious() const {
  std::vector<Cohort> out;
  for (const Cohort& cohort : cohorts) {
    // failed / size > all failed / all, without dividing
    if (cohort.failed != 0 &&
        cohort.failed * (prepared + failed) > failed * (cohort.prepared + cohort.failed)) {
      out.push_back(cohort);
    }
  }
  return out;
}

}  // namespace weir::judge
