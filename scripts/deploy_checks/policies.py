"""What the well-known policy collections ask (Kyverno's, Gatekeeper's library), and what hangs together in the manifests."""
import re

from . import pod_security

# Roles that every cluster has.
STOCK_ROLES = {("Role", "kube-system", "extension-apiserver-authentication-reader")}
LABELS = ("app.kubernetes.io/name", "app.kubernetes.io/part-of")
HOST_PATHS = ("/var/lib/selvedge", "/var/lib/rancher/selvedge", "/var/snap/microk8s/common/selvedge", "/var/lib/k0s/selvedge")
SERIAL_HOST_PATHS = ("/dev", "/run/udev")
# What a gateway never needs; a rule for one of these is a mistake, whatever its verbs.
FORBIDDEN_RESOURCES = {"*", "nodes", "pods", "configmaps", "serviceaccounts", "roles", "clusterroles", "pods/exec"}


def identity(item):
    """Kind, namespace and name."""
    meta = item.get("metadata", {})
    return item.get("kind"), meta.get("namespace", ""), meta.get("name")


def check_image(container):
    image = container.get("image", "")
    tag = image.rsplit("/", 1)[-1]
    if "@sha256:" in image:
        return []
    if ":" not in tag or tag.endswith(":latest"):
        return [f"image {image!r} has no version"]
    return []


def check_container(container, pod, is_init, allow):
    found, name = check_image(container), container["name"]
    resources = container.get("resources") or {}
    for kind, key in (("requests", "cpu"), ("requests", "memory"), ("limits", "memory")):
        if key not in (resources.get(kind) or {}):
            found.append(f"no resources.{kind}.{key}")
    context = container.get("securityContext") or {}
    if not context.get("readOnlyRootFilesystem"):
        found.append("the root file system is not read-only")
    if context.get("privileged") and "privileged" not in allow:
        found.append("privileged")
    if context.get("allowPrivilegeEscalation") is not False and "privileged" not in allow:
        found.append("allowPrivilegeEscalation")
    if "ALL" not in ((context.get("capabilities") or {}).get("drop") or []):
        found.append("capabilities are not dropped")
    root = context.get("runAsUser", (pod.get("securityContext") or {}).get("runAsUser")) in (0, None)
    if root and not (is_init and "root-init" in allow):
        found.append("runs as root")
    names = {volume["name"] for volume in pod.get("volumes") or []}
    mounts = container.get("volumeMounts") or []
    found += [f"mounts {mount['name']}, which is no volume" for mount in mounts if mount["name"] not in names]
    if not is_init:
        found += check_probes(container) + check_environment(container)
    return [f"container {name}: {text}" for text in found]


def check_probes(container):
    found, ports = [], {port.get("name"): port["containerPort"] for port in container.get("ports") or []}
    for probe, path in (("startupProbe", "/livez"), ("livenessProbe", "/livez"), ("readinessProbe", "/readyz")):
        get = (container.get(probe) or {}).get("httpGet")
        if not get:
            found.append(f"no {probe}")
            continue
        if get.get("path") != path:
            found.append(f"{probe} asks {get.get('path')}, not {path}")
        if get.get("port") not in ports:
            found.append(f"{probe}: {get.get('port')!r} is no port of the container")
    environment = {item["name"]: item.get("value", "") for item in container.get("env") or []}
    listen = environment.get("SELVEDGE_HEALTH_LISTEN", "")
    for argument in container.get("args") or []:
        if argument.startswith("--health-listen="):
            listen = argument.partition("=")[2]
    if listen.rsplit(":", 1)[-1] != str(ports.get("health")):
        found.append(f"health listens on {listen!r}, the port named health is {ports.get('health')}")
    return found


def check_environment(container):
    """A $(NAME) in a value means a variable that stands before it; another stays as it is written."""
    found, known = [], set()
    for item in container.get("env") or []:
        for used in re.findall(r"\$\(([A-Za-z0-9_]+)\)", item.get("value", "")):
            if used not in known:
                found.append(f"{item['name']} uses $({used}), which does not stand before it")
        if item["name"] in known:
            found.append(f"{item['name']} is there twice")
        known.add(item["name"])
    used = set(re.findall(r"\$\(([A-Za-z0-9_]+)\)", " ".join((container.get("command") or []) + (container.get("args") or []))))
    return found + [f"an argument uses $({name}), which is no variable" for name in sorted(used - known)]


def check_daemon_set(item, accounts, priorities, allow):
    found, pod = [], item["spec"]["template"]["spec"]
    strategy = item["spec"].get("updateStrategy") or {}
    if (strategy.get("rollingUpdate") or {}).get("maxSurge"):
        found.append("maxSurge: two gateways cannot share a data directory")
    if pod.get("priorityClassName") not in priorities:
        found.append(f"priorityClassName {pod.get('priorityClassName')!r} is no PriorityClass here")
    if {"operator": "Exists"} not in (pod.get("tolerations") or []):
        found.append("a taint would drive the gateway from its node")
    return found + check_workload(item, accounts, allow)


def check_workload(item, accounts, allow):
    """What holds of every pod."""
    found, spec = [], item["spec"]
    template, pod = spec["template"], spec["template"]["spec"]
    selector = spec["selector"]["matchLabels"]
    if not selector.items() <= (template["metadata"].get("labels") or {}).items():
        found.append("the selector does not match the template's labels")
    if pod.get("serviceAccountName") not in accounts:
        found.append(f"serviceAccountName {pod.get('serviceAccountName')!r} is no ServiceAccount here")
    if "automountServiceAccountToken" not in pod:
        found.append("automountServiceAccountToken is not said")
    if not 10 <= pod.get("terminationGracePeriodSeconds", 0) <= 120:
        found.append("terminationGracePeriodSeconds: 10 to 120 are needed")
    if pod.get("hostNetwork") and "hostNetwork" not in allow:
        found.append("hostNetwork")
    for key in ("hostPID", "hostIPC"):
        if pod.get(key):
            found.append(key)
    paths = HOST_PATHS + (SERIAL_HOST_PATHS if "serial" in allow else ())
    for volume in pod.get("volumes") or []:
        if "hostPath" in volume and volume["hostPath"]["path"] not in paths:
            found.append(f"hostPath {volume['hostPath']['path']}")
        if "emptyDir" in volume and not (volume["emptyDir"] or {}).get("sizeLimit"):
            found.append(f"volume {volume['name']}: an emptyDir without sizeLimit")
    init = pod.get("initContainers") or []
    for container in pod_security.containers(pod):
        found += check_container(container, pod, container in init, allow)
    return found


def check_service(item, items, allow):
    """What a Service leads to: a port that the pods it selects have; from outside only where that is allowed, to the same node."""
    found, spec = [], item["spec"]
    type = spec.get("type", "ClusterIP")
    if type != "ClusterIP" and not (type == "NodePort" and "nodePort" in allow):
        found.append(f"a Service of type {type}")
    if type == "NodePort" and spec.get("externalTrafficPolicy") != "Local":
        found.append("a node's port leads to other nodes' gateways, and hides the client's address: externalTrafficPolicy Local")
    for other in items:
        template = other["spec"]["template"] if other["kind"] in ("DaemonSet", "Deployment") else {"metadata": {}}
        if not spec["selector"].items() <= (template["metadata"].get("labels") or {}).items():
            continue
        ports = {port.get("name") for container in template["spec"]["containers"] for port in container.get("ports") or []}
        found += [f"port {port['name']} leads to {port['targetPort']!r}, which the pod has not" for port in spec["ports"] if port["targetPort"] not in ports]
    return found


def check_api_service(item, known):
    """An APIService leads to a Service that is here, and does not pass over the certificate."""
    spec, found = item["spec"], []
    service = spec["service"]
    if ("Service", service["namespace"], service["name"]) not in known:
        found.append(f"leads to the Service {service['name']}, which is not here")
    if item["metadata"]["name"] != f"{spec['version']}.{spec['group']}":
        found.append("its name is not VERSION.GROUP")
    if spec.get("insecureSkipTLSVerify"):
        found.append("takes any certificate")
    return found


def check_role(item):
    found = []
    if (item["metadata"].get("labels") or {}).keys() & {f"rbac.authorization.k8s.io/aggregate-to-{r}" for r in ("view", "edit", "admin")}:
        is_for_people = True
    else:
        is_for_people = False
    for rule in item.get("rules") or []:
        groups, resources, verbs = (set(rule.get(key) or []) for key in ("apiGroups", "resources", "verbs"))
        if "*" in groups | resources | verbs:
            found.append("a rule with *")
        if not is_for_people and resources & FORBIDDEN_RESOURCES:
            found.append(f"grants {', '.join(sorted(resources & FORBIDDEN_RESOURCES))}")
        if "secrets" in resources:
            if item["kind"] != "Role" or not rule.get("resourceNames"):
                found.append("secrets are granted by name alone, in a Role")
            if verbs != {"get"}:
                found.append("secrets are granted for get alone")
        if verbs & {"escalate", "bind", "impersonate"}:
            found.append(f"grants {', '.join(sorted(verbs))}")
    return found


def check(items, allow=frozenset()):
    """The findings over a set of objects. `allow` names what a profile may have: serial, privileged, hostNetwork, root-init,
    nodePort."""
    found, known = [], [identity(item) for item in items]
    accounts = {name for kind, _, name in known if kind == "ServiceAccount"}
    priorities = {name for kind, _, name in known if kind == "PriorityClass"}
    for item in items:
        kind, namespace, name = identity(item)
        texts = []
        if known.count((kind, namespace, name)) > 1:
            texts.append("there twice")
        labels = item["metadata"].get("labels") or {}
        texts += [f"no label {label}" for label in LABELS if label not in labels]
        if namespace == "default":
            texts.append("stands in the namespace default")
        if kind == "DaemonSet":
            texts += check_daemon_set(item, accounts, priorities, allow)
        if kind == "Deployment":
            # It needs no more than any pod, whatever the gateways of the profile may have.
            texts += check_workload(item, accounts, ())
        if kind == "APIService":
            texts += check_api_service(item, known)
        if kind in ("Role", "ClusterRole"):
            texts += check_role(item)
        if kind in ("RoleBinding", "ClusterRoleBinding"):
            role = item["roleRef"]
            if not any((k, n) == (role["kind"], role["name"]) and ns in ("", namespace) for k, ns, n in [*known, *STOCK_ROLES]):
                texts.append(f"binds {role['kind']} {role['name']}, which is not here")
        if kind == "ServiceAccount" and item.get("automountServiceAccountToken") is not False:
            texts.append("hands its token to every pod that names it")
        if kind == "Service":
            texts += check_service(item, items, allow)
        found += [f"{kind} {name}: {text}" for text in texts]
    return found
