import Documents
import KubernetesAPI
import Logging
import Resources

enum Fixtures {
  /// A namespaced kind with status, columns and a schema of many shapes.
  static let gadget = definition(
    kind: "Gadget", plural: "gadgets", scope: "Namespaced",
    schema: [
      "type": "object", "description": "A gadget.",
      "properties": [
        "spec": [
          "type": "object", "description": "What is wanted.", "required": ["size"],
          "properties": [
            "size": ["type": "integer", "description": "How large."],
            "free": ["type": "object", "x-kubernetes-preserve-unknown-fields": true],
            "either": ["x-kubernetes-int-or-string": true, "anyOf": [["type": "integer"], ["type": "string"]]],
            "maybe": ["type": "string", "nullable": true, "default": "a"],
            "names": ["type": "array", "items": ["type": "string"]],
            "map": ["type": "object", "additionalProperties": ["type": "number"]],
          ],
        ],
        "status": ["type": "object", "properties": ["state": ["type": "string"]]],
      ],
    ],
    columns: [["name": "Size", "type": "integer", "jsonPath": ".spec.size"]], hasStatus: true)

  /// A cluster-scoped kind that can only be read and patched.
  static let station = definition(
    kind: "Station", plural: "stations", scope: "Cluster", schema: ["type": "object"], columns: [], hasStatus: false,
    verbs: ["get", "list", "watch", "patch"])

  static func definition(
    group: String = "example.dev", kind: String, plural: String, scope: String, schema: JSONValue, columns: [JSONValue],
    hasStatus: Bool, verbs: [String] = ResourceDefinition.allVerbs
  ) -> ResourceDefinition {
    var version: JSONValue = [
      "name": "v1", "served": true, "schema": ["openAPIV3Schema": schema],
      "additionalPrinterColumns": .array(columns),
    ]
    if hasStatus { version["subresources"] = ["status": [:]] }
    return ResourceDefinition(
      crd: [
        "spec": [
          "group": .string(group), "scope": .string(scope),
          "names": [
            "plural": .string(plural), "kind": .string(kind), "shortNames": [.string(String(plural.prefix(3)))],
            "categories": ["all"],
          ],
          "versions": [version],
        ]
      ], verbs: verbs)!
  }

  static let noon = Timestamp("2026-11-21T12:00:00Z")!

  static func api(_ backend: RecordingBackend, maximumWatches: Int = 256) -> KubernetesAPI {
    KubernetesAPI(
      backends: [backend], now: { noon }, version: "0.1.0", logger: Logger(label: "test"),
      maximumWatches: maximumWatches)
  }
}

/// A reply with its body read to the end.
struct ReadReply {
  var code: Int
  var contentType: String
  var headers: [(name: String, value: String)]
  var bytes: [UInt8]
  var text: String { String(decoding: bytes, as: UTF8.self) }
  var json: JSONValue { (try? JSONValue(parsing: bytes)) ?? .null }
  func header(_ name: String) -> [String] { headers.filter { $0.name == name }.map(\.value) }
}

extension KubernetesAPI {
  /// Calls and reads; the lines of a watch end when its stream does.
  func send(
    _ method: APICall.Method?, _ target: String, accept: String = "application/json",
    contentType: String = "application/json", userAgent: String = "tester/1.0", ifNoneMatch: String = "",
    _ body: [UInt8] = []
  ) async throws -> ReadReply {
    let parts = target.split(separator: "?", maxSplits: 1).map(String.init)
    let reply = await reply(
      to: APICall(
        method: method, path: parts[0], query: APIQuery(parts.count > 1 ? parts[1] : ""), accept: accept,
        contentType: contentType, userAgent: userAgent, authority: "localhost:7070", ifNoneMatch: ifNoneMatch,
        body: body))
    var bytes: [UInt8] = []
    switch reply.body {
    case .bytes(let all): bytes = all
    case .list(var list): while let piece = try await list.next() { bytes += piece }
    case .watch(let watch):
      var lines = watch.makeLines()
      while let line = await lines.next() { bytes += line }
    }
    return ReadReply(code: reply.code, contentType: reply.contentType, headers: reply.headers, bytes: bytes)
  }

  func send(_ method: APICall.Method?, _ target: String, contentType: String = "application/json", json: JSONValue)
    async throws -> ReadReply
  {
    try await send(method, target, contentType: contentType, json.serialised())
  }
}
