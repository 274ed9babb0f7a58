#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh: the packages of build/packages, used as people will use them.
#   root A  a bare Debian: the host and its plugins are installed, the service's command line runs as the service's user
#   root B  a bare Debian with a compiler: `plugin new`, built with the installed SDK alone; its .so goes to root A
# Needs root (or sudo) for chroot. The bare root and what apt downloads are kept in build/packages-test for the next run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
here=$PWD
if [[ $(id -u) -ne 0 ]]; then
  command -v sudo >/dev/null || { echo "tests/packages/run.sh: chroot needs root, or sudo" >&2; exit 1; }
  exec sudo --preserve-env=http_proxy,https_proxy "$here/tests/packages/run.sh"
fi
PATH=$PATH:/usr/sbin:/sbin
packages=$here/build/packages
work=$here/build/packages-test
passed=0
failed=0
host_pid=

say() { printf '==> %s\n' "$*" >&2; }
# expect WHAT COMMAND...: one test.
expect() {
  local what=$1 output
  shift
  if output=$("$@" 2>&1); then
    passed=$((passed + 1))
    printf 'ok      %s\n' "$what"
  else
    failed=$((failed + 1))
    printf 'FAILED  %s\n        %s\n%s\n' "$what" "$*" "$output" | head -n 40
  fi
}
# expect_text WHAT TEXT COMMAND...: its output holds TEXT.
expect_text() {
  local what=$1 text=$2
  shift 2
  output_holds() { local text=$1 output && shift && output=$("$@" 2>&1) || true; [[ $output == *"$text"* ]] || { printf 'expected: %s\ngot: %s\n' "$text" "$output"; return 1; }; }
  expect "$what" output_holds "$text" "$@"
}
finish() {
  [[ -z $host_pid ]] || kill -KILL "$host_pid" 2>/dev/null || true
  rm -rf "$work/a" "$work/b"
}
trap finish EXIT

# inside ROOT COMMAND...: in a chroot with its own mounts, which end with the process. With as_process=exec it takes the place
# of this shell, and so its process id.
inside() {
  local root=$1
  shift
  ${as_process:-} unshare --mount bash -c 'root=$1 archives=$2; shift 2
    mount --make-rprivate /
    mount --bind /proc "$root/proc" && mount --bind /dev "$root/dev" && mount --bind "$archives" "$root/var/cache/apt/archives"
    exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 HOME=/root DEBIAN_FRONTEND=noninteractive \
      ${http_proxy:+http_proxy="$http_proxy"} "$@"' - "$root" "$work/archives" "$@"
}

# The machine's own Debian sources, main only: "URI SUITE" a line.
debian_sources() {
  apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)' 'Created-By: Packages' |
    awk '$3 == "main" && $4 == "Debian" { print $1, $2 }' | sort -u
}

make_base() {
  local codename mirror uri suite
  . /etc/os-release
  codename=$VERSION_CODENAME
  mkdir -p "$work/archives/partial"
  [[ ! -f $work/base-$codename.tar ]] || return 0
  mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
    awk -v codename="$codename" '$2 == codename && $3 == "main" { print $1; exit }')
  say "debootstrap $codename from ${mirror:=http://deb.debian.org/debian}: once, then kept"
  rm -rf "$work/base"
  debootstrap --variant=minbase "$codename" "$work/base" "$mirror" >"$work/debootstrap.log" 2>&1 || {
    tail -n 5 "$work/debootstrap.log" >&2
    exit 1
  }
  debian_sources | while read -r uri suite; do
    printf 'deb %s %s main\n' "$uri" "$suite"
  done >"$work/base/etc/apt/sources.list.new"
  [[ ! -s $work/base/etc/apt/sources.list.new ]] || mv "$work/base/etc/apt/sources.list.new" "$work/base/etc/apt/sources.list"
  printf '#!/bin/sh\nexit 101\n' >"$work/base/usr/sbin/policy-rc.d" && chmod 755 "$work/base/usr/sbin/policy-rc.d"
  cp /etc/resolv.conf "$work/base/etc/resolv.conf"
  inside "$work/base" apt-get -qq update || say "not all package lists could be had: going on with the others"
  tar -C "$work/base" -cf "$work/base-$codename.tar.part" .
  mv "$work/base-$codename.tar.part" "$work/base-$codename.tar"
  rm -rf "$work/base"
}

# new_root NAME PACKAGE...: a bare root with those packages; names of ours are taken from build/packages.
new_root() {
  local root=$work/$1 names=() name
  shift
  rm -rf "$root"
  mkdir -p "$root"
  tar -C "$root" -xf "$work"/base-*.tar
  printf 'force-unsafe-io\n' >"$root/etc/dpkg/dpkg.cfg.d/unsafe-io" # thrown away after the test: no fsync
  mkdir -p "$root/debs"
  cp "$packages"/*.deb "$root/debs/"
  for name in "$@"; do
    case $name in
      sub0-*) names+=("$(cd "$root" && ls ./debs/"${name}"_*.deb)") ;;
      *) names+=("$name") ;;
    esac
  done
  inside "$root" apt-get install -y -qq --no-install-recommends -o Dpkg::Use-Pty=0 "${names[@]/#.\/debs/\/debs}" >"$root.log" 2>&1 || {
    tail -n 30 "$root.log" >&2
    return 1
  }
}

as_service() { inside "$work/a" bash -c 'set -a; . /etc/sub0/sub0.env; set +a; cd /var/lib/sub0; STATE_DIRECTORY=/var/lib/sub0
  export STATE_DIRECTORY; exec setpriv --reuid=sub0 --regid=sub0 --init-groups "$@"' - "$@"; }

# start_service [ARGUMENT...]: the unit's own command line, as its user, on a free port; sets host_pid and port.
start_service() {
  local command
  read -ra command <<<"$(sed -n 's/^ExecStart=//p' "$work/a/lib/systemd/system/sub0.service")"
  as_process=exec as_service "${command[@]}" "$@" >"$work/service.log" 2>&1 &
  host_pid=$!
  port=
  for _ in $(seq 100); do
    port=$(sed -nE 's/.*"event":"ready".*"port":([0-9]+).*/\1/p' "$work/service.log" | head -n 1)
    [[ -z $port ]] || return 0
    kill -0 "$host_pid" 2>/dev/null || break
    sleep 0.1
  done
  cat "$work/service.log"
  return 1
}
stop_service() {
  local code=0
  kill -TERM "$host_pid"
  wait "$host_pid" || code=$?
  host_pid=
  [[ $code -eq 0 ]] || { cat "$work/service.log"; echo "exit status $code"; return 1; }
}

# `expect` runs its command in a subshell, where host_pid could not be set: these run it here and report after.
start_and_report() {
  local code=0 what=$1
  shift
  start_service "$@" >"$work/start.out" 2>&1 || code=1
  expect "$what" bash -c "cat '$work/start.out'; exit $code"
  return "$code"
}
stop_and_report() {
  local code=0
  stop_service >"$work/stop.out" 2>&1 || code=1
  expect "SIGTERM ends it with status 0" bash -c "cat '$work/stop.out'; exit $code"
}

prepare_wallet() {
  mkdir -p "$work/a/etc/sub0/project"
  cp -r "$work/a/usr/share/doc/sub0-host/examples/wallet/." "$work/a/etc/sub0/project/"
  printf '%s\n' "WALLET_TOKEN_KEY=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')" ALLOW_WEBSOCKET_CONNECTIONS=true \
    PORT=0 SUB0_LOG=json >"$work/a/etc/sub0/sub0.env"
  inside "$work/a" bash -c 'chown root:sub0 /etc/sub0/sub0.env && chmod 640 /etc/sub0/sub0.env
    install -d -o sub0 -g sub0 -m 750 /var/lib/sub0'
}

test_root_a() {
  local token wallet=/etc/sub0/project
  say "root A: a bare Debian with sub0-host and sub0-plugins"
  expect "the packages install with what Debian has" new_root a sub0-host sub0-plugins
  [[ $failed -eq 0 ]] || return 0
  expect "there is no compiler" inside "$work/a" bash -c '! command -v cc gcc c++ g++ clang cmake make'
  expect "the service has a user of its own" inside "$work/a" id sub0
  expect_text "the settings file is a conffile" /etc/sub0/sub0.properties inside "$work/a" dpkg-query -W -f '${Conffiles}' sub0-host
  expect_text "the host tells its version" 0. inside "$work/a" sub0-host --version
  expect_text "the packaged plugins are found" query inside "$work/a" sub0-host plugin list
  prepare_wallet
  expect "the sample passes its check" as_service sub0-host check "$wallet"
  expect "the demo's table is made" as_service sub0-host sql --resources "$wallet" --config /etc/sub0/sub0.properties -f "$wallet/demo.sql"
  token=$(as_service sub0-host token mint fetch-balance --resources "$wallet" --claim id=user_12345) || token=none
  start_and_report "the service's command line starts as its user" || return 0
  expect_text "the process belongs to that user" "$(inside "$work/a" id -u sub0)" stat -c %u "/proc/$host_pid"
  expect_text "curl gets the balance" '"data":{"wallet_balance":1250.75}' \
    curl -s -X POST "http://127.0.0.1:$port/fetch-balance" -H "x-access-token: $token"
  expect_text "sub0-host call gets it over HTTP" '"wallet_balance":1250.75' inside "$work/a" \
    sub0-host call fetch-balance '{}' --url "http://127.0.0.1:$port" --token "$token"
  expect_text "sub0-host call gets it over WebSocket" '"data":{"wallet_balance":1250.75}' inside "$work/a" \
    sub0-host call fetch-balance '{}' --url "http://127.0.0.1:$port" --ws --uid user_12345 --token "$token"
  stop_and_report
}

test_root_b() {
  say "root B: a bare Debian with a compiler and sub0-sdk-dev"
  expect "the SDK installs" new_root b sub0-host sub0-sdk-dev cmake make g++
  [[ -d $work/b/usr/include/sub0 ]] || return 0
  expect "plugin new makes a project" inside "$work/b" sub0-host plugin new demo /tmp/demo
  expect "it builds with the installed SDK alone" inside "$work/b" bash -c \
    'cmake -S /tmp/demo -B /tmp/demo/build && cmake --build /tmp/demo/build'
  expect "its own test passes" inside "$work/b" ctest --test-dir /tmp/demo/build --output-on-failure --no-tests=error
  expect_text "plugin inspect reads its card" demo inside "$work/b" sub0-host plugin inspect /tmp/demo/build/demo.so
}

test_plugin_in_root_a() {
  say "the plugin of root B in root A"
  [[ -f $work/b/tmp/demo/build/demo.so && -d $work/a/etc/sub0/project/resources ]] || {
    expect "there is a plugin to load" false
    return 0
  }
  install -D -m 644 "$work/b/tmp/demo/build/demo.so" "$work/a/opt/plugins/demo.so"
  cp "$work"/b/tmp/demo/resources/*.json "$work/a/etc/sub0/project/resources/"
  start_and_report "the service starts with --plugins" --plugins /opt/plugins || return 0
  expect_text "the new mode answers" Ada curl -s -X POST "http://127.0.0.1:$port/demo" \
    -H 'content-type: application/json' -d '{"name":"Ada"}'
  stop_and_report
}

test_lintian() {
  # There is no mail address for the project yet; everything else that lintian calls an error is one.
  expect "lintian finds no error" lintian --fail-on error --suppress-tags bogus-mail-host,bogus-mail-host-in-debian-changelog \
    --allow-root "$packages"/sub0-*.deb
}

say "packages: $(ls "$packages"/*.deb | xargs -n 1 basename | tr '\n' ' ')"
make_base
test_lintian
test_root_a
test_root_b
test_plugin_in_root_a
printf '%s passed, %s failed\n' "$passed" "$failed"
[[ $failed -eq 0 ]]
