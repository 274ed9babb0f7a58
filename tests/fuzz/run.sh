#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Drives fuzz targets that are built: run.sh BUILD_FOLDER SECONDS KEEP TARGET...    (what `./dev fuzz` calls)
# Reads the seeds of tests/fuzz/corpus, grows BUILD_FOLDER/corpus, writes what it finds to BUILD_FOLDER/finds/TARGET.
# KEEP=1: inputs that reach what no seed reaches are added to the seeds. Fails if anything was found.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
build=$1 seconds=$2 keep=$3
shift 3
max_bytes=4096 max_seeds=200 found=0

number() { sed -n "s/^stat::$2: *//p" "$1" | tail -n 1; } # LOG NAME
counter() { grep -oE "\b$2: [0-9]+" "$1" | tail -n 1 | cut -d' ' -f2; }

fuzz() {
  local target=$1 binary=$build/tests/fuzz/fuzz_$1 log=$build/fuzz.$1.log code=0 arguments cpu
  local finds=$build/finds/$target work=$build/corpus/$target seeds=tests/fuzz/corpus/$target
  mkdir -p "$finds" "$work"
  arguments=(-max_len="$max_bytes" -timeout=60 -rss_limit_mb=4096 -artifact_prefix="$finds/")
  [[ ! -f tests/fuzz/dictionaries/$target.dict ]] || arguments+=(-dict="tests/fuzz/dictionaries/$target.dict")
  printf '==> %s: %s s\n' "$target" "$seconds" >&2
  TIMEFORMAT='%U %S'
  cpu=$({ time "$binary" "${arguments[@]}" -max_total_time="$seconds" -print_final_stats=1 "$work" "$seeds" \
    </dev/null >"$log" 2>&1; } 2>&1) || code=$?
  printf '%-14s %10s executions  %6s edges  %6s features  %5s inputs  %5s s of CPU\n' "$target" \
    "$(number "$log" number_of_executed_units)" "$(counter "$log" cov)" "$(counter "$log" ft)" \
    "$(counter "$log" corp)" "$(awk '{ printf "%.0f", $1 + $2 }' <<<"${cpu##*$'\n'}")"
  if [[ $code -ne 0 ]]; then
    grep -E 'does not hold|^one:|ERROR: |SUMMARY: |runtime error' "$log" | head -n 5 >&2 || true
    printf 'FOUND by %s. To repeat: %s %s\n' "$target" "$binary" "$(ls -t "$finds"/* | head -n 1)" >&2
    found=1
  elif [[ $keep -eq 1 ]]; then
    "$binary" -merge=1 -max_len="$max_bytes" "$seeds" "$work" </dev/null >>"$log" 2>&1
    printf '%-14s %s seeds now\n' "$target" "$(find "$seeds" -type f | wc -l)"
    [[ $(find "$seeds" -type f | wc -l) -le $max_seeds ]] || printf '%s: more than %s seeds: choose\n' "$seeds" "$max_seeds" >&2
  fi
}

export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=1:strict_string_checks=1:intercept_tls_get_addr=0}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1:halt_on_error=1}
for target in "$@"; do
  fuzz "$target"
done
exit "$found"
