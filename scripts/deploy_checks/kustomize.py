"""Rendering by kubectl, and the files that are made of it."""
import pathlib
import subprocess

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
KUSTOMIZE = ROOT / "Deploy/kustomize"
RENDERED = ROOT / "Deploy/rendered"
OLD_KUBECTL = ROOT / ".build-tools/kubectl-1.20/usr/bin/kubectl"
ORDER = (
    "Namespace", "PriorityClass", "CustomResourceDefinition", "ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding",
    "ConfigMap", "Service", "NetworkPolicy", "DaemonSet", "Deployment", "APIService", "Issuer", "Certificate", "ServiceMonitor", "PrometheusRule",
)


class Failure(Exception):
    """Something could not be rendered or run."""


def run(words, text=None, env=None):
    done = subprocess.run(words, input=text, capture_output=True, text=True, env=env, check=False)
    if done.returncode:
        raise Failure(f"{' '.join(map(str, words[:4]))} …: {done.stderr.strip()[-2000:]}")
    return done.stdout


def documents(text):
    return [item for item in yaml.safe_load_all(text) if item]


def render(folder, kubectl="kubectl"):
    return documents(run([str(kubectl), "kustomize", str(folder)]))


def order(items):
    def place(item):
        kind = item["kind"]
        return ORDER.index(kind) if kind in ORDER else len(ORDER), kind, item["metadata"].get("namespace", ""), item["metadata"]["name"]

    return sorted(items, key=place)


class Dumper(yaml.SafeDumper):
    """Block style, long texts as literals: made to be read and compared line by line."""

    def ignore_aliases(self, data):
        return True


def _text(dumper, value):
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


Dumper.add_representer(str, _text)


def text_of(items, head):
    body = "---\n".join(yaml.dump(item, Dumper=Dumper, sort_keys=True, width=10_000) for item in order(items))
    return "".join(f"# {line}\n" for line in head) + body


def normal(items):
    """By identity, without what says only by which tool an object came: for comparing a chart with a kustomization."""
    result = {}
    for item in items:
        item = yaml.safe_load(yaml.safe_dump(item))
        for key in ("app.kubernetes.io/instance", "app.kubernetes.io/version", "app.kubernetes.io/managed-by", "helm.sh/chart"):
            (item["metadata"].get("labels") or {}).pop(key, None)
        if item["kind"] == "DaemonSet":
            pod = item["spec"]["template"]["spec"]
            if not pod.get("initContainers"):
                pod.pop("initContainers", None)
            for container in pod["containers"]:
                container["env"].sort(key=lambda variable: variable["name"])
                container.get("ports", []).sort(key=lambda port: port["name"])
                container["volumeMounts"].sort(key=lambda mount: mount["name"])
            pod["volumes"].sort(key=lambda volume: volume["name"])
        result[(item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"])] = item
    return result
