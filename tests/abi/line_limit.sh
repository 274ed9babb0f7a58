#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# line_limit.sh FILE LINES: an engineer reads the core header in ten minutes.
lines=$(wc -l <"$1")
[ "$lines" -le "$2" ] || { echo "$1 has $lines lines; at most $2 are allowed"; exit 1; }
