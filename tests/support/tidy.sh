#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tidy.sh BUILD: clang-tidy on the sources whose names come on stdin, separated by NUL, one process per core.
# tidy.sh BUILD --all: on every unit that BUILD compiles of host, plugins and sdk; a unit of several sources takes little
# longer than one of them.
# What was clean is not looked at again until it, a header of the tree, or .clang-tidy changes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
build=$1
clean=$build/tidy
mkdir -p "$clean"
headers=$({ git ls-files -z -c -o --exclude-standard -- '*.hpp' '*.h' | sort -zu | xargs -0 -r sha256sum; sha256sum .clang-tidy; } 2>/dev/null | sha256sum | cut -c1-20)

units() {
  sed -n 's/^ *"file": "\(.*\)".*/\1/p' "$build/compile_commands.json" | grep -E "^$PWD/($build/)?(host|plugins|sdk)/" | sort -u | tr '\n' '\0'
}

# What a unit holds: its sources, or the one file.
sources_of() { { printf '%s\n' "$1"; sed -n 's/^#include "\(.*\.cpp\)"$/\1/p' "$1"; } | xargs -d '\n' cat; }

tidy_one() {
  local source=${1#"$PWD"/} stamp output
  grep -qF "/$source\"" "$build/compile_commands.json" || return 0 # not part of this build
  stamp=$clean/$(sources_of "$source" | sha256sum | cut -c1-20)-$headers
  [[ ! -e $stamp ]] || return 0
  # To a unit its sources are headers, and what includes them is suspicious.
  if output=$(clang-tidy-14 -p "$build" --quiet --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-unused-command-line-argument \
    --header-filter='/(host|plugins|sdk)/.*\.(cpp|h|hpp)$' --checks=-bugprone-suspicious-include "$source" 2>/dev/null); then
    touch "$stamp"
  else
    printf '%s\n' "$output"
    return 1
  fi
}
export -f tidy_one sources_of
export build clean headers
if [[ ${2:-} == --all ]]; then units; else cat; fi | xargs -0 -r -n 1 -P "$(nproc)" bash -c 'tidy_one "$1"' -
