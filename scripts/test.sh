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
build=(-c release --disable-testable-imports)
swift build -c release --product selvedgePackageTests
if (($#)); then exec swift test "${build[@]}" --skip-build "$@"; fi

# All tests of a process run at once, each with its stores, servers and programs: in five processes, one after the
# other, none comes near the 1,024 descriptors beyond which libmodbus' select() gives up. What computes for a minute
# without a pause has a sixth: those that wait for a command's answer would get no turn.
simulation='^ControllersTests\.LeaseSimulationTests'
groups=(
  '^(Documents|DeviceKit|Resources|ResourceStore|TwinStore|TwinAggregation|Telemetry|Controllers)Tests\.'
  '^(ModbusProtocol|MQTTProtocol|UdevProtocol|Plant)Tests\.'
  '^(SinkKit|FileSink|StdoutSink|HTTPSink)Tests\.'
  '^KubernetesClientTests\.'
  '^(KubernetesAPI|Gateway)Tests\.'
  "$simulation"
)
# Longer than any of them takes on a busy machine: a test that hangs is to be told from those behind it.
patience=${SELVEDGE_TEST_PATIENCE:-1200}
outcomes=$(mktemp -d)
trap 'rm -rf "$outcomes"' EXIT

# run NAME ARGUMENT...: runs tests. What they say is in $outcomes/NAME.log, and what came of each, where they came to an
# end, in $outcomes/NAME-swift-testing.xml.
run() {
  local name=$1 code=0
  shift
  timeout --kill-after=10 "$patience" swift test "${build[@]}" --skip-build --xunit-output "$outcomes/$name.xml" "$@" \
    2>&1 | tee "$outcomes/$name.log" || code=$?
  ((code != 124)) || echo "error: the tests $* were ended after $patience s" | tee -a "$outcomes/$name.log"
  return "$code"
}

# again NUMBER: what failed in a group, once more and alone. Some tests talk to programs by real time, and share two cores
# with a hundred others; what is wrong fails alone, too. More than three at once are no accident.
again() {
  local failed filters=() test
  failed=$(scripts/failed-tests.py "$outcomes/$1-swift-testing.xml") || return 1
  [[ -n $failed ]] || return 1
  (($(wc -l <<< "$failed") <= 3)) || return 1
  while IFS= read -r test; do filters+=(--filter "$test"); done <<< "$failed"
  run "$1-again" "${filters[@]}" || return 1
  while IFS= read -r test; do echo "note: passed only when run again, alone: ${test//\\/}"; done <<< "$failed" \
    >> "$outcomes/notes"
}

status=0
touch "$outcomes/notes"
for number in "${!groups[@]}"; do
  group=${groups[number]}
  skipped=()
  [[ $group == "$simulation" ]] || skipped=(--skip "$simulation")
  run "$number" --filter "$group" "${skipped[@]}" || again "$number" || status=1
done
# What failed in any of them, once more where it is seen; the runner's own summaries last.
grep -ahE '✘|^error:' "$outcomes"/*.log | grep -v 'Test run with' || true
cat "$outcomes/notes"
for number in "${!groups[@]}"; do
  last=$outcomes/$number-again.log
  [[ -e $last ]] || last=$outcomes/$number.log
  grep -a 'Test run with' "$last" || true
done
exit "$status"
