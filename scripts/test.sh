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
  '^(Documents|DeviceKit|Resources|ResourceStore|TwinStore|Telemetry|Controllers)Tests\.'
  '^(ModbusProtocol|MQTTProtocol|UdevProtocol|Plant)Tests\.'
  '^(SinkKit|FileSink|StdoutSink|HTTPSink)Tests\.'
  '^KubernetesClientTests\.'
  '^(KubernetesAPI|Gateway)Tests\.'
  "$simulation"
)
status=0
# Longer than any of them takes on a busy machine: a test that hangs is to be told from those behind it.
patience=${SELVEDGE_TEST_PATIENCE:-1200}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for group in "${groups[@]}"; do
  skipped=()
  [[ $group == "$simulation" ]] || skipped=(--skip "$simulation")
  timeout --kill-after=10 "$patience" \
    swift test "${build[@]}" --skip-build --filter "$group" "${skipped[@]}" 2>&1 | tee -a "$log" || {
    status=$?
    ((status != 124)) || echo "error: the tests $group were ended after $patience s" | tee -a "$log"
  }
done
# What failed in any of them, once more where it is seen; the runner's own summaries last.
if ((status)); then grep -aE '✘|^error:' "$log" | grep -v 'Test run with' || true; fi
grep -a 'Test run with' "$log" || true
exit "$status"
