#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# card_test.sh INCLUDE BUILD CC CXX: the card is in the file, as C and as C++, also after --gc-sections.
set -eu
include=$1 build=$2 cc=$3 cxx=$4
here=$(dirname "$0")
out=$build/card.$(basename "$cc").so
check() {
  readelf -SW "$out" | grep -Eq '\.note\.sub0 +NOTE' || { echo "no note section in $1"; exit 1; }
  note=$(readelf -nW "$out" | grep -A2 'sub0 ')
  echo "$note" | grep -q '0x000000a8' || { echo "the note of $1 has not 168 bytes: $note"; exit 1; }
  objcopy --dump-section .note.sub0="$out.note" "$out" "$out.copy"
  texts=$(tr '\0' '\n' <"$out.note" | grep -a '..' | tr '\n' ' ')
  case $texts in
    *"sub0 "*"org.example.probe $2 "*) ;;
    *) echo "the card of $1 says: $texts"; exit 1 ;;
  esac
}
flags="-O2 -fPIC -shared -fvisibility=hidden -ffunction-sections -fdata-sections -Wl,--gc-sections"
"$cc" -std=c11 $flags -I"$include" "$here/card_probe.c" -o "$out"
check "C" 1.2.3
printf '%s\n' '#include <sub0/plugin.hpp>' \
  'struct Probe final : sub0::Handler<Probe> { static constexpr auto mode = "P", key = "p";' \
  '  explicit Probe(sub0::Preparation&) {} void run(sub0::Run run) { run.complete(); } };' \
  'SUB0_PLUGIN("org.example.probe", "4.5.6", Probe)' >"$out.cpp"
"$cxx" -std=c++17 $flags -Wl,-z,defs -I"$include" "$out.cpp" -o "$out"
check "C++" 4.5.6
