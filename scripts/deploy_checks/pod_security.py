"""Pod Security Standards (kubernetes.io/docs/concepts/security/pod-security-standards), for a pod's template."""

DEFAULT_CAPABILITIES = {
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP",
    "SETUID", "SYS_CHROOT",
}
SAFE_SYSCTLS = {
    "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start", "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range", "net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem",
}
SELINUX_TYPES = {None, "", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}
RESTRICTED_VOLUMES = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret", "image",
}


def containers(pod):
    for key in ("initContainers", "containers", "ephemeralContainers"):
        for container in pod.get(key) or []:
            yield container


def baseline(pod):
    """What the level baseline refuses in a pod's spec, as texts."""
    found, own = [], pod.get("securityContext") or {}
    found += [key for key in ("hostNetwork", "hostPID", "hostIPC") if pod.get(key)]
    found += [f"volume {volume['name']} is a hostPath" for volume in pod.get("volumes") or [] if "hostPath" in volume]
    found += [f"sysctl {s['name']}" for s in own.get("sysctls") or [] if s["name"] not in SAFE_SYSCTLS]
    contexts = [("pod", own)] + [(c["name"], c.get("securityContext") or {}) for c in containers(pod)]
    for name, context in contexts:
        if (context.get("windowsOptions") or {}).get("hostProcess"):
            found.append(f"{name}: hostProcess")
        if (context.get("seccompProfile") or {}).get("type") == "Unconfined":
            found.append(f"{name}: seccomp Unconfined")
        if (context.get("appArmorProfile") or {}).get("type") == "Unconfined":
            found.append(f"{name}: AppArmor Unconfined")
        selinux = context.get("seLinuxOptions") or {}
        if selinux.get("type") not in SELINUX_TYPES or selinux.get("user") or selinux.get("role"):
            found.append(f"{name}: seLinuxOptions")
    for container in containers(pod):
        name, context = container["name"], container.get("securityContext") or {}
        if context.get("privileged"):
            found.append(f"{name}: privileged")
        if context.get("procMount") not in (None, "Default"):
            found.append(f"{name}: procMount")
        extra = set((context.get("capabilities") or {}).get("add") or []) - DEFAULT_CAPABILITIES
        found += [f"{name}: adds {capability}" for capability in sorted(extra)]
        found += [f"{name}: hostPort {port['hostPort']}" for port in container.get("ports") or [] if port.get("hostPort")]
        for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
            for way in ("httpGet", "tcpSocket"):
                if ((container.get(probe) or {}).get(way) or {}).get("host"):
                    found.append(f"{name}: {probe} names a host")
    return found


def restricted(pod):
    """What the level restricted refuses beyond baseline."""
    found, own = [], pod.get("securityContext") or {}
    for volume in pod.get("volumes") or []:
        kinds = set(volume) - {"name"}
        if not kinds <= RESTRICTED_VOLUMES:
            found.append(f"volume {volume['name']} is a {', '.join(sorted(kinds))}")
    if own.get("runAsUser") == 0:
        found.append("pod: runAsUser 0")
    for container in containers(pod):
        name, context = container["name"], container.get("securityContext") or {}
        capabilities = context.get("capabilities") or {}
        if context.get("allowPrivilegeEscalation") is not False:
            found.append(f"{name}: allowPrivilegeEscalation is not false")
        if not context.get("runAsNonRoot", own.get("runAsNonRoot")):
            found.append(f"{name}: runAsNonRoot is not true")
        if context.get("runAsUser") == 0:
            found.append(f"{name}: runAsUser 0")
        seccomp = (context.get("seccompProfile") or own.get("seccompProfile") or {}).get("type")
        if seccomp not in ("RuntimeDefault", "Localhost"):
            found.append(f"{name}: no seccompProfile")
        if "ALL" not in (capabilities.get("drop") or []):
            found.append(f"{name}: does not drop ALL capabilities")
        extra = set(capabilities.get("add") or []) - {"NET_BIND_SERVICE"}
        found += [f"{name}: adds {capability}" for capability in sorted(extra)]
    return found


def level(pod):
    """The strictest level that takes the pod, and what keeps it from the stricter ones."""
    refused = baseline(pod)
    if refused:
        return "privileged", refused + restricted(pod)
    refused = restricted(pod)
    return ("baseline", refused) if refused else ("restricted", [])
