import Documents
import TestSupport

/// A second encoder and decoder, in Python: struct and numpy for the widths, fractions for scales and offsets, bytes cut
/// and turned for the orders. Where pymodbus' client has a converter of its own for a case, both must agree.
enum EncodingOracle {
  /// A property's fields, what registers hold, and what a reader must make of it.
  struct Case: Sendable {
    var fields: JSONValue
    var type: String
    var items: String?
    var registers: [UInt16]
    /// Nil where the value is Bad.
    var value: JSONValue?
    var line: String
  }

  /// Every encoding in every order, edge values first, then values from a seed; every third one scaled.
  static func cases(seed: Int) async throws -> [Case] {
    try await run(["python3", "-c", program, "cases", "\(seed)"], within: .seconds(180)).succeeded()
      .split(separator: "\n").map { line in
        let json = try JSONValue(parsing: line)
        return Case(
          fields: json["fields"] ?? .null, type: json["type"]?.string ?? "", items: json["items"]?.string,
          registers: (json["registers"]?.array ?? []).map { UInt16($0.int ?? 0) },
          value: json["value"].flatMap { value -> JSONValue? in value.isNull ? .none : .some(value) },
          line: String(line))
      }
  }

  /// What the registers of each case hold, as a reader must see it.
  static func decoded(_ cases: [(fields: JSONValue, type: String, registers: [Int])]) async throws -> [JSONValue] {
    let lines = cases.map { one in
      let line: JSONValue = [
        "fields": one.fields, "type": .string(one.type),
        "registers": .array(one.registers.map { .integer(Int64($0)) }),
      ]
      return line.description
    }
    return try await run(
      ["python3", "-c", program, "decode"], input: lines.joined(separator: "\n") + "\n", within: .seconds(60)
    ).succeeded().split(separator: "\n").map { try JSONValue(parsing: $0) }
  }

  private static let program = #"""
    import json, math, random, struct, sys
    from fractions import Fraction
    import numpy
    from pymodbus.client.mixin import ModbusClientMixin

    FORMATS = {"int16": "h", "uint16": "H", "int32": "i", "uint32": "I", "int64": "q", "uint64": "Q",
               "float16": "e", "float32": "f", "float64": "d"}
    WIDTHS = {**{name: struct.calcsize(form) for name, form in FORMATS.items()}, "int8": 2, "uint8": 2,
              "bcd16": 2, "bcd32": 4, "bcd64": 8}
    ORDERS = ["ABCD", "BADC", "CDAB", "DCBA"]
    CONVERTERS = {t.name.lower(): t for t in ModbusClientMixin.DATATYPE}

    def arrange(data, order):
        words = [data[i:i + 2] for i in range(0, len(data), 2)]
        if order in ("BADC", "DCBA"):
            words = [word[::-1] for word in words]
        if order in ("CDAB", "DCBA"):
            words = words[::-1]
        return [int.from_bytes(word, "big") for word in words]

    def restore(registers, order):
        words = [struct.pack(">H", register) for register in registers]
        if order in ("CDAB", "DCBA"):
            words = words[::-1]
        if order in ("BADC", "DCBA"):
            words = [word[::-1] for word in words]
        return b"".join(words)

    def bcd(data):
        digits = data.hex()
        return int(digits) if digits.isdigit() else None

    def raw_of(fields, registers):
        """The raw number: an int, a float, or None for what is none."""
        encoding, order = fields.get("encoding", "uint16"), fields.get("order", "ABCD")
        data = restore(registers, order)
        if encoding == "float16":
            raw = float(numpy.frombuffer(data, dtype=">f2")[0])
            assert repr(raw) == repr(struct.unpack(">e", data)[0])
        elif encoding in FORMATS:
            raw = struct.unpack(">" + FORMATS[encoding], data)[0]
        elif encoding in ("int8", "uint8"):
            byte = data[0:1] if fields.get("byte") == "High" else data[1:2]
            raw = int.from_bytes(byte, "big", signed=encoding == "int8")
        elif encoding.startswith("bcd"):
            raw = bcd(data)
        if encoding in CONVERTERS and order in ("ABCD", "CDAB"):
            words = "big" if order == "ABCD" else "little"
            other = ModbusClientMixin.convert_from_registers(registers, CONVERTERS[encoding], word_order=words)
            assert repr(other) == repr(raw), (fields, registers, other, raw)
            if raw == raw:
                assert ModbusClientMixin.convert_to_registers(raw, CONVERTERS[encoding], word_order=words) == registers
        if "bit" in fields:
            raw = raw >> fields["bit"] & 1
        if "bits" in fields:
            start, count = fields["bits"]["from"], fields["bits"]["count"]
            width = 8 * len(data)
            text = format(raw % (1 << width), "0%db" % width)[width - start - count:width - start]
            raw = int(text, 2)
            if encoding.startswith("int") and count > 1 and text[0] == "1":
                raw -= 1 << count
        return raw

    def value_of(fields, kind, registers):
        raw = raw_of(fields, registers)
        if raw is None or isinstance(raw, float) and not math.isfinite(raw):
            return None
        if kind == "boolean":
            return raw != 0
        if isinstance(raw, float):
            return raw
        exact = Fraction(raw) / 2 ** fields.get("fractionBits", 0)
        exact = exact * Fraction(str(fields.get("scale", 1))) + Fraction(str(fields.get("offset", 0)))
        if kind == "integer":
            assert exact.denominator == 1
            return int(exact) if -2 ** 63 <= exact < 2 ** 64 else None
        return exact.numerator / exact.denominator

    def cases(seed):
        random.seed(seed)
        for encoding, width in WIDTHS.items():
            for order in ORDERS:
                for number in range(14):
                    data = bytes(random.getrandbits(8) for _ in range(width))
                    if number < 4:
                        data = [b"\x00" * width, b"\xff" * width, b"\x80" + b"\x00" * (width - 1), b"\x7f" + b"\xff" * (width - 1)][number]
                    elif encoding.startswith("bcd") and number > 4:
                        data = bytes.fromhex("".join(random.choice("0123456789") for _ in range(width * 2)))
                    fields, kind = {"encoding": encoding, "order": order}, "integer"
                    if encoding in ("int8", "uint8"):
                        fields["byte"] = random.choice(["Low", "High"])
                    if encoding.startswith("float"):
                        kind = "number"
                    elif number % 3 == 1:
                        kind = "number"
                        fields["scale"] = random.choice([0.1, 0.01, 0.001, 2, 0.25, -0.5, 1e-6, 10, 0.003, 12.5])
                        fields["offset"] = random.choice([0, -40, 273.15, 0.5])
                    elif number % 3 == 2 and not encoding.startswith("bcd"):
                        choice = random.randrange(3)
                        if choice == 0:
                            kind, fields["fractionBits"] = "number", random.choice([1, 4, 8, 15, 16])
                        elif "8" != encoding[-1] and choice == 1:
                            start = random.randrange(8 * width - 2)
                            fields["bits"] = {"from": start, "count": random.randrange(2, 8 * width - start + 1)}
                        elif "8" != encoding[-1]:
                            kind, fields["bit"] = "boolean", random.randrange(8 * width)
                    registers = arrange(data, order)
                    value = value_of(fields, kind, registers)
                    print(json.dumps({"fields": fields, "type": kind, "registers": registers, "value": value}))
        # Arrays: elements one behind the other.
        for encoding in ("uint16", "int32", "float32", "bcd32", "float16"):
            for order in ORDERS:
                fields = {"encoding": encoding, "order": order, "count": random.randrange(2, 9)}
                kind = "number" if encoding.startswith("float") else "integer"
                registers, values = [], []
                for _ in range(fields["count"]):
                    data = bytes.fromhex("".join(random.choice("0123456789") for _ in range(WIDTHS[encoding] * 2)))
                    registers += arrange(data, order)
                    values.append(value_of(fields, kind, arrange(data, order)))
                print(json.dumps({"fields": fields, "type": "array", "items": kind, "registers": registers, "value": values}))
        # Texts.
        for order in ORDERS:
            for text, charset, count in (("BC-4 large", "utf-8", 6), ("23.5 °C", "utf-8", 5), ("Gerät 7", "latin-1", 4), ("odd", "ascii", 2)):
                fields = {"encoding": "string", "order": order, "registers": count}
                fields["text"] = {"charset": {"utf-8": "UTF-8", "latin-1": "Latin-1", "ascii": "ASCII"}[charset]}
                data = text.encode(charset).ljust(count * 2, b"\x00")
                registers = arrange(data, order)
                if order == "ABCD" and charset == "utf-8":
                    assert ModbusClientMixin.convert_to_registers(text, CONVERTERS["string"]) == registers[:(len(text.encode()) + 1) // 2]
                print(json.dumps({"fields": fields, "type": "string", "registers": registers, "value": text}))
        # Scale factors: the value, a gap, the power of ten.
        for power in (-10, -3, -2, -1, 0, 1, 2, 10):
            raw = random.randrange(65536)
            fields = {"encoding": "uint16", "scaleFrom": {"address": 3}}
            value = float(Fraction(raw) * Fraction(10) ** power)
            print(json.dumps({"fields": fields, "type": "number", "registers": [raw, 1, 2, power % 65536], "value": value}))

    def decode():
        for line in sys.stdin:
            case = json.loads(line)
            fields, kind, registers = case["fields"], case["type"], case["registers"]
            if kind == "string":
                data = restore(registers, fields.get("order", "ABCD"))
                charset = fields.get("text", {}).get("charset", "UTF-8")
                print(json.dumps(data.split(b"\x00")[0].decode(charset)))
            elif kind == "array":
                size = len(registers) // fields["count"]
                items = "number" if fields["encoding"].startswith("float") else "integer"
                print(json.dumps([value_of(fields, items, registers[i:i + size]) for i in range(0, len(registers), size)]))
            elif "scaleFrom" in fields:
                power = struct.unpack(">h", struct.pack(">H", registers[3]))[0]
                print(json.dumps(float(Fraction(registers[0]) * Fraction(10) ** power)))
            else:
                print(json.dumps(value_of(fields, kind, registers)))

    cases(int(sys.argv[2])) if sys.argv[1] == "cases" else decode()
    """#
}
