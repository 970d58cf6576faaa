#!/usr/bin/env bash
# Runs one seed in several processes, with other numbers of threads and other kernels, and sees that all give the same trace and
# the same models. Needs the program (make build) and any Python 3.
#
#   Scripts/replay.sh [SCENARIO] [SEED]        Examples/digits.yaml and 7 unless given; those in a folder split/ are split networks
#
# Prints a line per comparison, `ok …` or `DIFFERS …`, and fails if one differs. MURMUR names another program to run.
set -euo pipefail
cd "$(dirname "$0")/.."

murmur=${MURMUR:-.build/release/murmur}
scenario=${1:-Examples/digits.yaml}
seed=${2:-7}
python=.build/python/bin/python3
[ -x "$python" ] || python=python3
verb=(simulate)
case $scenario in */split/*) verb=(split simulate) ;; esac
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# The kernels this processor can run, the best one first.
kernels() {
  case $(uname -m) in
    x86_64)
      local flags=" "
      if [ -r /proc/cpuinfo ]; then flags=" $(sed -n 's/^flags[^:]*: //p' /proc/cpuinfo | head -n 1) "; fi
      if [ "$(uname -s)" = Darwin ]; then flags=" $(sysctl -n machdep.cpu.features machdep.cpu.leaf7_features | tr 'A-Z\n' 'a-z ') "; fi
      case $flags in *" avx512f "*) case $flags in *" avx512bw "*) case $flags in *" avx512dq "*)
        case $flags in *" avx512vl "*) echo avx512 ;; esac ;; esac ;; esac ;;
      esac
      case $flags in *" avx2 "*) case $flags in *" fma "*) echo avx2 ;; esac ;; esac
      ;;
    arm64 | aarch64) echo neon ;;
  esac
}

# simulate LABEL THREADS [KERNELS]
simulate() {
  local name=${1// /-}
  local begun=$SECONDS
  if ! MURMUR_KERNELS=${3:-} "$murmur" "${verb[@]}" "$scenario" --seed "$seed" --threads "$2" --out "$folder/$name" \
    >"$folder/$name.log" 2>&1 </dev/null; then
    printf 'DIFFERS %s: the run failed\n' "$1"
    tail -n 20 "$folder/$name.log"
    return 1
  fi
  printf '        %s: %d s\n' "$1" $((SECONDS - begun))
}

# compare LABEL: with the first run.
compare() {
  "$python" Scripts/same_run.py "$folder/reference/result.json" "$folder/${1// /-}/result.json" "$1"
}

failures=0
printf '%s, seed %s\n' "$scenario" "$seed"
simulate reference 1 || exit 1
check() {
  if simulate "$@"; then compare "$1" || failures=$((failures + 1)); else failures=$((failures + 1)); fi
}
check "second process" 1
check "two threads" 2
for name in $(kernels); do check "two threads on $name" 2 "$name"; done
[ "$failures" -eq 0 ]
