#!/usr/bin/env bash
# Checks the release binary: no ICU, at most 40 MB stripped, at most 30 MB resident when idle. Prints the figures.
set -euo pipefail
cd "$(dirname "$0")/.."

binary=.build/release/selvedge
[ -x "$binary" ] || { echo "footprint: $binary is missing; run: swift build -c release" >&2; exit 1; }
work=$(mktemp -d)
pid=
cleanup() {
  [ -z "$pid" ] || kill "$pid" 2> /dev/null || true
  # It still writes until it has ended.
  [ -z "$pid" ] || wait "$pid" || true
  rm -rf "$work"
}
trap cleanup EXIT

if nm "$binary" 2>/dev/null | grep -q icudt; then
  echo "footprint: the binary holds ICU's data (icudt): something imports Foundation" >&2
  exit 1
fi
strip -o "$work/selvedge" "$binary"
size=$(stat -c %s "$work/selvedge")

port=$(python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])')
"$work/selvedge" run --data-dir "$work/data" --listen "127.0.0.1:$port" >"$work/log" 2>&1 &
pid=$!
for _ in $(seq 100); do
  curl -fs "http://127.0.0.1:$port/readyz" >/dev/null 2>&1 && break
  kill -0 "$pid" 2>/dev/null || { cat "$work/log" >&2; exit 1; }
  sleep 0.1
done
curl -fs "http://127.0.0.1:$port/readyz" >/dev/null
sleep 5
rss=$(awk '/^VmRSS/ {print $2}' "/proc/$pid/status")
threads=$(awk '/^Threads/ {print $2}' "/proc/$pid/status")

echo "footprint: stripped $((size / 1000)) kB (limit 40000), idle RSS $rss kB (limit 30720), $threads threads"
[ "$size" -le 40000000 ] || { echo "footprint: the stripped binary is too large" >&2; exit 1; }
[ "$rss" -le 30720 ] || { echo "footprint: the idle gateway is too large" >&2; exit 1; }
