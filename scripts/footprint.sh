#!/usr/bin/env bash
# Checks the release binary: no ICU, at most 40 MB stripped, at most 30 MB resident when idle, 36 MB where resources live in a
# cluster. Prints the figures.
set -euo pipefail
cd "$(dirname "$0")/.."

binary=.build/release/selvedge
[ -x "$binary" ] || { echo "footprint: $binary is missing; run: swift build -c release" >&2; exit 1; }
work=$(mktemp -d)
pids=()
cleanup() {
  for pid in "${pids[@]}"; do
    kill "$pid" 2> /dev/null || true
    # It still writes until it has ended.
    wait "$pid" || true
  done
  rm -rf "$work"
}
trap cleanup EXIT

if nm "$binary" 2>/dev/null | grep -q icudt; then
  echo "footprint: the binary holds ICU's data (icudt): something imports Foundation" >&2
  exit 1
fi
strip -o "$work/selvedge" "$binary"
size=$(stat -c %s "$work/selvedge")

free_port() { python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])'; }

# start NAME PORT FLAGS…: a gateway in a folder of its own; returns when it is ready.
start() {
  local name=$1 port=$2
  shift 2
  "$work/selvedge" run --data-dir "$work/$name" --listen "127.0.0.1:$port" --node-name "$name" "$@" >"$work/$name.log" 2>&1 &
  pids+=($!)
  local scheme=http
  [[ " $* " != *" --tls-cert "* ]] || scheme=https
  for _ in $(seq 100); do
    curl -fsk "$scheme://127.0.0.1:$port/readyz" >/dev/null 2>&1 && return
    kill -0 "${pids[-1]}" 2>/dev/null || { cat "$work/$name.log" >&2; exit 1; }
    sleep 0.1
  done
  cat "$work/$name.log" >&2
  exit 1
}

resident() { awk '/^VmRSS/ {print $2}' "/proc/$1/status"; }

start alone "$(free_port)"
sleep 5
rss=$(resident "${pids[0]}")
threads=$(awk '/^Threads/ {print $2}' "/proc/${pids[0]}/status")

# A gateway's own API stands in for a cluster's: over TLS and with a token.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=cluster \
  -addext subjectAltName=IP:127.0.0.1 -keyout "$work/key.pem" -out "$work/cert.pem" 2> /dev/null
(umask 077 && echo 'footprint-token-0123456789,gateway,1,"system:masters"' > "$work/tokens")
api=$(free_port)
start cluster "$api" --tls-cert "$work/cert.pem" --tls-key "$work/key.pem" --token-file "$work/tokens"
cat > "$work/kubeconfig" <<EOF
apiVersion: v1
kind: Config
current-context: c
contexts: [{name: c, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: "https://127.0.0.1:$api", certificate-authority: cert.pem}}]
users: [{name: u, user: {token: footprint-token-0123456789}}]
EOF
start node "$(free_port)" --kubeconfig "$work/kubeconfig"
sleep 5
cluster_rss=$(resident "${pids[2]}")

echo "footprint: stripped $((size / 1000)) kB (limit 40000), idle RSS $rss kB (limit 30720), $threads threads; in a cluster" \
  "$cluster_rss kB (limit 36864)"
[ "$size" -le 40000000 ] || { echo "footprint: the stripped binary is too large" >&2; exit 1; }
[ "$rss" -le 30720 ] || { echo "footprint: the idle gateway is too large" >&2; exit 1; }
[ "$cluster_rss" -le 36864 ] || { echo "footprint: the idle gateway is too large in a cluster" >&2; exit 1; }
