#!/usr/bin/env python3
"""Kills the gateway with SIGKILL in a storm of writes, again and again, and holds what it acknowledged against what it
still has.

Several clients create, patch and delete objects as fast as they can. At a random moment the gateway is killed; its
database is copied as it lies there and checked (PRAGMA integrity_check); the gateway is started again on the same data
directory, and everything that a client had an answer for must be as the answer said:

- no acknowledged write is lost: an object's counter is that of the last answer, or of the one write that had none;
- what was acknowledged as deleted stays away;
- resourceVersion never goes back: every answer's is above all that were given out before the kill.

Needs only Python's standard library. Exit code 0: all accounted for; 1: not; 2: the programs did not run as they should.
"""

import argparse
import http.client
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time


class Trouble(Exception):
    """The programs did not do what the check needs."""


class Gateway:
    def __init__(self, binary, folder):
        self.binary, self.folder = binary, folder
        self.log = os.path.join(folder, "log")
        self.port = 0

    def start(self):
        words = [self.binary, "run", "--data-dir", os.path.join(self.folder, "data"), "--listen", "127.0.0.1:0"]
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(words, stdout=log, stderr=log)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            with open(self.log) as log:
                match = re.search(r"listening address=127\.0\.0\.1:([1-9][0-9]*)\n", log.read())
            if match:
                self.port = int(match.group(1))
                return
            time.sleep(0.02)
        raise Trouble("the gateway does not start:\n" + open(self.log).read())

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def call(self, connection, method, path, body=None, kind="application/json"):
        text = None if body is None else json.dumps(body)
        connection.request(method, path, body=text, headers={"Content-Type": kind})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())

    def connection(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)


class Client:
    """One object that it counts up, and others that come and go."""

    def __init__(self, number):
        self.name = f"storm-{number}"
        self.acknowledged = -1
        self.tried = -1
        self.version = 0
        self.answers = 0
        self.made = 0
        self.present = set()
        self.gone = set()
        self.doubtful = set()
        self.faults = []

    def answered(self, status, body, wanted, floor):
        if status not in wanted:
            self.faults.append(f"{self.name}: HTTP {status}: {body.get('message')}")
            return False
        version = int(body.get("metadata", {}).get("resourceVersion", "0"))
        if version:
            if version <= max(floor, self.version):
                self.faults.append(f"{self.name}: version {version} after {max(floor, self.version)}")
            self.version = version
        self.answers += 1
        return True

    def run(self, gateway, floor, stop):
        try:
            connection = gateway.connection()
            root = "/api/v1/namespaces"
            while not stop.is_set() and not self.faults:
                if self.tried < 0:
                    self.tried = 0
                    status, body = gateway.call(connection, "POST", root, self.namespace(self.name, 0))
                    if self.answered(status, body, (201,), floor):
                        self.acknowledged = 0
                    continue
                self.tried = self.acknowledged + 1
                patch = {"metadata": {"annotations": {"storm": str(self.tried)}}}
                status, body = gateway.call(
                    connection, "PATCH", f"{root}/{self.name}", patch, "application/merge-patch+json")
                if self.answered(status, body, (200,), floor):
                    self.acknowledged = self.tried
                if self.tried % 7 == 0:
                    self.comeAndGo(gateway, connection, root, floor)
        except (OSError, http.client.HTTPException, json.JSONDecodeError):
            pass  # The kill. What was under way is in doubt, and nothing else.

    def comeAndGo(self, gateway, connection, root, floor):
        self.made += 1
        name = f"{self.name}-{self.made}"
        self.doubtful.add(name)
        status, body = gateway.call(connection, "POST", root, self.namespace(name, 0))
        if self.answered(status, body, (201,), floor):
            self.present.add(name)
            self.doubtful.discard(name)
        if len(self.present) > 3:
            name = self.present.pop()
            self.doubtful.add(name)
            status, body = gateway.call(connection, "DELETE", f"{root}/{name}")
            if self.answered(status, body, (200,), 0):
                self.gone.add(name)
                self.doubtful.discard(name)

    def namespace(self, name, count):
        return {"apiVersion": "v1", "kind": "Namespace",
                "metadata": {"name": name, "annotations": {"storm": str(count)}}}

    def account(self, objects):
        """Holds the answers against what is there; goes on from that."""
        faults = list(self.faults)
        own = objects.get(self.name)
        if own is None:
            if self.acknowledged >= 0:
                faults.append(f"{self.name} is lost: {self.acknowledged} was acknowledged")
            self.tried = self.acknowledged = -1
        else:
            count = int(own["metadata"]["annotations"]["storm"])
            if count not in (self.acknowledged, self.tried):
                faults.append(f"{self.name} stands at {count}: {self.acknowledged} was acknowledged")
            if int(own["metadata"]["resourceVersion"]) < self.version and count == self.acknowledged and not self.made:
                faults.append(f"{self.name} has an older version than its answer")
            self.acknowledged = self.tried = count
        for name in self.present - set(objects):
            faults.append(f"{name} is lost")
        for name in self.gone & set(objects):
            faults.append(f"{name} was deleted and is there again")
        for name in self.doubtful:
            (self.present if name in objects else self.gone).add(name)
        self.doubtful = set()
        return faults


def integrity(folder):
    """SQLite's word on the files as the kill left them; a copy, so that the gateway does its own recovery."""
    source = os.path.join(folder, "data", "resources", "resources.db")
    with tempfile.TemporaryDirectory() as place:
        for suffix in ("", "-wal"):
            if os.path.exists(source + suffix):
                shutil.copy(source + suffix, os.path.join(place, "resources.db" + suffix))
        database = sqlite3.connect(os.path.join(place, "resources.db"))
        try:
            return database.execute("PRAGMA integrity_check").fetchone()[0]
        finally:
            database.close()


def storm(options):
    folder = tempfile.mkdtemp(prefix="selvedge-storm-")
    gateway = Gateway(options.binary, folder)
    clients = [Client(number) for number in range(options.clients)]
    chance = random.Random(options.seed)
    floor, answers, faults = 0, 0, []
    try:
        gateway.start()
        for round in range(1, options.rounds + 1):
            stop = threading.Event()
            threads = [threading.Thread(target=client.run, args=(gateway, floor, stop)) for client in clients]
            before = sum(client.answers for client in clients)
            for thread in threads:
                thread.start()
            time.sleep(chance.uniform(options.shortest, options.longest))
            gateway.kill()
            stop.set()
            for thread in threads:
                thread.join()
            answered = sum(client.answers for client in clients) - before
            answers += answered
            verdict = integrity(folder)
            if verdict != "ok":
                faults.append(f"round {round}: integrity_check: {verdict}")
            floor = max([floor] + [client.version for client in clients])
            gateway.start()
            status, listed = gateway.call(gateway.connection(), "GET", "/api/v1/namespaces")
            if status != 200:
                raise Trouble(f"the list after round {round}: HTTP {status}")
            version = int(listed["metadata"]["resourceVersion"])
            if version < floor:
                faults.append(f"round {round}: version {version} after {floor} was given out")
            floor = max(floor, version)
            objects = {item["metadata"]["name"]: item for item in listed["items"]}
            for client in clients:
                faults += [f"round {round}: {fault}" for fault in client.account(objects)]
            print(f"round {round}: {answered} acknowledged, {len(objects)} objects, version {version}, "
                  f"integrity_check {verdict}, {len(faults)} faults", flush=True)
            if faults:
                break
        gateway.kill()
    finally:
        if gateway.process.poll() is None:
            gateway.kill()
        if faults:
            print("\n".join(faults) + f"\nthe data is left in {folder}")
        else:
            shutil.rmtree(folder)
    if answers < options.rounds:
        raise Trouble("hardly a write was acknowledged: the storm says nothing")
    print(f"{options.rounds} rounds, {answers} writes acknowledged: " + ("NOT all kept" if faults else "all kept"))
    return 1 if faults else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", help="the program selvedge")
    parser.add_argument("--rounds", type=int, default=int(os.environ.get("SELVEDGE_STORM_ROUNDS", "5")))
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--shortest", type=float, default=0.1, help="seconds from the start of a round to its kill")
    parser.add_argument("--longest", type=float, default=1.5)
    parser.add_argument("--seed", type=int, default=None, help="of the moments; absent: others each time")
    try:
        sys.exit(storm(parser.parse_args()))
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        sys.exit(2)


main()
