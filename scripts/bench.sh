#!/usr/bin/env bash
# Builds and runs the measurements of Benchmarks/, which print ratios to a floor measured in the same run.
# The table is all that comes on standard output.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH="$PATH:/usr/sbin:/sbin"
scripts/require.sh demo
swift build -c release --product selvedge-bench >&2
printf 'selvedge: measuring takes about two minutes; other work on the machine makes the ratios less steady\n' >&2
exec "$(swift build -c release --show-bin-path)/selvedge-bench" "$@"
