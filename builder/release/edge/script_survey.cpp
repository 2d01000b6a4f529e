#include "builder/release/edge/script_survey.h"

#include <string>
#include <utility>
#include <vector>

#include "builder/layers/edge/package_flow.h"
#include "builder/lock/edge/locked_image.h"

namespace weir::builder {

Result<ScriptSurvey> survey_scripts(const LockedImage& image, const Cache& cache,
                                    const MirrorRequest& request, Progress& progress) {
  const auto& packages = image.lock.packages;
  std::vector<WantedPackage> wanted;
  wanted.reserve(packages.size());
  for (const auto& package : packages) wanted.push_back({package, !is_cached(cache, package)});
  std::vector<std::vector<SurveyedScript>> found(packages.size());
  const PackageFlow flow{[&] { return mirrors_of(image, request); }, progress.download_observer(),
                         [&](std::size_t i, const std::string& deb) -> Status {
                           TRY_ASSIGN_IN(found[i],
                                         survey_package(packages[i], as_bytes(deb), image.lock),
                                         "package " + packages[i].name + " " + packages[i].version);
                           return {};
                         }};
  progress.step("reading scripts");
  TRY(each_package(wanted, cache, flow));
  return join_surveys(std::move(found), image.lock);
}

}  // namespace weir::builder
