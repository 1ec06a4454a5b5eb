#!/usr/bin/env python3
"""Renders and checks what stands in Deploy/: every overlay by every kubectl there is, Kubernetes' schemas, Pod Security levels,
policies, roles, metrics, the chart against the kustomization, and the copies and single files made of them.

Usage: check-deploy.py [--write] [--complete] [--self-test]
  --write      writes Deploy/rendered and the chart's copies anew, then checks
  --complete   a check whose program or package is missing is an error, not a line that says so
  --self-test  damages the manifests in memory, one fault at a time: each must be found
Exit: 0 when nothing is wrong; 1 with one line for each finding. Needs PyYAML and kubectl; kubernetes-validate, jsonschema,
promtool, and helm or Go with sprig for the rest (scripts/require.sh deploy).
"""
import argparse
import copy
import pathlib
import re
import shutil
import sys

from deploy_checks import chart, kustomize, metrics, pod_security, policies, sources

STATE = {"volume data is a hostPath"}
OWNER = {"data-owner: runAsNonRoot is not true", "data-owner: runAsUser 0", "data-owner: adds CHOWN"}
SERIAL = {
    "selvedge: privileged", "selvedge: allowPrivilegeEscalation is not false", "volume dev is a hostPath", "volume udev is a hostPath",
}
# For each profile the Pod Security level its namespace enforces, all that keeps it from a stricter one, and what the policies
# let it have.
PROFILES = {
    "base": ("privileged", STATE | OWNER, {"root-init"}),
    "embedded": ("privileged", STATE | OWNER, {"root-init"}),
    "ip-only": ("restricted", set(), set()),
    "serial": ("privileged", STATE | OWNER | SERIAL, {"root-init", "privileged", "serial"}),
    "hostnetwork": ("privileged", STATE | OWNER | {"hostNetwork"}, {"root-init", "hostNetwork"}),
    "modbus-server": ("privileged", STATE | OWNER, {"root-init", "nodePort"}),
    "twins": ("privileged", STATE | OWNER, {"root-init"}),
    "every-node": ("privileged", STATE | OWNER, {"root-init"}),
    "k3s": ("privileged", STATE | OWNER, {"root-init"}),
    "microk8s": ("privileged", STATE | OWNER, {"root-init"}),
    "k0s": ("privileged", STATE | OWNER, {"root-init"}),
    "openyurt": ("privileged", STATE | OWNER, {"root-init"}),
    "kubeedge": ("privileged", STATE | OWNER, {"root-init"}),
}
# Of the oldest cluster that the chart takes, one in between, and the newest.
KUBERNETES_VERSIONS = ("1.31", "1.34", "1.37")
OPERATOR_KINDS = {"ServiceMonitor", "PrometheusRule", "Issuer", "Certificate"}


def folder(profile):
    return kustomize.KUSTOMIZE / ("base" if profile == "base" else f"overlays/{profile}")


def check_profile(profile, items):
    """Pod Security, policies, settings and roles of one profile's objects."""
    level, refused, allow = PROFILES[profile]
    found = policies.check(items, allow) + sources.check_settings(items, sources.settings()) + sources.check_roles(items)
    for item in items:
        if item["kind"] == "Deployment":
            fits, reasons = pod_security.level(item["spec"]["template"]["spec"])
            if fits != "restricted":
                found.append(f"Pod Security: Deployment {item['metadata']['name']} fits {fits}, not restricted ({'; '.join(sorted(reasons))})")
        if item["kind"] == "DaemonSet":
            fits, reasons = pod_security.level(item["spec"]["template"]["spec"])
            # The level restricted says a second time that a hostPath is none of its volumes.
            reasons = {re.sub(r" is a hostPath.*", " is a hostPath", reason) for reason in reasons}
            if fits != level:
                found.append(f"Pod Security: fits {fits}, {level} is stated ({'; '.join(sorted(reasons))})")
            found += [f"Pod Security: {reason}" for reason in sorted(reasons - refused)]
            found += [f"Pod Security: stated but not so: {reason}" for reason in sorted(refused - reasons)]
            token = item["spec"]["template"]["spec"]["automountServiceAccountToken"]
            if token != any(other["kind"] == "ClusterRoleBinding" for other in items):
                found.append("the token is there without a role, or a role without the token")
        if item["kind"] == "Namespace" and item["metadata"]["labels"].get("pod-security.kubernetes.io/enforce") != level:
            found.append(f"the namespace does not enforce {level}")
    return found


def check_schemas(items):
    import kubernetes_validate

    found = []
    for item in items:
        if item["kind"] in OPERATOR_KINDS:
            continue
        for version in KUBERNETES_VERSIONS:
            try:
                kubernetes_validate.validate(item, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                found.append(f"{item['kind']} {item['metadata']['name']}: Kubernetes {version}: {'.'.join(map(str, error.path))}: {error.message}")
    return found


def is_known(name):
    try:
        __import__(name)
        return True
    except ImportError:
        return False


def kubectls():
    """Every kubectl there is, by what it is called in findings; the first one is written with."""
    found = {}
    for path in (shutil.which("kubectl"), kustomize.OLD_KUBECTL):
        if path and pathlib.Path(path).exists():
            version = re.search(r"v(\d+\.\d+)", kustomize.run([str(path), "version", "--client"]))
            found[version[1]] = path
    return found


def check_rendered(name, items, write):
    file = kustomize.RENDERED / f"{name}.yaml"
    source = "Deploy/crds" if name == "crds" else f"Deploy/kustomize/{'base' if name == 'base' else 'overlays/' + name}"
    text = kustomize.text_of(items, [f"{source} in one file, made by `make deploy`: change that folder, not this file."])
    if write:
        kustomize.RENDERED.mkdir(exist_ok=True)
        file.write_text(text)
    return [] if file.exists() and file.read_text() == text else [f"{file.name} is not what {source} renders to: run `make deploy`"]


def check_all(write, complete):
    found, missing, done = sources.copies(write), [], []
    clients = kubectls()
    if not clients:
        return ["no kubectl on PATH: run scripts/require.sh deploy"], [], []
    objects, newest = {}, list(clients.values())[0]
    for profile in PROFILES:
        objects[profile] = kustomize.render(folder(profile), newest)
        found += [f"{profile}: {text}" for text in check_profile(profile, objects[profile])]
        found += check_rendered(profile, objects[profile], write)
        for version, path in clients.items():
            if kustomize.normal(kustomize.render(folder(profile), path)) != kustomize.normal(objects[profile]):
                found.append(f"{profile}: kubectl {version} renders something else")
    done.append(f"{len(PROFILES)} profiles rendered by kubectl {', '.join(clients)}; Pod Security, policies, roles, settings")
    found += check_rendered("crds", kustomize.render(kustomize.ROOT / "Deploy/crds", newest), write)
    found += [] if write else check_unknown_files()
    parts = {}
    for part, allow in {"network-policy": (), "monitoring": (), "secrets": (), "modbus-server": ("nodePort",), "modbus-server-policy": (),
        "twins-server": (), "twins-server-policy": (), "twins-certificates": ()}.items():
        parts[part] = kustomize.render(kustomize.KUSTOMIZE / "parts" / part, newest)
        found += [f"{part}: {text}" for text in policies.check(parts[part], allow) + sources.check_roles(parts[part])]
        for version, path in clients.items():
            if kustomize.normal(kustomize.render(kustomize.KUSTOMIZE / "parts" / part, path)) != kustomize.normal(parts[part]):
                found.append(f"{part}: kubectl {version} renders something else")
    if is_known("kubernetes_validate"):
        every = {id(item): item for group in [*objects.values(), *parts.values(), sources.kinds()] for item in group}
        found += sorted(set(check_schemas(every.values())))
        done.append(f"{len(every)} objects against the schemas of Kubernetes {', '.join(KUBERNETES_VERSIONS)}")
    else:
        missing.append("schemas of Kubernetes: Python has no kubernetes_validate")
    found += metrics.check()
    if metrics.promtool():
        done.append("alerts and dashboards: metrics, labels, promtool, the alerts' tests")
    else:
        missing.append("alerts: there is no promtool")
    found += chart.check_defaults_are_described()
    if is_known("jsonschema"):
        found += chart.check_schema([profile for profile in PROFILES])
    else:
        missing.append("values.schema.json: Python has no jsonschema")
    renderer = chart.Renderer()
    if renderer.way:
        for profile, items in objects.items():
            found += [f"chart, {profile}: {text}" for text in chart.compare(items, renderer.render(chart.overrides(profile)))]
        found += check_chart_parts(renderer, objects["base"], parts)
        done.append(f"the chart, rendered by {renderer.way}, is the kustomization in {len(PROFILES)} profiles")
    else:
        missing.append("the chart: there is neither helm nor Go with sprig")
    found += sources.check_kinds() + sources.check_examples() + sources.check_dockerfile()
    return found + (missing if complete else []), ([] if complete else missing), done


def check_unknown_files():
    known = {f"{profile}.yaml" for profile in PROFILES} | {"crds.yaml"}
    return [f"Deploy/rendered/{file.name} comes from nothing" for file in kustomize.RENDERED.iterdir() if file.name not in known]


def check_chart_parts(renderer, base, parts):
    """With its switches on, the chart has the parts too; under another name it is still whole."""
    given = {
        "monitoring": {"enabled": True}, "networkPolicy": {"enabled": True}, "modbusServer": {"enabled": True}, "twins": {"enabled": True, "certManager": True},
        "secrets": [{"namespace": "plant", "names": ["plant-broker", "plant-ca"]}],
    }
    wanted = copy.deepcopy(base) + [item for items in parts.values() for item in items]
    daemon_set = next(item for item in wanted if item["kind"] == "DaemonSet")
    pod = daemon_set["spec"]["template"]["spec"]
    pod["containers"][0]["ports"].append({"name": "modbus", "containerPort": 1502, "protocol": "TCP"})
    # As overlays/twins has it.
    patch = kustomize.documents((kustomize.KUSTOMIZE / "overlays/twins/gateway.yaml").read_text())[0]["spec"]["template"]["spec"]
    pod["volumes"] += patch["volumes"]
    for key in ("env", "volumeMounts"):
        pod["containers"][0][key] += patch["containers"][0][key]
    pod["containers"][0]["ports"].append(next(port for port in patch["containers"][0]["ports"] if port["name"] == "twins"))
    found = [f"chart with all parts: {text}" for text in chart.compare(wanted, renderer.render(given))]
    other = renderer.render({**given, "image": {"digest": "sha256:" + "0" * 64}}, release="north", namespace="edge")
    return found + [f"chart as release north: {text}" for text in policies.check(other, {"root-init", "nodePort"})]


FAULTS = {
    "an image without a version": lambda pod, item: pod["containers"][0].update(image="selvedge:latest"),
    "no memory limit": lambda pod, item: pod["containers"][0]["resources"].pop("limits"),
    "privilege escalation": lambda pod, item: pod["containers"][0]["securityContext"].pop("allowPrivilegeEscalation"),
    "a writable root": lambda pod, item: pod["containers"][0]["securityContext"].pop("readOnlyRootFilesystem"),
    "root": lambda pod, item: pod["securityContext"].update(runAsUser=0),
    "no runAsNonRoot": lambda pod, item: pod["securityContext"].pop("runAsNonRoot"),
    "no seccomp profile": lambda pod, item: pod["securityContext"].pop("seccompProfile"),
    "a capability": lambda pod, item: pod["containers"][0]["securityContext"]["capabilities"].update(add=["NET_RAW"]),
    "the host's processes": lambda pod, item: pod.update(hostPID=True),
    "the host's network": lambda pod, item: pod.update(hostNetwork=True),
    "a folder of the host": lambda pod, item: pod["volumes"].append({"name": "etc", "hostPath": {"path": "/etc"}}),
    "no readiness probe": lambda pod, item: pod["containers"][0].pop("readinessProbe"),
    "a probe of the cloud": lambda pod, item: pod["containers"][0]["livenessProbe"]["httpGet"].update(path="/readyz"),
    "a probe's port": lambda pod, item: pod["containers"][0]["livenessProbe"]["httpGet"].update(port="http"),
    "another health port": lambda pod, item: pod["containers"][0]["ports"][0].update(containerPort=7072),
    "two pods on a node": lambda pod, item: item["spec"]["updateStrategy"]["rollingUpdate"].update(maxSurge=1),
    "a selector": lambda pod, item: item["spec"]["selector"]["matchLabels"].update(app="x"),
    "no priority": lambda pod, item: pod.pop("priorityClassName"),
    "an unknown setting": lambda pod, item: pod["containers"][0]["env"].append({"name": "SELVEDGE_LISTENS", "value": "x"}),
    "a variable that comes later": lambda pod, item: pod["containers"][0]["env"].insert(0, {"name": "A", "value": "$(NODE_IP)"}),
    "an unknown flag": lambda pod, item: pod["containers"][0]["args"].append("--listens=x"),
    "a variable that is not there": lambda pod, item: pod["containers"][0]["args"].append("--listen=$(NODE_IPS):7070"),
    "an account of nobody": lambda pod, item: pod.update(serviceAccountName="default"),
    "no tolerations": lambda pod, item: pod.update(tolerations=[]),
    "no token": lambda pod, item: pod.update(automountServiceAccountToken=False),
}
ROLE_FAULTS = {
    "every verb": {"apiGroups": ["selvedge.dev"], "resources": ["devices"], "verbs": ["*"]},
    "all secrets": {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]},
    "nodes": {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get"]},
    "a resource that is not there": {"apiGroups": ["selvedge.dev"], "resources": ["device"], "verbs": ["get"]},
}
TWINS_FAULTS = {
    "a Service that is not there": lambda items: items["APIService"]["spec"]["service"].update(name="selvedge-twin"),
    "a certificate that nobody checks": lambda items: items["APIService"]["spec"].update(insecureSkipTLSVerify=True),
    "another group": lambda items: items["APIService"]["spec"].update(group="selvedge.dev"),
    "an unknown flag of serve-twins": lambda items: items["Deployment"]["spec"]["template"]["spec"]["containers"][0]["args"].append("--listens=x"),
    "a server that runs as root": lambda items: items["Deployment"]["spec"]["template"]["spec"]["securityContext"].update(runAsUser=0),
}
SERVICE_FAULTS = {
    "a port that nobody has": lambda spec: spec["ports"][0].update(targetPort="modbuss"),
    "another node's gateway": lambda spec: spec.update(externalTrafficPolicy="Cluster"),
    "an address of the cloud": lambda spec: spec.update(type="LoadBalancer"),
}


def self_test():
    """Faults that the checks must find, each alone, in the profile that may have least."""
    found = []
    sound = kustomize.render(folder("ip-only"))
    if check_profile("ip-only", sound):
        return ["the sound profile has findings"]
    for name, damage in FAULTS.items():
        items = copy.deepcopy(sound)
        item = next(item for item in items if item["kind"] == "DaemonSet")
        damage(item["spec"]["template"]["spec"], item)
        if not check_profile("ip-only", items):
            found.append(f"self-test: {name} is not found")
    for name, rule in ROLE_FAULTS.items():
        items = copy.deepcopy(sound)
        next(item for item in items if item["metadata"]["name"] == "selvedge-gateway")["rules"].append(rule)
        if not check_profile("ip-only", items):
            found.append(f"self-test: {name} is not found")
    sound = kustomize.render(folder("modbus-server"))
    for name, damage in SERVICE_FAULTS.items():
        items = copy.deepcopy(sound)
        damage(next(item for item in items if item["kind"] == "Service")["spec"])
        if check_profile("modbus-server", sound) or not check_profile("modbus-server", items):
            found.append(f"self-test: {name} is not found")
    sound = kustomize.render(folder("twins"))
    for name, damage in TWINS_FAULTS.items():
        items = copy.deepcopy(sound)
        damage({item["kind"]: item for item in items})
        if check_profile("twins", sound) or not check_profile("twins", items):
            found.append(f"self-test: {name} is not found")
    names, labels = metrics.known()
    for text in ("rate(selvedge_sinks_total[5m])", 'selvedge_devices{stat="x"}', "sum by (devices) (selvedge_devices)"):
        if not metrics.check_expression("x", text, names, labels):
            found.append(f"self-test: {text} is not found")
    if is_known("kubernetes_validate"):
        items = copy.deepcopy(sound)
        next(item for item in items if item["kind"] == "DaemonSet")["spec"]["template"]["spec"]["containers"][0]["prots"] = []
        if not check_schemas(items):
            found.append("self-test: an unknown field is not found")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--complete", action="store_true")
    parser.add_argument("--self-test", action="store_true")
    options = parser.parse_args()
    try:
        found, missing, done = check_all(options.write, options.complete)
        if options.self_test:
            found += self_test()
            done.append(f"self-test: {len(FAULTS) + len(ROLE_FAULTS) + len(SERVICE_FAULTS) + len(TWINS_FAULTS) + 4} faults")
    except kustomize.Failure as failure:
        found, missing, done = [str(failure)], [], []
    for text in found:
        print(text)
    for text in done:
        print(f"checked: {text}")
    for text in missing:
        print(f"not checked: {text}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
