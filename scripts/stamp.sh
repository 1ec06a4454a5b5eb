#!/usr/bin/env bash
# Strips a built gateway and puts into it what it was built from, as the ELF section .selvedge.build, which `selvedge version`
# prints: version, commit, the commit's date, compiler, packages. No time and no place of the build: the same commit gives the
# same bytes. A section, and no generated source, so that a commit costs no compilation.
# Usage: scripts/stamp.sh BINARY OUTPUT
set -euo pipefail
(($# == 2)) || { echo "usage: scripts/stamp.sh BINARY OUTPUT" >&2; exit 2; }
here=$(dirname "$0")
command -v objcopy > /dev/null || { echo "stamp: there is no objcopy: install binutils" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 "$here/sbom.py" --stamp > "$work/stamp.json"
objcopy --strip-all "$1" "$work/stripped"
objcopy --remove-section=.selvedge.build --add-section=.selvedge.build="$work/stamp.json" "$work/stripped" "$work/stamped"
install -m 0755 "$work/stamped" "$2"
