#include "builder/commands/edge/fetch_options.h"

namespace weir::builder {

std::vector<Option> with_fetching(std::vector<Option> options, std::size_t place, Fetched fetched,
                                  FetchOptions& given) {
  std::vector<Option> own = {
      {"mirror", "[SUITE=]URL", &given.request.mirrors,
       "asks this archive instead of the ones apt is configured for (http, https, file, copy); can "
       "be repeated, and several of one suite are asked in turn"},
      {"fetch-within", "SECONDS", &given.within,
       "ends fetching this long after the command began; default: each server has its chances, "
       "however long all of them take"}};
  if (fetched == Fetched::packages) {
    own.insert(own.begin() + 1,
               {"snapshot", "[SUITE=]URL", &given.request.snapshots,
                "asks this snapshot service for what the mirrors no longer have; {time} in URL "
                "stands for the "
                "time of the lock's index, {archive} for the archive's name (debian); can be "
                "repeated"});
  }
  options.insert(options.begin() + static_cast<std::ptrdiff_t>(place), own.begin(), own.end());
  return options;
}

Result<MirrorRequest> request_of(const FetchOptions& given) {
  TRY(check_mirrors(given.request));
  MirrorRequest out = given.request;
  if (given.within) {
    out.until = std::chrono::steady_clock::now() + std::chrono::seconds(*given.within);
  }
  return out;
}

}  // namespace weir::builder
