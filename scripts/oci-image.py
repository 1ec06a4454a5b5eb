#!/usr/bin/env python3
"""Packs a root file system as an image of one layer: an OCI layout (image-spec 1.0) with Docker's manifest.json beside it, in one
tar that `podman load`, `docker load` and `ctr images import` take. Needs no root and no engine; the same folder gives the same bytes.

Usage: oci-image.py ROOT OUTPUT --name selvedge:0.1.0 --date 2026-01-01T00:00:00+00:00 [--label KEY=VALUE ...]
"""
import argparse
import datetime
import gzip
import hashlib
import io
import json
import pathlib
import platform
import tarfile

USER = 65532
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
CONFIG = "application/vnd.oci.image.config.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def add(archive, name, time, path=None, body=None):
    info = archive.gettarinfo(path, name) if path else tarfile.TarInfo(name)
    owner = USER if name == "var/lib/selvedge" else 0
    info.uid, info.gid, info.uname, info.gname, info.mtime = owner, owner, "", "", time
    if body is not None:
        info.size = len(body)
    if info.isreg():
        with io.BytesIO(body) if body is not None else open(path, "rb") as file:
            archive.addfile(info, file)
    else:
        archive.addfile(info)


def layer(root, time):
    """The layer as a tar: by name, every owner root but of the data directory, every time the commit's."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in sorted(pathlib.Path(root).rglob("*")):
            add(archive, str(path.relative_to(root)), time, path=path)
    return target.getvalue()


def packed(body, time):
    target = io.BytesIO()
    with gzip.GzipFile(fileobj=target, mode="wb", compresslevel=9, mtime=time, filename="") as file:
        file.write(body)
    return target.getvalue()


def digest(body):
    return hashlib.sha256(body).hexdigest()


def descriptor(kind, body):
    return {"mediaType": kind, "digest": f"sha256:{digest(body)}", "size": len(body)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root")
    parser.add_argument("output")
    parser.add_argument("--name", required=True)
    parser.add_argument("--date", required=True)
    parser.add_argument("--label", action="append", default=[])
    options = parser.parse_args()
    moment = datetime.datetime.fromisoformat(options.date).astimezone(datetime.timezone.utc)
    time = int(moment.timestamp())
    plain = layer(options.root, time)
    blob = packed(plain, time)
    labels = dict(label.split("=", 1) for label in options.label)
    config = json.dumps({
        "architecture": ARCHITECTURES[platform.machine()], "os": "linux", "created": moment.isoformat().replace("+00:00", "Z"),
        "config": {
            "User": f"{USER}:{USER}", "Entrypoint": ["/usr/bin/selvedge"], "Cmd": ["run", "--data-dir", "/var/lib/selvedge"],
            "Env": ["PATH=/usr/bin"], "WorkingDir": "/", "Volumes": {"/var/lib/selvedge": {}}, "ExposedPorts": {"7070/tcp": {}, "7071/tcp": {}},
            "Labels": labels,
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest(plain)}"]},
        "history": [{"created": moment.isoformat().replace("+00:00", "Z"), "created_by": "scripts/rootfs.sh"}],
    }, separators=(",", ":")).encode()
    manifest = json.dumps({
        "schemaVersion": 2, "mediaType": MANIFEST, "config": descriptor(CONFIG, config), "layers": [descriptor(LAYER, blob)],
        "annotations": labels,
    }, separators=(",", ":")).encode()
    tag = options.name.rsplit(":", 1)[1]
    index = {"schemaVersion": 2, "manifests": [{
        **descriptor(MANIFEST, manifest),
        "annotations": {"org.opencontainers.image.ref.name": tag, "io.containerd.image.name": f"docker.io/library/{options.name}"},
    }]}
    docker = [{"Config": f"blobs/sha256/{digest(config)}", "RepoTags": [options.name], "Layers": [f"blobs/sha256/{digest(blob)}"]}]
    with tarfile.open(options.output, "w", format=tarfile.PAX_FORMAT) as archive:
        for body in (config, manifest, blob):
            add(archive, f"blobs/sha256/{digest(body)}", time, body=body)
        add(archive, "index.json", time, body=json.dumps(index, separators=(",", ":")).encode())
        add(archive, "manifest.json", time, body=json.dumps(docker, separators=(",", ":")).encode())
        add(archive, "oci-layout", time, body=b'{"imageLayoutVersion":"1.0.0"}')
    print(f"image: {options.name}, {len(plain) / 1e6:.1f} MB unpacked, {len(blob) / 1e6:.1f} MB to pull, sha256:{digest(manifest)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
