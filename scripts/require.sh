#!/usr/bin/env bash
# Sees to it that what a task needs is there: Swift, and Debian packages by group. Says what it installs before it does.
# Usage: scripts/require.sh build|demo|test|deploy ...
# Groups include the ones before them. Nothing is said or done where nothing is missing.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH="$PATH:/usr/sbin:/sbin"

swift_major=6
swift_minor=3

say() { printf 'selvedge: %s\n' "$*" >&2; }
fail() {
  say "$*"
  exit 1
}

require_swift() {
  local where="install it from https://www.swift.org/install/linux/ (swiftly, or the archive for Debian 12), \
put its usr/bin folder on PATH, and run this again"
  command -v swift > /dev/null ||
    fail "Swift $swift_major.$swift_minor or newer is needed, and there is no 'swift' on PATH: $where."
  local text version major minor
  text=$(swift --version 2>&1) || fail "'swift --version' fails: $text"
  version=$(sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' <<< "$text" | head -n 1)
  [[ -n $version ]] || fail "'swift --version' tells no version: $text"
  major=${version%%.*}
  minor=${version#*.}
  if ((major < swift_major || (major == swift_major && minor < swift_minor))); then
    fail "Swift $swift_major.$swift_minor or newer is needed, and $(command -v swift) is $version: $where."
  fi
}

# package:probe, the probe being a file (with a slash) or a command: what is there some other way is not installed again.
build_packages=(
  binutils:objcopy
  git:git
  libc6-dev:/usr/include/stdlib.h
  libstdc++-12-dev:dpkg
  libmodbus-dev:/usr/include/modbus/modbus.h
  libmosquitto-dev:/usr/include/mosquitto.h
  libsqlite3-dev:/usr/include/sqlite3.h
  libssl-dev:/usr/include/openssl/evp.h
  libudev-dev:/usr/include/libudev.h
  libyaml-dev:/usr/include/yaml.h
  libzstd-dev:/usr/include/zstd.h
  zlib1g-dev:/usr/include/zlib.h
)
demo_packages=(
  mosquitto:mosquitto
  mosquitto-clients:mosquitto_sub
  curl:curl
  jq:jq
)
test_packages=(
  socat:socat
  umockdev:umockdev-run
  mbpoll:mbpoll
  tcpdump:tcpdump
  iproute2:ip
  prometheus:prometheus
  victoria-metrics:victoria-metrics
  influxdb:influxd
  python3:python3
  lua5.4:lua5.4
  kubernetes-client:kubectl
  shellcheck:shellcheck
  openssl:openssl
  procps:ps
  chromium:chromium
)

# What checks Deploy/ and the image, beside what tests need: the chart's template engine takes 450 MB.
deploy_packages=(
  golang-go:go
  golang-github-masterminds-sprig-dev:/usr/share/gocode/src/github.com/Masterminds/sprig
  golang-gopkg-yaml.v3-dev:/usr/share/gocode/src/gopkg.in/yaml.v3
  bubblewrap:bwrap
  ca-certificates:/etc/ssl/certs/ca-certificates.crt
  kubernetes-client:kubectl
  prometheus:promtool
  mosquitto:mosquitto
  systemd:systemd-analyze
)

is_there() {
  local package=$1 probe=$2
  case $probe in
    dpkg) dpkg-query -W -f='${Status}' "$package" 2> /dev/null | grep -q 'ok installed' ;;
    /*) [[ -e $probe ]] ;;
    *) command -v "$probe" > /dev/null ;;
  esac
}

install_packages() {
  local missing=("$@") as_root=()
  command -v apt-get > /dev/null ||
    fail "these Debian packages are missing, and there is no apt-get to install them: ${missing[*]}. \
Install what your system calls them, and run this again."
  if ((EUID != 0)); then
    command -v sudo > /dev/null ||
      fail "these Debian packages are missing: ${missing[*]}. As root: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  say "these Debian packages are missing and will be installed now: ${missing[*]}"
  "${as_root[@]}" apt-get update -qq || say "apt-get update failed; trying with the package lists that there are"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" \
    > /dev/null || fail "apt-get could not install: ${missing[*]}"
}

require_packages() {
  local entry missing=()
  for entry in "$@"; do
    is_there "${entry%%:*}" "${entry#*:}" || missing+=("${entry%%:*}")
  done
  if ((${#missing[@]})); then install_packages "${missing[@]}"; fi
}

# Python packages, in a folder of the project's own: scripts/test.sh puts it on PATH, and so does who else needs it.
require_python_packages() { # CHECK PACKAGE...
  local check=$1 packages=("${@:2}")
  if [[ -x .build-venv/bin/python3 ]] && .build-venv/bin/python3 -c "$check" 2> /dev/null; then return; fi
  if [[ ! -e .build-venv ]] && python3 -c "$check" 2> /dev/null; then return; fi
  say "these Python packages are missing and will be installed into .build-venv: ${packages[*]}"
  python3 -c 'import ensurepip' 2> /dev/null || install_packages python3-venv
  python3 -m venv --system-site-packages .build-venv
  .build-venv/bin/python3 -m pip install --quiet --disable-pip-version-check "${packages[@]}" ||
    fail "pip could not install: ${packages[*]}"
}

(($#)) || fail "usage: scripts/require.sh build|demo|test|deploy ..."
for group in "$@"; do
  case $group in
    build)
      require_swift
      require_packages "${build_packages[@]}"
      ;;
    demo)
      require_swift
      require_packages "${build_packages[@]}" "${demo_packages[@]}"
      ;;
    test)
      require_swift
      require_packages "${build_packages[@]}" "${demo_packages[@]}" "${test_packages[@]}"
      require_python_packages \
        'import pymodbus, sunspec2, kubernetes, kopf, yaml, numpy, pysparkplug, cramjam, opentelemetry.proto.collector.metrics.v1.metrics_service_pb2' \
        pymodbus pysunspec2 kubernetes kopf pyyaml numpy pysparkplug cramjam opentelemetry-proto
      ;;
    deploy)
      require_swift
      require_packages "${build_packages[@]}" "${deploy_packages[@]}" python3:python3
      require_python_packages 'import yaml, kubernetes_validate, jsonschema, cyclonedx.validation.json, referencing' \
        pyyaml kubernetes-validate jsonschema 'cyclonedx-python-lib[json-validation]'
      ;;
    *) fail "there is no group '$group': build, demo, test or deploy" ;;
  esac
done
