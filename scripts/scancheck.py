#!/usr/bin/env python3
"""Scans a network of 254 addresses with five Modbus devices in it, and holds what was on the wire against what a scan may do.

All of it happens in a network namespace of its own: five devices listen on addresses of 10.77.0.0/24 (three of
selvedge-plant, a pymodbus server, and one that knows function 17 alone), the others swallow whatever is sent to them,
as behind a firewall. A gateway gets a Discovery with the whole /24 as its target and one address excluded; tcpdump
records. Then:

- every request is of function 43/14, 3 or 17;
- in no second are there more requests, or more attempts to connect, than the Discovery allows, over all and at one host;
- no host gets more than one connection, the excluded one gets none, and nothing goes to another port or protocol;
- the Devices are the five, with their identities, and the Discovery's status and the audit log say so.

Needs tcpdump, ip, unshare and the Python package pymodbus; root, or user namespaces. Exit code 0: all of it holds; 1: not;
2: the programs did not run as they should.
"""

import argparse
import collections
import json
import os
import re
import shutil
import signal
import socketserver
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

NETWORK = "10.77.0"
OWN, EXCLUDED = f"{NETWORK}.250", f"{NETWORK}.99"
ALLOWED = {43, 3, 17}


class Trouble(Exception):
    """The programs did not do what the check needs."""


def command(*words):
    finished = subprocess.run(words, capture_output=True, text=True)
    if finished.returncode:
        raise Trouble(f"{' '.join(words)}: {finished.stderr.strip()}")


def prepare_network(hosts):
    """A network that swallows everything, and the hosts' addresses on the loopback."""
    command("ip", "link", "set", "lo", "up")
    command("ip", "link", "add", "wire0", "type", "veth", "peer", "name", "wire1")
    # Nobody is asked for a hardware address, or nothing would be sent to those who do not answer.
    command("ip", "link", "set", "wire0", "arp", "off", "up")
    command("ip", "link", "set", "wire1", "arp", "off", "up")
    command("ip", "address", "add", f"{OWN}/24", "dev", "wire0")
    for host in hosts:
        command("ip", "address", "add", f"{host}/32", "dev", "lo")


class ServerIDAlone(socketserver.BaseRequestHandler):
    """A device that knows function 17 and nothing else."""

    def handle(self):
        while True:
            header = self.request.recv(7, socketserver.socket.MSG_WAITALL)
            if len(header) < 7:
                return
            body = self.request.recv(struct.unpack(">H", header[4:6])[0] - 1, socketserver.socket.MSG_WAITALL)
            text = b"\x07ACME PUMP 200\xff"
            answer = bytes([17, len(text)]) + text if body[:1] == b"\x11" else bytes([body[0] | 0x80, 1])
            self.request.sendall(header[:4] + struct.pack(">HB", len(answer) + 1, header[6]) + answer)


PYMODBUS = """
import asyncio, sys
from pymodbus import ModbusDeviceIdentification
from pymodbus.datastore import ModbusDeviceContext, ModbusServerContext, ModbusSparseDataBlock
from pymodbus.server import StartAsyncTcpServer
identity = ModbusDeviceIdentification(info_name={
    "VendorName": "Pymodbus", "ProductCode": "PM", "MajorMinorRevision": "3", "ProductName": "Server", "ModelName": "PM-1"})
device = ModbusDeviceContext(hr=ModbusSparseDataBlock({address: 0 for address in range(100)}))
asyncio.run(StartAsyncTcpServer(
    ModbusServerContext(devices={1: device}, single=False), identity=identity, address=(sys.argv[1], 502)))
"""

MANIFEST = """
apiVersion: selvedge.dev/v1alpha1
kind: Discovery
metadata: {{name: plc-net}}
spec:
  every: 1h
  admission: Manual
  modbus:
    tcp: {{targets: ["{network}.0/24"], exclude: ["{excluded}"], unitIDs: [1], probesPerSecond: {rate}, \
probesPerSecondPerHost: {host_rate}, timeout: 300ms}}
"""


def packets(path, interface):
    """(time, source, destination, protocol, TCP flags, ports, sequence number, payload) of what a recording holds."""
    with open(path, "rb") as file:
        data = file.read()
    if len(data) < 24:
        raise Trouble(f"tcpdump recorded nothing on {interface}")
    order = "<" if struct.unpack("<I", data[:4])[0] in (0xA1B2C3D4, 0xA1B23C4D) else ">"
    fraction = 1e-9 if struct.unpack(order + "I", data[:4])[0] == 0xA1B23C4D else 1e-6
    place = 24
    while place + 16 <= len(data):
        seconds, part, size, _ = struct.unpack(order + "4I", data[place:place + 16])
        frame = data[place + 16:place + 16 + size]
        place += 16 + size
        if len(frame) < 34 or frame[12:14] != b"\x08\x00":
            yield seconds + part * fraction, None, None, "not IPv4", 0, (0, 0), 0, b""
            continue
        packet = frame[14:]
        head, total = (packet[0] & 15) * 4, struct.unpack(">H", packet[2:4])[0]
        source, target = (".".join(map(str, packet[at:at + 4])) for at in (12, 16))
        if packet[9] != 6:
            yield seconds + part * fraction, source, target, packet[9], 0, (0, 0), 0, b""
            continue
        segment = packet[head:total]
        ports, number = struct.unpack(">HH", segment[:4]), struct.unpack(">I", segment[4:8])[0]
        payload = segment[(segment[12] >> 4) * 4:]
        yield seconds + part * fraction, source, target, "tcp", segment[13], ports, number, payload


class Wire:
    """What the scan sent, out of the recordings."""

    def __init__(self, recordings):
        self.connects = {}  # (source port, host): time of the first SYN
        self.requests = []  # (time, host, unit, function)
        self.faults = []
        streams, seen = collections.defaultdict(bytes), collections.defaultdict(set)
        everything = sorted(packet for path, name in recordings for packet in packets(path, name))
        for time_, source, target, protocol, flags, ports, number, payload in everything:
            if not (target or "").startswith(NETWORK + ".") and not (source or "").startswith(NETWORK + "."):
                continue  # The gateway's own API on 127.0.0.1.
            if protocol != "tcp" or 502 not in ports:
                self.faults.append(f"a packet of {protocol} from {source} to {target}, ports {ports}")
            if ports[1] != 502:
                continue
            flow = (ports[0], target)
            if flags & 2:
                self.connects.setdefault(flow, time_)
            if payload and number not in seen[flow]:
                seen[flow].add(number)
                streams[flow] += payload
                while len(streams[flow]) >= 8:
                    frame = streams[flow]
                    length = 6 + struct.unpack(">H", frame[4:6])[0]
                    if frame[2:4] != b"\0\0" or len(frame) < length:
                        break
                    self.requests.append((time_, target, frame[6], frame[7]))
                    if frame[7] == 43 and frame[8] != 14:
                        self.faults.append(f"function 43/{frame[8]} to {target}")
                    streams[flow] = frame[length:]
        for flow, rest in streams.items():
            if rest:
                self.faults.append(f"{len(rest)} bytes to {flow[1]} that are no whole Modbus frame")

    @staticmethod
    def busiest_second(times):
        times, most, first = sorted(times), 0, 0
        for last, now in enumerate(times):
            while now - times[first] >= 1:
                first += 1
            most = max(most, last - first + 1)
        return most


def check(options, folder):
    live = [f"{NETWORK}.{number}" for number in (11, 12, 13, 14, 15)]
    prepare_network(live)
    processes, log = [], os.path.join(folder, "gateway.log")
    recordings = [(os.path.join(folder, name + ".pcap"), name) for name in ("lo", "wire0")]

    def start(words, output):
        with open(output, "w") as file:
            processes.append(subprocess.Popen(words, stdin=subprocess.PIPE, stdout=file, stderr=file))
        return processes[-1]

    def wait(what, condition, seconds):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = condition()
            if found:
                return found
            time.sleep(0.1)
        raise Trouble(f"not within {seconds} s: {what}\n{open(log).read()[-3000:] if os.path.exists(log) else ''}")

    def content(path):
        with open(path) as file:
            return file.read()

    try:
        for host, kind in zip(live, ("boiler", "sdm630", "sunspec")):
            output = os.path.join(folder, host)
            start([options.plant, "--modbus", "1", "--kinds", kind, "--modbus-host", host, "--modbus-port", "502"], output)
            wait(f"the plant at {host}", lambda: "ready" in content(output), 20)
        start([sys.executable, "-c", PYMODBUS, live[3]], os.path.join(folder, live[3]))
        socketserver.ThreadingTCPServer.allow_reuse_address = True
        last = socketserver.ThreadingTCPServer((live[4], 502), ServerIDAlone)
        last.daemon_threads = True
        threading.Thread(target=last.serve_forever, daemon=True).start()

        def listens(host):
            try:
                socketserver.socket.create_connection((host, 502), 1).close()
                return True
            except OSError:
                return False
        for host in live:
            wait(f"a device at {host}", lambda: listens(host), 30)
        for path, name in recordings:
            direction = ["-Q", "out"] if name != "lo" else []
            words = ["tcpdump", "-i", name, "-U", "-n", "-s", "200", "-Z", "root", *direction, "-w", path]
            start(words, path + ".log")
            wait(f"tcpdump on {name}", lambda: "listening on" in content(path + ".log"), 20)
        manifests = os.path.join(folder, "manifests")
        os.mkdir(manifests)
        start([options.binary, "run", "--data-dir", os.path.join(folder, "data"), "--listen", "127.0.0.1:0",
               "--manifests", manifests], log)
        port = wait("the gateway", lambda: re.search(r"listening address=127\.0\.0\.1:([1-9][0-9]*)\n", content(log)), 30)
        with open(os.path.join(folder, "discovery.yaml"), "w") as file:
            file.write(MANIFEST.format(network=NETWORK, excluded=EXCLUDED, rate=options.rate, host_rate=options.host_rate))
        os.rename(file.name, os.path.join(manifests, "discovery.yaml"))

        def get(path):
            address = f"http://127.0.0.1:{port.group(1)}/apis/selvedge.dev/v1alpha1/namespaces/default/{path}"
            with urllib.request.urlopen(address, timeout=10) as answer:
                return json.load(answer)

        def looked():
            found = [item for item in get("discoveries")["items"] if item.get("status", {}).get("lastScanTime")]
            return found[0] if found else None
        discovery = wait("the end of the look", looked, 120)
        devices = wait("five Devices", lambda: (lambda all_: all_ if len(all_) >= 5 else None)(get("devices")["items"]), 20)
        for process in processes[-3:-1]:
            process.send_signal(signal.SIGTERM)
            process.wait(10)
        time.sleep(0.5)
        with open(os.path.join(folder, "data", "audit", "audit.log")) as file:
            audit = [json.loads(line) for line in file]
        return judge(options, live, Wire(recordings), discovery, devices, [entry for entry in audit if entry["kind"] == "scan"])
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
                process.wait()


def judge(options, live, wire, discovery, devices, audit):
    faults = list(wire.faults)
    hosts = collections.Counter(host for _, host in wire.connects)
    functions = collections.Counter(function for _, _, _, function in wire.requests)
    for function in set(functions) - ALLOWED:
        faults.append(f"{functions[function]} requests of function {function}")
    wanted = {f"{NETWORK}.{number}" for number in range(1, 255)} - {EXCLUDED}
    # The scanning machine's own address is a target like any other, and refuses on its loopback.
    if set(hosts) != wanted:
        faults.append(f"connections to {sorted(set(hosts) - wanted)}, none to {sorted(wanted - set(hosts))}")
    for host, count in hosts.items():
        if count > 1:
            faults.append(f"{count} connections to {host}")
    rates = {
        "attempts to connect in the busiest second": (wire.busiest_second(wire.connects.values()), options.rate),
        "requests in the busiest second": (wire.busiest_second(one[0] for one in wire.requests), options.rate),
        "requests to one host in its busiest second": (
            max(wire.busiest_second(one[0] for one in wire.requests if one[1] == host) for host in live), options.host_rate),
    }
    for what, (count, limit) in rates.items():
        print(f"{what}: {count}, allowed are {limit}")
        # A window of a second that begins and ends with a probe holds one more than its rate.
        if count > limit + 1:
            faults.append(f"{what}: {count} instead of {limit}")
    first, last = min(wire.connects.values()), max(one[0] for one in wire.requests)
    last = max(last, max(wire.connects.values()))
    print(f"{len(wire.connects)} attempts to connect and {len(wire.requests)} requests in {last - first:.1f} s; "
          + ", ".join(f"function {function}: {count}" for function, count in sorted(functions.items())))
    found = {}
    for device in devices:
        connection = device["spec"]["connection"]["modbus"]
        identity = device.get("status", {}).get("identity", {})
        found[connection["tcp"]["host"]] = identity
        model = device["metadata"].get("annotations", {}).get("selvedge.dev/fallback-model", "")
        print(f"{connection['tcp']['host']} unit {connection['unitID']}  {device['metadata']['name']}  {model}  "
              + ", ".join(f"{key}={value}" for key, value in sorted(identity.items())))
    for host, (key, value) in zip(live, (
            ("vendorName", "Example Works"), ("productCode", "SDM630-Modbus V2"), ("serialNumber", "SI10-0001"),
            ("modelName", "PM-1"), ("serverID", "ACME PUMP 200"))):
        if found.get(host, {}).get(key) != value:
            faults.append(f"{host}: {key} is {found.get(host, {}).get(key)!r}, not {value!r}")
    if len(devices) != 5:
        faults.append(f"{len(devices)} Devices")
    progress = discovery["status"].get("progress")
    print(f"progress {progress}; audit log: {len(audit)} lines, the last: {audit[-1]['step'] if audit else None}")
    if progress != {"done": 253, "total": 253, "found": 5, "errors": 0}:
        faults.append(f"the progress is {progress}")
    if not any(entry["step"].startswith("scan starts") for entry in audit):
        faults.append("the audit log has no begin of the scan")
    for host in live:
        if not any(entry["step"].startswith(host + ":") for entry in audit):
            faults.append(f"the audit log does not tell of {host}")
    for fault in faults:
        print(f"WRONG: {fault}")
    return not faults


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("binary", help="selvedge")
    parser.add_argument("plant", help="selvedge-plant")
    parser.add_argument("--rate", type=int, default=20, help="probes per second, over all hosts")
    parser.add_argument("--host-rate", type=int, default=5, help="probes per second at one host")
    parser.add_argument("--keep", metavar="FOLDER", help="keeps the recordings and logs there")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not options.inside:
        start = ["unshare"] + (["--net"] if os.geteuid() == 0 else ["--map-root-user", "--net"])
        os.environ["PATH"] += ":/usr/sbin:/sbin"
        return subprocess.run([*start, sys.executable, os.path.abspath(__file__), *sys.argv[1:], "--inside"]).returncode
    folder = tempfile.mkdtemp(prefix="selvedge-scan-")
    try:
        return 0 if check(options, folder) else 1
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        return 2
    finally:
        if options.keep:
            shutil.copytree(folder, options.keep, dirs_exist_ok=True)
        shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())
