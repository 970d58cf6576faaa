#!/usr/bin/env bash
# How fast this machine computes and simulates.
#
#   Scripts/bench.sh [ROUNDS]
#
# Training and matrix products on one thread, beside PyTorch where a Python with torch is found (MURMUR_PYTHON names one); then
# simulated peer-cycles per second with a thousand peers on digits, everything included. Needs the program: make build.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-5}
murmur=${MURMUR:-.build/release/murmur}

swift build -c release --package-path Benchmarks/Compute --quiet
bench=Benchmarks/Compute/.build/release/compute-bench

python=
for candidate in "${MURMUR_PYTHON:-}" python3; do
  if [ -n "$candidate" ] && "$candidate" -c 'import importlib.util, sys; sys.exit(not importlib.util.find_spec("torch"))' 2>/dev/null; then
    python=$candidate
    break
  fi
done
if [ -n "$python" ]; then
  "$python" Benchmarks/Compute/compare.py --rounds "$rounds" --bench "$bench"
else
  echo "no Python with torch here (set MURMUR_PYTHON to one to compare): our own figures alone"
  for request in "peak" "train 28-64-64-2 32 1" "train 28-64-64-2 128 1" "train 28-64-64-2 1024 1" "train 784-256-128-10 64 1" \
    "train lenet5 64 1" "product 256 1" "product 1024 1"; do
    printf '%-28s %s\n' "$request" "$(printf '%s\n' "$request" | "$bench")"
  done
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
echo "a thousand peers on digits, 64-64-10, one epoch a cycle:"
"$murmur" simulate --peers 1000 --hidden 64 --seed 1 --out "$folder" >/dev/null 2>&1
sed -n 's/^ *"peerCyclesPerSecond": *\([0-9.]*\).*/  \1 simulated peer-cycles a second/p' "$folder/result.json"
