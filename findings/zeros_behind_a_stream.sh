#!/usr/bin/env bash
# gzip 1.12, bzip2 1.0.8, lzip 1.23, xz 5.4.1, zstd 1.5.4, lz4 1.9.4
#
# Archives that are put behind one another (initramfs segments, above all) are often padded with zeros in between.
# Which readers take zeros behind a compressed stream follows neither age nor family: gzip any number and says
# nothing, lzip too, bzip2 warns and succeeds, xz takes multiples of four only, zstd and lz4 none. And only xz's is a
# rule of its format. Padding that all readers take has to lie inside the stream.
#
# Seen, decompressing with 3 and with 4 zeros behind (exit status 0 and nothing on stderr is ok):
#   gzip                                                       ok ok
#   bzip2                                                      warns warns
#   lzip                                                       ok ok
#   xz                                                         fails ok
#   zstd                                                       fails fails
#   lz4                                                        fails fails
. "${0%/*}/pinned.sh"
pinned gzip=1.12-1 bzip2=1.0.8-5+b1 libbz2-1.0=1.0.8-5+b1 lzip=1.23-5 xz-utils=5.4.1-1+deb12u2 liblzma5=5.4.1-1+deb12u2 \
  zstd=1.5.4+dfsg2-5 libzstd1=1.5.4+dfsg2-5 lz4=1.9.4-1 liblz4-1=1.9.4-1

printf '%s\n' 'some text' 'more of it' >"$work/text"
try() {
  local program=$root/$1 count word out=()
  "$program" -c "$work/text" >"$work/stream" 2>"$work/log"
  for count in 3 4; do
    { cat "$work/stream"; head -c "$count" /dev/zero; } >"$work/padded"
    word=ok
    if ! "$program" -dc <"$work/padded" >"$work/out" 2>"$work/log"; then
      word=fails
    elif [ -s "$work/log" ]; then
      word=warns
    fi
    # What came out before is whole in any case.
    cmp -s "$work/text" "$work/out" || word="$word, other text"
    out+=("$word")
  done
  echo "${out[*]}"
}
seen gzip 'ok ok' "$(try bin/gzip)"
seen bzip2 'warns warns' "$(try bin/bzip2)"
seen lzip 'ok ok' "$(try usr/bin/lzip.lzip)"
seen xz 'fails ok' "$(try usr/bin/xz)"
seen zstd 'fails fails' "$(try usr/bin/zstd)"
seen lz4 'fails fails' "$(try usr/bin/lz4)"
verdict
