#!/usr/bin/env bash
# minisign 0.11
#
# A key's number is 64 bits, in the key file as bytes, lowest first. The comment of a new public key writes it in
# hexadecimal and leaves out zeros at the front, so every sixteenth key has a number of 15 digits or fewer there. Who
# looks for sixteen digits behind "minisign public key", or compares them as text with a number that is printed whole,
# is right fifteen times and then wrong.
#
# Seen, of the first key whose comment has fewer digits:
#   the bytes' number begins with                              0
#   the comment's has fewer digits                             yes
#   and is the same without zeros                              yes
. "${0%/*}/pinned.sh"
pinned minisign=0.11-1

cd "$work"
comment='' tries=0
while [ "$tries" -lt 600 ]; do
  tries=$((tries + 1))
  "$root/usr/bin/minisign" -G -f -W -p key.pub -s key.sec > /dev/null
  comment=$(sed -n '1s/.* //p' key.pub)
  [ "${#comment}" = 16 ] || break
done
bytes=$(sed -n 2p key.pub | base64 -d | od -A n -t x1 -j 2 -N 8 | tr -d '\n')
number=
for byte in $bytes; do number=$byte$number; done
number=${number^^}
seen "the bytes' number begins with" 0 "${number:0:1}"
seen "the comment's has fewer digits" yes "$([ "${#comment}" -lt 16 ] && echo yes || echo no)"
seen 'and is the same without zeros' yes "$([ "$(sed 's/^0*//' <<< "$number")" = "$comment" ] && echo yes || echo no)"
verdict
