#!/usr/bin/env bash
# Debian's gcc-12-aarch64-linux-gnu 12.2.0-14cross1 with libc6-dev-arm64-cross 2.36-8cross1
#
# --sysroot names the folder "for headers and libraries" (gcc(1)). Debian's cross compilers have another place for both
# that it does not move, /usr/aarch64-linux-gnu, and look there first: with a sysroot that is an empty folder, a program
# is compiled, linked and complete. With a sysroot of the target's own packages, -static takes the start files and the
# libc.a of the cross package all the same, which is older than the archive's libc6-dev:arm64 (no security updates), and
# says nothing. -B and -L with the sysroot's folder put that in front; headers still come from the cross package.
#
# Seen:
#   a sysroot that is empty                                    links
#   whose libc.a, the sysroot has one                          the compiler's
#   whose crt1.o, the sysroot has one                          the compiler's
#   whose libc.a, with -B and -L                               the sysroot's
#   whose crt1.o, with -B and -L                               the sysroot's
#   whose stdio.h, with -B and -L                              the compiler's
. "${0%/*}/pinned.sh"
pinned gcc-12-aarch64-linux-gnu=12.2.0-14cross1 cpp-12-aarch64-linux-gnu=12.2.0-14cross1 \
  libgcc-12-dev-arm64-cross=12.2.0-14cross1 libgcc-s1-arm64-cross=12.2.0-14cross1 \
  binutils-aarch64-linux-gnu=2.40-2 libbinutils=2.40-2 libc6-dev-arm64-cross=2.36-8cross1 \
  libc6-arm64-cross=2.36-8cross1 linux-libc-dev-arm64-cross=6.1.4-1cross1 libmpc3=1.3.1-1 libmpfr6=4.2.0-1 \
  libisl23=0.25-1.1 libgmp10=2:6.2.1+dfsg1-1.1 libjansson4=2.14-2

own=$root/usr/aarch64-linux-gnu
lib=usr/lib/aarch64-linux-gnu
printf '#include <stdio.h>\nint main(void) { return puts("x") < 0; }\n' >"$work/x.c"
gcc() { PATH=$root/usr/bin:$root/usr/aarch64-linux-gnu/bin:$PATH "$root/usr/bin/aarch64-linux-gnu-gcc-12" "$@"; }
whose() { # OPTIONS: of the file named FILE among those that the linker or the preprocessor opens
  local path
  path=$(realpath "$(grep -o "[^ (]*/$file" <<<"$1" | head -n 1)")
  case $path in "$own"/*) echo "the compiler's" ;; "$sysroot"/*) echo "the sysroot's" ;; *) echo "$path" ;; esac
}

sysroot=$work/empty
mkdir "$sysroot"
seen 'a sysroot that is empty' links \
  "$(gcc --sysroot="$sysroot" -static "$work/x.c" -o "$work/x" 2>&1 && echo links)"

# The same files once more, as the target's own packages have them.
sysroot=$work/full
mkdir -p "$sysroot/$lib" "$sysroot/usr/include"
cp -r "$own/lib/." "$sysroot/$lib/"
cp -r "$own/include/." "$sysroot/usr/include/"
opened() { gcc --sysroot="$sysroot" -static "$work/x.c" -o "$work/x" -H -Wl,-t "$@" 2>&1; }
files=$(opened)
seen "whose libc.a, the sysroot has one" "the compiler's" "$(file=libc.a whose "$files")"
seen "whose crt1.o, the sysroot has one" "the compiler's" "$(file=crt1.o whose "$files")"
files=$(opened -B"$sysroot/$lib" -L"$sysroot/$lib")
seen "whose libc.a, with -B and -L" "the sysroot's" "$(file=libc.a whose "$files")"
seen "whose crt1.o, with -B and -L" "the sysroot's" "$(file=crt1.o whose "$files")"
seen "whose stdio.h, with -B and -L" "the compiler's" "$(file=stdio.h whose "$files")"
verdict
