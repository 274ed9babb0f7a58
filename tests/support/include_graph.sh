#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The allowed arrows between the rooms of the tree, read from the includes.
# include_graph.sh [ROOT]: fails with one line per forbidden include.    include_graph.sh --self-test: tries a bad tree.
set -euo pipefail

# The rooms that a room may include, besides itself and the standard library.
declare -A arrows=(
  [base]="sdk"
  [json]="base sdk"
  [dialect]="base json sdk"
  [loop]="base json sdk"
  [plugin]="base json loop sdk"
  [auth]="base json loop sdk"
  [store]="base json loop sdk"
  [call]="base json dialect loop plugin auth store sdk"
  [net]="base json loop call sdk"
  [app]="base json dialect loop plugin auth store call net sdk"
  [plugins]="sdk"
  [sdk]=""
)

# set_room_of_include PATH: `to` is the room that an include names, or nothing for the system's.
set_room_of_include() {
  case $1 in
    sub0/*) to=sdk ;;
    base/* | json/* | dialect/* | loop/* | plugin/* | auth/* | store/* | call/* | net/* | app/*) to=${1%%/*} ;;
    host/* | plugins/* | sdk/* | tests/* | */../* | ../*) to="!$1" ;;
    *) to= ;;
  esac
}

check_tree() { # without a process per include: there are thousands
  local root=$1 bad=0 file line path from to allowed folder
  while IFS=: read -r file line path; do
    path=${path#*[\"<]}
    path=${path%%[\">]*}
    set_room_of_include "$path"
    [[ -n $to ]] || continue
    from=${file%%/*}
    [[ $from != host ]] || { from=${file#host/} && from=${from%%/*}; }
    allowed=" $from ${arrows[$from]:-} "
    # A plugin's own folders may be called as it likes: only what exists below host/ is a room of the host.
    folder=${file#plugins/}
    if [[ $from == plugins && $to != sdk && -e $root/plugins/${folder%%/*}/$path ]]; then
      continue
    fi
    if [[ $allowed != *" $to "* ]]; then
      printf '%s:%s: %s may not include "%s" (allowed:%s)\n' "$file" "$line" "$from" "$path" "${allowed% }" >&2
      bad=1
    fi
  done < <(cd "$root" && grep -rnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*["<]' \
    --include='*.h' --include='*.hpp' --include='*.c' --include='*.cpp' host plugins sdk)
  return "$bad"
}

self_test() {
  tree=$(mktemp -d)
  trap 'rm -rf "$tree"' EXIT
  mkdir -p "$tree"/{host/{base,json,loop,net,call},plugins/{value,query},sdk/include/sub0}
  echo '#include "call/call.hpp"' >"$tree/host/net/good.cpp"
  echo '#include <sub0/plugin.h>' >"$tree/plugins/value/good.cpp"
  check_tree "$tree" || { echo "self-test: a good tree was refused" >&2; return 1; }
  local case bad=0
  for case in 'host/loop/bad.cpp|net/listener.hpp' 'host/json/bad.hpp|loop/loop.hpp' 'host/call/bad.cpp|net/hub.hpp' \
    'plugins/value/bad.cpp|base/text.hpp' 'plugins/query/bad.cpp|../value/value.hpp' 'sdk/include/sub0/bad.h|base/text.hpp' \
    'host/base/bad.hpp|plugins/value/value.hpp'; do
    echo "#include \"${case#*|}\"" >"$tree/${case%|*}"
    if check_tree "$tree" 2>/dev/null; then
      echo "self-test: ${case%|*} may include ${case#*|}: not noticed" >&2
      bad=1
    fi
    rm "$tree/${case%|*}"
  done
  return "$bad"
}

if [[ ${1:-} == --self-test ]]; then
  self_test
else
  check_tree "${1:-$(dirname "${BASH_SOURCE[0]}")/../..}"
fi
