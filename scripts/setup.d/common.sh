# Small helpers of the set-up scripts.

# One line per step: what it is about, and what was found or is being done.
say() { printf '%-13s %s\n' "$1" "$2"; }

# Every failure ends with one sentence that says what to do.
fail() {
  printf '\nset-up failed: %s\n' "$*" >&2
  exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# logged NAME COMMAND…: keeps the output in .tools/log, and shows its end only when the command fails.
logged() {
  local log=.tools/log/$1.log
  shift
  mkdir -p .tools/log
  "$@" >"$log" 2>&1 </dev/null && return
  printf '\n%s\n' "… the end of $log:" >&2
  tail -n 15 "$log" >&2
  return 1
}

# within SECONDS COMMAND…: a time limit, where the machine has `timeout`.
within() {
  if have timeout; then timeout "$@"; else "${@:2}"; fi
}

# write FILE: replaces it with standard input, in one step.
write() { cat >"$1.new" && mv "$1.new" "$1"; }
