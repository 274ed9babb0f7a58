#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What every file of the tree keeps to: licence line first, no trailing blanks, at most 500 lines (a longer one says why
# it is one thing: a line with "one file because"), scripts that parse.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
bad=0
complain() {
  printf '%s: %s\n' "$1" "$2" >&2
  bad=1
}

list() { git ls-files -z -c -o --exclude-standard --deduplicate -- "$@"; }

while IFS= read -rd '' file; do
  [[ -f $file && $file != sdk/template/* ]] || continue # the template becomes its user's own
  first=$(head -n 2 "$file")
  [[ $first == *"SPDX-License-Identifier: Apache-2.0"* ]] || complain "$file:1" "the first line is the SPDX licence line"
  [[ ${file##*.} != hpp ]] || grep -q '^#pragma once$' "$file" || complain "$file" "no #pragma once"
  lines=$(wc -l <"$file")
  if [[ $lines -gt 500 ]] && ! grep -q 'one file because' "$file"; then
    complain "$file:$lines" "longer than 500 lines: split it, or say why it is one thing ('one file because ...')"
  fi
done < <(list '*.cpp' '*.hpp' '*.h' '*.c' '*.sh' '*.py' '*.mjs' '*.js' dev .ci/run)

while IFS= read -rd '' file; do
  [[ -f $file && ! -L $file ]] || continue
  case $file in tests/fuzz/corpus/* | *.expect | *.bin | *.png | *.svg | LICENSE | *.patch) continue ;; esac
  grep -Iq . "$file" || continue
  if place=$(grep -nE '[[:blank:]]+$' "$file" | head -n 1) && [[ -n $place ]]; then
    complain "$file:${place%%:*}" "blanks at the end of a line"
  fi
done < <(list)

while IFS= read -rd '' file; do
  [[ -f $file ]] || continue
  bash -n "$file" || bad=1
done < <(list '*.sh' dev .ci/run)
while IFS= read -rd '' file; do
  [[ -f $file ]] || continue
  /usr/bin/python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read(), sys.argv[1])' "$file" || bad=1
done < <(list '*.py')
exit "$bad"
