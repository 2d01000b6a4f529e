#include "builder/packages/script_refusals.h"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

#include "builder/packages/script_actions.h"
#include "manifests/base/edge/process.h"

namespace weir::builder {
namespace {

// What dash makes of it, as dpkg would call it: "sh -s" reads the script from its input.
int status_in_dash(const std::string& script, const char* action) {
  Program dash{.path = *find_program("dash"), .arguments = {"-s", action, ""}};
  dash.environment = {"PATH=/usr/bin:/bin"};
  const auto ended = run(dash, script, {std::chrono::seconds(60)});
  REQUIRE(ended);
  return ended->status;
}

bool is_certain(const std::vector<ScriptRefusal>& refusals) {
  return refusals.size() == 1 && refusals.front().certain;
}

}  // namespace

TEST_CASE("whether a script refuses its package is what dash says of it") {
  // Nothing in them depends on the machine.
  const std::vector<std::string> scripts = {
      "echo not here >&2\nexit 1\n",
      "set -e\nfalse\nexit 0\n",
      "false\nexit 0\n",
      "false\n",
      "return 1\n",
      "exec false\n",
      "exec true\nexit 1\n",
      "exec >/dev/null\nexit 2\n",
      "if [ \"$1\" = install ]; then exit 1; fi\n",
      "if [ \"$1\" = configure ] && [ -z \"$2\" ]; then exit 1; fi\n",
      "[ -n \"$2\" ] || exit 1\n",
      "[ -n \"$2\" ] && exit 1\nexit 0\n",
      "[ -n \"$2\" ] && true\n",
      "case \"$1\" in\n  configure|install)\n  ;;\n  *) echo unknown >&2; exit 1;;\nesac\n",
      "case $1 in (up*) exit 3;; (inst*) exit 4 ;; esac\n",
      "f() { return 1; }\nf\n",
      "f() { return 1; }\nset -e\nf\nexit 0\n",
      "f() { return 1; }\nset -e\nif f; then exit 3; fi\nf || true\nexit 0\n",
      "f() (\n  exit 3\n)\nf || exit 0\n",
      "(exit 1)\n",
      "(exit 1) || true\n",
      "set -e\n(exit 1)\nexit 0\n",
      "set -e\n(exit 1) | true\nexit 0\n",
      "true | false\n",
      "! true\n",
      "! false\n",
      "set -e\n! true\nexit 0\n",
      "set -e; set +e; false; exit 0\n",
      "set -o errexit; false; exit 0\n",
      "exit 256\n",
      "exit 257\n",
      "false; exit $?\n",
      "false; exit\n",
      "true; exit $?\n",
      "STATUS=3\nexit $STATUS\n",
      "STATUS=0\nexit \"${STATUS}\"\n",
      "X=$(false)\n",
      "set -e\nX=$(false)\nexit 0\n",
      "eval exit 1\n",
      "true && false || exit 5\n",
      "if false; then exit 1; elif true; then exit 0; else exit 2; fi\nexit 3\n",
      "{ exit 6; }\n",
      "until false; do break; done; exit 4\n",
      "for x in a b; do continue; done\n",
      "test \"$1\" != configure -o \"$1\" = configure -a x = x\n",
      "[ ! \"$1\" = abort ] || exit 1\n",
      "[ x\n",
      "action=\"$1\"\nif [ \"$action\" = upgrade ]; then exit 1; fi\n",
      "cat <<EOF\nexit 1\nEOF\n",
      "exit 0\nexit 1\n",
      "false & exit 0\n",
  };
  for (const std::string& script : scripts) {
    CAPTURE(script);
    CHECK(is_certain(refusals_of(script, "preinst")) == (status_in_dash(script, "install") != 0));
    CHECK(is_certain(refusals_of(script, "postinst")) ==
          (status_in_dash(script, "configure") != 0));
    if (status_in_dash(script, "install") == 0) CHECK(refusals_of(script, "preinst").empty());
  }
}

TEST_CASE("what the machine decides may be a refusal") {
  using Refusals = std::vector<ScriptRefusal>;
  const auto of = [](const char* script) { return refusals_of(script, "postinst"); };
  CHECK(of("if ! which a; then\n  echo \"no $x\"\n  exit 1\nfi\n") ==
        Refusals{{false, "exit 1", "no $x"}});
  CHECK(of("set -e\n[ -e /x ]\nexit 0\n") == Refusals{{false, "[ -e /x ]"}});
  CHECK(of("[ -e /x ]\n") == Refusals{{false, "[ -e /x ]"}});
  CHECK(of(": ${X:?no}\n") == Refusals{{false, ": ${X:?no}"}});
  CHECK(of("exit $x\n") == Refusals{{false, "exit $x"}});
  CHECK(of("while read x; do exit 1; done\n") == Refusals{{false, "exit 1"}});
  CHECK(of("is() {\n  [ -e /x ] || return 1\n  return 0\n}\nif is; then exit 0; fi\nexit 1\n") ==
        Refusals{{false, "exit 1"}});
  CHECK(of("if\n").size() == 1);
  // A program that has something to do may fail as well, and nothing is said of that.
  CHECK(of("set -e\nldconfig\ninvoke-rc.d x start || exit 1\nX=$(mktemp)\n").empty());
  CHECK(of("[ -e /x ] || exit 0\nif [ -e /y ]; then ldconfig; fi\n").empty());
  const auto deep = [](int times) {
    std::string out;
    for (int i = 0; i < times; ++i) out += "if a; then\n";
    return out;
  };
  CHECK(of(deep(10'000).c_str()).size() == 1);
  CHECK(of("f() { f; f; }\nf\n").size() == 1);
}

TEST_CASE("a script that refuses is never one that changes nothing") {
  const auto preinst = actions_of("#!/bin/sh\necho not here >&2\nexit 1\n", "preinst");
  CHECK(preinst.does ==
        std::vector<std::string>{"refuses to be installed: exit 1, saying 'not here'"});
  CHECK(actions_of("#!/bin/sh\nif [ -e /x ]; then exit 3; fi\n").does ==
        std::vector<std::string>{"may refuse to be installed: exit 3"});
  CHECK(actions_of("#!/bin/sh -e\nfalse\nexit 0\n").does ==
        std::vector<std::string>{"refuses to be installed: false"});
  // Nobody reads these.
  CHECK(actions_of("#!/usr/bin/perl\nexit 0;\n").rest ==
        std::vector<std::string>{"#!/usr/bin/perl"});
  CHECK(actions_of("#!/usr/bin/env bash\nexit 0\n") == ScriptActions{});
}

}  // namespace weir::builder
