#!/usr/bin/env bash
# Compares the bits of the NEON kernels, run under qemu, with those of every variant this machine has.
# Needs clang, aarch64-linux-gnu-gcc (Debian: gcc-aarch64-linux-gnu) and qemu-aarch64 (Debian: qemu-user).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
kernels=$here/../../Sources/Compute/Kernels
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in "${CLANG:=clang}" aarch64-linux-gnu-gcc qemu-aarch64; do
  command -v "$tool" >/dev/null || { echo "neon-check: $tool is not installed" >&2; exit 3; }
done
build() { # directory, linker, clang flags…
  local to=$1 linker=$2 objects=()
  shift 2
  mkdir -p "$to"
  for source in "$kernels"/*.c "$here/neon-check/driver.c"; do
    objects+=("$to/$(basename "$source").o")
    "$CLANG" "$@" -std=c17 -O2 -Wall -Wextra -Werror -c "$source" -o "${objects[-1]}"
  done
  "$linker" -o "$to/driver" "${objects[@]}" -lm ${STATIC:+-static}
}
build "$work/here" "$CLANG"
STATIC=1 build "$work/arm" aarch64-linux-gnu-gcc --target=aarch64-linux-gnu --sysroot=/usr/aarch64-linux-gnu
for variant in neon baseline; do qemu-aarch64 "$work/arm/driver" $variant >"$work/arm-$variant" 2>/dev/null; done
"$work/here/driver" baseline >"$work/here-baseline"
status=0
compare() {
  if cmp -s "$1" "$work/here-baseline"; then echo "$2: $(wc -l <"$1") results, the same bits as here's baseline"
  else echo "$2 DIFFERS from here's baseline:"; diff "$work/here-baseline" "$1" | head -20; status=1; fi
}
for variant in avx2 avx512; do
  if "$work/here/driver" $variant >"$work/here-$variant" 2>/dev/null; then compare "$work/here-$variant" "$variant here"; fi
done
compare "$work/arm-neon" "neon on arm64 (qemu)"
compare "$work/arm-baseline" "baseline on arm64 (qemu)"
exit $status
