#!/usr/bin/env bash
# usage: commands_test.sh
#
# What ./run says of commands that it does not have.
set -euo pipefail
cd "$(dirname "$0")/../.."
failures=0
refused() { # WANTED WORDS...: exit status 2, the first line, then the usage
  local wanted=$1 status=0 said
  shift
  said=$(./run "$@" 2>&1) || status=$?
  if [ "$status" = 2 ] && [ "$(head -n 1 <<<"$said")" = "$wanted" ] &&
    grep -q '^usage: ./run COMMAND$' <<<"$said"; then
    return
  fi
  printf 'FAILED: ./run %s\nwanted: %s\ngot (%s): %s\n' "$*" "$wanted" "$status" "$said"
  failures=$((failures + 1))
}

refused "run: 'bogus' is no command" bogus
refused "run: 'lab up' is no command" 'lab up'
refused "run: 'bogus' is no command of ./run lab; there are: up, client NAME, down" lab bogus
refused 'run: ./run lab needs one of: up, client NAME, down' lab
[ "$(./run | head -n 1)" = 'usage: ./run COMMAND' ] || failures=$((failures + 1))

[ "$failures" = 0 ] && echo 'commands_test: wrong commands are named'
exit "$failures"
