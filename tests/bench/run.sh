#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs a benchmark: run.sh echo [--rounds N] [--connections N] [--bytes N] [--only cpu|instructions|calls]
# CPU per message (all threads of the server) in interleaved rounds, as minimum, median, maximum and ratio to the
# floor; user-space instructions (callgrind) and system calls (strace) per message as the difference of two runs.
# Servers: floor (bare epoll), net (host/net alone), host (sub0-host, if built), ws (node `ws`).
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
here=$root/tests/bench
build=${SUB0_BENCH_BUILD:-$root/build/release}
bin=$build/tests/bench
host=$build/bin/sub0-host
scratch=$(mktemp -d)
server_pid=
trap 'stop_server; rm -rf "$scratch"' EXIT

rounds=7 connections=64 bytes=64 only=all
messages_1=200000 messages_16=1000000   # per round with 1 and with 16 in flight

usage() { sed -n '3,6s/^# //p' "$0"; exit 2; }
[[ ${1-} == echo ]] || usage
shift
while [[ $# -gt 0 ]]; do
  case $1 in
    --rounds) rounds=$2 ;;
    --connections) connections=$2 ;;
    --bytes) bytes=$2 ;;
    --only) only=$2 ;;
    *) usage ;;
  esac
  shift 2
done

# start_server NAME [WRAPPER...]: sets server_pid and port. The wrapper (valgrind, strace) runs the server.
start_server() {
  local name=$1; shift
  local log=$scratch/$name.log
  : > "$log"
  case $name in
    floor) "$@" "$bin/bench_floor" > "$log" 2>> "$scratch/errors" & ;;
    net) "$@" "$bin/bench_net" > "$log" 2>> "$scratch/errors" & ;;
    ws) "$@" node "$here/peers/ws/server.js" > "$log" 2>> "$scratch/errors" & ;;
    host) ALLOW_WEBSOCKET_CONNECTIONS=true SUB0_LOG=json WALLET_TOKEN_KEY=bench-secret-bench-secret-bench-secret \
        "$@" "$host" run --resources "$root/sample-resources/wallet" --state "$scratch/state" --port 0 --loops 1 \
        > "$log" 2>&1 & ;;
  esac
  server_pid=$!
  port=
  for _ in $(seq 600); do
    port=$(sed -nE 's/^port ([0-9]+)$/\1/p; s/.*"event":"ready".*"port":"?([0-9]+).*/\1/p' "$log" | head -n 1)
    [[ -z $port ]] || return 0
    kill -0 "$server_pid" 2>/dev/null || break
    sleep 0.1
  done
  echo "run.sh: $name did not start:" >&2
  tail -n 20 "$log" "$scratch/errors" >&2
  exit 1
}

# The server itself where a wrapper stands before it.
worker_pid() { pgrep -P "$server_pid" | head -n 1 || true; }

stop_server() {
  [[ -n $server_pid ]] || return 0
  local worker
  worker=$(worker_pid)
  kill -TERM ${worker:-$server_pid} 2>/dev/null || true
  wait "$server_pid" 2>/dev/null || true
  server_pid=
}

load() { "$bin/bench_load" "$port" "$connections" "$1" "$2" "$bytes" > "$scratch/load"; }

# CPU time of all threads in ns.
cpu_ns() { cat /proc/"$server_pid"/task/*/schedstat | awk '{ sum += $1 } END { printf "%d", sum }'; }

measure_cpu() {
  local name=$1 in_flight=$2 messages=$3 before after
  start_server "$name"
  load "$in_flight" $((messages / 10))   # warm
  before=$(cpu_ns)
  load "$in_flight" "$messages"
  after=$(cpu_ns)
  stop_server
  echo "$name $in_flight $(((after - before) / (messages / 1000)))" >> "$scratch/cpu"   # ps per message
}

# difference NAME IN_FLIGHT RUNNER: two runs that differ by 20,000 messages.
difference() {
  local name=$1 in_flight=$2 runner=$3 low high
  low=$("$runner" "$name" "$in_flight" 5000)
  high=$("$runner" "$name" "$in_flight" 25000)
  awk -v low="$low" -v high="$high" 'BEGIN { printf "%.2f", (high - low) / 20000 }'
}

run_callgrind() {
  start_server "$1" valgrind --tool=callgrind --callgrind-out-file="$scratch/callgrind.out" --log-file="$scratch/valgrind.log"
  load "$2" "$3"
  stop_server
  awk '/^(totals|summary):/ { print $2; exit }' "$scratch/callgrind.out"
}

run_strace() {
  start_server "$1" strace -f -c -o "$scratch/strace.out"
  load "$2" "$3"
  stop_server
  awk '$NF == "total" { print (NF >= 5 ? $4 : $3); exit }' "$scratch/strace.out"
}

report_cpu() {
  python3 - "$scratch/cpu" << 'PYTHON'
import statistics, sys
rows = {}
for line in open(sys.argv[1]):
    name, in_flight, picoseconds = line.split()
    rows.setdefault((int(in_flight), name), []).append(int(picoseconds) / 1e6)
print("CPU per message (µs)        minimum   median  maximum   ratio to floor")
for (in_flight, name), values in sorted(rows.items(), key=lambda row: row[0][0]):
    floor = statistics.median(rows[(in_flight, "floor")])
    median = statistics.median(values)
    print(f"{in_flight:3} in flight  {name:10} {min(values):9.3f}{median:9.3f}{max(values):9.3f}{median / floor:12.2f}")
PYTHON
}

servers=(floor net)
[[ ! -x $host ]] || servers+=(host)
if [[ -d $here/peers/ws/node_modules ]] || (cd "$here/peers/ws" && npm ci --no-audit --no-fund > "$scratch/npm" 2>&1); then
  servers+=(ws)
else
  echo "node \`ws\` could not be installed: left out" >&2
fi
echo "echo: $connections connections, $bytes bytes of frame payload, $rounds rounds; servers: ${servers[*]}"

if [[ $only == all || $only == cpu ]]; then
  for round in $(seq "$rounds"); do
    for name in "${servers[@]}"; do
      factor=1
      [[ $name != ws ]] || factor=5   # a slow peer gets fewer messages
      measure_cpu "$name" 1 $((messages_1 / factor))
      measure_cpu "$name" 16 $((messages_16 / factor))
    done
    printf '\rround %d of %d' "$round" "$rounds" >&2
  done
  printf '\r' >&2
  report_cpu
fi
if [[ $only == all || $only == instructions ]]; then
  echo "user-space instructions per message (callgrind)"
  for name in "${servers[@]}"; do
    [[ $name != ws ]] || continue
    for in_flight in 1 16; do
      printf '%3d in flight  %-10s %10s\n' "$in_flight" "$name" "$(difference "$name" "$in_flight" run_callgrind)"
    done
  done
fi
if [[ $only == all || $only == calls ]]; then
  echo "system calls per message (strace)"
  for name in "${servers[@]}"; do
    for in_flight in 1 16; do
      printf '%3d in flight  %-10s %10s\n' "$in_flight" "$name" "$(difference "$name" "$in_flight" run_strace)"
    done
  done
fi
