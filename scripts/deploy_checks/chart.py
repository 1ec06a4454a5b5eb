"""The Helm chart: its values' schema, and what it renders to, by helm or by the same template engine."""
import json
import os
import shutil
import tempfile

import yaml

from .kustomize import ROOT, documents, normal, run

CHART = ROOT / "Deploy/helm/selvedge"
RENDERER = ROOT / "Tests/Deploy/chart/main.go"
GO_SOURCES = "/usr/share/gocode"


def merged(defaults, values):
    """Helm's coalescing: mappings merge, a null takes a key away, anything else replaces."""
    result = dict(defaults)
    for key, value in values.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], value)
        else:
            result[key] = value
    return result


def overrides(name):
    """The values of a profile: what ci/NAME-values.yaml says; nothing for the base."""
    return {} if name == "base" else yaml.safe_load((CHART / f"ci/{name}-values.yaml").read_text())


def values(given=None):
    return merged(yaml.safe_load((CHART / "values.yaml").read_text()), given or {})


class Renderer:
    """`helm template`, or the renderer in Go, whichever is there."""

    def __init__(self):
        self.program = None
        self.folder = None
        if shutil.which("helm"):
            self.way = "helm"
        elif shutil.which("go") and os.path.isdir(f"{GO_SOURCES}/src/github.com/Masterminds/sprig"):
            self.way = "go"
            self.folder = tempfile.TemporaryDirectory()
            self.program = os.path.join(self.folder.name, "render")
            env = {**os.environ, "GO111MODULE": "off", "GOPATH": GO_SOURCES, "GOCACHE": os.path.join(self.folder.name, "cache")}
            run(["go", "build", "-o", self.program, str(RENDERER)], env=env)
        else:
            self.way = None

    def render(self, given, release="selvedge", namespace="selvedge"):
        if self.way == "helm":
            with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
                json.dump(given, file)
                file.flush()
                return documents(run(["helm", "template", release, str(CHART), "-n", namespace, "-f", file.name]))
        return documents(run([self.program, str(CHART), release, namespace], text=json.dumps(values(given))))


def differences(left, right, path=""):
    """Where two values differ, as texts."""
    if isinstance(left, dict) and isinstance(right, dict):
        found = []
        for key in sorted(left.keys() | right.keys(), key=str):
            found += differences(left.get(key), right.get(key), f"{path}.{key}")
        return found
    if isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        return [text for index, pair in enumerate(zip(left, right)) for text in differences(*pair, f"{path}[{index}]")]
    return [] if left == right else [f"{path}: kustomize has {left!r}, the chart {right!r}"]


def compare(kustomized, rendered):
    """A chart makes no Namespace: the release's is there before it. Everything else is the same."""
    left = {key: item for key, item in normal(kustomized).items() if key[0] != "Namespace"}
    right = normal(rendered)
    found = [f"the chart has no {' '.join(key)}" for key in sorted(left.keys() - right.keys())]
    found += [f"only the chart has {' '.join(key)}" for key in sorted(right.keys() - left.keys())]
    for key in sorted(left.keys() & right.keys()):
        found += differences(left[key], right[key], " ".join(filter(None, key)))
    return found


def schema_findings(validator, chosen, name):
    return [f"values {name}: {'.'.join(map(str, error.absolute_path))}: {error.message}" for error in validator.iter_errors(chosen)]


WRONG_VALUES = (
    {"mode": "clusters"}, {"image": {"tag": "latest"}}, {"image": {"tags": "1"}}, {"storage": {"path": "var/lib"}}, {"hostNetwork": "yes"},
    {"secrets": [{"namespace": "plant", "names": []}]}, {"networkPolicy": {"modbusPorts": [70_000]}}, {"monitoring": {"interval": "often"}},
    {"twins": {"enable": True}}, {"twins": {"memoryBytes": "much"}}, {"modbusServer": {"port": 502}}, {"modbusServer": {"clientCIDRs": []}},
)


def check_schema(names):
    import jsonschema

    validator = jsonschema.Draft7Validator(json.loads((CHART / "values.schema.json").read_text()))
    found = schema_findings(validator, values(), "values.yaml")
    for name in names:
        found += schema_findings(validator, values(overrides(name)), name)
    for wrong in WRONG_VALUES:
        if not schema_findings(validator, values(wrong), "wrong"):
            found.append(f"values.schema.json takes {wrong}")
    return found


def check_defaults_are_described():
    """Every key of values.yaml is in the schema, and the other way round."""
    schema = json.loads((CHART / "values.schema.json").read_text())["properties"]
    defaults = values()
    return [f"{key} is in only one of values.yaml and values.schema.json" for key in sorted((schema.keys() ^ defaults.keys()) - {"global"})]
