#!/usr/bin/env bash
# usage: progress_test.sh
#
# What ./run shows of long work (.ci/progress.sh), from what ninja and apt-get say.
set -euo pipefail
. "$(dirname "$0")/../../.ci/progress.sh"
failures=0
same() { # WHAT WANTED GOT
  [ "$2" = "$3" ] && return
  printf 'FAILED: %s\nwanted: %s\ngot: %s\n' "$1" "$2" "$3"
  failures=$((failures + 1))
}
at_once() { # FUNCTION ARGUMENTS...: with no quiet two seconds, and every line shown
  progress_pause=0
  progress_begin() { progress_began=${EPOCHREALTIME/[.,]/} progress_next=0 progress_said=no; }
  "$@" 2>&1
}

# Silent for longer than a second, then the rest of a line: nothing ends, nothing is torn.
said=$( { echo '@1 3 Building CXX object keys/CMakeFiles/weir_keys.dir/signing/secret.cpp.o'
  printf '@2 3 Linking '
  sleep 1.5
  echo 'CXX executable bin/weir-keys'
  echo '@3 3 Generating pages'; } | at_once show_build | uniq)
same 'steps of a build' 'build: 1 of 3: keys/signing/secret.cpp
build: 2 of 3: Linking CXX executable bin/weir-keys
build: 3 of 3: Generating pages' "$(head -n 3 <<<"$said")"
same 'sources together' 'build: 1 of 3: weir_keys_signing, part 2' "$(
  echo '@1 3 Building CXX object keys/CMakeFiles/weir_keys_signing.dir/Unity/unity_1_cxx.cxx.o' |
    at_once show_build | head -n 1)"
same 'its end' 1 "$(tail -n 1 <<<"$said" | grep -c '^build: 3 steps in [0-9]* s$')"

# What a compiler says goes through, and a build that failed does not say that it is done.
said=$( { echo 'FAILED: a.o'; echo 'a.cpp:1:1: error: nonsense'; } | at_once show_build)
same 'a failure' 'FAILED: a.o
a.cpp:1:1: error: nonsense' "$said"

same 'nothing to do' '' "$(printf '%s\n' "ninja: Entering directory 'build'" \
  '@0 1 Re-checking globbed directories...' 'ninja: no work to do.' | show_build 2>&1)"

log=$(mktemp)
trap 'rm -f "$log"' EXIT
said=$(printf '%s\n' 'dlstatus:2:12.5:Retrieving file 2 of 9 (5s remaining)' 'Setting up hello' \
  'pmstatus:hello:62.5000:Unpacking hello (amd64)' | at_once show_apt "$log" | uniq)
same 'installing' 'setup: Retrieving file 2 of 9 (5s remaining)
setup: 62 %: Unpacking hello (amd64)' "$said"
same 'what apt says besides' 'Setting up hello' "$(cat "$log")"

# By the pace so far: 50 minutes for 10 of 20 steps.
progress_began=$((${EPOCHREALTIME/[.,]/} - 3000 * 1000000))
same 'what is left' ', about 50 min left' "$(time_left 10 20)"
same 'too early to tell' '' "$(time_left 4 20)"

[ "$failures" = 0 ] && echo "progress_test: what is shown is as wanted"
exit "$failures"
