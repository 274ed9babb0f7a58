#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tidy.sh BUILD: clang-tidy on the sources whose names come on stdin, separated by NUL, one process per core.
# A source that was clean is not looked at again until it, a header of the tree, or .clang-tidy changes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
build=$1
clean=$build/tidy
mkdir -p "$clean"
headers=$({ git ls-files -z -c -o --exclude-standard -- '*.hpp' '*.h' | sort -zu | xargs -0 -r sha256sum; sha256sum .clang-tidy; } 2>/dev/null | sha256sum | cut -c1-20)

tidy_one() {
  local source=$1 stamp output
  grep -qF "/$source\"" "$build/compile_commands.json" || return 0 # not part of this build
  stamp=$clean/$(sha256sum "$source" | cut -c1-20)-$headers
  [[ ! -e $stamp ]] || return 0
  if output=$(clang-tidy-14 -p "$build" --quiet --extra-arg=-Wno-unknown-warning-option "$source" 2>/dev/null); then
    touch "$stamp"
  else
    printf '%s\n' "$output"
    return 1
  fi
}
export -f tidy_one
export build clean headers
xargs -0 -r -n 1 -P "$(nproc)" bash -c 'tidy_one "$1"' -
