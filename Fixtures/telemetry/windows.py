"""Windows by the book: reads cases of samples and of the windows that a pipeline made of them, computes the same windows
from all samples with numpy, and says where they differ. Shares nothing with the pipeline but docs/WINDOWS.md.

Usage: windows.py FILE. Exit 1 where something differs.
"""
import json
import math
import re
import sys
from collections import defaultdict
from fractions import Fraction

import numpy as np

SECOND = 10**9
UNITS = {"ms": 10**6, "s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND}


def nanoseconds(text):
    return sum(int(float(n) * UNITS[u]) for n, u in re.findall(r"([0-9.]+)(ms|s|m|h)", text))


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def numeral(value):
    """A number for what follows from the order of readings; a boolean counts as 0 or 1."""
    if isinstance(value, bool):
        return int(value)
    return value if is_number(value) else None


class Aggregate:
    def __init__(self, spec):
        self.functions = spec["functions"]
        (self.kind, self.window), = spec["window"].items()
        self.lateness = nanoseconds(spec.get("lateness", "0s"))
        self.offset = nanoseconds(spec.get("offset", "0s"))
        self.empty = spec.get("empty", "Skip")
        self.corrects = spec.get("late") == "Correct"
        self.correct_for = nanoseconds(spec.get("correctFor", "0s"))
        self.processing = spec.get("time") == "Processing"
        where = spec.get("durationWhere")
        self.where = (lambda v: v != 0) if where is None else threshold(where)
        course = {"rate", "increase", "delta", "integral", "timeWeightedMean", "duration", "validPercentage"}
        self.has_course = bool(course & set(self.functions))
        if self.kind == "tumbling":
            self.size = self.every = nanoseconds(self.window)
        elif self.kind == "hopping":
            self.size, self.every = nanoseconds(self.window["size"]), nanoseconds(self.window["every"])
        elif self.kind == "sliding":
            self.size = nanoseconds(self.window["size"])
            self.every = max(1, self.size // 60)
        self.pane = math.gcd(self.size, self.every) if self.kind in ("tumbling", "hopping") else None


def threshold(text):
    sign, bound = re.fullmatch(r"value (>|<) (-?[0-9.]+)", text).groups()
    return (lambda v: v > float(bound)) if sign == ">" else (lambda v: v < float(bound))


def floor(time, step, offset=0):
    return (time - offset) // step * step + offset


class Window:
    """The good samples and the course (good and bad ones) of one window; `before` is the reading that it begins with."""

    def __init__(self, start, end, samples, course=(), before=(), last=None):
        self.start, self.end, self.samples, self.last = start, end, samples, last
        self.course, self.before = list(course), list(before)

    def fields(self, aggregate):
        return [self.field(name, aggregate) for name in aggregate.functions]

    def field(self, name, aggregate):
        """(expected value or None, absolute tolerance)"""
        values = [v for _, v, _ in self.samples]
        if name == "count":
            return len(values), 0
        if not values and aggregate.empty == "Last" and self.last is not None:
            if name in ("first", "last") or (name in ("mean", "min", "max") and is_number(self.last)):
                return self.last, 0
        if name in ("first", "last"):
            if not values:
                return None, 0
            ordered = sorted(self.samples, key=lambda s: s[0])
            return (ordered[0] if name == "first" else ordered[-1])[1], 0
        if name in ("mean", "min", "max", "sum", "stddev", "median", "p90", "p95", "p99"):
            if not values or not all(is_number(v) for v in values):
                return None, 0
            return self.statistic(name, values)
        return self.of_course(name, aggregate)

    def statistic(self, name, values):
        exact = all(isinstance(v, int) for v in values)
        scale = max(abs(float(v)) for v in values)
        if name in ("min", "max"):
            value = (min if name == "min" else max)(values)
            return (value if exact else float(value)), 0
        if name == "sum":
            if exact:
                total = sum(values)
                return (total, 0) if -(2**63) <= total < 2**64 else (float(total), 0)
            return math.fsum(map(float, values)), 1e-15 * scale * len(values)
        if name == "mean":
            if exact:
                mean = float(Fraction(sum(values), len(values)))
                return mean, 2 * math.ulp(mean)
            return math.fsum(map(float, values)) / len(values), 1e-14 * scale
        if name == "stddev":
            if len(values) < 2:
                return None, 0
            apart = np.array([float(v - values[0]) for v in values], dtype=np.longdouble)
            deviation = float(np.std(apart, ddof=1))
            return deviation, 1e-9 * deviation + 1e-13 * (0 if exact else scale)
        share = {"median": 50, "p90": 90, "p95": 95, "p99": 99}[name]
        numbers = np.array([float(v) for v in values])
        tolerance = 1e-12 * scale
        if len(values) > 32:
            neighbours = [np.percentile(numbers, share, method=m) for m in ("lower", "higher")]
            tolerance = 0.01 * max(map(abs, neighbours)) + 1e-12
        return float(np.percentile(numbers, share)), tolerance

    def of_course(self, name, aggregate):
        """Between two readings the earlier holds; after one without a number nothing is known."""
        steps = sorted(self.course, key=lambda s: s[0])
        known = [(t, v) for t, v in self.before if v is not None]
        readings = known[-1:] + [(t, v) for t, v in steps if v is not None]
        line = [(self.start, self.before[-1][1])] if self.before else []
        line += steps
        times = np.array([t for t, _ in line] + [self.end], dtype=np.int64)
        spans = np.maximum(np.diff(times), 0)
        valid = np.array([v is not None for _, v in line], dtype=bool)
        numbers = np.array([0.0 if v is None else float(v) for _, v in line])
        covered = int(spans[valid].sum()) if len(line) else 0
        integral = float(np.dot(numbers * valid, spans / SECOND)) if len(line) else 0.0
        scale = max([abs(float(v)) for _, v in readings], default=0) * max(1.0, (self.end - self.start) / SECOND)
        if name == "validPercentage":
            if self.end == self.start:
                return (100.0 if line and line[-1][1] is not None else 0.0), 0
            return 100 * covered / (self.end - self.start), 1e-9
        if name == "duration":
            if not line:
                return None, 0
            held = np.array([v is not None and aggregate.where(v) for _, v in line], dtype=bool)
            return int(spans[held].sum()) / SECOND, 1e-12 * (self.end - self.start) / SECOND
        if not readings:
            return None, 0
        exact = all(isinstance(v, int) for _, v in readings)
        if name == "delta":
            return readings[-1][1] - readings[0][1], 0 if exact else 1e-12 * scale
        if name in ("increase", "rate"):
            rises = [
                b - a if b >= a else max(b, 0) for (_, a), (_, b) in zip(readings, readings[1:])
            ]
            risen = sum(rises) if exact else math.fsum(map(float, rises))
            if name == "increase":
                return risen, 0 if exact else 1e-11 * scale
            span = (readings[-1][0] - readings[0][0]) / SECOND
            return (float(risen) / span, 1e-11 * (abs(risen) / span + 1)) if span > 0 else (None, 0)
        if name == "integral":
            return integral, 1e-11 * scale
        assert name == "timeWeightedMean"
        if covered == 0:
            return float(readings[-1][1]), 0
        return integral / (covered / SECOND), 1e-11 * scale


def aligned(a, samples):
    """Panes close as the newest time goes on; what comes for a closed one is late."""
    accepted, late, closed, first_closed = [], 0, None, None
    for time, value, quality, is_bad in samples:
        if is_bad:
            if closed is not None and a.has_course and time >= closed:
                accepted.append((time, value, quality, True))
            continue
        if closed is None:
            closed = first_closed = floor(time - a.lateness, a.pane, a.offset)
        closed = max(closed, floor(time - a.lateness, a.pane, a.offset))
        if a.processing:
            time = max(time, closed)
        if time < closed and not (a.corrects and time >= closed - a.correct_for):
            late += 1
            continue
        accepted.append((time, value, quality, False))
    good = [s for s in accepted if not s[3]]
    windows = []
    if not good:
        return windows, late
    newest = floor(max(s[0] for s in good), a.pane, a.offset)
    end = floor(min(s[0] for s in good) - a.size, a.every, a.offset) + a.size
    if not a.corrects:
        end = max(end, floor(first_closed - a.size, a.every, a.offset) + a.size)
    last = None
    begun = False
    while end - a.size <= newest:
        start = end - a.size
        inside = [s for s in good if start <= s[0] < end]
        if inside or (begun and a.empty != "Skip"):
            begun = True
            course = [(t, numeral(v) if not bad else None) for t, v, _, bad in accepted if start <= t < end]
            before = sorted(
                ((t, numeral(v) if not bad else None) for t, v, _, bad in accepted if t < start), key=lambda s: s[0])
            windows.append(Window(start, end, [s[:3] for s in inside], course, before, last))
            if inside:
                last = sorted(inside, key=lambda s: s[0])[-1][1]
        end += a.every
    return windows, late


def sliding(a, samples):
    accepted, late, newest, windows = [], 0, None, []
    for time, value, quality, is_bad in samples:
        if newest is not None and time < newest and floor(time, a.every) < floor(newest - a.size, a.every) + a.every:
            late += 0 if is_bad else 1
            continue
        if is_bad:
            accepted.append((time, None, quality, True))
            continue
        accepted.append((time, value, quality, False))
        if newest is not None and time < newest:
            continue
        newest = time
        start = floor(time - a.size, a.every) + a.every
        inside = [s for s in accepted if start <= s[0] <= time]
        course = [(t, numeral(v)) for t, v, _, _ in inside]
        before = sorted(((t, numeral(v)) for t, v, _, _ in accepted if t < start), key=lambda s: s[0])
        windows.append(Window(start, time, [s[:3] for s in inside if not s[3]], course, before))
    return windows, late


def sessions(a, samples):
    gap = nanoseconds(a.window["gap"])
    most = nanoseconds(a.window["max"]) if "max" in a.window else math.inf
    open_, windows, late, newest, closed = [], [], 0, None, -math.inf

    def close(mark):
        nonlocal closed
        while open_ and min(open_[0]["last"] + gap, open_[0]["first"] + most) + a.lateness <= mark:
            done = open_.pop(0)
            closed = done["last"]
            windows.append(done)

    for time, value, quality, is_bad in samples:
        if not is_bad:
            newest = time if newest is None else max(newest, time)
        if newest is not None:
            close(newest)
            if time <= closed or time + gap + a.lateness <= newest:
                late += 0 if is_bad else 1
                continue
        before = [s for s in open_ if s["first"] <= time]
        after = [s for s in open_ if s["first"] > time]
        joined = None
        if before and time < before[-1]["last"] + gap and time - before[-1]["first"] < most:
            joined = before[-1]
        elif after and after[0]["first"] - time < gap and after[0]["last"] - time < most:
            joined = after[0]
        elif is_bad:
            continue
        else:
            joined = {"first": time, "last": time, "samples": []}
            open_.insert(len(before), joined)
        joined["samples"].append((time, value, quality, is_bad))
        if not is_bad:
            joined["first"], joined["last"] = min(joined["first"], time), max(joined["last"], time)
        if before and joined is before[-1] and after and after[0]["first"] - joined["last"] < gap \
                and after[0]["last"] - joined["first"] < most:
            joined["last"] = after[0]["last"]
            joined["samples"] += after[0]["samples"]
            open_.remove(after[0])
    close(math.inf)
    return [own(w["first"], w["last"], w["samples"]) for w in windows], late


def own(start, end, samples, before=()):
    course = [(t, None if bad else numeral(v)) for t, v, _, bad in samples]
    return Window(start, end, [s[:3] for s in samples if not s[3]], course, before)


def counted(a, samples):
    size, windows, current, before = a.window["size"], [], [], []
    for sample in samples:
        if sample[3] and not current:
            continue
        current.append(sample)
        if sum(not s[3] for s in current) == size:
            before += close_counted(windows, current, before)
            current = []
    if current:
        close_counted(windows, current, before)
    return windows, 0


def close_counted(windows, current, before):
    times = [s[0] for s in current if not s[3]]
    windows.append(own(min(times), max(times), current, before))
    return sorted(windows[-1].course, key=lambda s: s[0])


def states(a, samples):
    of = a.window.get("of")
    state, current, windows, late, newest, begun = None, [], [], 0, -math.inf, -math.inf
    for time, value, quality, is_bad in samples:
        if is_bad:
            if current:
                current.append((time, None, quality, True))
            continue
        key = (type(value), value) if of is None else ("of", threshold(of)(value))
        if key != state:
            if time < newest:
                late += 1
                continue
            if current:
                windows.append(state_window(current, time))
            state, current, begun = key, [], time
        elif time < begun:
            late += 1
            continue
        newest = max(newest, time)
        current.append((time, value, quality, False))
    if current:
        windows.append(state_window(current, newest))
    return windows, late


def state_window(current, end):
    return own(min(s[0] for s in current if not s[3]), end, current)


KINDS = {
    "tumbling": aligned, "hopping": aligned, "sliding": sliding, "session": sessions, "count": counted, "state": states,
}


def check(case):
    a = Aggregate(case["aggregate"])
    by_series, faults, compared = defaultdict(list), [], 0
    for series, time, value, quality in case["samples"]:
        finite = not (isinstance(value, str) and value == "NaN")
        if finite:
            is_bad = quality == 2 or value is None
            by_series[series].append((time, None if is_bad else value, quality, is_bad))
    rows = defaultdict(list)
    for series, start, end, quality, *fields in case["rows"]:
        rows[series].append((start, end, quality, fields))
    late = 0
    for series, samples in by_series.items():
        windows, dropped = KINDS[a.kind](a, samples)
        late += dropped
        found = rows.pop(series, [])
        if a.corrects:
            found = latest(found, faults, case["name"])
        if [(w.start, w.end) for w in windows] != [r[:2] for r in found]:
            expected, got = {(w.start, w.end) for w in windows}, {r[:2] for r in found}
            faults.append(f"{case['name']}: series {series}: {len(windows)} windows expected, {len(found)} found; "
                          f"missing {sorted(expected - got)[:3]}, not expected {sorted(got - expected)[:3]}")
            continue
        for window, (_, _, quality, fields) in zip(windows, found):
            expected_quality = max((q for _, _, q in window.samples), default=1)
            if quality != expected_quality:
                faults.append(f"{case['name']}: series {series} at {window.start}: quality {quality}")
            for name, value, (expected, tolerance) in zip(a.functions, fields, window.fields(a)):
                compared += 1
                if not same(value, expected, tolerance):
                    faults.append(f"{case['name']}: series {series} at {window.start}: {name} is {value}, "
                                  f"should be {expected} within {tolerance}")
    for series in rows:
        faults.append(f"{case['name']}: windows of series {series}, which has no sample")
    if late != case["late"]:
        faults.append(f"{case['name']}: {case['late']} samples late, should be {late}")
    return faults, compared


def latest(rows, faults, name):
    """Of each window the row with the highest revision, which must be the last one."""
    newest = {}
    for row in rows:
        key, revision = row[:2], row[3][-1]
        if key in newest and newest[key][3][-1] >= revision:
            faults.append(f"{name}: revision {revision} at {key} does not follow")
        newest[key] = row
    return [newest[key] for key in sorted(newest)]


def same(value, expected, tolerance):
    if expected is None or value is None or isinstance(expected, (str, bool)):
        return value == expected and type(value) is type(expected)
    if tolerance == 0 and isinstance(expected, int):
        return isinstance(value, int) and value == expected if -(2**63) <= expected < 2**64 \
            else value == float(expected)
    return is_number(value) and abs(value - expected) <= tolerance


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        cases = json.load(file)
    total = 0
    wrong = []
    for case in cases:
        faults, compared = check(case)
        total += compared
        wrong += faults
    for fault in wrong[:20]:
        print(fault)
    print(f"{total} values compared, {len(wrong)} faults")
    return 1 if wrong or not total else 0


sys.exit(main())
