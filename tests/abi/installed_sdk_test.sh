#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# installed_sdk_test.sh CMAKE BUILD SOURCE WORK CXX: installs the SDK, moves the prefix, builds the sample and the
# template with it in folders of their own, and runs the template's test.
set -eu
cmake=$1 build=$2 source=$3 work=$4 cxx=$5
rm -rf "$work"
mkdir -p "$work"
"$cmake" --install "$build" --component sdk --prefix "$work/first" >/dev/null
mv "$work/first" "$work/sdk"
! grep -rn "$source" "$work/sdk" || { echo "the installed SDK names the source tree"; exit 1; }

cp -r "$source/sample-resources/greeting/plugin" "$work/greeting"
"$cmake" -S "$work/greeting" -B "$work/greeting/build" -DCMAKE_PREFIX_PATH="$work/sdk" -DCMAKE_CXX_COMPILER="$cxx" >/dev/null
"$cmake" --build "$work/greeting/build"
"$source/tests/abi/exports_test.sh" "$work/greeting/build/greeting.so"

# As `sub0-host plugin new` does: placeholders in texts and in file names.
replace="s/@PLUGIN_NAME@/weather/g;s/@PLUGIN_MODE@/WEATHER/g;s/@PLUGIN_ID@/org.example.weather/g;s/@PLUGIN_CLASS@/Weather/g"
cd "$work/sdk/share/sub0/template"
find . -type f | while read -r file; do
  target=$work/weather/$(echo "$file" | sed "$replace")
  mkdir -p "$(dirname "$target")"
  sed "$replace" "$file" >"$target"
done
! grep -rn '@PLUGIN' "$work/weather" || { echo "a placeholder is left"; exit 1; }
"$cmake" -S "$work/weather" -B "$work/weather/build" -DCMAKE_PREFIX_PATH="$work/sdk" -DCMAKE_CXX_COMPILER="$cxx" >/dev/null
"$cmake" --build "$work/weather/build"
"$(dirname "$cmake")/ctest" --test-dir "$work/weather/build" --output-on-failure
"$source/tests/abi/exports_test.sh" "$work/weather/build/weather.so"

command -v pkg-config >/dev/null || exit 0
flags=$(PKG_CONFIG_PATH=$work/sdk/share/pkgconfig pkg-config --cflags sub0-sdk)
echo '#include <sub0/plugin.hpp>' >"$work/probe.cpp"
"$cxx" -std=c++17 $flags -fsyntax-only "$work/probe.cpp"
echo '#include <sub0/poco.hpp>' >"$work/poco.cpp"
"$cxx" -std=c++17 $flags -fsyntax-only "$work/poco.cpp"
