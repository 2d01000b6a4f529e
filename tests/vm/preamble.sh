# What tests with machines begin with: sourced with the folder of the programs, after `set -euo pipefail`.
# shellcheck shell=bash
programs=$(realpath "$1")
source=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")

skip() {
  echo "SKIPPED: $*"
  [ -z "${WEIR_REQUIRE_ALL:-}" ] && exit 77
  exit 1
}
die() {
  echo "FAILED: $*"
  exit 1
}
# Into FOLDER, which is new.
fresh() { # FOLDER
  rm -rf "$1"
  mkdir -p "$1"
  cd "$1"
}
# The command ends with 1 and says TEXT; what it says stays in the file `said`.
refused() { # TEXT COMMAND...
  local status=0
  "${@:2}" > said 2>&1 || status=$?
  cat said
  [ $status = 1 ] || die "exit status $status, not 1: ${*:2}"
  grep -qF -- "$1" said || die "it does not say: $1"
}
# What runs beside the test goes with it.
background=
trap '[ -z "$background" ] || kill -KILL "$background" 2> /dev/null || true' EXIT

[ "$(id -u)" = 0 ] || skip "network namespaces and taps need root"
