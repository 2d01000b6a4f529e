#!/usr/bin/env bash
# usage: bench/build.sh PROGRAMS [ROUNDS]
#
# How long a release takes to build, against mmdebstrap unpacking the very same packages:
#
#   cold      packages in the cache, nothing else: every layer is made, checked, signed and stored
#   new       one package as if it had come anew, under a new lock: its layer is made and what the
#             lock decides; once with iproute2 (1 MB, the fourth largest), once with wireguard-tools
#   warm      the same lock again
#   bare xz   nothing but `xz -dc` of the packages' data.tar.xz, on every processor, into nothing, and
#             of iproute2's alone: no build of these packages can be faster than that
#   mmdebstrap --variant=extract, from a repository of the same .deb files on this disk, into a tar
#             archive, which is unsigned and uncompressed
#
# All in one run, alternating, ROUNDS times (default 5); medians. Signing is counted apart. Needs root,
# as mmdebstrap does here.
set -euo pipefail
programs=$(realpath "$1")
rounds=${2:-5}
here=$(realpath "$(dirname "$0")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
builder=$programs/weir-builder

cp "$here/../examples/gateway-6.12.yaml" "$work/image.yaml"
echo "node_programs: $programs" >>"$work/image.yaml"
manifest=$work/image.yaml
lock=$work/image.lock.json
"$programs/weir-keys" generate --no-passphrase --out "$work/release" >/dev/null
"$builder" lock "$manifest" >/dev/null
# Brings every package into the user's cache; what follows reads a cache of its own.
"$builder" build "$manifest" --key "$work/release.key" --store "$work/first" >/dev/null

field() { sed -n "s/^ *\"$2\": \"\{0,1\}\([^\",]*\).*/\1/p" "$1"; }
total() { awk -v a="$(field "$1" fetch_seconds)" -v b="$(field "$1" build_seconds)" 'BEGIN { print a + b }'; }
median() { printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"; }

user_cache=${XDG_CACHE_HOME:-$HOME/.cache}/weir
mkdir -p "$work/cache/blobs/sha256" "$work/repository"
# The digests of the lock: every package's and both programs'. dpkg's own fields name the files.
grep -o '"digest": "sha256:[0-9a-f]*"' "$lock" | grep -o '[0-9a-f]\{64\}' | sort -u |
  while read -r digest; do
    [ -f "$user_cache/blobs/sha256/$digest" ] || continue
    cp "$user_cache/blobs/sha256/$digest" "$work/cache/blobs/sha256/$digest"
    if dpkg-deb -f "$work/cache/blobs/sha256/$digest" Package >"$work/name" 2>/dev/null; then
      cp "$work/cache/blobs/sha256/$digest" "$work/repository/$(cat "$work/name").deb"
    fi
  done
packages=$(find "$work/repository" -name '*.deb' -printf '%f\n' | sed 's/\.deb$//' | sort)
weir_count=$(echo "$packages" | wc -l)

# What Weir stands in for (`provides` in the manifest), so that both resolve to the same packages.
stand_ins=$(sed -n 's/^provides: \[\(.*\)\]$/\1/p' "$manifest" | sed 's/[a-z0-9-]\+/& (= 99)/g')
mkdir -p "$work/stand-in/DEBIAN"
printf 'Package: stand-ins\nVersion: 1\nArchitecture: all\nMaintainer: nobody\nProvides: %s\nDescription: empty\n' \
  "$stand_ins" >"$work/stand-in/DEBIAN/control"
dpkg-deb -b "$work/stand-in" "$work/repository/stand-ins.deb" >/dev/null
(cd "$work/repository" && dpkg-scanpackages --multiversion . >Packages 2>/dev/null)

seconds() { # COMMAND...: its wall-clock time
  local begin=$EPOCHREALTIME
  "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
  awk -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }'
}

weir() { # STORE REPORT: builds, prints wall-clock seconds without signing
  local wall
  wall=$(seconds "$builder" build "$manifest" --key "$work/release.key" --store "$1" \
    --cache "$work/cache" --json --replace)
  cp "$work/log" "$2"
  awk -v a="$wall" -v b="$(field "$2" sign_seconds)" 'BEGIN { print a - b }'
}

unpack() { # the same packages and no others, by name
  seconds mmdebstrap --variant=extract --quiet --format=tar --include="$(echo "$packages" | paste -sd,)" \
    bookworm "$work/root.tar" "deb [trusted=yes] copy:$work/repository ./"
}

# The lock as another day would have made it: other bytes and another date, the same packages.
renew_lock() {
  local epoch
  epoch=$(field "$lock" source_epoch)
  sed -i "s/\(\"source_epoch\": *\)$epoch/\1$((epoch + 1))/" "$lock"
}

anew() { # PACKAGE: builds as if it were new
  renew_lock
  grep -l "\"name\":\"$1\"" "$work/cache/layers/"* | xargs rm
  weir "$work/store" "$work/new.json"
  [ "$(field "$work/new.json" layers_built)" = 1 ] || { echo "bench: not one layer was made" >&2; exit 1; }
}

mkdir "$work/data"
for package in $packages; do
  deb=$work/repository/$package.deb
  case $(ar t "$deb") in
    *data.tar.xz*) ar p "$deb" data.tar.xz >"$work/data/$package.tar.xz" ;;
  esac
done
mapfile -t streams < <(ls -S "$work/data/"*.xz)
bare_xz() { printf '%s\n' "$@" | xargs -P "$(nproc)" -n 1 xz -dc -T0 >/dev/null; }

cold=() warm=() large=() small=() theirs=() signing=() codec=() codec_large=()
for round in $(seq "$rounds"); do
  echo "bench: build, round $round of $rounds" >&2
  rm -rf "$work/store" "$work/cache/layers" "$work/root.tar"
  cold+=("$(weir "$work/store" "$work/cold.json")")
  theirs+=("$(unpack)")
  warm+=("$(weir "$work/store" "$work/warm.json")")
  signing+=("$(field "$work/cold.json" sign_seconds)")
  codec+=("$(seconds bare_xz "${streams[@]}")")
  codec_large+=("$(seconds bare_xz "$work/data/iproute2.tar.xz")")
  large+=("$(anew iproute2)")
  small+=("$(anew wireguard-tools)")
done
[ "$(field "$work/cold.json" layers_reused)" = 0 ] || { echo "bench: cold was not cold" >&2; exit 1; }
[ "$(field "$work/warm.json" layers_built)" = 0 ] || { echo "bench: warm was not warm" >&2; exit 1; }
# Counted from what is there, not from what was asked for: a package counts if its first file does.
tar -tf "$work/root.tar" 2>/dev/null | sed 's,^\./,,' | sort >"$work/tree"
their_count=0
for deb in "$work/repository/"*.deb; do
  first=$(dpkg-deb -c "$deb" | awk '$1 ~ /^-/ && !found { print substr($6, 3); found = 1 }')
  if [ -n "$first" ] && grep -qxF -e "$first" -e "usr/$first" "$work/tree"; then
    their_count=$((their_count + 1))
  fi
done

ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }
base=$(median "${theirs[@]}")
row() { printf '%-34s %9.3f s %10s\n' "$1" "$2" "$(ratio "$base" "$2")x"; }
echo "build of gateway-6.12: $(field "$work/cold.json" kernel), median of $rounds rounds"
printf '%-34s %11s %11s\n' "" "time" "speed"
row "weir-builder, cold" "$(median "${cold[@]}")"
row "weir-builder, iproute2 new" "$(median "${large[@]}")"
row "weir-builder, wireguard-tools new" "$(median "${small[@]}")"
row "weir-builder, warm" "$(median "${warm[@]}")"
row "mmdebstrap --variant=extract" "$base"
row "bare xz of ${#streams[@]} packages" "$(median "${codec[@]}")"
row "bare xz of iproute2" "$(median "${codec_large[@]}")"
echo "packages: weir-builder $(field "$work/cold.json" packages), mmdebstrap $their_count"
echo "signing, not counted above: $(median "${signing[@]}") s"
