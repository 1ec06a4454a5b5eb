public import Documents

/// The columns of one kind, ready to make rows: what ``Table`` renders, object by object.
public struct TableRenderer: Sendable {
  private let columns: [ResourceDefinition.Column]
  private let paths: [ColumnPath]

  public init(_ definition: ResourceDefinition) {
    columns = definition.columns.isEmpty ? [Self.ageColumn] : definition.columns
    paths = columns.map { ColumnPath($0.jsonPath) }
  }

  /// The Table's columnDefinitions: Name, then the kind's own columns, or Age where it has none.
  public var columnDefinitions: JSONValue {
    var definitions: [JSONValue] = [
      [
        "name": "Name", "type": "string", "format": "name", "priority": 0,
        "description": "The object's name, unique among its kind in its namespace.",
      ]
    ]
    definitions += columns.map { column in
      [
        "name": .string(column.name), "type": .string(column.type),
        "format": .string(column.counts ? "" : column.format),
        "description": .string(column.description), "priority": .integer(Int64(column.priority)),
      ]
    }
    return .array(definitions)
  }

  /// The parts of an object that ``cells(of:now:)`` reads.
  public var projection: JSONProjection {
    JSONProjection(paths: [["metadata", "name"]] + paths.flatMap(\.memberPaths))
  }

  /// One row's cells: the name, then a value for each column; null where its path finds nothing.
  public func cells(of object: JSONValue, now: Timestamp) -> [JSONValue] {
    var cells: [JSONValue] = [object[path: "metadata", "name"] ?? ""]
    for (column, path) in zip(columns, paths) {
      cells.append(
        column.counts
          ? .integer(Int64(path.count(in: object)))
          : Self.cell(path.values(in: object), type: column.type, now: now))
    }
    return cells
  }

  private static let ageColumn = ResourceDefinition.Column(
    name: "Age", type: "date", format: "", description: "Time since the object was created.",
    jsonPath: ".metadata.creationTimestamp", priority: 0)

  private static func cell(_ values: [JSONValue], type: String, now: Timestamp) -> JSONValue {
    guard let first = values.first, !first.isNull else { return .null }
    switch type {
    case "date":
      guard let text = first.string, let time = Timestamp(text) else { return "<invalid>" }
      return .string(Table.age(now - time))
    case "integer": return first.integer.map { .integer($0) } ?? .null
    case "number": return first.number == nil ? .null : first
    case "boolean": return first.bool.map { .bool($0) } ?? .null
    default:
      let texts = values.map { $0.string ?? $0.description }
      return .string(texts.joined(separator: ","))
    }
  }
}
