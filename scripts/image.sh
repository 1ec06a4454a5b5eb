#!/usr/bin/env bash
# The container image without a container engine, as any user: the stages of Deploy/Dockerfile by hand. Builds the gateway,
# strips and stamps it, lays out the file system, and packs it. Writes .build-image/selvedge-VERSION.tar, which podman load,
# docker load, k3s ctr images import and microk8s images import take, and the SBOM beside it.
# Usage: scripts/image.sh [--no-build]
set -euo pipefail
cd "$(dirname "$0")/.."
case ${1:-} in
  '') swift build -c release --product selvedge ;;
  --no-build) [[ -x .build/release/selvedge ]] || { echo "image: .build/release/selvedge is missing" >&2; exit 1; } ;;
  *) echo "usage: scripts/image.sh [--no-build]" >&2; exit 2 ;;
esac

out=.build-image
rm -rf "$out"
mkdir -p "$out"
scripts/stamp.sh .build/release/selvedge "$out/selvedge"
python3 scripts/sbom.py --stamp > "$out/stamp.json"
field() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$out/stamp.json" "$1"; }
version=$(field version)
commit=$(field commit)
date=$(field date)
if [[ $date == unknown ]]; then date=1970-01-01T00:00:00+00:00; fi

python3 scripts/sbom.py "$out/selvedge" > "$out/sbom.cdx.json"
scripts/rootfs.sh "$out/selvedge" "$out/rootfs"
install -m 0644 "$out/sbom.cdx.json" "$out/rootfs/usr/share/doc/selvedge/sbom.cdx.json"
python3 scripts/oci-image.py "$out/rootfs" "$out/selvedge-$version.tar" --name "selvedge:$version" --date "$date" \
  --label org.opencontainers.image.title=selvedge --label "org.opencontainers.image.version=$version" \
  --label "org.opencontainers.image.revision=$commit" --label org.opencontainers.image.licenses=Apache-2.0
echo "image: $out/selvedge-$version.tar, of which selvedge $(($(stat -c %s "$out/selvedge") / 1000)) kB"
