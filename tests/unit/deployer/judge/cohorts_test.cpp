#include "deployer/judge/cohorts.h"

#include <doctest/doctest.h>

namespace weir::judge {

TEST_CASE("a cohort that fails more often than everybody is suspicious") {
  std::vector<Subject> subjects;
  subjects.reserve(100);
  for (int i = 0; i < 10; ++i)
    subjects.push_back({{{"class", "mobile"}, {"client", "ios"}}, i >= 5});
  for (int i = 0; i < 90; ++i) subjects.push_back({{{"class", "desktop"}}, true});
  const CohortTable table = tabulate(subjects);
  CHECK(table.prepared == 95);
  CHECK(table.failed == 5);
  CHECK(table.cohorts == std::vector<Cohort>{{"class", "desktop", 90, 0},
                                             {"class", "mobile", 5, 5},
                                             {"client", "ios", 5, 5}});
  CHECK(table.suspicious() ==
        std::vector<Cohort>{{"class", "mobile", 5, 5}, {"client", "ios", 5, 5}});
}

TEST_CASE("failures that are spread evenly point at no cohort") {
  CHECK(tabulate({{{{"class", "a"}}, false}, {{{"class", "a"}}, true}}).suspicious().empty());
  CHECK(tabulate({}).suspicious().empty());
}

}  // namespace weir::judge
