# For ./run (bash): tells a person on stderr how far something is that takes long. On a terminal one
# line that is written over; elsewhere a line every five seconds. What is done within two seconds is
# not mentioned.
if [ -t 2 ]; then progress_pause=200000; else progress_pause=5000000; fi

progress_begin() {
  progress_began=${EPOCHREALTIME/[.,]/}
  progress_next=$((progress_began + 2000000))
  progress_said=no
}

progress_elapsed() { # sets `elapsed`, in seconds
  local now=${EPOCHREALTIME/[.,]/}
  elapsed=$(((now - progress_began) / 1000000))
}

progress_show() { # TEXT
  local now=${EPOCHREALTIME/[.,]/} width=${COLUMNS:-}
  [ "$now" -ge "$progress_next" ] || return 0
  progress_next=$((now + progress_pause))
  progress_said=yes
  if [ -t 2 ]; then
    [ -n "$width" ] || width=$(tput cols 2>/dev/null) || width=80
    printf '\r\033[K%s' "${1:0:width-1}" >&2
  else
    printf '%s\n' "$1" >&2
  fi
}

progress_end() { # removes the line
  if [ "$progress_said" = yes ] && [ -t 2 ]; then printf '\r\033[K' >&2; fi
}

in_words() { # SECONDS: "40 s", "3 min"
  if [ "$1" -lt 90 ]; then
    echo "$1 s"
  else
    echo "$((($1 + 30) / 60)) min"
  fi
}

time_left() { # DONE ALL: ", about 3 min left", by the pace so far; nothing before that can be told
  local elapsed
  progress_elapsed
  [ "$elapsed" -ge 8 ] && [ "$1" -ge 5 ] || return 0
  echo ", about $(in_words $((elapsed * ($2 - $1) / $1))) left"
}

# Lines of stdin to `take`, and every second that brings none to `idle`: functions of the caller.
each_line() { # TAKE IDLE
  local line='' part status
  while :; do
    status=0
    IFS= read -r -t 1 part || status=$?
    line+=$part
    if [ "$status" = 0 ]; then
      "$1" "$line"
      line=''
    elif [ "$status" -gt 128 ]; then # a second without a whole line
      "$2"
    else
      break
    fi
  done
  if [ -n "$line" ]; then "$1" "$line"; fi
}

# Reads what ninja says with NINJA_STATUS='@%f %t '; anything else (errors of compilers) goes through.
show_build() {
  local done_count=0 all=0 what='' failed=no elapsed
  progress_begin
  take() {
    case $1 in
      '@'*'Re-checking globbed directories'* | 'ninja: Entering directory'* | 'ninja: no work to do.') ;;
      '@'*)
        # shellcheck disable=SC2034
        read -r done_count all what <<<"${1#@}"
        what=${what#Building CXX object }
        # Several sources in one compilation are told by whose they are.
        [[ $what =~ CMakeFiles/(.*)\.dir/Unity/unity_([0-9]+)_ ]] &&
          what="${BASH_REMATCH[1]}, part $((BASH_REMATCH[2] + 1))"
        what=${what/CMakeFiles\/*.dir\//}
        what=${what%.o}
        idle
        ;;
      'FAILED: '*) progress_end; failed=yes; printf '%s\n' "$1" >&2 ;;
      *) progress_end; printf '%s\n' "$1" >&2 ;;
    esac
  }
  idle() {
    if [ "$all" = 0 ]; then
      progress_show "build: the first steps"
    else
      progress_show "build: $done_count of $all$(time_left "$done_count" "$all"): $what"
    fi
  }
  each_line take idle
  progress_end
  progress_elapsed
  if [ "$progress_said" = yes ] && [ "$failed" = no ]; then
    printf 'build: %s steps in %s\n' "$done_count" "$(in_words "$elapsed")" >&2
  fi
}

# Reads what apt-get says with APT::Status-Fd=1, and keeps the rest in LOG.
show_apt() { # LOG
  local log=$1 text=working elapsed
  progress_begin
  take() {
    local percent
    case $1 in
      dlstatus:*) text=${1#dlstatus:*:*:} ;;
      pmstatus:*)
        percent=${1#pmstatus:*:}
        text=${percent#*:}
        percent=${percent%%.*}
        text="$percent %: $text"
        ;;
      *) printf '%s\n' "$1" >>"$log" ;;
    esac
    idle
  }
  idle() { progress_show "setup: $text"; }
  each_line take idle
  progress_end
}
