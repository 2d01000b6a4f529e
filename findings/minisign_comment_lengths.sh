#!/usr/bin/env bash
# minisign 0.11
#
# minisign's limits on comments are not the same where it writes and where it reads. An untrusted comment of more
# than 1003 characters is signed with success (a warning speaks of signify), and the very same program then refuses
# the signature. A trusted comment may be long when it is read; written, it ends at 4077: above, signing fails only
# after the file was begun, and leaves one without a trusted comment where the old signature was. So what is stated
# in a comment (file name, version, digest) needs limits of one's own, and a signature wants to be written beside.
#
# Seen, exit status of signing, then of verifying:
#   untrusted comment of 1003 characters                       0 0
#   untrusted comment of 1004 characters                       0 2
#   trusted comment of 4077 characters                         0 0
#   trusted comment of 4078 characters                         2 2
#   the old signature after that                               overwritten
. "${0%/*}/pinned.sh"
pinned minisign=0.11-1

cd "$work"
minisign=$root/usr/bin/minisign
"$minisign" -G -W -p public -s secret >log
echo content >file
text() { head -c "$1" /dev/zero | tr '\0' x; }
try() {
  local signed=0 verified=0
  "$minisign" -S -s secret -m file -x "$1" "$2" "$(text "$3")" </dev/null >log 2>&1 || signed=$?
  "$minisign" -V -p public -m file -x "$1" >log 2>&1 || verified=$?
  echo "$signed $verified"
}
seen 'untrusted comment of 1003 characters' '0 0' "$(try one -c 1003)"
seen 'untrusted comment of 1004 characters' '0 2' "$(try two -c 1004)"
seen 'trusted comment of 4077 characters' '0 0' "$(try three -t 4077)"
cp three before
seen 'trusted comment of 4078 characters' '2 2' "$(try three -t 4078)"
seen 'the old signature after that' overwritten "$(cmp -s three before && echo kept || echo overwritten)"
verdict
