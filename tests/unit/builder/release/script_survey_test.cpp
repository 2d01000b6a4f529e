#include "builder/release/script_survey.h"

#include <doctest/doctest.h>

namespace weir::builder {

TEST_CASE(
    "an entry's reason names what the image does without, and never calls a refusal harmless") {
  const auto why = [](const char* text) {
    SurveyedScript script{"p", "1", "preinst", Digest::of(as_bytes("")), {}, text};
    script.actions = actions_of(text, "preinst");
    return entry_for(script).why;
  };
  CHECK(why("#!/bin/sh\nexit 0\n") == "tests and says something, and changes nothing");
  CHECK(why("#!/bin/sh\necho not here >&2\nexit 1\n") ==
        "refuses to be installed: exit 1, saying 'not here'");
  CHECK(why("#!/bin/sh\nldconfig\nrm -f /a\nmv b c\n") ==
        "rebuilds the loader's cache, which Weir does; does without `rm -f /a`, `mv b c`");
  CHECK(why("#!/bin/sh\nrm 1\nrm 2\nrm 3\nrm 4\nrm 5\nrm 6\nrm 7\n/bin/mv 8 9\nrm 10\n") ==
        "does without `rm 1`, `rm 2`, `rm 3`, `rm 4`, `rm 5`, `rm 6` and 3 more (mv, rm)");
}

}  // namespace weir::builder
