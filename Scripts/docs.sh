#!/usr/bin/env bash
# Builds the reference documentation of modules (named without their prefix) as one static site in .build/docs:
#   Scripts/docs.sh Machines Compute
# Warns where a documentation comment refers to something that does not exist; a symbol of another module needs its full path.
set -euo pipefail
cd "$(dirname "$0")/.."
modules=("${@:?which modules?}")
site=$PWD/.build/docs
combine=()
[ "${#modules[@]}" -eq 1 ] || combine=(--enable-experimental-combined-documentation)
rm -rf "$site"
mkdir -p "$(dirname "$site")"
swift package -c release --disable-sandbox --allow-writing-to-directory "$(dirname "$site")" generate-documentation \
  "${modules[@]/#/--target=Murmur}" ${combine[@]+"${combine[@]}"} \
  --disable-indexing --transform-for-static-hosting --output-path "$site"
echo "documentation: $site/index.html (to read it: python3 -m http.server --directory $site, then /documentation)"
