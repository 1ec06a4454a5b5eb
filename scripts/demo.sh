#!/usr/bin/env bash
# A whole factory on this machine: a broker, four Modbus devices, five MQTT devices and a gateway that finds them.
# Runs until Ctrl-C, or, with FOR=30, for 30 s, and then says whether devices were found, a desired value was confirmed
# and aggregates arrived at the broker: exit code 0 only if so.
# Ports are the next free ones from DEMO_PORT (7070), DEMO_BROKER_PORT (1883) and DEMO_MODBUS_PORT (1502, four of them).
set -euo pipefail
cd "$(dirname "$0")/.."
PATH="$PATH:/usr/sbin:/sbin"
export LC_ALL=C

say() { printf '%s\n' "$*"; }

duration=${FOR:-}
duration=${duration%s}
if [[ -n $duration ]] && { [[ ! $duration =~ ^[0-9]{1,5}$ ]] || ((duration < 10)); }; then
  say "demo: FOR takes seconds, 10 or more, such as FOR=30; not '$FOR'" >&2
  exit 2
fi

check_port() { # VARIABLE DEFAULT COUNT
  local wanted=${!1:-$2}
  if [[ ! $wanted =~ ^[0-9]{1,5}$ ]] || ((wanted == 0 || wanted + $3 > 65536)); then
    say "demo: $1 is '$wanted', which is no port" >&2
    exit 2
  fi
  printf -v "$1" '%s' "$wanted"
}
check_port DEMO_PORT 7070 1
check_port DEMO_BROKER_PORT 1883 1
check_port DEMO_MODBUS_PORT 1502 4

scripts/require.sh demo
say "Building the gateway and the simulated factory (the first time takes several minutes) ..."
swift build -c release --product selvedge
swift build -c release --product selvedge-plant
programs=$(swift build -c release --show-bin-path)

# --- What was started, and how it ends -------------------------------------------------------------------------------

work=$(mktemp -d "${TMPDIR:-/tmp}/selvedge-demo.XXXXXX")
declare -A groups=()
verdict=

# Each program gets a process group of its own (set -m), so that Ctrl-C reaches this script alone, which ends them in order.
start() { # NAME COMMAND...
  local name=$1
  shift
  set -m
  "$@" >> "$work/$name.log" 2>&1 < /dev/null &
  set +m
  groups[$name]=$!
}

running() { kill -0 -- "-${groups[$1]}" 2> /dev/null; }

stop() { # NAME
  local name=$1 group=${groups[$1]:-}
  [[ -n $group ]] || return 0
  unset "groups[$name]"
  kill -TERM -- "-$group" 2> /dev/null || return 0
  for _ in {1..50}; do
    kill -0 -- "-$group" 2> /dev/null || break
    sleep 0.1
  done
  kill -KILL -- "-$group" 2> /dev/null || true
  wait "$group" 2> /dev/null || true
}

finish() {
  local code=$?
  trap - EXIT
  trap '' INT TERM HUP
  set +e
  if [[ -n $verdict ]]; then
    ((code)) || code=1
    printf '\ndemo: %s\n' "$verdict" >&2
    local log
    for log in "$work"/*.log; do
      [[ -s $log ]] || continue
      printf -- '--- the last lines of %s\n' "${log##*/}" >&2
      tail -n 15 "$log" >&2
    done
  fi
  for name in subscriber gateway plant broker; do stop "$name"; done 2> /dev/null
  rm -rf "$work"
  exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

fail() {
  verdict=$*
  exit 1
}

# --- Ports -----------------------------------------------------------------------------------------------------------

is_free() { ! (exec 3<> "/dev/tcp/127.0.0.1/$1") 2> /dev/null; }

next_free() { # FIRST COUNT: the first port from FIRST on with COUNT free ones in a row
  local port=$1 count=$2 offset
  while ((port + count < 65536)); do
    for ((offset = 0; offset < count; offset++)); do
      is_free $((port + offset)) || break
    done
    if ((offset == count)); then
      say "$port"
      return
    fi
    port=$((port + offset + 1))
  done
  return 1
}

choose() { # VARIABLE COUNT WHAT
  local variable=$1 wanted=${!1} count=$2 what=$3 port
  port=$(next_free "$wanted" "$count") || fail "No free port for $what from $wanted on; set $variable to another."
  if ((port != wanted)); then
    say "Port $wanted is in use; for $what it is $port instead (set $variable to choose another)." >&2
  fi
  printf -v "$variable" '%s' "$port"
}

choose DEMO_PORT 1 "the gateway"
choose DEMO_BROKER_PORT 1 "the broker"
choose DEMO_MODBUS_PORT 4 "the Modbus devices"
api=http://127.0.0.1:$DEMO_PORT
devices_path=$api/apis/selvedge.dev/v1alpha1/namespaces/default/devices

manifests=$PWD/Examples/demo
if ((DEMO_BROKER_PORT != 1883 || DEMO_MODBUS_PORT != 1502)); then
  # Two steps, so that a new port is never taken for an old one.
  mkdir "$work/manifests"
  for file in Examples/demo/*.yaml; do
    sed -e "s/\b1883\b/@broker@/g" -e "s/\b1502\b/@modbus0@/g" -e "s/\b1503\b/@modbus1@/g" \
      -e "s/\b1504\b/@modbus2@/g" -e "s/\b1505\b/@modbus3@/g" -e "s/@broker@/$DEMO_BROKER_PORT/g" \
      -e "s/@modbus0@/$DEMO_MODBUS_PORT/g" -e "s/@modbus1@/$((DEMO_MODBUS_PORT + 1))/g" \
      -e "s/@modbus2@/$((DEMO_MODBUS_PORT + 2))/g" -e "s/@modbus3@/$((DEMO_MODBUS_PORT + 3))/g" \
      "$file" > "$work/manifests/${file##*/}"
  done
  manifests=$work/manifests
fi

# --- Start -----------------------------------------------------------------------------------------------------------

await() { # SECONDS NAME WHAT COMMAND...: until the command succeeds, the program ends, or time is up
  local deadline=$((SECONDS + $1)) name=$2 what=$3
  shift 3
  until "$@" > /dev/null 2>&1; do
    running "$name" || fail "$what: the program ended."
    ((SECONDS < deadline)) || fail "$what: not within $((SECONDS)) s of the start."
    sleep 0.1
  done
}

start_broker() {
  start broker mosquitto -c "$work/mosquitto.conf"
  await 10 broker "The broker does not take connections" mosquitto_pub -h 127.0.0.1 -p "$DEMO_BROKER_PORT" \
    -t demo/ready -m 1
}

mkdir "$work/mosquitto"
cat > "$work/mosquitto.conf" << END
listener $DEMO_BROKER_PORT 127.0.0.1
allow_anonymous true
persistence true
persistence_location $work/mosquitto/
autosave_interval 5
user $(id -un)
END
start_broker

start plant "$programs/selvedge-plant" --modbus 4 --modbus-port "$DEMO_MODBUS_PORT" --mqtt 5 \
  --broker "127.0.0.1:$DEMO_BROKER_PORT" --interval 1s
await 10 plant "The simulated factory is not ready" grep -qx ready "$work/plant.log"

start subscriber mosquitto_sub -h 127.0.0.1 -p "$DEMO_BROKER_PORT" -q 1 -v -t 'plant/#'

start gateway "$programs/selvedge" run --data-dir "$work/data" --manifests "$manifests" --listen "127.0.0.1:$DEMO_PORT"
await 30 gateway "The gateway is not ready" curl -fsS -m 2 "$api/readyz"

cat << END

  Dashboard   $api/

  Try, in another terminal:
    kubectl --server $api get devices
    kubectl --server $api patch device boiler-1 --type merge -p '{"spec":{"desired":{"setpoint":60}}}'
    kubectl --server $api get device boiler-1 -w
    mosquitto_sub -p $DEMO_BROKER_PORT -v -t 'plant/#'
    kill ${groups[broker]}    # stops the broker; the demo starts it again after 20 s, and nothing is lost

  Logs        $work/

END

watch_programs() { # fails when a program ends by itself
  local name
  for name in "$@"; do
    running "$name" || fail "The program '$name' has ended by itself."
  done
}

if [[ -z $duration ]]; then
  say "Ctrl-C stops everything."
  while sleep 1; do
    watch_programs plant gateway
    running broker && continue
    say "The broker was stopped. It starts again in 20 s; what the gateway has for it waits on disk until then."
    stop broker
    for _ in {1..20}; do
      sleep 1
      watch_programs plant gateway
    done
    start_broker
    say "The broker runs again, as process ${groups[broker]}."
  done
fi

# --- FOR: the demo checks itself ---------------------------------------------------------------------------------------

expected_devices=9 # boiler-1, three more Modbus devices, five rooms
wish=61.5

device_count() { curl -fsS -m 5 "$devices_path" | jq '.items | length'; }
found_enough() { (($(device_count) >= expected_devices)); }
wish_confirmed() {
  curl -fsS -m 5 "$devices_path/boiler-1" |
    jq -e --argjson wish "$wish" \
      '.status.properties[]? | select(.name == "setpoint" and .desired == $wish and .state == "Confirmed")'
}
received() { wc -l < "$work/subscriber.log"; }

end=$((SECONDS + duration))
half=$((SECONDS + duration / 2))
say "Running for $duration s."
while ((SECONDS < half)); do
  watch_programs broker plant gateway
  sleep 0.5
done
say "Half-time: $(device_count || say no) devices; the setpoint of boiler-1 shall be $wish."
curl -fsS -m 5 -X PATCH -H 'Content-Type: application/merge-patch+json' \
  --data "{\"spec\":{\"desired\":{\"setpoint\":$wish}}}" "$devices_path/boiler-1" > "$work/patch.log" 2>&1 ||
  fail "The patch of boiler-1 was refused."
while ((SECONDS < end)); do
  watch_programs broker plant gateway
  sleep 0.5
done

problems=()
found_enough || problems+=("$(device_count || say no) devices were found, at least $expected_devices are there.")
wish_confirmed > /dev/null ||
  problems+=("boiler-1 does not say Confirmed for setpoint $wish: $(curl -fsS -m 5 "$devices_path/boiler-1" | jq -c .status)")
(($(received) > 0)) || problems+=("no aggregate arrived at the broker on plant/#.")
if ((${#problems[@]})); then fail "${problems[*]}"; fi
say "Found $(device_count) devices, confirmed setpoint $wish, received $(received) aggregates. All is well."
