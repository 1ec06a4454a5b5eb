"""Dashboards and alerts: every metric and label they use is one that the gateway has; promtool takes and tests the alerts."""
import json
import re
import shutil
import tempfile

import yaml

from .kustomize import KUSTOMIZE, ROOT, run

MONITORING = KUSTOMIZE / "parts/monitoring"
# What Prometheus itself adds, and Grafana's variables.
GIVEN_LABELS = {"job", "instance"}


def known():
    """The names and labels of metrics that stand in the sources."""
    names, labels = set(), set()
    for file in sorted((ROOT / "Sources").rglob("*.swift")):
        text = file.read_text()
        found = set(re.findall(r'"(selvedge_[a-z0-9_]+)"', text))
        if found:
            names |= found
            labels |= set(re.findall(r'\("([a-z][A-Za-z0-9_]*)", ', text))
    return names, labels


def expressions():
    """Where it stands, and each PromQL expression of dashboards and alerts."""
    for file in sorted((MONITORING / "dashboards").glob("*.json")):
        board = json.loads(file.read_text())
        for panel in board["panels"]:
            for target in panel["targets"]:
                yield f"{file.name}: {panel['title']}", target["expr"]
        for variable in board["templating"]["list"]:
            if variable["type"] == "query":
                yield f"{file.name}: {variable['name']}", re.sub(r"label_values\((.*), *(\w+)\)", r"sum by (\2) (\1)", variable["query"])
    for group in rules()["groups"]:
        for rule in group["rules"]:
            yield f"rules.yaml: {rule['alert']}", rule["expr"]


def rules():
    return yaml.safe_load((MONITORING / "rules.yaml").read_text())["spec"]


def check_expression(where, text, names, labels):
    plain = re.sub(r'"[^"]*"', '""', text)
    used = set(re.findall(r"\b(selvedge_[a-z0-9_]+)\b", plain))
    found = [f"{where}: the gateway has no metric {name}" for name in sorted(used - names)]
    asked = set(re.findall(r"([A-Za-z_][A-Za-z0-9_]*)\s*(?:=~|!~|!=|=)", plain))
    for listed in re.findall(r"\b(?:by|without)\s*\(([^)]*)\)", plain):
        asked |= {label.strip() for label in listed.split(",")}
    return found + [f"{where}: the gateway has no label {label}" for label in sorted(asked - labels - GIVEN_LABELS)]


def check():
    names, labels = known()
    found = []
    for where, text in expressions():
        found += check_expression(where, text, names, labels)
    for file in sorted((MONITORING / "dashboards").glob("*.json")):
        board = json.loads(file.read_text())
        numbers = [panel["id"] for panel in board["panels"]]
        if len(set(numbers)) != len(numbers) or not board["uid"]:
            found.append(f"{file.name}: panels need ids of their own, and the dashboard a uid")
    for group in rules()["groups"]:
        for rule in group["rules"]:
            if not rule["labels"].get("severity") or not rule["annotations"].get("summary"):
                found.append(f"rules.yaml: {rule['alert']} needs a severity and a summary")
    return found


def expression_file(target):
    """Every dashboard's expression as a recording rule, so that promtool reads it too."""
    texts = [text.replace("$__rate_interval", "5m").replace("$instance", ".*") for _, text in expressions()]
    rows = [{"record": f"checked:{index}", "expr": text} for index, text in enumerate(texts)]
    yaml.safe_dump({"groups": [{"name": "checked", "rules": rows}]}, target)


def promtool():
    """Runs promtool over the alerts, their tests, and the dashboards' expressions; False where there is none."""
    if not shutil.which("promtool"):
        return False
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/rules.yaml", "w") as file:
            yaml.safe_dump(rules(), file)
        with open(f"{folder}/expressions.yaml", "w") as file:
            expression_file(file)
        with open(f"{folder}/test.yaml", "w") as file:
            file.write((ROOT / "Tests/Deploy/rules-test.yaml").read_text())
        run(["promtool", "check", "rules", f"{folder}/rules.yaml", f"{folder}/expressions.yaml"])
        run(["promtool", "test", "rules", f"{folder}/test.yaml"])
    return True
