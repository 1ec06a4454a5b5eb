#!/usr/bin/env python3
"""Kills the gateway while the cloud is away, and accounts for every number that the plant published.

Two brokers: the source stays up, the cloud is stopped and started. The plant's MQTT devices number their samples; the
gateway counts them in tumbling windows (count, first, last, min, max) and forwards those at QoS 1 to the cloud, where a
receiver with a persistent session writes down what arrives. A witness at the source writes down what was published.

Round 1: cloud stopped, gateway killed with SIGKILL, both started again. Every number must be in exactly one window at
the receiver, but those of windows that were open at the kill.
Round 2: gateway stopped with SIGTERM in the middle of a window and started again. Every number must be there.

The devices are silent while the gateway is not there, so that their numbers stand still; --keep-publishing lets them
go on, which asks the gateway for a persistent session at the source.

With --minutes a storm takes the place of both rounds: the cloud away, the gateway killed or stopped, its source's broker
restarted, writes torn, its disk full, in an order that --seed decides, while the devices go on; with --clock-faults its clock
is unset at first and set ahead and back. With --durability Journal nothing may be missing or doubled; with Checkpoint only what windows that were open at a kill held may be. The gateway's figures must add up after each fault.

Needs only Python's standard library, mosquitto and mosquitto_sub; for the storm's full disk root. Exit code 0: all
accounted for; 1: not; 2: the programs did not run as they should.
"""

import argparse
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from datetime import datetime

from storm import Clock, SmallDisk, Storm

SIZES = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(text):
    """A manifest's duration, such as 1m30s or 500ms, in seconds."""
    parts = re.findall(r"([0-9]+)(ms|s|m|h)", text)
    if not parts or "".join(n + u for n, u in parts) != text:
        raise argparse.ArgumentTypeError(f"'{text}' is no duration such as 2s or 500ms")
    return sum(int(number) * SIZES[unit] for number, unit in parts)


def instant(text):
    """RFC 3339 as seconds since 1970."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class Trouble(Exception):
    """The programs did not do what the check needs; nothing is said about loss."""


# --- The account: no input, no output, no clock --------------------------------------------------------------------


def account(published, windows, excused, size, rounds, is_exact=True, repeated=None):
    """Compares what was published with what windows cover.

    published: {device: {number: time}}; windows: {device: [payload]} in order of arrival; excused: [(from, to)], times
    whose numbers may be missing; size: the window's length in seconds; rounds: [(name, from)] for the report; is_exact
    False: numbers from those times may be doubled too, and numbers of records left out; repeated: {device: {number}} that
    were published more than once, since their publisher's connection broke: nobody can tell these from new ones.
    Returns (problems, notes): lists of lines. No problems: all is accounted for.
    """
    problems, notes = [], []
    for device in sorted(published):
        numbers = published[device]
        records, seen = [], {}
        for payload in windows.get(device, []):
            sequence = payload.get("seq")
            if sequence in seen:
                if seen[sequence] == payload:
                    notes.append(f"{device}: record {sequence} delivered twice, told apart by its number (QoS 1)")
                else:
                    problems.append(f"{device}: two different records carry number {sequence}")
                continue
            seen[sequence] = payload
            records.append(payload)
        if not records:
            problems.append(f"{device}: no window arrived, of {len(numbers)} numbers published")
            continue

        covered, doubled = {}, set()
        for payload in records:
            first, last, count = payload.get("first"), payload.get("last"), payload.get("count")
            if not all(isinstance(value, int) for value in (first, last, count)):
                problems.append(f"{device}: record {payload.get('seq')} lacks first, last or count: {payload}")
                continue
            name = f"{device}: window {payload.get('start', '?')} with numbers {first} to {last}"
            if payload.get("min", first) != first or payload.get("max", last) != last:
                problems.append(f"{name} has min {payload['min']}, max {payload['max']}: numbers out of order")
            # Of a window that was open at a kill, what came before it may be lost, and the rest counted.
            spared = 0 if is_exact else sum(
                any(start <= numbers.get(number, 0) <= end + 1 for start, end in excused)
                for number in range(first, last + 1)
            )
            twice = sum(first <= number <= last for number in (repeated or {}).get(device, ()))
            if not last - first + 1 - spared <= count <= last - first + 1 + twice:
                problems.append(f"{name} counts {count} of {last - first + 1}")
            if "start" in payload and "time" in payload:
                length = instant(payload["time"]) - instant(payload["start"])
                if abs(length - size) > 0.001:
                    problems.append(f"{name} is {length:g} s long, not {size:g} s")
            for number in range(first, last + 1):
                if number in covered:
                    time_of = numbers.get(number, 0)
                    if not is_exact and any(start <= time_of <= end + 1 for start, end in excused):
                        doubled.add(number)
                        continue
                    problems.append(f"{name} has number {number}, which record {covered[number]} has too")
                    break
                covered[number] = payload.get("seq")

        strange = sorted(set(covered) - set(numbers))
        if strange:
            problems.append(f"{device}: numbers that were never published: {runs(strange)}")
        # What was published before the gateway listened for the first time is not its to account for.
        baseline = min(covered, default=0)
        missing = [number for number in sorted(numbers) if number >= baseline and number not in covered]
        forgiven = [n for n in missing if any(start <= numbers[n] <= end for start, end in excused)]
        lost = sorted(set(missing) - set(forgiven))
        if lost:
            where = {}
            for number in lost:
                name = [name for name, start in rounds if start <= numbers[number]] or ["before all rounds"]
                where.setdefault(name[-1], []).append(number)
            for name, some in where.items():
                problems.append(f"{device}: {len(some)} numbers lost ({name}): {runs(some)}")
        gaps = sequence_gaps(sorted(s for s in seen if isinstance(s, int)))
        # A record that a kill took from a full disk may have left its number behind.
        gaps = [gap for gap in gaps if is_exact or not in_excused(gap, seen, excused)]
        if gaps:
            problems.append(f"{device}: records missing, by their numbers: {runs(gaps)}")
        notes.append(
            f"{device}: {len([n for n in numbers if n >= baseline])} numbers from {baseline} on, {len(covered)} in "
            f"{len(records)} windows, {len(forgiven)} in windows open at the kill"
            + (f" ({runs(forgiven)})" if forgiven else "") + f", {len(lost)} lost"
            + (f", {len(doubled)} sent again by the broker after a kill and counted twice" if doubled else "")
        )
    return problems, notes


def in_excused(gap, seen, excused):
    """Whether the window of a record that is not there ended in a time whose windows may be missing."""
    before = max((s for s in seen if isinstance(s, int) and s < gap), default=None)
    after = min((s for s in seen if isinstance(s, int) and s > gap), default=None)
    if before is None or after is None:
        return False
    begin, end = instant(seen[before]["time"]), instant(seen[after]["start"]) + 2
    return any(start <= end and begin <= stop for start, stop in excused)


def sequence_gaps(numbers):
    return sorted(set(range(numbers[0], numbers[-1] + 1)) - set(numbers)) if numbers else []


def runs(numbers):
    """Numbers as ranges: 1-4, 9."""
    parts, start, previous = [], None, None
    for number in list(numbers) + [None]:
        if previous is not None and number == previous + 1:
            previous = number
            continue
        if start is not None:
            parts.append(str(start) if start == previous else f"{start}-{previous}")
        start = previous = number
    return ", ".join(parts[:8]) + (f" and {len(parts) - 8} more ranges" if len(parts) > 8 else "")


# --- The programs ----------------------------------------------------------------------------------------------------


class Program:
    """A program with its output in a file; every one ends with the check."""

    running = []

    def __init__(self, name, folder, command, control=False, environment=None):
        self.name, self.command = name, command
        self.log = os.path.join(folder, name + ".log")
        with open(self.log, "ab") as output:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE if control else subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, **(environment or {})},
            )
        Program.running.append(self)

    def check(self):
        if self.process.poll() is not None:
            raise Trouble(f"{self.name} ended by itself with code {self.process.returncode}")

    def end(self, number=signal.SIGTERM, patience=10):
        if self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                if self in Program.running:
                    Program.running.remove(self)
                raise Trouble(f"{self.name} did not end within {patience} s of signal {number}") from None
        if self in Program.running:
            Program.running.remove(self)
        return self.process.returncode

    def say(self, line):
        self.process.stdin.write((line + "\n").encode())
        self.process.stdin.flush()

    def tail(self, lines=15):
        with open(self.log, errors="replace") as text:
            return text.readlines()[-lines:]


def await_true(condition, patience, what, *programs):
    deadline = time.monotonic() + patience
    while not condition():
        for program in programs:
            program.check()
        if time.monotonic() > deadline:
            raise Trouble(f"{what}: not within {patience:g} s")
        time.sleep(0.05)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Broker:
    """A mosquitto of the check's own, with its sessions kept on disk."""

    def __init__(self, name, folder):
        self.name, self.folder, self.port = name, folder, free_port()
        store = os.path.join(folder, name)
        os.mkdir(store)
        self.configuration = os.path.join(folder, name + ".conf")
        with open(self.configuration, "w") as text:
            user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
            text.write(
                f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence true\n"
                f"persistence_location {store}/\nautosave_interval 1\nmax_queued_messages 0\nmax_queued_bytes 0\n"
                f"log_type error\nlog_type warning\nlog_type notice\nlog_type subscribe\nuser {user}\n"
            )
        self.program = None
        self.start()

    def start(self):
        self.program = Program(self.name, self.folder, ["mosquitto", "-c", self.configuration])
        await_true(lambda: answers(self.port), 10, f"the broker '{self.name}'", self.program)

    def stop(self):
        self.program.end()

    def subscriptions(self, offset=0):
        """(client, filter) of each subscription in the log from `offset` on."""
        with open(self.program.log, errors="replace") as text:
            text.seek(offset)
            return re.findall(r"^\d+: (\S+) [012] (\S+)$", text.read(), re.MULTILINE)

    def connected_at(self, prefix, offset=0):
        """When, to a second, a client whose ID begins so connected last, in the log from `offset` on; None: it has not."""
        with open(self.program.log, errors="replace") as text:
            text.seek(offset)
            found = re.findall(rf"^(\d+): New client connected from \S+ as {prefix}", text.read(), re.MULTILINE)
        return int(found[-1]) if found else None

    def log_size(self):
        return os.path.getsize(self.program.log)


class Listener:
    """A mosquitto_sub with a persistent session, and what it has heard."""

    def __init__(self, name, folder, broker, topic):
        self.name, self.topic, self.broker = name, topic, broker
        self.program = Program(
            name,
            folder,
            ["mosquitto_sub", "-h", "127.0.0.1", "-p", str(broker.port), "-i", name, "-c", "-q", "1", "-v", "-t", topic],
        )
        await_true(lambda: (name, topic) in broker.subscriptions(), 10, f"the subscription of {name}", self.program)

    def messages(self):
        heard = []
        with open(self.program.log, errors="replace") as text:
            for line in text:
                topic, _, payload = line.rstrip("\n").partition(" ")
                if line.endswith("\n") and payload.startswith("{"):
                    try:
                        heard.append((topic, json.loads(payload)))
                    except json.JSONDecodeError:
                        raise Trouble(f"{self.name} heard no JSON on {topic}: {payload[:200]}") from None
        return heard


MANIFESTS = """\
apiVersion: selvedge.dev/v1alpha1
kind: Broker
metadata: {{name: source}}
spec: {{url: "mqtt://127.0.0.1:{source}"}}
---
apiVersion: selvedge.dev/v1alpha1
kind: Broker
metadata: {{name: cloud}}
spec: {{url: "mqtt://127.0.0.1:{cloud}"}}
---
apiVersion: selvedge.dev/v1alpha1
kind: DeviceModel
metadata: {{name: numbered-sensor}}
spec:
  protocol: mqtt
  properties:
  - {{name: seq, type: integer, access: Read, mqtt: {{topic: "{{base}}", path: seq, timePath: time}}}}
---
apiVersion: selvedge.dev/v1alpha1
kind: Sink
metadata: {{name: cloud}}
spec:
  mqtt: {{brokerRef: {{name: cloud}}, topic: "plant/{{device}}/{{property}}", qos: 1}}
  batch: {{maxSamples: 500, maxDelay: 200ms}}
  buffer: {{maxBytes: 64Mi, maxAge: 24h, whenFull: DropOldest}}
---
apiVersion: selvedge.dev/v1alpha1
kind: Pipeline
metadata: {{name: numbers}}
spec:
  from: {{selector: {{matchLabels: {{count: numbers}}}}, properties: ["seq"]}}
  durability: {durability}
  stages:
  # The gateway repeats the last value as Uncertain when a link breaks: no number of the plant's.
  - filter: {{quality: [Good]}}
  - aggregate: {{window: {{tumbling: {window}}}, functions: [count, first, last, min, max], lateness: {lateness}}}
  to: [{{name: cloud}}]
"""

DEVICE = """\
---
apiVersion: selvedge.dev/v1alpha1
kind: Device
metadata: {{name: {name}, labels: {{count: numbers}}}}
spec:
  modelRef: {{name: numbered-sensor}}
  connection:
    mqtt: {{brokerRef: {{name: source}}, base: sensors/{name}}}
"""


class Check:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.devices = [f"room-{number}" for number in range(1, options.devices + 1)]
        self.source, self.cloud = Broker("source", folder), Broker("cloud", folder)
        self.witness = Listener("witness", folder, self.source, "sensors/+")
        self.receiver = Listener("receiver", folder, self.cloud, "plant/#")
        manifests = os.path.join(folder, "manifests")
        os.mkdir(manifests)
        with open(os.path.join(manifests, "noloss.yaml"), "w") as text:
            text.write(
                MANIFESTS.format(
                    source=self.source.port, cloud=self.cloud.port, window=options.window, lateness=options.lateness,
                    durability=options.durability,
                )
            )
            for device in self.devices:
                text.write(DEVICE.format(name=device))
        self.api = free_port()
        self.disk = SmallDisk(os.path.join(folder, "data")) if options.minutes else None
        self.clock = Clock(folder) if options.clock_faults else None
        self.gateway = None
        self.plant = None

    def say(self, text):
        print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)

    def pause(self, duration):
        """Lets the programs run for some seconds, and sees to it that they do."""
        deadline = time.monotonic() + duration
        while time.monotonic() < deadline:
            for program in Program.running:
                program.check()
            time.sleep(min(0.1, max(0.0, deadline - time.monotonic())))

    def silence(self):
        """No more numbers, and those on their way are heard; unless the devices are to go on."""
        if self.options.keep_publishing:
            return
        for device in self.devices:
            self.plant.say(f"fault {device} silence")
        count = -1
        while count != len(self.witness.messages()):
            count = len(self.witness.messages())
            time.sleep(0.3)

    def resume(self):
        if not self.options.keep_publishing:
            self.plant.say("clear all")

    def start_plant(self):
        self.plant = Program(
            "plant",
            self.folder,
            [self.options.plant, "--mqtt", str(len(self.devices)), "--broker", f"127.0.0.1:{self.source.port}"]
            + ["--interval", self.options.interval],
            control=True,
        )
        await_true(lambda: self.witness.messages(), 10, "the plant's first numbers", self.plant)

    def start_gateway(self):
        """Starts the gateway and waits until it listens to every device."""
        offset = self.source.log_size()
        self.gateway = Program(
            "gateway",
            self.folder,
            [self.options.selvedge, "run", "--data-dir", os.path.join(self.folder, "data")]
            + ["--manifests", os.path.join(self.folder, "manifests"), "--listen", f"127.0.0.1:{self.api}"],
            environment=self.clock.environment() if self.clock else None,
        )
        await_true(self.is_ready, 30, "the gateway's /readyz", self.gateway)

        def listens():
            filters = {topic for client, topic in self.source.subscriptions(offset) if client != "witness"}
            wide = any(re.fullmatch(r"(sensors/)?[+#]|sensors/#", topic) for topic in filters)
            return wide or all(f"sensors/{device}" in filters for device in self.devices)

        # A gateway with a persistent session at the source need not subscribe again.
        if not self.options.keep_publishing or offset == 0:
            await_true(listens, 30, "the gateway's subscriptions at the source", self.gateway)

    def is_ready(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.api}/readyz", timeout=1) as response:
                return response.status == 200
        except OSError:
            return False

    def published(self):
        numbers = {device: {} for device in self.devices}
        for topic, payload in self.witness.messages():
            device = topic.rpartition("/")[2]
            if device in numbers and "seq" in payload:
                numbers[device][payload["seq"]] = instant(payload["time"])
        return numbers

    def repeated(self):
        """Numbers that the witness heard more than once: published again, or sent again to it as they may be to others."""
        heard = {device: {} for device in self.devices}
        for topic, payload in self.witness.messages():
            device = topic.rpartition("/")[2]
            if device in heard and "seq" in payload:
                heard[device][payload["seq"]] = heard[device].get(payload["seq"], 0) + 1
        return {device: {n for n, times in counts.items() if times > 1} for device, counts in heard.items()}

    def windows(self):
        received = {device: [] for device in self.devices}
        for topic, payload in self.receiver.messages():
            parts = topic.split("/")
            if len(parts) == 3 and parts[2] == "seq" and parts[1] in received:
                received[parts[1]].append(payload)
        return received

    def await_windows(self, what):
        """Waits until each device's latest number is in a window at the receiver, or that is clear not to come."""
        target = {device: max(numbers) for device, numbers in self.published().items()}
        deadline = time.monotonic() + self.options.patience

        def arrived():
            windows = self.windows()
            return all(
                max((w.get("last", 0) for w in windows[device]), default=0) >= target[device] for device in self.devices
            )

        while not arrived():
            for program in Program.running:
                program.check()
            if time.monotonic() > deadline:
                self.say(f"{what}: the latest numbers did not arrive within {self.options.patience:g} s")
                self.keep_figures()
                return
            time.sleep(0.2)

    def keep_figures(self):
        """Writes the gateway's figures beside its log."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.api}/metrics", timeout=5) as response:
                figures = response.read().decode()
        except OSError as error:
            figures = f"the gateway does not answer: {error}\n"
        with open(os.path.join(self.folder, "gateway.metrics"), "w") as text:
            text.write(figures)

    def storm(self):
        options = self.options
        size, lateness = seconds(options.window), seconds(options.lateness)
        # With faults of the clock it begins as a machine does whose clock has no battery, and whose network comes later.
        if self.clock:
            self.clock.set(Clock.UNSET)
        self.start_gateway()
        self.start_plant()
        self.pause(3 * size)
        early = [device for device, windows in self.windows().items() if windows] if self.clock else []
        if self.clock:
            self.clock.set(0)
        await_true(
            lambda: all(self.windows().values()), options.patience, "the first windows at the receiver", self.gateway
        )
        storm = Storm(self, options.seed, size, lateness, options.slack)
        storm.rage(options.minutes * 60)
        self.silence_for_good()
        self.await_windows("at the end")
        self.pause(size + lateness + 1)
        is_journaled = options.durability == "Journal"
        excused = [] if is_journaled else storm.excused
        problems, notes = account(
            self.published(), self.windows(), excused, size, [("in the storm", 0.0)], is_exact=is_journaled,
            repeated=self.repeated(),
        )
        storm.look()
        notes.append("faults: " + ", ".join(f"{count} {name}" for name, count in sorted(storm.counts.items())))
        notes += [f"left out: {name}" for name in storm.skipped]
        if early:
            problems.append(f"windows were sent before the clock was set: {', '.join(early)}")
        return storm.problems + problems, notes

    def run(self):
        options = self.options
        size, lateness = seconds(options.window), seconds(options.lateness)
        self.start_gateway()
        self.start_plant()
        await_true(
            lambda: all(self.windows().values()), options.patience, "the first windows at the receiver", self.gateway
        )
        rounds, excused = [("with everything running", 0.0)], []
        self.say("windows arrive; the cloud goes away")

        rounds.append(("round 1: cloud away, gateway killed", time.time()))
        self.cloud.stop()
        self.pause(options.outage)
        killed = time.time()
        self.gateway.end(signal.SIGKILL)
        self.say(f"gateway killed after {options.outage:g} s without the cloud")
        self.silence()
        # Open at the kill: windows that had not ended, lateness included, and what had ended within the slack.
        oldest_open = (killed - lateness - options.slack) // size * size
        self.cloud.start()
        self.start_gateway()
        resumed = time.time()
        excused.append((oldest_open, killed if options.keep_publishing else resumed))
        self.say("cloud and gateway run again")
        self.resume()
        self.pause(options.run)

        rounds.append(("round 2: gateway stopped cleanly", time.time()))
        self.pause(0.5 * size)
        self.silence()
        code = self.gateway.end(signal.SIGTERM, patience=30)
        self.say(f"gateway stopped cleanly in the middle of a window, with code {code}")
        self.start_gateway()
        self.resume()
        self.pause(options.run)
        self.silence_for_good()
        self.await_windows("at the end")

        problems, notes = account(self.published(), self.windows(), excused, size, rounds)
        if code != 0:
            problems.append(f"the gateway ended a clean stop with code {code}")
        return problems, notes

    def silence_for_good(self):
        for device in self.devices:
            self.plant.say(f"fault {device} silence")
        time.sleep(0.5)


def main():
    bin_path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".build", "release")
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n\n")[0], epilog=__doc__.split("\n\n", 1)[1],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--selvedge", default=os.path.join(bin_path, "selvedge"), help="the gateway's program")
    parser.add_argument("--plant", default=os.path.join(bin_path, "selvedge-plant"), help="the plant's program")
    parser.add_argument("--devices", type=int, default=3)
    parser.add_argument("--interval", default="20ms", help="between two numbers of a device (20ms)")
    parser.add_argument("--window", default="2s", help="tumbling window (2s)")
    parser.add_argument("--lateness", default="500ms", help="of the window (500ms)")
    parser.add_argument("--outage", type=float, default=7.0, help="seconds from the cloud's stop to the kill (7)")
    parser.add_argument("--run", type=float, default=6.0, help="seconds with everything running, each time (6)")
    parser.add_argument("--slack", type=float, default=0.5, help="seconds from a window's end to the disk (0.5)")
    parser.add_argument("--patience", type=float, default=60.0, help="seconds to wait for windows (60)")
    parser.add_argument("--minutes", type=float, default=0.0, help="throw faults for so long, instead of two rounds")
    parser.add_argument("--seed", type=int, default=1, help="of the storm (1)")
    parser.add_argument("--durability", choices=["Checkpoint", "Journal"], default="Checkpoint", help="of the pipeline")
    parser.add_argument("--clock-faults", action="store_true", help="begin with an unset clock, and set it among the faults")
    parser.add_argument("--keep-publishing", action="store_true", help="the devices go on while the gateway is away")
    parser.add_argument("--strict", action="store_true", help="a record delivered twice is a failure too")
    parser.add_argument("--keep", action="store_true", help="keep logs and data, and say where")
    options = parser.parse_args()
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    options.keep_publishing = options.keep_publishing or options.minutes > 0
    for text in (options.interval, options.window, options.lateness):
        seconds(text)
    for program in (options.selvedge, options.plant, "mosquitto", "mosquitto_sub"):
        if shutil.which(program) is None:
            print(f"noloss: there is no program '{program}'; make build builds, scripts/require.sh demo installs")
            return 2

    def interrupted(*_):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupted)
    folder = tempfile.mkdtemp(prefix="selvedge-noloss.")
    check = None
    try:
        check = Check(options, folder)
        problems, notes = check.storm() if options.minutes else check.run()
        if options.strict:
            problems += [note for note in notes if "delivered twice" in note]
        print("\n".join(notes))
        if problems:
            print("\nNOT ACCOUNTED FOR:\n  " + "\n  ".join(problems))
            return 1
        print("\nEvery number is accounted for, none twice.")
        return 0
    except Trouble as trouble:
        print(f"noloss: {trouble}")
        for log in ("gateway", "plant"):
            path = os.path.join(folder, log + ".log")
            if os.path.exists(path):
                with open(path, errors="replace") as text:
                    print(f"--- the last lines of {log}.log\n" + "".join(text.readlines()[-15:]))
        return 2
    except KeyboardInterrupt:
        return 130
    finally:
        for program in list(Program.running):
            try:
                program.end(signal.SIGTERM, patience=5)
            except Trouble:
                pass
        if check and check.disk and not options.keep:
            check.disk.unmount()
        if options.keep:
            print(f"logs and data: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
