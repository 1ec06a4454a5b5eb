#!/usr/bin/env bash
# Builds and runs the measurements of Benchmarks/, which print ratios to a floor measured in the same run.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/require.sh demo
exec swift run -c release selvedge-bench "$@"
