import DeviceKit
import Documents

/// Random JSON and damaged manifests.
struct FuzzDocuments {
  /// What users send, to be damaged.
  static let samples: [JSONValue] = [
    [
      "apiVersion": "test.dev/v1", "kind": "Widget", "metadata": ["name": "w1", "labels": ["line": "a"]],
      "spec": [
        "size": 3, "colour": "green", "parts": [["name": "p", "count": 2], ["name": "q"]], "tags": ["x", "y"],
        "steps": ["one", "two"], "extra": ["any": ["thing": [1, 2.5, nil, true]]],
      ], "status": ["phase": "Up", "ready": true],
    ],
    [
      "apiVersion": "selvedge.dev/v1alpha1", "kind": "Device",
      "metadata": ["name": "d1", "annotations": ["note": "x"], "finalizers": ["test.dev/hold"]],
      "spec": [
        "modelRef": ["name": "m"], "nodeName": "gw-1", "desired": ["setpoint": 55.5], "writes": "Enabled",
        "modbus": ["host": "127.0.0.1", "port": 502],
      ],
    ],
    ["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": "n1"]],
    [
      "apiVersion": "v1", "kind": "Event", "metadata": ["name": "e1"],
      "involvedObject": ["kind": "Device", "name": "d1"],
      "reason": "Found", "message": "m", "type": "Normal", "count": 1,
    ],
    ["kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Foreground", "preconditions": ["uid": "x"]],
  ]
  private static let words = [
    "", "a", "w1", "w2", "d1", "default", "kube-system", "Widget", "test.dev/v1", "spec", "metadata", "status", "name",
    "labels", "finalizers", "ownerReferences", "managedFields", "fieldsV1", "resourceVersion", "generateName", "uid",
    "size", "parts", "tags", "extra", "..", "/", "~0~1", "é\u{301}", "\u{0}", "🧵", "null", "0", "-1",
    "2026-11-21T04:00:00Z", String(repeating: "x", count: 300), "foregroundDeletion", "kubernetes.io/metadata.name",
  ]

  static func word(_ random: inout SplitMix64) -> String { random.pick(words) }

  static func value(_ random: inout SplitMix64, depth: Int = 4) -> JSONValue {
    switch random.upTo(depth > 0 ? 11 : 8) {
    case 0: return .null
    case 1: return .bool(random.once(in: 2))
    case 2: return .integer(Int64(truncatingIfNeeded: random.next()))
    case 3: return .integer(Int64(random.upTo(12)) - 1)
    case 4: return .unsigned(random.next() | 1 << 63)
    case 5:
      return .double(random.pick([1.5, -0.0, 1e308, 2.2250738585072014e-308, 3.0, 9_007_199_254_740_992, 1e19, -1e19]))
    case 6, 7, 8: return .string(word(&random))
    case 9: return .array((0..<random.upTo(4)).map { _ in value(&random, depth: depth - 1) })
    default:
      var members: [String: JSONValue] = [:]
      for _ in 0..<random.upTo(4) { members[word(&random)] = value(&random, depth: depth - 1) }
      return .object(members)
    }
  }

  /// The document with some of its nodes replaced, removed, added or doubled.
  static func damaged(_ document: JSONValue, _ random: inout SplitMix64, rate: Int = 12) -> JSONValue {
    if random.once(in: rate * 3) { return value(&random) }
    switch document {
    case .object(let members):
      var result: [String: JSONValue] = [:]
      // In an order that does not change from run to run.
      for (name, member) in members.sorted(by: { $0.key < $1.key }) {
        if random.once(in: rate) { continue }
        result[random.once(in: rate * 2) ? word(&random) : name] = damaged(member, &random, rate: rate)
      }
      if random.once(in: rate) { result[word(&random)] = value(&random) }
      return .object(result)
    case .array(let elements):
      var result = elements.map { damaged($0, &random, rate: rate) }
      if random.once(in: rate), let first = result.first { result.append(first) }
      if random.once(in: rate) { result.append(value(&random)) }
      return .array(result)
    default: return document
    }
  }

  static func jsonPatch(_ random: inout SplitMix64) -> JSONValue {
    .array(
      (0...random.upTo(4)).map { _ in
        let path = (0...random.upTo(3)).map { _ in
          "/"
            + (random.once(in: 3)
              ? word(&random) : random.pick(["spec", "metadata", "parts", "0", "-", "size", "labels"]))
        }
        var operation: JSONValue = [
          "op": .string(random.pick(["add", "remove", "replace", "move", "copy", "test", "jump"])),
          "path": .string(random.once(in: 20) ? word(&random) : path.joined()),
        ]
        if !random.once(in: 4) { operation["value"] = value(&random, depth: 2) }
        if random.once(in: 3) {
          operation["from"] = .string(random.pick(["/spec", "/metadata", "", "/spec/parts/0", "x"]))
        }
        return operation
      })
  }

  /// A text of the document that may be broken.
  static func text(of document: JSONValue, _ random: inout SplitMix64) -> [UInt8] {
    var bytes = document.serialised()
    switch random.upTo(24) {
    case 0: bytes = Array(bytes.prefix(random.upTo(bytes.count)))
    case 1: for _ in 0..<3 where !bytes.isEmpty { bytes[random.upTo(bytes.count - 1)] = UInt8(random.upTo(255)) }
    case 2: bytes += [0xC3, 0x28, 0xED, 0xA0, 0x80]
    case 3: bytes = Array(#"{"spec":{"size":1,"size":2},"spec":{},"metadata":{"name":"w1","name":"w2"}}"#.utf8)
    case 4:
      bytes = Array(
        "{\"spec\":{\"size\":\(random.pick(["1e999", "-0", "1E400", "0.\(String(repeating: "1", count: 5_000))", String(repeating: "9", count: 2_000), "NaN", "01", "0x1"]))}}"
          .utf8)
    case 5:
      let depth = random.pick([10, 127, 128, 129, 5_000])
      bytes = Array((String(repeating: #"{"a":"#, count: depth) + "1" + String(repeating: "}", count: depth)).utf8)
    case 6: bytes = [UInt8]((0..<random.upTo(200)).map { _ in UInt8(random.upTo(255)) })
    case 7: bytes = []
    default: break
    }
    return bytes
  }

  static func yaml(_ random: inout SplitMix64) -> [UInt8] {
    let texts = [
      "apiVersion: test.dev/v1\nkind: Widget\nmetadata: {name: w1}\nspec: {size: 3}\n",
      "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]\n", "a: *nowhere\n", "? [a, b]\n: c\n", "- a\n- b\n",
      "a: !!binary SGVsbG8=\nb: !tag x\n", "y: yes\nn: off\nd: 0o17\nt: 12:30:45\nx: .nan\ni: -.inf\n",
      "<<: {a: 1}\nb: 2\n",
      "a: 1\na: 2\n", "\tb: 1\n", "%YAML 9.9\n---\na\n", "--- a\n--- b\n", "'unfinished", "{a: [1, 2}\n",
      "|+\n  text\n\n\n",
      "apiVersion: test.dev/v1\nkind: Widget\nmetadata: {name: w2}\nspec:\n  extra: \"\\uD800\"\n",
    ]
    var bytes = Array(random.pick(texts).utf8)
    if random.once(in: 4), !bytes.isEmpty { bytes[random.upTo(bytes.count - 1)] = UInt8(random.upTo(255)) }
    return bytes
  }

  static func protobuf(_ random: inout SplitMix64) -> [UInt8] {
    var bytes: [UInt8] = [0x6B, 0x38, 0x73, 0x00]
    if random.once(in: 2) {
      // A Namespace "n2" as kubectl sends it.
      let type: [UInt8] = [0x0A, 0x02] + Array("v1".utf8) + [0x12, 0x09] + Array("Namespace".utf8)
      let raw: [UInt8] = [0x0A, 0x04, 0x0A, 0x02] + Array("n2".utf8)
      bytes += [0x0A, UInt8(type.count)] + type + [0x12, UInt8(raw.count)] + raw
    }
    for _ in 0..<random.upTo(12) {
      if random.once(in: 2), bytes.count > 5 {
        bytes[4 + random.upTo(bytes.count - 5)] = UInt8(random.upTo(255))
      } else {
        bytes.append(UInt8(random.upTo(255)))
      }
    }
    return bytes
  }
}
