# Sourced by the findings: packages of one version each, unpacked into a folder that goes with the script.
#
#   . "${0%/*}/pinned.sh"
#   pinned NAME=VERSION...   downloads and unpacks them into $root
#   seen WHAT EXPECTED GOT   prints GOT; notes a change where it is not EXPECTED
#   verdict                  ends the script: 0 as written, 1 changed
#
# Programs are run as "$root/usr/bin/NAME", with the packages' own libraries first and the machine's behind them.
set -euo pipefail

work=$(mktemp -d)
root=$work/root
changed=0
started=()

clean() {
  local pid
  for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap clean EXIT
trap 'exit 1' INT TERM

gone() {
  printf '%s: the mirror no longer has %s; name the version that it has and look again\n' "${0##*/}" "$1" >&2
  exit 3
}

pinned() {
  mkdir -p "$work/packages" "$root"
  local one
  for one in "$@"; do
    (cd "$work/packages" && apt-get -qq -o APT::Sandbox::User=root download "$one") 2>"$work/apt" || gone "$one"
  done
  for one in "$work"/packages/*.deb; do
    # Not dpkg-deb -x: it would also write what the script has no use for, such as every kernel module.
    dpkg-deb --fsys-tarfile "$one" | tar -x -f - -C "$root" --exclude='./usr/lib/modules' --exclude='./lib/modules'
  done
  rm -rf "$work/packages"
  export LD_LIBRARY_PATH=$root/usr/lib/x86_64-linux-gnu:$root/lib/x86_64-linux-gnu
  printf 'with %s\n' "$*"
}

seen() {
  printf '%-58s %s\n' "$1" "$3"
  [ "$2" = "$3" ] && return
  printf '  changed: it was %s\n' "$2"
  changed=1
}

verdict() {
  [ "$changed" = 0 ] && echo 'as written' && exit 0
  echo 'changed'
  exit 1
}
