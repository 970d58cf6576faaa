#!/usr/bin/env bash
# Makes this machine ready, quietly and only where something is missing.
#
#   Scripts/setup.sh build   Swift 6.3, make, zlib's headers
#   Scripts/setup.sh test    the same, and a Python with numpy and safetensors for the interoperability tests,
#                            to be found at .build/python/bin/python3
#
# System packages come from apt (as root, or through sudo) or Homebrew, Python packages from PyPI into a virtual environment.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

need_swift() {
  command -v swift >/dev/null || fail "there is no swift on the PATH; Murmuration needs Swift 6.3 or newer (https://www.swift.org/install)"
  local version
  version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9][0-9.]*\).*/\1/p' | head -n 1)
  local major=${version%%.*} rest=${version#*.}
  local minor=${rest%%.*}
  if [ "${major:-0}" -lt 6 ] || { [ "$major" -eq 6 ] && [ "${minor:-0}" -lt 3 ]; }; then
    fail "$(command -v swift) is Swift ${version:-of an unknown version}; Murmuration needs 6.3 or newer (https://www.swift.org/install)"
  fi
}

has_zlib() {
  local folder
  for folder in /usr/include /usr/local/include "$(uname -s | grep -q Darwin && xcrun --show-sdk-path 2>/dev/null || true)/usr/include"; do
    [ -f "$folder/zlib.h" ] && return 0
  done
  return 1
}

# Debian names of what is missing for `build` or `test`.
missing_packages() {
  command -v make >/dev/null || echo make
  has_zlib || echo zlib1g-dev
  if [ "$(uname -s)" = Linux ]; then command -v pkg-config >/dev/null || echo pkg-config; fi
  if [ "$1" = test ] && ! command -v python3 >/dev/null; then echo python3 python3-venv; fi
}

install_packages() {
  say "installing $*"
  if command -v apt-get >/dev/null; then
    local root=()
    if [ "$(id -u)" -ne 0 ]; then
      command -v sudo >/dev/null || fail "please install as root: apt-get install $*"
      root=(sudo)
    fi
    local log
    log=$(mktemp)
    if ! "${root[@]}" env DEBIAN_FRONTEND=noninteractive bash -c 'apt-get update && apt-get install -y --no-install-recommends "$@"' _ "$@" \
      >"$log" 2>&1 </dev/null; then
      cat "$log" >&2
      fail "apt could not install $*; install it by hand and try again"
    fi
    rm -f "$log"
  elif command -v brew >/dev/null; then
    local formulas=() package
    for package in "$@"; do
      case $package in
        zlib1g-dev) formulas+=(zlib) ;;
        pkg-config) formulas+=(pkgconf) ;;
        python3-venv) ;;
        *) formulas+=("$package") ;;
      esac
    done
    brew install --quiet "${formulas[@]}" </dev/null
  else
    fail "please install $* with this system's package manager (names as in Debian)"
  fi
}

has_modules() {
  "$1" -c 'import importlib.util, sys; sys.exit(not all(importlib.util.find_spec(name) for name in ("numpy", "safetensors")))' 2>/dev/null
}

# A Python with numpy and safetensors at .build/python/bin/python3: the one there, the system's, or a new virtual environment.
need_python() {
  local python=.build/python/bin/python3
  if [ -x "$python" ] && has_modules "$python"; then return; fi
  rm -rf .build/python
  mkdir -p .build/python/bin
  local system=${MURMUR_PYTHON:-python3}
  if has_modules "$system"; then
    local executable
    executable=$("$system" -c 'import sys; print(sys.executable)')
    printf '#!/bin/sh\nexec "%s" "$@"\n' "$executable" >"$python"
    chmod +x "$python"
    return
  fi
  say "making a Python environment with numpy and safetensors in .build/python"
  rm -rf .build/python
  if ! python3 -m venv .build/python >/dev/null 2>&1; then
    install_packages python3-venv
    rm -rf .build/python
    python3 -m venv .build/python >/dev/null || fail "python3 -m venv does not work here; set MURMUR_PYTHON to a Python with numpy and safetensors"
  fi
  "$python" -m pip install --quiet --disable-pip-version-check numpy safetensors </dev/null \
    || fail "pip could not install numpy and safetensors (is there a network?); set MURMUR_PYTHON to a Python that has them"
}

purpose=${1:-build}
case $purpose in build | test) ;; *) fail "usage: Scripts/setup.sh [build|test]" ;; esac
need_swift
packages=$(missing_packages "$purpose")
# shellcheck disable=SC2086
[ -z "$packages" ] || install_packages $packages
if [ "$purpose" = test ]; then need_python; fi
