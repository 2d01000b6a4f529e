#!/usr/bin/env bash
# usage: pages_test.sh BUILD
#
# Holds manual pages to two linters, and completions to their shells: each must parse, and offer every
# option that the program's own --help names.
set -euo pipefail
build=$1
pages=$build/pages
failures=0 checked=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
wrong() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}

for program in weir-builder weir-keys weir-deployer; do
  page=$pages/man/$program.1
  lint=$(mandoc -T lint -W warning "$page") || true
  [ -z "$lint" ] || wrong "mandoc: $lint"
  lint=$(LC_ALL=C.UTF-8 MANROFFSEQ='' man --warnings -E UTF-8 -l "$page" 2>&1 > /dev/null)
  [ -z "$lint" ] || wrong "man: $lint"
  man -l "$page" 2> /dev/null | col -bx > "$work/$program.txt"
  cmp <(zcat "$page.gz") "$page" || wrong "$page.gz is not the page"
  bash -n "$pages/bash/$program" || wrong "bash: $program"
  zsh -n "$pages/zsh/_$program" || wrong "zsh: $program"
  fish -n "$pages/fish/$program.fish" || wrong "fish: $program"
done

# What bash offers for a line: WORD...
offered() {
  bash --norc -c '
    source "$0/bash/$1"
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    "_${1//-/_}"
    printf "%s\n" "${COMPREPLY[@]}"' "$pages" "$@"
}

# The options of a command's own list, not those that its examples name of other programs.
own_options() {
  "$build/bin/$1" "${@:2}" --help | sed '/^[Ee]xamples:/,$d' |
    grep -oE '^  (-h \[ )?--[a-z][a-z0-9-]+' | grep -oE -- '--[a-z0-9-]+' | sort -u
}

# The part of a page that speaks of one command.
zsh_part() { # PROGRAM COMMAND...
  awk -v start="    \"${*:2}\")" '$0 == start { inside = 1 } inside { print } inside && /^ *;;$/ { exit }' \
    "$pages/zsh/_$1"
}
# weir-deployer's commands share one set of options.
manual_part() { # PROGRAM COMMAND...
  if [ "$1" = weir-deployer ]; then cat "$work/$1.txt"; else
    # Sections are indented by three, and begin with the command's name alone.
    awk -v start="   ${*:2}" 'inside && /^ ? ? ?[^ ]/ { exit } $0 == start { inside = 1 } inside { print }' \
      "$work/$1.txt"
  fi
}

check_command() { # PROGRAM COMMAND...
  local bash_has fish_has zsh_has manual_has option
  zsh_has=$(zsh_part "$@")
  manual_has=$(manual_part "$@")
  [ -n "$zsh_has" ] || wrong "zsh does not know the command: $*"
  [ -n "$manual_has" ] || wrong "the manual has no section of: $*"
  checked=$((checked + 1))
  bash_has=$(offered "$@" --)
  fish_has=$(fish --no-config -c "source $pages/fish/$1.fish; complete -C '$* --'" | cut -f1)
  for option in $(own_options "$@"); do
    grep -qxF -e "$option" <<< "$bash_has" || wrong "bash does not offer $option for: $*"
    grep -qxF -e "$option" <<< "$fish_has" || wrong "fish does not offer $option for: $*"
    grep -qF -e "'*${option}[" <<< "$zsh_has" || wrong "zsh does not know $option of: $*"
    grep -qE -e "^ +(-[a-z], )?$option( |\$)" <<< "$manual_has" ||
      wrong "the manual does not name $option of: $*"
  done
}

for command in $("$build/bin/weir-builder" --help | sed -n 's/^  \([a-z0-9-]*\)  .*/\1/p'); do
  check_command weir-builder "$command"
  grep -qx "$command" <<< "$(offered weir-builder "")" || wrong "bash does not offer weir-builder $command"
done
# "trust init --out FILE ...": a command's one or two words come before what it takes.
while read -r command; do
  # shellcheck disable=SC2086
  check_command weir-keys $command
done < <("$build/bin/weir-keys" --help | sed '/^[Ee]xamples:/,$d' |
  sed -nE 's/^  (trust )?([a-z][a-z0-9-]*) .*/\1\2/p')
[ $checked -ge 26 ] || wrong "only $checked commands were found in --help"
for command in up deploy rollback status logs down serve; do check_command weir-deployer $command; done
[ "$(offered weir-builder sbom --format s)" = spdx ] || wrong "bash does not know the bills' formats"
[ "$(offered weir-builder export --format q)" = qcow2 ] || wrong "bash does not know the formats"
[ "$(offered weir-keys trust i)" = init ] || wrong "bash does not know weir-keys trust init"

[ $failures = 0 ] && echo ok
exit $((failures > 0))
