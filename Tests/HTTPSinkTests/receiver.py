#!/usr/bin/env python3
"""A receiver of all that the HTTP sinks send, with decoders that are not ours, and with bad manners on demand.

usage: receiver.py PORT FILE [--token T] [--certificate PEM --key PEM [--clients PEM]]

What arrives is decoded strictly (an unknown field, unsorted labels or a bad line is answered 400) and appended to FILE
before the answer leaves, one JSON object a value; a restart goes on with the same file.
  GET /received     the values so far      GET /requests   the requests so far, with their header fields
  POST /control     a list of behaviours, one for each POST that follows
"""
import argparse, gzip, http.server, json, math, os, socket, ssl, struct, threading, time

import cramjam
from google.protobuf import descriptor_pb2 as d, descriptor_pool, message_factory, unknown_fields
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2

TYPES = {"string": 9, "double": 1, "int64": 3, "uint32": 13, "enum": 13, "message": 11}


def schema(package, messages):
    """Classes from tables of fields: (name, number, type, repeated, message type)."""
    file = d.FileDescriptorProto(name=package + ".proto", package=package, syntax="proto3")
    for name, fields in messages.items():
        message = file.message_type.add(name=name)
        for field, number, kind, repeated, target in fields:
            made = message.field.add(name=field, number=number, type=TYPES[kind], label=3 if repeated else 1)
            if target:
                made.type_name = f".{package}.{target}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {n: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{n}")) for n in messages}


# prometheus/docs, docs/specs/prw/remote_write_spec.md, "Protocol".
V1 = schema("prometheus", {
    "Label": [("name", 1, "string", False, None), ("value", 2, "string", False, None)],
    "Sample": [("value", 1, "double", False, None), ("timestamp", 2, "int64", False, None)],
    "TimeSeries": [("labels", 1, "message", True, "Label"), ("samples", 2, "message", True, "Sample")],
    "WriteRequest": [("timeseries", 1, "message", True, "TimeSeries")],
})
# prometheus/docs, docs/specs/prw/remote_write_spec_2_0.md, "Protobuf Message".
V2 = schema("io.prometheus.write.v2", {
    "Sample": [("value", 1, "double", False, None), ("timestamp", 2, "int64", False, None),
               ("start_timestamp", 3, "int64", False, None)],
    "Metadata": [("type", 1, "enum", False, None), ("help_ref", 3, "uint32", False, None),
                 ("unit_ref", 4, "uint32", False, None)],
    "TimeSeries": [("labels_refs", 1, "uint32", True, None), ("samples", 2, "message", True, "Sample"),
                   ("metadata", 5, "message", False, "Metadata")],
    "Request": [("symbols", 4, "string", True, None), ("timeseries", 5, "message", True, "TimeSeries")],
})


class Refused(Exception):
    pass


def strict(message):
    """Refuses fields that the definition does not have, at any depth."""
    if len(unknown_fields.UnknownFieldSet(message)):
        raise Refused(f"unknown field in {message.DESCRIPTOR.full_name}")
    for field, value in message.ListFields():
        if field.type == field.TYPE_MESSAGE:
            for one in value if hasattr(value, "append") or hasattr(value, "add") else [value]:
                strict(one)
    return message


def number(value):
    return value if isinstance(value, int) or math.isfinite(value) else None


STALE = struct.pack("<Q", 0x7FF0000000000002)


def metric(labels, value, milliseconds, extra):
    names = [name for name, _ in labels]
    if names != sorted(set(names)) or any(not n or not v for n, v in labels):
        raise Refused(f"labels {labels} are unsorted, repeated or empty")
    labels = dict(labels)
    base, _, field = labels["__name__"].rpartition("__")
    entry = {"device": labels.get("device", ""), "property": labels.get("property", base), "ms": milliseconds,
             "field": field or "value", "value": number(value), "labels": labels, **extra}
    if struct.pack("<d", value) == STALE:
        entry["stale"] = True
    return entry


def remote_write(body, content_type):
    raw = bytes(cramjam.snappy.decompress_raw(body))
    entries = []
    if "io.prometheus.write.v2.Request" in content_type:
        request = strict(V2["Request"].FromString(raw))
        symbols = list(request.symbols)
        if not symbols or symbols[0] != "" or len(set(symbols)) != len(symbols):
            raise Refused("symbols must begin with the empty one and not repeat")
        for series in request.timeseries:
            refs = list(series.labels_refs)
            labels = [(symbols[refs[i]], symbols[refs[i + 1]]) for i in range(0, len(refs), 2)]
            extra = {"type": series.metadata.type, "unit": symbols[series.metadata.unit_ref]}
            in_order(series.samples)
            for s in series.samples:
                entries.append(metric(labels, s.value, s.timestamp, {**extra, "start": s.start_timestamp}))
    else:
        request = strict(V1["WriteRequest"].FromString(raw))
        for series in request.timeseries:
            labels = [(label.name, label.value) for label in series.labels]
            in_order(series.samples)
            entries += [metric(labels, s.value, s.timestamp, {}) for s in series.samples]
    return entries


def in_order(samples):
    times = [s.timestamp for s in samples]
    if not times or times != sorted(set(times)):
        raise Refused("samples are out of order, repeated or missing")


def otlp(body):
    request = strict(metrics_service_pb2.ExportMetricsServiceRequest.FromString(body))
    entries = []
    for resource in request.resource_metrics:
        owner = {a.key: a.value.string_value for a in resource.resource.attributes}
        for scope in resource.scope_metrics:
            for m in scope.metrics:
                kind = m.WhichOneof("data")
                data = getattr(m, kind)
                for p in data.data_points:
                    which = p.WhichOneof("value")
                    if (which is None) != bool(p.flags & 1):
                        raise Refused("a point has either a value or the flag for none")
                    base, _, field = m.name.rpartition("..")
                    entries.append({
                        "device": owner["device.id"], "property": base or m.name, "field": field or "value",
                        "ms": p.time_unix_nano // 1_000_000, "ns": p.time_unix_nano, "start": p.start_time_unix_nano,
                        "value": number(getattr(p, which)) if which else None, "form": which, "kind": kind,
                        "unit": m.unit, "name": m.name, "resource": owner,
                        "temporality": getattr(data, "aggregation_temporality", 0),
                        "monotonic": getattr(data, "is_monotonic", False),
                        "attributes": {a.key: a.value.string_value for a in p.attributes}})
    return entries


class Lines:
    """A scanner of line protocol: quotes mean something at the start of a field's value alone."""

    def __init__(self, text):
        self.text, self.at = text, 0

    def name(self, ends, special):
        """A name up to one of `ends`, with backslashes before `special` taken away."""
        out = ""
        while self.text[self.at] not in ends:
            c = self.text[self.at]
            if c == "\n":
                raise Refused("a line end in a name")
            if c == "\\" and self.text[self.at + 1] in special:
                self.at += 1
                c = self.text[self.at]
            out += c
            self.at += 1
        if not out:
            raise Refused("an empty name")
        return out

    def take(self, c):
        if self.text[self.at] != c:
            raise Refused(f"unable to parse: no {c!r} at {self.text[self.at:self.at + 20]!r}")
        self.at += 1

    def value(self):
        if self.text[self.at] != '"':
            start = self.at
            while self.text[self.at] not in ", ":
                self.at += 1
            word = self.text[start:self.at]
            if word in ("true", "false"):
                return word == "true"
            return int(word[:-1]) if word[-1] in "iu" else float(word)
        self.at += 1
        out = ""
        while self.text[self.at] != '"':
            if self.text[self.at] == "\\" and self.text[self.at + 1] in '"\\':
                self.at += 1
            out += self.text[self.at]
            self.at += 1
        self.at += 1
        return out


def influx(body):
    entries, lines = [], Lines(body.decode())
    while lines.at < len(lines.text):
        measurement, tags, fields = lines.name(", ", ", "), {}, []
        while lines.text[lines.at] == ",":
            lines.at += 1
            key = lines.name("=", ",= ")
            lines.take("=")
            tags[key] = lines.name(", ", ",= ")
        if list(tags) != sorted(tags):
            raise Refused("tags are not sorted")
        lines.take(" ")
        while True:
            key = lines.name("=", ",= ")
            lines.take("=")
            fields.append((key, lines.value()))
            if lines.text[lines.at] != ",":
                break
            lines.at += 1
        lines.take(" ")
        end = lines.text.index("\n", lines.at)
        moment, lines.at = int(lines.text[lines.at:end]), end + 1
        entries += [{"device": tags["device"], "property": measurement, "field": k, "value": v,
                     "ms": moment // 1_000_000, "tags": tags} for k, v in fields]
    return entries


def records(items):
    entries = []
    for item in items:
        moment = item["time"]
        base, fraction = moment[:-1].split(".")
        seconds = int(time.mktime(time.strptime(base + " UTC", "%Y-%m-%dT%H:%M:%S %Z")) - time.timezone)
        for name, value in (item["fields"] or {None: None}).items():
            entries.append({"device": item["device"], "property": item["property"], "field": name, "value": value,
                            "ms": seconds * 1000 + int(fraction[:3]), "sequence": item["sequence"]})
    return entries


class Store:
    def __init__(self, path):
        self.path, self.lock, self.behaviours, self.requests = path, threading.Lock(), [], []

    def add(self, entries):
        with self.lock, open(self.path, "a") as file:
            file.write("".join(json.dumps(e) + "\n" for e in entries))
            file.flush()

    def all(self):
        with self.lock:
            return [json.loads(line) for line in open(self.path)] if os.path.exists(self.path) else []


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def answer(self, code, body=b"", fields={}):
        self.send_response_only(code)
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        store = self.server.store
        if self.path == "/stream":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for i in range(1_000_000):
                text = f"event {i}\n".encode()
                self.wfile.write(b"%x\r\n%s\r\n" % (len(text), text))
                time.sleep(0.001)
            return
        self.answer(200, json.dumps(store.all() if self.path == "/received" else store.requests).encode())

    def do_POST(self):
        store = self.server.store
        length = int(self.headers["Content-Length"])
        if self.path == "/control":
            store.behaviours = json.loads(self.rfile.read(length))
            return self.answer(204)
        with store.lock:
            behaviour = store.behaviours.pop(0) if store.behaviours else {}
        if behaviour.get("early"):
            self.close_connection = True
            return self.answer(behaviour["code"], b"too large", {"Connection": "close"})
        body = self.rfile.read(length)
        store.requests.append({"path": self.path, "fields": {k.lower(): v for k, v in self.headers.items()},
                               "bytes": length, "behaviour": behaviour})
        if behaviour.get("seconds"):
            time.sleep(behaviour["seconds"])
        token = self.server.token
        if token and self.headers.get("Authorization") != token:
            return self.answer(401, f"not you: {self.headers.get('Authorization')} {dict(self.headers)}".encode())
        encoding = self.headers.get("Content-Encoding")
        try:
            if encoding == "gzip":
                body = gzip.decompress(body)
            elif encoding == "zstd":
                body = bytes(cramjam.zstd.decompress(body))
            content_type = self.headers["Content-Type"]
            if self.path.startswith("/json"):
                entries = records(json.loads(body))
            elif self.path.startswith("/ndjson"):
                entries = records([json.loads(line) for line in body.decode().split("\n") if line])
            elif self.path.startswith("/rw"):
                if "v2" in content_type and self.server.oldest:
                    return self.answer(415, b"what is this?")
                entries = remote_write(body, content_type)
            elif self.path.startswith("/v1/metrics"):
                entries = otlp(body)
            else:
                entries = influx(body)
            if any(e["property"] == "poison" for e in entries):
                raise Refused("a poison")
        except Refused as error:
            return self.answer(400, str(error).encode())
        except Exception as error:
            return self.answer(400, f"{type(error).__name__}: {error}".encode())
        if behaviour.get("store", "code" not in behaviour and not behaviour.get("do")):
            store.add(entries)
        match behaviour.get("do"):
            case "cut":
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf an ans")
                return self.drop()
            case "silence":
                self.connection.shutdown(socket.SHUT_WR)
                time.sleep(0.2)
                return self.drop()
            case "garbage":
                self.wfile.write(b"\x00\xffgarbage\r\n\x01\x02\r\n\r\n")
                return self.drop()
            case "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return self.drop()
            case "endless":
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n")
                try:
                    while True:
                        self.wfile.write(b"x" * 65536)
                except OSError:
                    return self.drop()
        fields = dict(behaviour.get("fields", {}))
        if "v2" in content_type and behaviour.get("shows", True) and behaviour.get("code", 200) < 300:
            fields.setdefault("X-Prometheus-Remote-Write-Samples-Written", str(len(entries)))
        self.answer(behaviour.get("code", 200), bytes.fromhex(behaviour.get("hex", "")) or
                    behaviour.get("body", "").encode(), fields)

    def drop(self):
        self.close_connection = True
        self.wfile.flush()
        self.connection.close()


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, *_):
        pass


parser = argparse.ArgumentParser()
parser.add_argument("port", type=int)
parser.add_argument("file")
parser.add_argument("--token")
parser.add_argument("--oldest", action="store_true")
parser.add_argument("--certificate")
parser.add_argument("--key")
parser.add_argument("--clients")
options = parser.parse_args()
os.environ["TZ"] = "UTC"
time.tzset()
server = Server(("127.0.0.1", options.port), Handler, bind_and_activate=False)
server.store, server.token, server.oldest = Store(options.file), options.token, options.oldest
if options.certificate:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.certificate, options.key)
    if options.clients:
        context.load_verify_locations(options.clients)
        context.verify_mode = ssl.CERT_REQUIRED
    server.socket = context.wrap_socket(server.socket, server_side=True)
server.server_bind()
server.server_activate()
server.serve_forever()
