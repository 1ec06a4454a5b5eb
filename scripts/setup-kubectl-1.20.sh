#!/bin/sh
# Unpacks Debian's kubectl (kubernetes-client, 1.20) into .build-tools/kubectl-1.20 without installing it: another kubectl
# may own /usr/bin/kubectl. Prints the program's path. Needs apt-get with Debian's package lists; does nothing where the
# program is already there.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
target="$root/.build-tools/kubectl-1.20"
program="$target/usr/bin/kubectl"
if [ ! -x "$program" ]; then
  parent="$root/.build-tools"
  mkdir -p "$parent"
  work=$(mktemp -d "$parent/kubectl-1.20.XXXXXX")
  trap 'rm -rf "$work"' EXIT INT TERM
  # apt drops its rights to the user _apt, which must be able to enter the folder.
  chmod 755 "$work"
  version=$(apt-cache madison kubernetes-client | awk '$3 ~ /^1\.20\./ {print $3; exit}')
  if [ -z "$version" ]; then
    echo "setup-kubectl-1.20: apt knows no kubernetes-client 1.20; add Debian 12's main and run apt-get update" >&2
    exit 1
  fi
  (cd "$work" && apt-get -q download "kubernetes-client=$version" >&2)
  dpkg -x "$work"/kubernetes-client_*.deb "$work/unpacked"
  rm -rf "$target"
  mv "$work/unpacked" "$target"
fi
echo "$program"
