#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Clock, randomness, sockets and environment reach the host through loop/Io alone; then a test can stand in their place.
# This check bans the direct calls elsewhere. host/loop/real_io* is the port itself, host/app wires it.
# A line that must call one says why:  // banned-call: REASON
# banned_calls.sh [ROOT]: fails with one line per call.    banned_calls.sh --self-test: tries bad files.
set -euo pipefail

free='(^|[^[:alnum:]_.>:]|[^[:alnum:]_]::|\<std::)' # a free function, not a method
clock='(system|steady|high_resolution|utc)_clock::now|\<(gettimeofday|clock_gettime|timespec_get|ftime)[[:space:]]*\(|'$free'time[[:space:]]*\([[:space:]]*(NULL|nullptr|0|&)'
random=$free'(s?rand|srandom|rand_r|arc4random[a-z_]*|getrandom|getentropy|RAND_(priv_)?bytes)[[:space:]]*\(|(^|[^[:alnum:]_])::random[[:space:]]*\(|random_device|\<mt19937|\<minstd_rand|default_random_engine'
sockets=$free'(socket|accept4|sendto|sendmsg|recvfrom|recvmsg|epoll_[a-z0-9]+|eventfd|timerfd_[a-z]+)[[:space:]]*\(|(^|[^[:alnum:]_])::(accept|send|recv|connect|bind|listen|shutdown|poll|select)[[:space:]]*\('
environment='\<(secure_)?getenv[[:space:]]*\(|\<(un)?setenv[[:space:]]*\(|\<putenv[[:space:]]*\(|\<environ\>'

check_tree() {
  local root=$1 found
  found=$(cd "$root" && grep -rnE "$clock|$random|$sockets|$environment" --include='*.hpp' --include='*.cpp' --include='*.h' host |
    grep -vE '^host/app/|^host/loop/real_io[a-z_]*\.[ch]pp:' |
    grep -vE '^[^:]*:[0-9]+:[[:space:]]*(//|\*|/\*)|\) (const )?(noexcept )?(override|= 0);' | grep -vE '// banned-call: .{10,}' || true)
  [[ -n $found ]] || return 0
  printf '%s\n' "$found" | sed -E 's/^([^:]*:[0-9]+):[[:space:]]*/\1: take it through loop\/Io, not directly: /' >&2
  return 1
}

self_test() {
  local bad=0 line
  tree=$(mktemp -d)
  trap 'rm -rf "$tree"' EXIT
  mkdir -p "$tree"/host/{net,loop,app}
  printf '%s\n' 'auto a = io.now();' 'queue.send(x);' 'session.close();' 'std::uint64_t deadline_time(int);' \
    '// steady_clock::now is banned' 'runtime(0);' 'socket_.accept(x);' 'void send(int);' 'void accept(const Server& server) {' 'std::uint64_t random();' 'Poll::read(3);' \
    'virtual Accepted accept(int listener) = 0;' 'void SimulatedIo::random(char* b) {' 'value.random(8)' >"$tree/host/net/good.cpp"
  echo 'auto t = std::chrono::steady_clock::now();' >"$tree/host/loop/real_io.cpp"
  echo 'const char* v = std::getenv("X");' >"$tree/host/app/main.cpp"
  check_tree "$tree" || { echo "self-test: good files were refused" >&2; bad=1; }
  while IFS= read -r line; do
    printf '%s\n' "$line" >"$tree/host/net/bad.cpp"
    if check_tree "$tree" 2>/dev/null; then
      printf 'self-test: not noticed: %s\n' "$line" >&2
      bad=1
    fi
  done <<'LINES'
auto t = std::chrono::system_clock::now();
auto t = steady_clock::now();
time_t t = time(nullptr);
time_t t = std::time(NULL);
gettimeofday(&tv, nullptr);
clock_gettime(CLOCK_MONOTONIC, &ts);
int r = rand();
int r = std::rand();
std::random_device device;
std::mt19937_64 engine;
getrandom(buffer, 16, 0);
RAND_bytes(buffer, 16);
int fd = socket(AF_INET, SOCK_STREAM, 0);
int fd = ::socket(AF_INET, SOCK_STREAM, 0);
auto n = ::send(fd, data, size, MSG_NOSIGNAL);
auto n = ::recv(fd, data, size, 0);
int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
epoll_wait(epoll, events, 64, -1);
const char* v = std::getenv("X");
const char* v = getenv("X");
LINES
  return "$bad"
}

if [[ ${1:-} == --self-test ]]; then
  self_test
else
  check_tree "${1:-$(dirname "${BASH_SOURCE[0]}")/../..}"
fi
