#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# exports_test.sh PLUGIN: exports its entry alone, and links nothing of the host.
set -eu
exports=$(nm -D --defined-only "$1" | awk '{print $3}' | grep -v '^$' || true)
[ "$exports" = sub0_plugin_v0 ] || { echo "exports: $exports"; exit 1; }
! readelf -d "$1" | grep NEEDED | grep -i sub0 || exit 1
