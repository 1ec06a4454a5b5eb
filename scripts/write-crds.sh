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

# For `kubectl apply -k Deploy/crds`; kubectl apply -f Deploy/crds passes over a file without an extension.
{
  cat << 'HEAD'
# The kinds, apart from the gateways: taking a gateway away must not take every Device of the cluster with it.
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
HEAD
  for file in Deploy/crds/*.yaml; do echo "- $(basename "$file")"; done
} > Deploy/crds/Kustomization

# The chart's copies and the single file.
python3 scripts/check-deploy.py --write
