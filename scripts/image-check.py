#!/usr/bin/env python3
"""Runs the gateway out of the image that scripts/image.sh wrote, as a cluster would: the layer unpacked, read-only, as user 65532
without capabilities and new privileges, with a data folder and /tmp alone to write to; beside it a broker and a simulated
factory on the loopback. It must become ready, find the factory's devices, confirm a desired value, answer /livez, /readyz and
/metrics, and end within the grace period on SIGTERM. Needs bubblewrap, mosquitto, and selvedge-plant built.

Usage: image-check.py [TAR]     (default: .build-image/selvedge-*.tar)
"""
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
USER = 65532
GRACE_SECONDS = 30


def fail(text):
    sys.exit(f"image-check: {text}")


def unpack(image, folder):
    """The layer of the image that index.json names, as a folder."""
    with tarfile.open(image) as archive:
        def blob(digest):
            return archive.extractfile(f"blobs/{digest.replace(':', '/')}")

        manifest = json.load(blob(json.load(archive.extractfile("index.json"))["manifests"][0]["digest"]))
        config = json.load(blob(manifest["config"]["digest"]))
        for entry in manifest["layers"]:
            with tarfile.open(fileobj=blob(entry["digest"]), mode="r:gz") as layer:
                owners = {member.name: (member.uid, member.gid) for member in layer.getmembers()}
                layer.extractall(folder, filter="fully_trusted")
    return config["config"], owners


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def free_ports(count):
    """A row of free ports, as the simulated factory takes them."""
    for first in range(21502, 61000, count):
        with contextlib.ExitStack() as stack:
            try:
                for port in range(first, first + count):
                    one = stack.enter_context(socket.socket())
                    one.bind(("127.0.0.1", port))
                return first
            except OSError:
                continue
    return fail("no free ports")


def get(url, patch=None):
    request = urllib.request.Request(url)
    if patch is not None:
        request = urllib.request.Request(url, json.dumps(patch).encode(), {"Content-Type": "application/merge-patch+json"}, method="PATCH")
    with urllib.request.urlopen(request, timeout=5) as answer:
        return answer.read().decode()


def eventually(what, seconds, condition, process):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            fail(f"{what}: the gateway has ended by itself with {process.returncode}")
        with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError, KeyError):
            result = condition()
            if result:
                return result
        time.sleep(0.1)
    return fail(f"{what}: not within {seconds} s")


def manifests(folder, broker, modbus):
    """Those of the demo, with the ports of this run; in two steps, so that no new port is taken for an old one."""
    for file in sorted((ROOT / "Examples/demo").glob("*.yaml")):
        text = re.sub(r"\b1883\b", "@broker@", file.read_text())
        text = re.sub(r"\b150([2-5])\b", r"@modbus\1@", text).replace("@broker@", str(broker))
        text = re.sub(r"@modbus(\d)@", lambda match: str(modbus + int(match[1]) - 2), text)
        (folder / file.name).write_text(text)
        (folder / file.name).chmod(0o644)


def sandbox(root, data, given, words):
    """The command that runs `words` in the image: as the user where this runs as root, in namespaces of its own."""
    bind = [
        "bwrap", "--ro-bind", root, "/", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--bind", data, "/var/lib/selvedge",
        "--ro-bind", given, "/etc/selvedge", "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try",
        "--uid", str(USER), "--gid", str(USER), "--cap-drop", "ALL", "--new-session", "--die-with-parent", "--clearenv", "--setenv", "PATH", "/usr/bin",
    ]
    user = ["setpriv", "--reuid", str(USER), "--regid", str(USER), "--clear-groups", "--no-new-privs"] if os.geteuid() == 0 else []
    return user + bind + words


def child_of(process):
    """The gateway itself: the last of the processes below the sandbox."""
    pid = process.pid
    while True:
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if not children:
            return pid
        pid = int(children[0])


def status(pid):
    return dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)


def main():
    images = [pathlib.Path(word) for word in sys.argv[1:]] or sorted((ROOT / ".build-image").glob("selvedge-*.tar"))
    if len(images) != 1:
        fail("name the image, or make it: scripts/image.sh")
    for program in ("bwrap", "mosquitto", "setpriv"):
        if not shutil.which(program):
            fail(f"there is no {program}: run scripts/require.sh test deploy")
    with contextlib.ExitStack() as stack:
        work = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(dir="/tmp")))
        work.chmod(0o755)
        root, data, given = work / "root", work / "data", work / "etc"
        for folder in (root, data, given):
            folder.mkdir(mode=0o755)
        (given / "manifests").mkdir(mode=0o755)
        config, owners = unpack(images[0], root)
        if config["User"] != f"{USER}:{USER}" or owners["var/lib/selvedge"] != (USER, USER):
            fail(f"the image runs as {config['User']}, its data folder belongs to {owners['var/lib/selvedge']}")
        if [name for name in ("sh", "bash", "dash", "busybox", "apt-get") if (root / "usr/bin" / name).exists()]:
            fail("the image has a shell")
        if os.geteuid() == 0:
            os.chown(data, USER, USER)
        root.chmod(0o755)
        broker, modbus, api, health = free_port(), free_ports(4), free_port(), free_port()
        manifests(given / "manifests", broker, modbus)
        (work / "mosquitto.conf").write_text(f"listener {broker} 127.0.0.1\nallow_anonymous true\n")

        def start(*words, **more):
            process = subprocess.Popen(words, **more)
            stack.callback(lambda: (process.poll() is None and process.kill(), process.wait()))
            return process

        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        start("mosquitto", "-c", str(work / "mosquitto.conf"), **quiet)
        plant = str(ROOT / ".build/release/selvedge-plant")
        start(plant, "--modbus", "4", "--modbus-port", str(modbus), "--mqtt", "5", "--broker", f"127.0.0.1:{broker}", "--interval", "1s",
              stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        words = config["Entrypoint"] + config["Cmd"]
        words += ["--manifests", "/etc/selvedge/manifests", "--listen", f"127.0.0.1:{api}", "--health-listen", f"127.0.0.1:{health}"]
        log = open(work / "gateway.log", "w+")
        stack.callback(log.close)
        begun = time.monotonic()
        gateway = start(*sandbox(str(root), str(data), str(given), words), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        eventually("readiness", 30, lambda: get(f"http://127.0.0.1:{health}/readyz") == "ok", gateway)
        ready = time.monotonic() - begun
        devices = f"http://127.0.0.1:{api}/apis/selvedge.dev/v1alpha1/namespaces/default/devices"

        def connected():
            items = json.loads(get(devices))["items"]
            sound = [item for item in items if any(c["type"] == "Ready" and c["status"] == "True" for c in item.get("status", {}).get("conditions", []))]
            return len(sound) >= 9 and len(sound)

        count = eventually("nine devices, found and connected", 90, connected, gateway)
        get(f"{devices}/boiler-1", {"spec": {"desired": {"setpoint": 61.5}}})

        def confirmed():
            rows = json.loads(get(f"{devices}/boiler-1"))["status"]["properties"]
            return [row for row in rows if row["name"] == "setpoint" and row.get("desired") == 61.5 and row.get("state") == "Confirmed"]

        eventually("the desired value", 30, confirmed, gateway)
        if get(f"http://127.0.0.1:{health}/livez") != "ok" or "selvedge_build_info" not in get(f"http://127.0.0.1:{health}/metrics"):
            fail("health or metrics do not answer")
        pid = child_of(gateway)
        facts = status(pid)
        if facts["Uid"].split() != [str(USER)] * 4 and os.geteuid() == 0:
            fail(f"runs as {facts['Uid']}")
        if int(facts["CapEff"], 16) or int(facts["CapBnd"], 16) or facts["NoNewPrivs"] != "1":
            fail(f"has capabilities {facts['CapEff']}, {facts['CapBnd']} or may gain some ({facts['NoNewPrivs']})")
        mounts = [line.split() for line in pathlib.Path(f"/proc/{pid}/mounts").read_text().splitlines()]
        writable = sorted(words[1] for words in mounts if "rw" in words[3].split(",") and not words[1].startswith(("/proc", "/dev")))
        if writable != ["/tmp", "/var/lib/selvedge"]:
            fail(f"can write to {writable}")
        resident = int(facts["VmRSS"].split()[0])
        ended = time.monotonic()
        os.kill(pid, signal.SIGTERM)
        try:
            code = gateway.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            fail(f"still there {GRACE_SECONDS} s after SIGTERM")
        stopped = time.monotonic() - ended
        if code != 0:
            log.seek(0)
            fail(f"ended with {code} after SIGTERM: {log.read()[-2000:]}")
    print(
        f"image-check: user {USER}, no capabilities, read-only root; ready after {ready:.2f} s, {count} devices found and connected, a setpoint confirmed, "
        f"{resident / 1000:.1f} MB resident, ended {stopped:.2f} s after SIGTERM")
    return 0


if __name__ == "__main__":
    sys.exit(main())
