"""What the manifests say of the program and of each other: settings, kinds, copies, examples, the Dockerfile."""
import re

import yaml

from .kustomize import KUSTOMIZE, ROOT

# Settings of the cluster mode, beside those of GatewayConfiguration.
CLUSTER_SETTINGS = {"KUBERNETES", "KUBECONFIG", "CONFIG"}
COPIES = {
    "Deploy/helm/selvedge/files/rules.yaml": "Deploy/kustomize/parts/monitoring/rules.yaml",
    "Deploy/helm/selvedge/files/dashboards": "Deploy/kustomize/parts/monitoring/dashboards",
    "Deploy/helm/selvedge/crds": "Deploy/crds",
}


def settings():
    """The settings of the gateway, as their variables are called after SELVEDGE_."""
    text = (ROOT / "Sources/Gateway/Configuration/GatewayConfiguration.swift").read_text()
    table = text[text.index("static let settings") :]
    flags = re.findall(r'\("([a-z-]+)", "[A-Za-z]+"\)', table[: table.index("\n  ]")])
    return {flag.upper().replace("-", "_") for flag in flags} | CLUSTER_SETTINGS


def serving_flags():
    """The flags of `selvedge serve-twins`."""
    text = (ROOT / "Sources/selvedge/ServeTwinsCommand.swift").read_text()
    return set(re.findall(r'flags\["([a-z-]+)"\]', text))


def check_settings(items, known):
    found = []
    for item in items:
        if item["kind"] == "Deployment":
            for container in item["spec"]["template"]["spec"]["containers"]:
                command, *arguments = container["args"]
                if command != "serve-twins":
                    found.append(f"Deployment {item['metadata']['name']}: runs {command}")
                flags = {argument.removeprefix("--").partition("=")[0] for argument in arguments}
                found += [f"Deployment {item['metadata']['name']}: serve-twins has no flag --{flag}" for flag in sorted(flags - serving_flags())]
    for item in items:
        if item["kind"] != "DaemonSet":
            continue
        for container in item["spec"]["template"]["spec"]["containers"]:
            for variable in container.get("env") or []:
                name = variable["name"]
                if name.startswith("SELVEDGE_") and name.removeprefix("SELVEDGE_") not in known:
                    found.append(f"DaemonSet {item['metadata']['name']}: the gateway has no setting {name}")
            for argument in container.get("args") or []:
                flag = re.match(r"--([a-z-]+)", argument)
                if flag and flag[1].upper().replace("-", "_") not in known:
                    found.append(f"DaemonSet {item['metadata']['name']}: the gateway has no flag --{flag[1]}")
    return found


def kinds():
    return [yaml.safe_load(file.read_text()) for file in sorted((ROOT / "Deploy/crds").glob("*.yaml"))]


def check_roles(items):
    """Rules name resources that there are: a typing error in a rule grants nothing, and nobody notices."""
    known = {*(("twin.selvedge.dev", f"twins{part}") for part in ("", "/commands", "/delta", "/history")), ("coordination.k8s.io", "leases"), ("", "events"), ("", "secrets")}
    for crd in kinds():
        plural = crd["spec"]["names"]["plural"]
        known |= {(crd["spec"]["group"], plural), (crd["spec"]["group"], f"{plural}/status")}
    found = []
    for item in items:
        if item["kind"] not in ("Role", "ClusterRole"):
            continue
        for rule in item["rules"]:
            for group in rule["apiGroups"]:
                for resource in rule["resources"]:
                    if (group, resource) not in known:
                        found.append(f"{item['kind']} {item['metadata']['name']}: there is no {resource} in group {group!r}")
    return found


def check_kinds():
    listed = yaml.safe_load((ROOT / "Deploy/crds/Kustomization").read_text())["resources"]
    there = sorted(file.name for file in (ROOT / "Deploy/crds").glob("*.yaml"))
    return [] if sorted(listed) == there else ["Deploy/crds/Kustomization does not list the files beside it: run `make crds`"]


def copies(write):
    """The chart's copies: a chart holds all its files itself. Writes them, or says which differ."""
    found = []
    for copy, origin in COPIES.items():
        copy, origin = ROOT / copy, ROOT / origin
        wanted = {origin.name: origin} if origin.is_file() else {f.name: f for f in origin.iterdir() if f.suffix in (".yaml", ".json")}
        folder = copy.parent if origin.is_file() else copy
        folder.mkdir(parents=True, exist_ok=True)
        if not origin.is_file():
            for extra in {file.name for file in folder.iterdir()} - wanted.keys():
                found.append(f"{folder.relative_to(ROOT)}/{extra} is no copy of anything")
                if write:
                    (folder / extra).unlink()
        for name, source in wanted.items():
            target = folder / name
            if not target.exists() or target.read_bytes() != source.read_bytes():
                found.append(f"{target.relative_to(ROOT)} differs from {source.relative_to(ROOT)}: run `make deploy`")
                if write:
                    target.write_bytes(source.read_bytes())
    return [] if write else found


def check_examples():
    """Flux' and Argo CD's examples name folders of this repository."""
    found = []
    for file in sorted((ROOT / "Deploy/flux").glob("*.yaml")) + sorted((ROOT / "Deploy/argocd").glob("*.yaml")):
        for item in yaml.safe_load_all(file.read_text()):
            if not item.get("apiVersion") or not item.get("kind"):
                found.append(f"{file.name}: a document without apiVersion and kind")
                continue
            spec = item.get("spec") or {}
            paths = [spec.get("path"), (spec.get("source") or {}).get("path"), *[source.get("path") for source in spec.get("sources") or []]]
            if item["kind"] == "HelmRelease":
                paths.append(spec["chart"]["spec"]["chart"])
            for path in filter(None, paths):
                if not (ROOT / path.removeprefix("./")).is_dir():
                    found.append(f"{file.name}: {item['kind']} {item['metadata']['name']} names {path}, which is no folder here")
    return found


def check_dockerfile():
    text = (ROOT / "Deploy/Dockerfile").read_text()
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
    found = []
    stages = {line.split()[-1] for line in lines if line.startswith("FROM ") and " AS " in line}
    defaults = dict(re.findall(r"^ARG (\w+)=(\S+)", text, re.M))
    for line in lines:
        if line.startswith("FROM "):
            image = re.sub(r"\$\{?(\w+)\}?", lambda match: defaults.get(match[1], ""), line.split()[1])
            if image not in stages and image != "scratch" and not re.search(r"(:[\w.-]*\d[\w.-]*|@sha256:[0-9a-f]{64})$", image):
                found.append(f"Dockerfile: {image} has no version")
            if image.endswith(":latest"):
                found.append(f"Dockerfile: {image}")
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    if not users or not re.fullmatch(r"[1-9]\d*(:\d+)?", users[-1]):
        found.append("Dockerfile: the last USER is to be a number other than 0")
    for label in ("title", "description", "source", "licenses", "version", "revision", "created"):
        if f"org.opencontainers.image.{label}" not in text:
            found.append(f"Dockerfile: no label org.opencontainers.image.{label}")
    return found
