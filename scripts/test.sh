#!/usr/bin/env bash
# Sets up and runs all tests, in release: the configuration that is shipped. Arguments go to 'swift test'.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH="$PWD/.build-venv/bin:$PATH:/usr/sbin:/sbin"
export PATH

scripts/require.sh test
shellcheck scripts/*.sh
# The programs are tested too, as they will run: built first, since tests do not build what they only start.
swift build -c release --product selvedge
swift build -c release --product selvedge-plant
# No test is @testable: with testability on, all would be compiled a second time, for tests alone.
exec swift test -c release --disable-testable-imports "$@"
