#!/usr/bin/env bash
# usage: bench/build.sh PROGRAMS [ROUNDS]
#
# How long a release takes to build, against mmdebstrap unpacking the very same packages, for three
# images: gateway-6.1, gateway-6.12, and the latter without stand-ins (no `provides`), so that both
# tools take what the dependencies say.
#
#   cold      packages in the cache, nothing else: every layer is made, checked, signed and stored
#   new       one package as if it had come anew, under a new lock: its layer is made and what the
#             lock decides; once with iproute2 (1 MB, the fourth largest), once with wireguard-tools
#   warm      the same lock again
#   mmdebstrap --variant=extract, from a repository of the same .deb files on this disk, into a
#             .tar.zst: the archive is compressed as Weir's layers are (zstd -3), and not signed
#   codecs    nothing but `xz -dc` of the packages' data.tar.xz, on every processor, into nothing: no
#             build of these packages can be faster; of iproute2's alone; `zstd -3` of the image's
#             layers, likewise
#
# All in one run, alternating, ROUNDS times (default 5); medians. Signing is counted apart. Then:
# peak memory of a cold build, the sizes, and what travels from gateway-6.1 to gateway-6.12.
# Needs root, as mmdebstrap does here.
set -euo pipefail
programs=$(realpath "$1")
rounds=${2:-5}
examples=$(realpath "$(dirname "$0")/../examples")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
builder=$programs/weir-builder
"$programs/weir-keys" generate --no-passphrase --out "$work/release" >/dev/null

field() { sed -n "s/^ *\"$2\": \"\{0,1\}\([^\",]*\).*/\1/p" "$1"; }
median() { printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }
seconds() { # COMMAND...: its wall-clock time
  local begin=$EPOCHREALTIME
  "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
  awk -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }'
}
on_every_processor() { # COMMAND... -- FILES
  local command=()
  while [ "$1" != -- ]; do command+=("$1"); shift; done
  shift
  printf '%s\n' "$@" | xargs -P "$(nproc)" -n 1 "${command[@]}" >/dev/null
}

# Everything about an image lies in $work/IMAGE: image.yaml, its lock, a cache of its own with the
# packages, a repository of the same packages, and their data.tar.xz.
weir() { # IMAGE REPORT: builds, prints wall-clock seconds without signing
  local wall
  wall=$(seconds "$builder" build "$work/$1/image.yaml" --key "$work/release.key" \
    --store "$work/$1/store" --cache "$work/$1/cache" --json --replace)
  cp "$work/log" "$work/$1/$2.json"
  awk -v a="$wall" -v b="$(field "$work/$1/$2.json" sign_seconds)" 'BEGIN { print a - b }'
}

lock() { "$builder" lock "$work/$1/image.yaml" >/dev/null; }

# Accepts every maintainer script that the build asks about, as only a benchmark may.
accept_scripts() { # IMAGE
  sed -i '/^accept_scripts:/,/^$/d' "$work/$1/image.yaml"
  lock "$1"
  { "$builder" scripts "$work/$1/image.yaml" || true; } | sed -n '/^accept_scripts:/,$p' \
    >"$work/$1/accepted"
  cat "$work/$1/accepted" >>"$work/$1/image.yaml"
}

prepare() { # IMAGE MANIFEST: brings every package into the user's cache, then into one of its own
  local folder=$work/$1 digest name stand_ins deb package
  mkdir -p "$folder/cache/blobs/sha256" "$folder/repository" "$folder/data" "$folder/layers"
  cp "$2" "$folder/image.yaml"
  echo "node_programs: $programs" >>"$folder/image.yaml"
  if [ "$1" = no-stand-ins ]; then
    sed -i '/^provides:/d; s/^name: .*/name: no-stand-ins/' "$folder/image.yaml"
    accept_scripts "$1"
  fi
  lock "$1"
  "$builder" build "$folder/image.yaml" --key "$work/release.key" --store "$folder/first" >/dev/null
  local user_cache=${XDG_CACHE_HOME:-$HOME/.cache}/weir
  # The digests of the lock: every package's and both programs'. dpkg's own fields name the files.
  grep -o '"digest": "sha256:[0-9a-f]*"' "$folder/image.lock.json" | grep -o '[0-9a-f]\{64\}' |
    sort -u | while read -r digest; do
      [ -f "$user_cache/blobs/sha256/$digest" ] || continue
      cp "$user_cache/blobs/sha256/$digest" "$folder/cache/blobs/sha256/$digest"
      if name=$(dpkg-deb -f "$folder/cache/blobs/sha256/$digest" Package 2>/dev/null); then
        cp "$folder/cache/blobs/sha256/$digest" "$folder/repository/$name.deb"
      fi
    done
  find "$folder/repository" -name '*.deb' -printf '%f\n' | sed 's/\.deb$//' | sort >"$folder/packages"
  # What Weir stands in for (`provides`), so that mmdebstrap resolves to the same packages.
  stand_ins=$(sed -n 's/^provides: \[\(.*\)\]$/\1/p' "$folder/image.yaml" | sed 's/[a-z0-9-]\+/& (= 99)/g')
  if [ -n "$stand_ins" ]; then
    mkdir -p "$folder/stand-in/DEBIAN"
    printf 'Package: stand-ins\nVersion: 1\nArchitecture: all\nMaintainer: nobody\nProvides: %s\nDescription: empty\n' \
      "$stand_ins" >"$folder/stand-in/DEBIAN/control"
    dpkg-deb -b "$folder/stand-in" "$folder/repository/stand-ins.deb" >/dev/null
  fi
  (cd "$folder/repository" && dpkg-scanpackages --multiversion . >Packages 2>/dev/null)
  while read -r package; do
    deb=$folder/repository/$package.deb
    if ar t "$deb" | grep -q '^data.tar.xz'; then
      ar p "$deb" data.tar.xz >"$folder/data/$package.tar.xz"
    fi
  done <"$folder/packages"
  for digest in "$folder"/first/blobs/sha256/*; do # the layers, unpacked
    zstd -qdcf "$digest" >"$folder/layers/$(basename "$digest")" 2>/dev/null || rm "$folder/layers/$(basename "$digest")"
  done
}

unpack() { # IMAGE: the same packages and no others, by name
  rm -f "$work/$1/root.tar.zst"
  seconds mmdebstrap --variant=extract --quiet --format=tar --include="$(paste -sd, "$work/$1/packages")" \
    bookworm "$work/$1/root.tar.zst" "deb [trusted=yes] copy:$work/$1/repository ./"
}

anew() { # IMAGE PACKAGE: builds as if it were new, under a lock of another day: other bytes, another date
  local lock=$work/$1/image.lock.json epoch
  epoch=$(field "$lock" source_epoch)
  sed -i "s/\(\"source_epoch\": *\)$epoch/\1$((epoch + 1))/" "$lock"
  grep -l "\"name\":\"$2\"" "$work/$1/cache/layers/"* | xargs rm
  weir "$1" new
  [ "$(field "$work/$1/new.json" layers_built)" = 1 ] || { echo "bench: not one layer was made" >&2; exit 1; }
}

declare -A times
note() { times["$1/$2"]+="$3 "; }
of() { median ${times["$1/$2"]}; } # unquoted: a list

round() { # IMAGE
  rm -rf "$work/$1/store" "$work/$1/cache/layers"
  note "$1" cold "$(weir "$1" cold)"
  note "$1" theirs "$(unpack "$1")"
  note "$1" warm "$(weir "$1" warm)"
  note "$1" signing "$(field "$work/$1/cold.json" sign_seconds)"
  note "$1" xz "$(seconds on_every_processor xz -dc -T0 -- $(ls -S "$work/$1/data/"*.xz))"
  note "$1" zstd "$(seconds on_every_processor zstd -q -3 -c -- $(ls -S "$work/$1/layers/"*))"
  note "$1" xz-iproute2 "$(seconds xz -dc -T0 "$work/$1/data/iproute2.tar.xz")"
  note "$1" iproute2 "$(anew "$1" iproute2)"
  note "$1" wireguard-tools "$(anew "$1" wireguard-tools)"
  [ "$(field "$work/$1/cold.json" layers_reused)" = 0 ] || { echo "bench: cold was not cold" >&2; exit 1; }
  [ "$(field "$work/$1/warm.json" layers_built)" = 0 ] || { echo "bench: warm was not warm" >&2; exit 1; }
}

# Counted from what is there, not from what was asked for: a package counts if its first file does.
unpacked() { # IMAGE
  local deb first count=0
  zstd -qdc "$work/$1/root.tar.zst" | tar -t | sed 's,^\./,,' | sort >"$work/$1/tree"
  for deb in "$work/$1/repository/"*.deb; do
    first=$(dpkg-deb -c "$deb" | awk '$1 ~ /^-/ && !found { print substr($6, 3); found = 1 }')
    if [ -n "$first" ] && grep -qxF -e "$first" -e "usr/$first" "$work/$1/tree"; then
      count=$((count + 1))
    fi
  done
  echo "$count"
}

report() { # IMAGE TITLE
  local base
  base=$(of "$1" theirs)
  row() { printf '  %-34s %9.3f s %9sx\n' "$1" "$2" "$(ratio "$base" "$2")"; }
  echo "$2: $(field "$work/$1/cold.json" packages) packages, mmdebstrap $(unpacked "$1"); median of $rounds rounds"
  row "weir-builder, cold" "$(of "$1" cold)"
  row "weir-builder, iproute2 new" "$(of "$1" iproute2)"
  row "weir-builder, wireguard-tools new" "$(of "$1" wireguard-tools)"
  row "weir-builder, warm" "$(of "$1" warm)"
  row "mmdebstrap --variant=extract" "$base"
  row "bare xz -d of the packages" "$(of "$1" xz)"
  row "bare xz -d of iproute2" "$(of "$1" xz-iproute2)"
  row "bare zstd -3 of the layers" "$(of "$1" zstd)"
  printf '  %-34s %9.3f s\n' "signing, not counted above" "$(of "$1" signing)"
}

prepare older "$examples/gateway-6.1.yaml"
prepare stand-ins "$examples/gateway-6.12.yaml"
prepare no-stand-ins "$examples/gateway-6.12.yaml"
for round in $(seq "$rounds"); do
  echo "bench: build, round $round of $rounds" >&2
  round older
  round stand-ins
  round no-stand-ins
done
report older "gateway-6.1"
report stand-ins "gateway-6.12"
report no-stand-ins "the same without stand-ins"
echo "asked for the same and left to each tool: $(field "$work/stand-ins/cold.json" packages) packages" \
  "against $(field "$work/no-stand-ins/cold.json" packages)," \
  "cold $(ratio "$(of no-stand-ins theirs)" "$(of stand-ins cold)")x"

peak() { # IMAGE: KiB of a cold build
  rm -rf "$work/$1/store" "$work/$1/cache/layers"
  python3 - "$builder" build "$work/$1/image.yaml" --key "$work/release.key" \
    --store "$work/$1/store" --cache "$work/$1/cache" <<'P'
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
P
}
echo "peak memory of a cold build: gateway-6.1 $(peak older) KiB, gateway-6.12 $(peak stand-ins) KiB"
lock older # its lock was edited above, and the user's cache has the indices to see that
"$builder" build "$work/older/image.yaml" --key "$work/release.key" --store "$work/stand-ins/store" --json >"$work/older.json"
echo "kernel and initramfs: gateway-6.1 $(field "$work/older.json" bytes) bytes," \
  "gateway-6.12 $(field "$work/stand-ins/cold.json" bytes) bytes"
echo "travels from gateway-6.1 to gateway-6.12:" \
  "$("$builder" diff gateway-6.1 gateway-6.12 --store "$work/stand-ins/store" | tail -n 1 | sed 's/^ *//')"
