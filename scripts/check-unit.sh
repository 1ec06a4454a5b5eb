#!/usr/bin/env bash
# Has systemd judge the unit offline: its syntax, and how much of the machine it leaves open (0 to 10; the limit is 1.6).
set -euo pipefail
cd "$(dirname "$0")/.."
unit=Deploy/systemd/selvedge.service
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The program need not be installed for its unit to be read.
sed "s#/usr/bin/selvedge run#$(readlink -f /bin/true) run#" "$unit" > "$work/selvedge.service"
faults=$(systemd-analyze verify --man=no "$work/selvedge.service" 2>&1 | grep -F selvedge.service || true)
if [[ -n $faults ]]; then
  echo "check-unit: $faults" >&2
  exit 1
fi
grep -q '^TimeoutStopSec=30s$' "$unit" || { echo "check-unit: a stop is given 30 s, as in the pod" >&2; exit 1; }
result=$(systemd-analyze security --offline=true --threshold=16 "$work/selvedge.service") ||
  { echo "check-unit: ${result##*$'\n'}" >&2; exit 1; }
echo "check-unit: ${result##*→ }"
