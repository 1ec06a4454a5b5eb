public import Documents

/// Renders objects as a meta.k8s.io/v1 Table: what `kubectl get` prints.
public enum Table {
  /// What each row carries of its object.
  public enum IncludeObject: String, Sendable {
    case none = "None"
    case metadata = "Metadata"
    case object = "Object"
  }

  /// A Table with one row for each object. The first column is Name; then the definition's columns, or Age where the
  /// kind has none. `date` cells are ages relative to `now` (`5m`); a cell whose path finds nothing is null.
  /// `listMetadata` becomes the Table's metadata.
  public static func rendered(
    _ objects: [JSONValue], of definition: ResourceDefinition, include: IncludeObject, now: Timestamp,
    listMetadata: JSONValue
  ) -> JSONValue {
    let columns = definition.columns.isEmpty ? [ageColumn] : definition.columns
    let paths = columns.map { ColumnPath($0.jsonPath) }
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
    let rows = objects.map { object -> JSONValue in
      var cells: [JSONValue] = [object[path: "metadata", "name"] ?? ""]
      for (column, path) in zip(columns, paths) {
        guard !column.counts else {
          cells.append(.integer(Int64(path.count(in: object))))
          continue
        }
        cells.append(cell(path.values(in: object), type: column.type, now: now))
      }
      var row: JSONValue = ["cells": .array(cells)]
      switch include {
      case .none: break
      case .metadata:
        row["object"] = [
          "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"] ?? [:],
        ]
      case .object: row["object"] = object
      }
      return row
    }
    return [
      "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": listMetadata,
      "columnDefinitions": .array(definitions), "rows": .array(rows),
    ]
  }

  private static let ageColumn = ResourceDefinition.Column(
    name: "Age", type: "date", format: "", description: "Time since the object was created.",
    jsonPath: ".metadata.creationTimestamp", priority: 0)

  private static func cell(_ values: [JSONValue], type: String, now: Timestamp) -> JSONValue {
    guard let first = values.first, !first.isNull else { return .null }
    switch type {
    case "date":
      guard let text = first.string, let time = Timestamp(text) else { return "<invalid>" }
      return .string(age(now - time))
    case "integer": return first.integer.map { .integer($0) } ?? .null
    case "number": return first.number == nil ? .null : first
    case "boolean": return first.bool.map { .bool($0) } ?? .null
    default:
      let texts = values.map { $0.string ?? $0.description }
      return .string(texts.joined(separator: ","))
    }
  }

  /// A span as kubectl prints it: two units at most, coarser the longer it is (`42s`, `5m10s`, `3h5m`, `2d4h`, `3y`).
  public static func age(_ span: Duration) -> String {
    let seconds = Int(span.nanoseconds / 1_000_000_000)
    if seconds < -1 { return "<invalid>" }
    if seconds < 0 { return "0s" }
    func two(_ coarse: Int, _ coarseUnit: String, _ fine: Int, _ fineUnit: String) -> String {
      fine == 0 ? "\(coarse)\(coarseUnit)" : "\(coarse)\(coarseUnit)\(fine)\(fineUnit)"
    }
    let minutes = seconds / 60
    let hours = seconds / 3_600
    let days = hours / 24
    switch seconds {
    case ..<120: return "\(seconds)s"
    case ..<600: return two(minutes, "m", seconds % 60, "s")
    case ..<10_800: return "\(minutes)m"
    case ..<28_800: return two(hours, "h", minutes % 60, "m")
    case ..<172_800: return "\(hours)h"
    case ..<691_200: return two(days, "d", hours % 24, "h")
    case ..<63_072_000: return "\(days)d"
    case ..<252_288_000: return two(days / 365, "y", days % 365, "d")
    default: return "\(days / 365)y"
    }
  }
}
