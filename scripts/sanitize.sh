#!/usr/bin/env bash
# Builds the layers that need no network library, and their tests, with the thread sanitizer, and runs the tests. Arguments
# go to 'swift test'. A build of its own in .build-tsan: the first one takes a few minutes.
# SELVEDGE_SANITIZED=protocols adds the protocols and the simulated factory; SELVEDGE_SANITIZED=all takes everything, with
# the network libraries and the programs: a build of a quarter of an hour, by hand.
# SELVEDGE_SANITIZER=address looks for reads and writes beyond what is there, in place of races; with C's own memory too.
# Without arguments, what one thread alone runs over thousands of seeds is left out: models, fuzzing, references.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/require.sh build

sanitizer=${SELVEDGE_SANITIZER:-thread}
build=.build-${sanitizer:0:1}san

# The same manifest, cut down by SELVEDGE_SANITIZED, as a package of its own: its pinned versions are not the project's.
place=$build/package
mkdir -p "$place"
for part in *; do [[ $part == Package.resolved ]] || ln -sfn "../../$part" "$place/$part"; done

# A race ends the run with 66. History is kept long enough to show both sides of a race.
export TSAN_OPTIONS="halt_on_error=1 second_deadlock_stack=1 history_size=4 ${TSAN_OPTIONS:-}"
export SELVEDGE_SANITIZED="${SELVEDGE_SANITIZED:-core}"
PATH="$PWD/.build-venv/bin:$PATH:/usr/sbin:/sbin"
export ASAN_OPTIONS="detect_leaks=0 ${ASAN_OPTIONS:-}"
if (($# == 0)) && [[ $sanitizer == thread ]]; then set -- --skip '(Model|Fuzz|Reference|Coding)Tests'; fi
exec swift test --package-path "$place" --scratch-path "$build/scratch" --sanitize="$sanitizer" "$@"
