import DeviceKit
import Documents
import Foundation
import ModbusProtocol
import TestSupport
import Testing

/// What properties by standard say of registers, against a client library that is not ours: pysunspec2.
@Suite(.serialized) struct SunSpecDecodeTests {
  /// Every model, groups and all, with random contents: places, scale factors, codes for "not implemented", texts.
  @Test(arguments: [1, 2, 3]) func everyPointReadsAsTheOtherClientReadsIt(seed: Int) async throws {
    let output = try await python(
      Self.oracle.replacing("SEED", with: "\(seed)").replacing(
        "IDS", with: SunSpecTable.ids.map { "\($0)" }.joined(separator: ",")))
    let chains = try #require(try JSONValue(parsing: Array(output.utf8)).array)
    #expect(chains.count > 60)
    var compared = 0
    for chain in chains {
      var image = SunSpecImage(models: [])
      let registers = try #require(chain["registers"]?.array)
      for (index, word) in registers.enumerated() { image.registers[40_000 + index] = UInt16(word.int ?? 0) }
      let walk = try #require(image.walk().chain)
      #expect(walk.fault == nil)
      let layout = SunSpecLayout(walk)
      #expect(layout.notes.allSatisfy { $0.contains("scale factor") }, "\(layout.notes)")
      let list = try #require(DiscoveredModel(layout).specification["properties"]?.array)
      var expected = try #require(chain["values"]?.object)
      for (place, property) in zip(layout.places, list) {
        let value = expected.removeValue(forKey: "\(place.address)")
        let told = try #require(value, "\(place.name): the other client has no point at \(place.address)")
        let found = try read(property, image)
        #expect(Self.agree(found, told), "\(place.name) at \(place.address): \(told)")
        compared += 1
      }
      // Left over are points whose scale factor lies far away and is itself not implemented.
      let isNothingLeft = expected.values.allSatisfy { $0.isNull }
      #expect(isNothingLeft, "model \(walk.models.map(\.id)): \(expected)")
    }
    #expect(compared > 2_000)
  }

  private func read(_ property: JSONValue, _ image: SunSpecImage) throws -> RegisterCodec.Decoded {
    let name = try #require(property["name"]?.string)
    let definition = PropertyDefinition(
      name: name, type: try #require(property["type"]?.string.flatMap(PropertyType.init(rawValue:))),
      access: property["access"] == "ReadWrite" ? .readWrite : .read, binding: try #require(property["modbus"]),
      items: property["items"]?.string.flatMap(PropertyType.init(rawValue:)))
    let binding = try PropertyBinding(definition)
    let registers = try #require(image.read(binding.readAddress, binding.length), "\(name)")
    return binding.codec.decode(registers[...])
  }

  private static func agree(_ decoded: RegisterCodec.Decoded, _ told: JSONValue) -> Bool {
    switch decoded {
    case .bad: return told.isNull
    case .uncertain: return false
    case .value(let value):
      switch value {
      case .string(let text):
        // An enumeration comes as the text of its number.
        return told.string.map { $0 == text } ?? false
      case .object(.array(let names)):
        return told.array.map { Set($0.compactMap(\.string)) == Set(names.compactMap(\.string)) } ?? false
      default:
        guard let number = value.number, let other = told.number else { return false }
        return abs(number - other) <= max(abs(number), abs(other)) * 1e-12
      }
    }
  }

  /// For each model a device that has it alone: its registers from 40000 on, and each point's value by its address.
  private static let oracle = #"""
    import json, os, random, re, struct, sunspec2
    from sunspec2.modbus import client
    chance = random.Random(SEED)
    folder = os.path.join(os.path.dirname(sunspec2.__file__), "models", "json")
    def word(point, counts):
        kind, size = point["type"], point["size"]
        absent = chance.random() < 0.1
        if point["name"] in counts: return struct.pack(">H", counts[point["name"]])
        if kind == "pad": return b"\x80\0" * size
        if kind == "sunssf": return struct.pack(">h", -32768 if chance.random() < 0.05 else chance.randint(-4, 4))
        if kind == "string":
            text = "" if absent else "".join(chance.choice("ABCxyz019-") for _ in range(chance.randint(1, size * 2)))
            return text.encode().ljust(size * 2, b"\0")
        if kind in ("float32", "float64"):
            form = ">f" if kind == "float32" else ">d"
            return struct.pack(form, float("nan") if absent else chance.uniform(-1e6, 1e6))
        bits = size * 16
        signed = kind.startswith("int")
        if kind.startswith("enum"):
            known = [s["value"] for s in point.get("symbols", [])]
            value = 2 ** bits - 1 if absent else chance.choice(known) if known else chance.randrange(2 ** bits - 1)
        elif kind.startswith("acc"):
            value = 0 if absent else chance.randrange(1, 2 ** bits)
        elif signed:
            value = 2 ** (bits - 1) if absent else chance.choice([chance.randrange(2 ** (bits - 1)), 2 ** bits - 1 - chance.randrange(2 ** (bits - 1) - 1)])
        else:
            value = 2 ** bits - 1 if absent else chance.randrange(2 ** bits - 1)
        return value.to_bytes(size * 2, "big")
    def body(group, counts, skip):
        data = b"".join(word(p, counts) for p in group["points"] if p["name"] not in skip)
        for inner in group.get("groups", []):
            count = inner.get("count")
            times = 1 if count is None else chance.randint(1, 3) if count == 0 else counts.get(count, count)
            for _ in range(times):
                data += body(inner, counts, ())
        return data
    def names(group):
        found = {g["count"] for g in group.get("groups", []) if isinstance(g.get("count"), str)}
        for g in group.get("groups", []): found |= names(g)
        return found
    def normal(name): return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-").lower()
    def load(number): return json.load(open(os.path.join(folder, f"model_{number}.json")))
    # Models that spell names otherwise than their siblings, whose names the table has for all.
    named = {a: {p["name"]: p.get("symbols", []) for p in load(b)["group"]["points"]} for a, b in ((111, 112), (201, 203))}
    def values(group, offset, result, top=True):
        for point in group.points.values():
            kind, name = point.pdef["type"], point.pdef["name"]
            if (top and name in ("ID", "L")) or kind in ("sunssf", "pad"): continue
            value = point.value
            if value is not None and point.sf is not None and point.sf_required:
                factor = group.points.get(point.sf) or group.model.points.get(point.sf)
                value = None if factor.value is None else point.cvalue
            elif value is not None and point.sf_required:
                value = point.cvalue
            listed = named.get(group.model.model_id, {}).get(name, point.pdef.get("symbols", []))
            symbols = {s["value"]: normal(s["name"]) for s in listed}
            if value is not None and symbols and kind.startswith("enum"): value = symbols.get(value, value)
            if value is not None and symbols and kind.startswith("bitfield"):
                value = [text for bit, text in symbols.items() if value >> bit & 1]
            if value == "" or value == "\0": value = None
            result[str(offset + point.offset)] = value
        for inner in group.groups.values():
            for one in inner if isinstance(inner, list) else [inner]: values(one, offset, result, False)
    chains = []
    for number in [IDS]:
        definition = load(number)
        counts = {name: chance.randint(1, 4) for name in names(definition["group"])}
        data = body(definition["group"], counts, ("ID", "L"))
        length = len(data) // 2
        whole = struct.pack(">HH", number, length) + data
        model = client.SunSpecModbusClientModel(model_id=number, model_addr=40002, model_len=length, data=whole)
        result = {}
        values(model, 40002, result)
        registers = [0x5375, 0x6E53, *struct.unpack(f">{length + 2}H", whole), 0xFFFF, 0]
        chains.append({"registers": registers, "values": result})
    print(json.dumps(chains))
    """#
}
