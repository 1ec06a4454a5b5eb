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
    let renderer = TableRenderer(definition)
    let rows = objects.map { object -> JSONValue in
      var row: JSONValue = ["cells": .array(renderer.cells(of: object, now: now))]
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
      "columnDefinitions": renderer.columnDefinitions, "rows": .array(rows),
    ]
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
