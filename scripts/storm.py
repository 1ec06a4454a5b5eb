"""The faults that scripts/noloss.py --minutes throws at a gateway, in an order that a seed decides."""

import os
import random
import re
import signal
import struct
import subprocess
import time
import urllib.request


class Clock:
    """The gateway's wall clock, ahead of or behind the machine's; its monotonic clocks are not touched."""

    # As a machine without a battery begins: in 1970.
    UNSET = -int(time.time())

    def __init__(self, folder):
        self.path = os.path.join(folder, "clock")
        self.offset = 0
        self.set(0)

    def set(self, offset):
        self.offset = offset
        with open(self.path + ".new", "w") as text:
            text.write(f"{offset}\n")
        os.replace(self.path + ".new", self.path)

    def environment(self):
        return {"SELVEDGE_CLOCK_OFFSET_FILE": self.path}


class SmallDisk:
    """A disk of its own for the gateway's data, that can be filled: a tmpfs, for which one must be root."""

    def __init__(self, path, mebibytes=48):
        self.path, self.filler = path, os.path.join(path, "filler")
        os.makedirs(path, exist_ok=True)
        self.is_mounted = not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", path], capture_output=True).returncode

    def fill(self):
        try:
            with open(self.filler, "ab", buffering=0) as file:
                while True:
                    file.write(b"\0" * 4096)
        except OSError:
            pass

    def empty(self):
        if os.path.exists(self.filler):
            os.remove(self.filler)

    def unmount(self):
        if self.is_mounted:
            subprocess.run(["umount", "-l", self.path], capture_output=True)
            self.is_mounted = False


def tear(folder, generator):
    """Leaves the end of a write in the newest segment of a log: the first bytes of an entry that never was whole."""
    names = sorted(name for name in os.listdir(folder) if name.endswith(".segment")) if os.path.isdir(folder) else []
    if not names:
        return
    with open(os.path.join(folder, names[-1]), "ab") as file:
        entry = struct.pack("<III", 0x1DA7E55E, 200, generator.randrange(1 << 32)) + generator.randbytes(200)
        file.write(entry[: generator.randrange(1, len(entry))])


def families(text):
    """Samples of a Prometheus text: {name: [(labels, value)]}."""
    found = {}
    for line in text.splitlines():
        match = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line)
        if match:
            labels = dict(re.findall(r'(\w+)="([^"]*)"', match[2] or ""))
            found.setdefault(match[1], []).append((labels, float(match[3])))
    return found


def unbalanced(text):
    """What does not add up in the gateway's figures: in = out + dropped + held, per stage and sink."""
    found = families(text)

    def total(name, **labels):
        wanted = labels.items()
        return sum(value for have, value in found.get(name, []) if wanted <= have.items())

    problems = []
    for labels, value in found.get("selvedge_stage_in_total", []):
        other = sum(total(f"selvedge_stage_{name}", **labels) for name in ("out_total", "dropped_total", "held"))
        if value != other:
            problems.append(f"stage {labels}: {value:.0f} in, {other:.0f} out, dropped or held")
    for labels, value in found.get("selvedge_sink_offered_total", []):
        names = ("delivered_total", "quarantined_total", "corrupt_total", "dropped_total", "held")
        other = sum(total(f"selvedge_sink_{name}", **labels) for name in names)
        value += total("selvedge_sink_recovered_total", **labels)
        if value != other:
            problems.append(f"sink {labels}: {value:.0f} in, {other:.0f} delivered, set aside, lost, dropped or held")
    return problems


class Storm:
    """Throws faults at a check's programs until the time is over. Windows that a kill may cost are in `excused`."""

    def __init__(self, check, seed, size, lateness, slack):
        self.check, self.generator = check, random.Random(seed)
        self.size, self.lateness, self.slack = size, lateness, slack
        self.excused, self.counts, self.problems = [], {}, []
        self.full_since = None
        # Since when what the source has is late: it or the gateway was away. Windows wait for it meanwhile.
        self.late_since, self.log_offset = None, 0
        self.skipped = []
        self.faults = {"cloud": 2, "kill": 3, "broker": 1, "torn": 2, "stop": 1}
        if check.clock:
            self.faults["clock"] = 3
        if check.disk and check.disk.is_mounted:
            self.faults["disk full"] = 2
        else:
            self.skipped.append("disk full (a tmpfs needs root)")

    def rage(self, duration):
        end = time.monotonic() + duration
        while time.monotonic() < end:
            name = self.generator.choices(list(self.faults), list(self.faults.values()))[0]
            self.counts[name] = self.counts.get(name, 0) + 1
            self.check.say(f"fault: {name}")
            getattr(self, name.replace(" ", "_"))()
            self.check.pause(self.generator.uniform(0.2, 4))
            self.look()
        if self.check.disk:
            self.check.disk.empty()

    def look(self):
        """The figures must add up at any moment."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.check.api}/metrics", timeout=5) as response:
                self.problems += unbalanced(response.read().decode())
        except OSError as error:
            self.problems.append(f"the gateway does not answer: {error}")

    def cloud(self):
        self.check.cloud.stop()
        self.check.pause(self.generator.uniform(0.5, 6))
        if self.generator.random() < 0.5:
            self.kill()
        self.check.cloud.start()

    def interrupt(self):
        """Notes that from now on the gateway hears nothing of its source, until it has connected anew."""
        self.late_since = self.late_since or time.time()
        self.log_offset = self.check.source.log_size()

    def catch_up(self, now):
        """Forgets an interruption after which the gateway has had time to take what was kept for it."""
        since = self.check.source.connected_at("selvedge-", self.log_offset)
        if since is not None and now - since > 1 + self.lateness + self.slack:
            self.late_since = None

    def kill(self, torn=False):
        begin = time.time()
        self.catch_up(begin)
        begin = min(begin, self.full_since or begin, self.late_since or begin)
        self.check.gateway.end(signal.SIGKILL)
        killed = time.time()
        self.interrupt()
        self.excused.append(((begin - self.lateness - self.slack) // self.size * self.size, killed))
        if torn:
            data = os.path.join(self.check.folder, "data", "spool")
            tear(os.path.join(data, "journal"), self.generator)
            for name in os.listdir(os.path.join(data, "sinks")):
                tear(os.path.join(data, "sinks", name), self.generator)
        self.check.pause(self.generator.uniform(0, 1))
        if self.check.disk:
            self.check.disk.empty()
            self.full_since = None
        self.check.start_gateway()

    def torn(self):
        self.kill(torn=True)

    def stop(self):
        self.catch_up(time.time())
        self.interrupt()
        code = self.check.gateway.end(signal.SIGTERM, patience=30)
        if code != 0:
            self.problems.append(f"the gateway ended a clean stop with code {code}")
        self.check.start_gateway()

    def broker(self):
        self.catch_up(time.time())
        self.interrupt()
        self.check.source.stop()
        self.check.pause(self.generator.uniform(0, 2))
        self.check.source.start()

    def disk_full(self):
        self.full_since = time.time()
        self.check.disk.fill()
        self.check.pause(self.generator.uniform(0.5, 5))
        if self.generator.random() < 0.3:
            self.kill()
        self.check.disk.empty()
        self.full_since = None

    def clock(self):
        jump = self.generator.choice([-3600, -61, -5, 3, 20, 90, 7200])
        self.check.say(f"  by {jump:+d} s")
        self.check.clock.set(self.check.clock.offset + jump)
