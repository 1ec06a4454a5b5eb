#!/usr/bin/env bash
# Writes what `selvedge crds` prints into Deploy/crds, a file for each kind.
set -euo pipefail
cd "$(dirname "$0")/.."

swift build -c release --product selvedge
rm -f Deploy/crds/*.yaml
.build/release/selvedge crds | awk '
  /^---$/ { text = ""; file = ""; next }
  { text = text $0 "\n" }
  /^  name: / && file == "" { file = "Deploy/crds/" $2 ".yaml"; printf "%s", text > file; next }
  file != "" { print > file }
'
