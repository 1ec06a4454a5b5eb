#!/usr/bin/env python3
"""Says what a built gateway consists of: a CycloneDX 1.5 SBOM of the Swift packages it was resolved from and the Debian packages
whose libraries it loads. The same commit and the same packages give the same bytes.

Usage: sbom.py BINARY [--check]        prints the SBOM; --check also validates it against the schema (cyclonedx-python-lib)
       sbom.py --stamp                 prints what scripts/stamp.sh puts into the binary: version, commit, date, Swift, packages
The commit is git's; in a tarball of `git archive` that of scripts/revision.txt; or SELVEDGE_REVISION and SELVEDGE_REVISION_DATE.
"""
import argparse
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import uuid

ROOT = pathlib.Path(__file__).resolve().parent.parent
NAMESPACE = uuid.UUID("6f5b3c1e-6a0e-5d0c-9a51-6a1f6d6f3b52")


def output(*words, cwd=ROOT):
    return subprocess.run(words, capture_output=True, text=True, check=True, cwd=cwd).stdout.strip()


def revision():
    """The commit, with -modified where files differ from it, and its date; "unknown" where nothing says it."""
    if os.environ.get("SELVEDGE_REVISION"):
        return os.environ["SELVEDGE_REVISION"], os.environ.get("SELVEDGE_REVISION_DATE", "unknown")
    if (ROOT / ".git").exists():
        changed = output("git", "status", "--porcelain", "--untracked-files=no")
        return output("git", "rev-parse", "HEAD") + ("-modified" if changed else ""), output("git", "log", "-1", "--format=%cI")
    words = (ROOT / "scripts/revision.txt").read_text().split()
    return ("unknown", "unknown") if words[0].startswith("$") else (words[0], words[1])


def version():
    text = (ROOT / "Sources/Gateway/Configuration/GatewayVersion.swift").read_text()
    return re.search(r'text = "([^"]+)"', text)[1]


def swift_packages():
    """The resolved packages by identity: version, place, revision, license and what each needs; under "" what the project needs."""
    tree = json.loads(output("swift", "package", "show-dependencies", "--format", "json"))
    state = json.loads((ROOT / ".build/workspace-state.json").read_text())["object"]["dependencies"]
    revisions = {item["packageRef"]["identity"]: item["state"].get("checkoutState", {}).get("revision") for item in state}
    found = {}

    def visit(node, identity):
        needed = sorted({child["identity"] for child in node["dependencies"]})
        if identity not in found:
            found[identity] = {
                "version": node["version"], "url": node["url"].removesuffix(".git"), "revision": revisions.get(identity),
                "folder": pathlib.Path(node["path"]).name,
                "license": license_of(pathlib.Path(node["path"])) if identity else "Apache-2.0", "needs": needed,
            }
        for child in node["dependencies"]:
            visit(child, child["identity"])

    visit(tree, "")
    return found


def linked(packages):
    """Of these packages, those whose objects the linker put into the gateway; all, where it left no list behind."""
    lists = sorted((ROOT / ".build").glob("*/release/selvedge.product/Objects.LinkFileList"))
    if not lists:
        return set(packages)
    modules = set(re.findall(r"/([^/]+)\.build/", lists[0].read_text()))
    return {
        identity for identity, item in packages.items()
        if any(folder.name in modules for folder in (ROOT / ".build/checkouts" / item["folder"] / "Sources").glob("*"))
    }


def license_of(folder):
    for name in ("LICENSE", "LICENSE.txt", "LICENSE.md"):
        if (folder / name).exists():
            head = (folder / name).read_text(errors="replace")[:2000]
            for text, identifier in (("Apache License", "Apache-2.0"), ("MIT License", "MIT"), ("Permission is hereby granted", "MIT")):
                if text in head:
                    return identifier
    return None


def libraries(binary):
    """The files that the loader maps for the binary, itself left out."""
    for line in output("ldd", str(binary)).splitlines():
        match = re.search(r"(?:=> )?(/\S+) \(0x", line)
        if match:
            yield pathlib.Path(match[1])


def debian_packages(binary):
    """The Debian packages of these files, by name: version, architecture, source, and the files with their SHA-256."""
    found = {}
    for path in libraries(binary):
        owner = None
        # The package lists a file where it was unpacked to: /lib is a link to /usr/lib.
        for candidate in (str(path), str(path.resolve()), str(path.resolve()).removeprefix("/usr"), "/usr" + str(path.resolve())):
            done = subprocess.run(["dpkg", "-S", candidate], capture_output=True, text=True, check=False)
            if done.returncode == 0:
                owner = done.stdout.split(": ")[0].split(",")[0]
                break
        if owner is None:
            sys.exit(f"sbom: {path} belongs to no Debian package; link against Debian's own libraries")
        fields = output("dpkg-query", "-W", "-f", "${Package}\t${Version}\t${Architecture}\t${source:Package}", owner).split("\t")
        entry = found.setdefault(fields[0], {"version": fields[1], "architecture": fields[2], "source": fields[3], "files": {}})
        entry["files"][path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def release():
    words = dict(line.split("=", 1) for line in pathlib.Path("/etc/os-release").read_text().splitlines() if "=" in line)
    return f"{words['ID']}-{words.get('VERSION_ID', '')}".replace('"', "")


def licensed(identifier):
    return {"licenses": [{"license": {"id": identifier}}]} if identifier else {}


def document(binary):
    commit, date = revision()
    packages, system = swift_packages(), debian_packages(binary)
    body = pathlib.Path(binary).read_bytes()
    main = f"pkg:generic/selvedge@{version()}"
    references = {identity: f"pkg:swift/{item['url'].removeprefix('https://')}@{item['version']}" for identity, item in packages.items()}
    references[""] = main
    components, dependencies, used = [], [], linked(packages)
    for identity in sorted(packages.keys() - {""}):
        item = packages[identity]
        components.append({
            "type": "library", "bom-ref": references[identity], "name": identity, "version": item["version"],
            # Resolved because a package asks for it, and left out by the linker: it cannot be called.
            "scope": "required" if identity in used else "excluded",
            **licensed(item["license"]), "purl": references[identity],
            "externalReferences": [{"type": "vcs", "url": item["url"]}],
            "properties": [{"name": "selvedge:revision", "value": item["revision"] or "unknown"}],
        })
    runtime = f"pkg:generic/swift@{compiler()}"
    components.append({
        "type": "library", "bom-ref": runtime, "name": "swift-runtime", "version": compiler(), "scope": "required", **licensed("Apache-2.0"),
        "purl": runtime, "description": "The standard library, Dispatch and FoundationEssentials, linked statically",
    })
    distribution = release()
    for name in sorted(system):
        item = system[name]
        reference = f"pkg:deb/debian/{name}@{item['version'].replace('+', '%2B').replace(':', '%3A')}?arch={item['architecture']}&distro={distribution}"
        references[f"deb:{name}"] = reference
        components.append({
            "type": "library", "bom-ref": reference, "name": name, "version": item["version"], "scope": "required", "purl": reference,
            "properties": [{"name": "selvedge:source", "value": item["source"]}]
            + [{"name": f"selvedge:sha256:{file}", "value": digest} for file, digest in sorted(item["files"].items())],
        })
    for identity, item in sorted(packages.items()):
        needs = [references[other] for other in item["needs"]]
        if not identity:
            needs += [runtime] + [references[f"deb:{name}"] for name in sorted(system)]
        dependencies.append({"ref": references[identity], "dependsOn": needs})
    dependencies.append({"ref": runtime})
    dependencies += [{"ref": references[f"deb:{name}"]} for name in sorted(system)]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json", "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "serialNumber": f"urn:uuid:{uuid.uuid5(NAMESPACE, commit + hashlib.sha256(body).hexdigest())}",
        "metadata": {
            **({"timestamp": date} if date != "unknown" else {}),
            "component": {
                "type": "application", "bom-ref": main, "name": "selvedge", "version": version(), "purl": main, **licensed("Apache-2.0"),
                "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(body).hexdigest()}],
                "properties": [{"name": "selvedge:commit", "value": commit}, {"name": "selvedge:compiler", "value": compiler()}],
            },
        },
        "components": components, "dependencies": dependencies,
    }


def compiler():
    return re.search(r"Swift version (\S+)", output("swift", "--version"))[1]


def stamp():
    commit, date = revision()
    resolved = swift_packages()
    packages = {identity: resolved[identity]["version"] for identity in sorted(linked(resolved)) if identity}
    return {"version": version(), "commit": commit, "date": date, "compiler": f"Swift {compiler()}", "dependencies": packages}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", nargs="?")
    parser.add_argument("--stamp", action="store_true")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    if options.stamp:
        print(json.dumps(stamp(), separators=(",", ":")))
        return 0
    if not options.binary:
        parser.error("name the binary")
    text = json.dumps(document(options.binary), indent=2)
    if options.check:
        from cyclonedx.schema import SchemaVersion
        from cyclonedx.validation.json import JsonStrictValidator

        fault = JsonStrictValidator(SchemaVersion.V1_5).validate_str(text)
        if fault:
            sys.exit(f"sbom: not CycloneDX 1.5: {fault}")
        print("sbom: valid CycloneDX 1.5", file=sys.stderr)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
