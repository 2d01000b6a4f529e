#!/usr/bin/env bash
# sbsigntool 0.9.4, systemd-boot-efi 252
#
# A Secure Boot signature with an RSA key could be the same bytes each time, as PKCS #1 v1.5 draws nothing. sbsign's
# is not: it always signs a signingTime attribute, of the clock; SOURCE_DATE_EPOCH does not count. So a signed
# kernel image cannot be compared by digest with one that was rebuilt: take the signature off both first (the rest
# is equal).
#
# Seen:
#   signed twice, a second apart, the same bytes               no
#   SOURCE_DATE_EPOCH in the signature                         no
#   the attribute that is there                                signingTime
#   without their signatures, the same bytes                   yes
. "${0%/*}/pinned.sh"
pinned sbsigntool=0.9.4-3.1 systemd-boot-efi=252.39-1~deb12u2

openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=throw-away -days 1 -keyout "$work/key" -out "$work/certificate" \
  2>"$work/log"
stub=$root/usr/lib/systemd/boot/efi/linuxx64.efi.stub
sign() {
  SOURCE_DATE_EPOCH=86400 "$root/usr/bin/sbsign" --key "$work/key" --cert "$work/certificate" --output "$work/$1" \
    "$stub" 2>>"$work/log"
  cp "$work/$1" "$work/$1-bare"
  "$root/usr/bin/sbattach" --detach "$work/$1.p7" --remove "$work/$1-bare" 2>>"$work/log"
  openssl asn1parse -inform der -in "$work/$1.p7" >"$work/$1.asn1"
}
time_of() { grep -A 2 :signingTime "$work/$1.asn1" | sed -n 's/.*UTCTIME *://p'; }
same() { cmp -s "$1" "$2" && echo yes || echo no; }

sign one
until sign two && [ "$(time_of one)" != "$(time_of two)" ]; do sleep 0.2; done
seen 'signed twice, a second apart, the same bytes' no "$(same "$work/one" "$work/two")"
seen 'SOURCE_DATE_EPOCH in the signature' no "$(grep -q 700102 "$work/one.asn1" && echo yes || echo no)"
seen 'the attribute that is there' signingTime "$(grep -o signingTime "$work/one.asn1" || true)"
seen 'without their signatures, the same bytes' yes "$(same "$work/one-bare" "$work/two-bare")"
verdict
