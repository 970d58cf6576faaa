#!/usr/bin/env bash
# libFuzzer on decoders and machines (Fuzz/): Scripts/fuzz.sh [target…], all of them without arguments.
# SECONDS_EACH=60 says how long each runs, FUZZ_HOME where the build, the corpus and findings are kept (.build/fuzz).
set -euo pipefail
cd "$(dirname "$0")/.."
swift=${SWIFT:-swift}
home=${FUZZ_HOME:-$PWD/.build/fuzz}
seconds=${SECONDS_EACH:-60}
mkdir -p "$home/findings"
export MURMUR_FUZZ_BUILD=1
$swift build -c release --product fuzz --scratch-path "$home/build" -Xswiftc -sanitize=fuzzer -Xswiftc -parse-as-library -Xswiftc -use-ld=lld
program=$home/build/release/fuzz
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
  read -ra targets <<<"$(MURMUR_FUZZ_TARGET='' "$program" -runs=0 2>/dev/null | sed -n 's/.*name one of: //p')"
fi
found=0
for target in "${targets[@]}"; do
  mkdir -p "$home/corpus/$target"
  echo "— $target, $seconds s"
  MURMUR_FUZZ_TARGET=$target MURMUR_FUZZ_CORPUS=$home/corpus/$target nice -n 19 "$program" "$home/corpus/$target" \
    -max_total_time="$seconds" -max_len=8192 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=0 \
    -artifact_prefix="$home/findings/$target-" 2>"$home/$target.log" || found=1
  grep -E "stat::number_of_executed_units|stat::peak_rss_mb|ERROR|Fatal error" "$home/$target.log" || tail -5 "$home/$target.log"
done
if [ $found -ne 0 ]; then
  echo "findings are in $home/findings; replay one with MURMUR_FUZZ_TARGET=name $program FILE" >&2
  exit 1
fi
