#!/usr/bin/env python3
"""Checks the device models: names, units, types, bounds, addresses, encodings, overlaps, and that each names its source.

Usage: lint-models.py [FILE|FOLDER ...]      (default: device-models beside this script's folder)
Exit: 0 when nothing is wrong; 1 with one line per finding; 2 when a file cannot be read. Needs only PyYAML.
"""
import pathlib
import re
import sys

import yaml

NAME = re.compile(r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")
DURATION = re.compile(r"^([0-9]{1,5}(h|m|s|ms)){1,4}$")
YAML11_BOOLEANS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
UNITS = {
    "V", "mV", "kV", "A", "mA", "W", "kW", "MW", "V.A", "kV.A", "var", "kvar", "W.h", "kW.h", "MW.h", "var.h", "kvar.h", "kV.A.h",
    "V.A.h", "A.h",
    "Hz", "kHz", "degC", "K", "%", "Pa", "hPa", "kPa", "bar", "m", "mm", "m3", "m3/h", "l/min", "/min", "ms", "s", "min", "h",
    "d", "deg", "Ohm", "kOhm", "lx", "[ppm]", "N.m", "kg", "g/m3", "g/kg", "kJ/kg", "dB",
}
SPEC = {"manufacturer", "model", "description", "protocol", "match", "persist", "properties"}
PROPERTY = {
    "name", "description", "type", "unit", "access", "minimum", "maximum", "enum", "summary", "poll", "persist", "write", "modbus",
    "mqtt",
}
MODBUS = {"table", "address", "register", "encoding", "order", "scale", "offset", "bit", "registers"}
WRITE = {"tolerance", "confirmWithin", "retries", "onReconnect", "onDrift", "expireAfter"}
WIDTH = {"int16": 1, "uint16": 1, "int32": 2, "uint32": 2, "float32": 2, "bit": 1, "int64": 4, "uint64": 4, "float64": 4}
RANGE = {
    "int16": (-(2**15), 2**15 - 1), "uint16": (0, 2**16 - 1), "int32": (-(2**31), 2**31 - 1), "uint32": (0, 2**32 - 1),
    "int64": (-(2**63), 2**63 - 1), "uint64": (0, 2**64 - 1),
}
TABLE_DIGIT = {"coil": 0, "discrete": 1, "input": 3, "holding": 4}
JSON_TYPES = {"boolean": bool, "integer": int, "number": (int, float), "string": str, "object": dict}


def modicon(number):
    """The table and zero-based address of an old register number of five or six digits; None for a number in no table."""
    for table, digit in TABLE_DIGIT.items():
        for base, count in ((digit * 10_000, 9_999), (digit * 100_000, 65_536)):
            if base + 1 <= number <= base + count and (digit or count == 9_999):
                return table, number - base - 1
    return None


def unknown(mapping, allowed, where):
    return [f"{where}: unknown field {key!r}" for key in mapping if key not in allowed]


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def lint_modbus(prop, where):
    """The findings of one property's binding, and the registers it covers as (table, first, count, bit)."""
    binding, problems = prop["modbus"], unknown(prop["modbus"], MODBUS, f"{where}.modbus")
    where += ".modbus"
    table = binding.get("table")
    if ("address" in binding) == ("register" in binding):
        return problems + [f"{where}: give either address (with table) or register"], None
    address = binding.get("address")
    if "register" in binding:
        place = modicon(binding["register"])
        if place is None or table not in (None, place[0]):
            return problems + [f"{where}.register: {binding['register']} is no register of table {table or 'coil to holding'}"], None
        table, address = place
    if table not in TABLE_DIGIT:
        return problems + [f"{where}.table: {table!r} is none of {', '.join(TABLE_DIGIT)}"], None
    encoding, bit = binding.get("encoding", "uint16"), binding.get("bit")
    if table in ("coil", "discrete"):
        count = 1
        for key in ("encoding", "order", "scale", "offset", "bit", "registers"):
            if key in binding:
                problems.append(f"{where}.{key}: a {table} is a single bit and takes none")
        if prop.get("type") != "boolean":
            problems.append(f"{where}: a {table} is a boolean, the property is {prop.get('type')!r}")
    else:
        if encoding == "string":
            count = binding.get("registers", 0)
            if not 1 <= count <= 125:
                problems.append(f"{where}.registers: a string needs 1 to 125 registers")
            if prop.get("type") != "string":
                problems.append(f"{where}.encoding: a string in a property of type {prop.get('type')!r}")
        elif encoding in WIDTH:
            count = WIDTH[encoding]
            if "registers" in binding:
                problems.append(f"{where}.registers: only a string takes it")
            if prop.get("type") == "string":
                problems.append(f"{where}.encoding: {encoding} in a property of type 'string'")
        else:
            return problems + [f"{where}.encoding: {encoding!r} is unknown"], None
        if bit is not None:
            if not 0 <= bit < 16 * count:
                problems.append(f"{where}.bit: {bit} is outside 0 to {16 * count - 1}")
            if prop.get("type") != "boolean":
                problems.append(f"{where}.bit: one bit is a boolean, the property is {prop.get('type')!r}")
        elif prop.get("type") == "boolean":
            problems.append(f"{where}: a boolean in a register needs a bit")
        if "order" in binding and binding["order"] not in ("ABCD", "BADC", "CDAB", "DCBA"):
            problems.append(f"{where}.order: {binding['order']!r} is unknown")
        if count > 1 and encoding != "string" and "order" not in binding:
            problems.append(f"{where}.order: say the order of a value over {count} registers")
        problems += lint_range(prop, binding, encoding, where)
    if not 0 <= address <= 65535 or address + count > 65536:
        problems.append(f"{where}: addresses {address} to {address + count - 1} leave 0 to 65535")
    if table in ("discrete", "input") and prop.get("access") != "Read":
        problems.append(f"{where}.table: {table} cannot be written, the property is {prop.get('access')}")
    return problems, (table, address, count, bit)


def lint_range(prop, binding, encoding, where):
    """Bounds and listed values that the register cannot hold, and scales that turn an integer into a fraction."""
    problems, scale, offset = [], binding.get("scale", 1), binding.get("offset", 0)
    if not is_number(scale) or scale == 0:
        return [f"{where}.scale: a number other than 0 is needed"]
    if prop.get("type") == "integer" and (scale != int(scale) or offset != int(offset)):
        problems.append(f"{where}.scale: {scale} makes fractions of an integer property")
    if encoding in RANGE and prop.get("access") != "Read":
        ends = sorted(end * scale + offset for end in RANGE[encoding])
        listed = [prop[key] for key in ("minimum", "maximum") if key in prop] + prop.get("enum", [])
        for value in listed:
            if is_number(value) and not ends[0] <= value <= ends[1]:
                problems.append(f"{where}: {value} does not fit {encoding} with scale {scale}")
    return problems


def lint_property(prop, where):
    problems = unknown(prop, PROPERTY, where)
    kind, access = prop.get("type"), prop.get("access")
    if kind not in JSON_TYPES:
        problems.append(f"{where}.type: {kind!r} is unknown")
    if access not in ("Read", "ReadWrite", "Write"):
        problems.append(f"{where}.access: {access!r} is unknown")
    if "unit" in prop and prop["unit"] not in UNITS:
        problems.append(f"{where}.unit: {prop['unit']!r} is not in the list of units")
    low, high = prop.get("minimum"), prop.get("maximum")
    for key, value in (("minimum", low), ("maximum", high)):
        if value is not None and not is_number(value):
            problems.append(f"{where}.{key}: {value!r} is no number")
    if is_number(low) and is_number(high) and low >= high:
        problems.append(f"{where}: minimum {low} is not below maximum {high}")
    for value in prop.get("enum", []):
        if kind in JSON_TYPES and not isinstance(value, JSON_TYPES[kind]):
            problems.append(f"{where}.enum: {value!r} is no {kind}")
    if not DURATION.match(str(prop.get("poll", {}).get("every", "1s"))):
        problems.append(f"{where}.poll.every: {prop['poll']['every']!r} is no duration such as 500ms or 1m")
    if not DURATION.match(str(prop.get("persist", {}).get("every", "1s"))):
        problems.append(f"{where}.persist.every: {prop['persist']['every']!r} is no duration such as 0s or 5m")
    if "write" in prop:
        problems += unknown(prop["write"], WRITE, f"{where}.write")
        if access == "Read":
            problems.append(f"{where}.write: the property is read only")
        if not DURATION.match(str(prop["write"].get("confirmWithin", "1s"))):
            problems.append(f"{where}.write.confirmWithin: no duration")
        if prop["write"].get("onReconnect", "Hold") not in ("Reapply", "ReapplyIfNewer", "Hold"):
            problems.append(f"{where}.write.onReconnect: Reapply, ReapplyIfNewer or Hold")
        if prop["write"].get("onDrift", "Hold") not in ("Reapply", "Hold"):
            problems.append(f"{where}.write.onDrift: Reapply or Hold")
    elif access in ("ReadWrite", "Write") and "modbus" in prop:
        problems.append(f"{where}.write: say how a written value is confirmed and kept")
    if kind in ("number", "integer") and access == "ReadWrite" and not prop.get("enum") and (low is None or high is None):
        problems.append(f"{where}: a writable number needs minimum and maximum, or enum")
    return problems


def overlaps(spans):
    """Pairs that share registers: an error where one of them is written, unless both are bits of one register."""
    problems = []
    for index, (where, access, span) in enumerate(spans):
        for other_where, other_access, other in spans[:index]:
            if span[0] != other[0] or span[1] >= other[1] + other[2] or other[1] >= span[1] + span[2]:
                continue
            if span == other and span[3] is None:
                problems.append(f"{where}: reads the same registers as {other_where}")
            elif "Write" in access + other_access and (span[3] is None or other[3] is None or span[3] == other[3]):
                problems.append(f"{where}: overlaps {other_where}, and one of the two is written")
            elif span[3] is None and other[3] is None:
                problems.append(f"{where}: overlaps {other_where}")
            elif span == other:
                problems.append(f"{where}: the same bit as {other_where}")
    return problems


def lint_model(document, file):
    problems, spans, names = [], [], set()
    name = document.get("metadata", {}).get("name", "")
    where = f"{file}: {name}"
    if document.get("apiVersion") != "selvedge.dev/v1alpha1" or document.get("kind") != "DeviceModel":
        return [f"{file}: not a DeviceModel of selvedge.dev/v1alpha1"]
    if not NAME.match(name) or name in YAML11_BOOLEANS:
        problems.append(f"{where}: metadata.name is no lower-case RFC 1123 name of at most 63 characters")
    if file.stem != name:
        problems.append(f"{where}: the file is to be called {name}.yaml")
    spec = document.get("spec", {})
    problems += unknown(spec, SPEC, f"{where}: spec")
    properties = spec.get("properties") or []
    if not 1 <= len(properties) <= 2048:
        problems.append(f"{where}: spec.properties: 1 to 2048 are needed, there are {len(properties)}")
    for index, prop in enumerate(properties):
        path = f"{where}: spec.properties[{index}] ({prop.get('name')})"
        if not NAME.match(str(prop.get("name", ""))) or prop.get("name") in YAML11_BOOLEANS:
            problems.append(f"{path}.name: no lower-case RFC 1123 name")
        if prop.get("name") in names:
            problems.append(f"{path}.name: there twice")
        names.add(prop.get("name"))
        problems += lint_property(prop, path)
        if spec.get("protocol") not in prop:
            problems.append(f"{path}.{spec.get('protocol')}: missing, the model's protocol needs it")
        if "modbus" in prop:
            found, span = lint_modbus(prop, path)
            problems += found
            if span:
                spans.append((path, prop.get("access", ""), span))
    return problems + overlaps(spans)


def main(arguments):
    roots = [pathlib.Path(item) for item in arguments] or [pathlib.Path(__file__).resolve().parent.parent / "device-models"]
    files = [file for root in roots for file in (sorted(root.glob("*.yaml")) if root.is_dir() else [root])]
    problems, models, count = [], {}, 0
    for file in files:
        try:
            text = file.read_text()
            documents = [document for document in yaml.safe_load_all(text) if document]
        except (OSError, yaml.YAMLError) as error:
            print(f"{file}: {error}", file=sys.stderr)
            return 2
        head = text.split("apiVersion:", 1)[0]
        if "# Source:" not in head:
            problems.append(f"{file}: the comment at the top names no source (# Source: …)")
        if "Not covered:" not in head:
            problems.append(f"{file}: the comment at the top does not say what is not covered")
        for document in documents:
            problems += lint_model(document, file)
            name = document.get("metadata", {}).get("name")
            if name in models:
                problems.append(f"{file}: the model {name} is also in {models[name]}")
            models[name] = file
            count += len(document.get("spec", {}).get("properties") or [])
    for problem in problems:
        print(problem)
    if not files:
        print("no models found", file=sys.stderr)
        return 2
    print(f"{len(models)} models, {count} properties, {len(problems)} findings")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
