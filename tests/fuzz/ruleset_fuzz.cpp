#include <string>

#include "deployer/director/nft/netlink.h"
#include "deployer/director/nft/render.h"
#include "deployer/director/nft/ruleset.h"
#include "tests/fuzz/property.h"
#include "tests/unit/deployer/director/fixture.h"

namespace {

using namespace weir;
using namespace weir::director;

const char* const kSets[] = {
    "version",  "active", "serving", "home4",        "home6",        "kick4",        "kick6",
    "hold4",    "hold6",  "indices", "learned4",     "learned6",     "inner4",       "inner6",
    "settings", "seal",   "recent6", "assigned4_24", "assigned4_32", "assigned6_128"};

/// Whatever elements stand in one set of a ruleset that is otherwise sound: it is understood, and
/// then can be installed again, or it is refused.
void check_observed(const std::string& name, std::vector<Element> elements) {
  Ruleset ruleset;
  for (const char* set : kSets) ruleset.sets[set];
  ruleset.sets["version"].push_back({std::string(8, '\0'), std::nullopt});
  ruleset.counters["index_collisions"] = 0;
  ruleset.sets[name] = std::move(elements);
  const Topology topology = test::topology();
  [[maybe_unused]] const auto keys = keys_of_node(ruleset, 1);
  [[maybe_unused]] const auto settings = saved_settings(ruleset);
  [[maybe_unused]] const auto sealed = check_seal(topology, ruleset);
  const auto observed = observe(topology, ruleset);
  if (!observed) {
    MUST_HOLD(observed.error().code == Errc::integrity);
    return;
  }
  MUST_HOLD(render_whole(topology, observed->steering, observed->learned, 1));
}

}  // namespace

// What the kernel answers about a ruleset, after one byte: 0 generation, 1 sets, 2 counters, 3
// rules, from 4 on elements of one set.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Bytes reply(data + 1, size - 1);
  switch (data[0]) {
    case 0:
      (void)parse_generation(reply);
      break;
    case 1:
      (void)parse_sets(reply);
      break;
    case 2:
      (void)parse_counters(reply);
      break;
    case 3:
      (void)parse_rules(reply);
      break;
    default: {
      auto elements = parse_elements(reply);
      if (elements) check_observed(kSets[(data[0] - 4U) % std::size(kSets)], std::move(*elements));
    }
  }
  return 0;
}
