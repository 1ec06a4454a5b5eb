internal import DeviceKit
internal import Documents
internal import Resources
internal import TwinStore

extension TwinBackend {
  /// `twins/NAME/history`: what happened to the properties.
  static let history = NamedSubresource(
    name: "history", kind: "TwinHistory", verbs: [.get],
    parameters: ["property", "kind", "since", "until", "limit", "continue"],
    schema: [
      "type": "object", "description": "What happened to a twin's properties, the newest last.",
      "properties": [
        "metadata": ["type": "object"],
        "items": [
          "type": "array",
          "items": [
            "type": "object",
            "properties": [
              "time": ["type": "string", "format": "date-time", "description": "When it reached the gateway."],
              "version": ["type": "integer", "format": "int64", "description": "The twin's version with the change."],
              "property": ["type": "string"],
              "kind": [
                "type": "string", "enum": .array(TwinHistoryEntry.Kind.allCases.map { .string($0.name) }),
                "description":
                  "What happened: a wish, its state, a command, a local change that the spec overrules, a report.",
              ],
              "from": ["x-kubernetes-preserve-unknown-fields": true, "description": "The value or state before."],
              "to": ["x-kubernetes-preserve-unknown-fields": true, "description": "The value or state after."],
              "desired": ["x-kubernetes-preserve-unknown-fields": true, "description": "The wish that changed state."],
              "value": ["x-kubernetes-preserve-unknown-fields": true, "description": "A command's or local change's."],
              "by": ["type": "string", "description": "Who asked: spec, local/USER or command/USER."],
              "state": ["type": "string", "description": "How a command ended."],
              "reason": ["type": "string"], "message": ["type": "string"], "quality": ["type": "string"],
              "cause": ["type": "string", "description": "Why the quality is not Good."],
              "sourceTime": ["type": "string", "format": "date-time"],
              "skipped": ["type": "integer", "description": "Changes before this one that were too many to keep."],
            ],
          ],
        ],
      ],
    ])

  private static let longestPage = 5_000
  /// What any GET may carry.
  private static let common: Set = ["pretty", "timeout", "timeoutSeconds"]

  func historyDocument(_ key: ObjectKey, _ query: [QueryItem]) async throws(APIStatus) -> JSONValue {
    let query = try historyQuery(query)
    let page: TwinHistoryPage
    do throws(TwinError) {
      page = try await twins.history(query, of: DeviceKey(namespace: key.namespace, name: key.name))
    } catch {
      if case .invalid(let problems) = error { throw .badRequest(problems.map(\.message).joined(separator: ", ")) }
      throw status(error, key)
    }
    var metadata: JSONValue = [
      "name": .string(key.name), "namespace": .string(key.namespace), "resourceVersion": .string("\(page.version)"),
    ]
    if let older = page.older { metadata["continue"] = .string("\(older)") }
    return [
      "apiVersion": .string(Self.definition.apiVersion), "kind": .string(Self.history.kind), "metadata": metadata,
      "items": .array(page.entries.map(Self.item)),
    ]
  }

  private static func item(_ entry: TwinHistoryEntry) -> JSONValue {
    entry.details.merging([
      "time": .string(entry.time.description), "version": .integer(Int64(clamping: entry.version)),
      "property": .string(entry.property), "kind": .string(entry.kind.name),
    ])
  }

  /// Reads the parameters; throws 400 that names the one that is wrong.
  private func historyQuery(_ items: [QueryItem]) throws(APIStatus) -> TwinHistoryQuery {
    var query = TwinHistoryQuery()
    for item in items where !Self.common.contains(item.name) {
      switch item.name {
      case "property": query.property = item.value.isEmpty ? nil : item.value
      case "since": query.since = try moment(item)
      case "until": query.until = try moment(item)
      case "kind":
        for text in item.value.split(separator: ",") {
          guard let kind = TwinHistoryEntry.Kind(String(text)) else {
            let known = TwinHistoryEntry.Kind.allCases.map(\.name).joined(separator: ", ")
            throw .badRequest("kind \"\(text)\" is not known; kinds are \(known), several with commas between")
          }
          query.kinds.insert(kind)
        }
      case "limit":
        guard let limit = Int(item.value), (0...Self.longestPage).contains(limit) else {
          throw .badRequest("limit \"\(item.value)\" is no number from 1 to \(Self.longestPage)")
        }
        if limit > 0 { query.limit = limit }
      case "continue":
        guard let id = Int64(item.value), id > 0 else {
          throw .badRequest("continue \"\(item.value)\" is not what an earlier answer gave as metadata.continue")
        }
        query.before = id
      default:
        throw .badRequest(
          "the history knows no parameter \"\(item.name)\"; it takes \(Self.history.parameters.joined(separator: ", "))"
        )
      }
    }
    if let since = query.since, let until = query.until, since >= until {
      throw .badRequest("since must be before until")
    }
    return query
  }

  private func moment(_ item: QueryItem) throws(APIStatus) -> Timestamp {
    if let time = Timestamp(item.value) { return time }
    if let age = Self.age(item.value) { return Timestamp(nanoseconds: twins.now.nanoseconds - age.nanoseconds) }
    throw .badRequest(
      "\(item.name) \"\(item.value)\" is neither a time such as 2026-11-21T04:07:00Z nor a duration such as 15m, 36h or 7d"
    )
  }

  /// A duration as manifests write it, or whole days.
  private static func age(_ text: String) -> Duration? {
    if text.hasSuffix("d"), let days = Int(text.dropLast()), (0...36_500).contains(days) {
      return .seconds(days * 86_400)
    }
    return Duration(manifest: text)
  }
}
