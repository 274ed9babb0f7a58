#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# build.sh OUT: builds the Debian packages of the tree as it stands into OUT. The debian/ folder that dpkg-buildpackage
# wants at the top of a source tree lives in packaging/deb; a copy of the tree is put together in OUT/source.
# Nothing to do if the packages there were made from the same files.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
out=$(realpath -m "$1")
say() { printf '==> %s\n' "$*" >&2; }

files() {
  git ls-files -z -c -o --exclude-standard --deduplicate | sort -z | while IFS= read -rd '' file; do
    [[ ! -f $file ]] || printf '%s\0' "$file"
  done
}
digest=$(files | xargs -0 sha256sum | sha256sum | cut -d' ' -f1)
if [[ $(cat "$out/made-from" 2>/dev/null) == "$digest" ]] && compgen -G "$out/sub0-host_*.deb" >/dev/null; then
  say "packages in $out are up to date"
  exit 0
fi

version=$(sed -nE 's/^project\(sub0 VERSION ([0-9.]+).*/\1/p' CMakeLists.txt)
packaged=$(sed -nE '1s/^sub0 \(([0-9.]+)\).*/\1/p' packaging/deb/debian/changelog)
if [[ $version != "$packaged" ]]; then
  echo "CMakeLists.txt says $version, packaging/deb/debian/changelog says $packaged" >&2
  exit 1
fi

# The source is brought up to date in place (same times for same files), so that a second build is incremental.
say "putting the source tree together in $out/source"
mkdir -p "$out/source"
rm -f "$out"/*.deb "$out/made-from"
find "$out/source" -mindepth 1 -maxdepth 1 ! -name debian -exec rm -rf {} +
files | tar --null -T - -cf - | tar -C "$out/source" -xf -
rm -rf "$out/source/debian"
cp -a packaging/deb/debian "$out/source/debian"

say "dpkg-buildpackage (log: $out/build.log)"
cd "$out/source"
export DEB_BUILD_OPTIONS="nocheck noautodbgsym parallel=$(nproc)"
if ! dpkg-buildpackage -b -us -uc -ui -rfakeroot >"$out/build.log" 2>&1; then
  grep -E 'error|FAILED|fatal|\*\*\*' "$out/build.log" | cut -c 1-300 | head -n 40 >&2 || true
  echo "dpkg-buildpackage failed; all of it: $out/build.log" >&2
  exit 1
fi
printf '%s\n' "$digest" >"$out/made-from"
say "built:"
ls -1 "$out"/*.deb
