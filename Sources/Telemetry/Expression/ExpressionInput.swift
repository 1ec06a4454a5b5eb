internal import DeviceKit
package import Documents
package import SinkKit

/// What an expression reads.
package enum ExpressionInput: Sendable, Hashable {
  /// The sample's number; a boolean counts as 1 or 0.
  case value
  /// Raw value of the sample's quality.
  case quality
  /// Seconds between the sample's source time and its arrival at the gateway.
  case age
  /// Whether something is true of the sample's series: 1 or 0.
  case predicate(SeriesPredicate)
  /// The last known number of a property of the device.
  case property(String)
  /// A figure over the last known numbers of all properties that the pattern names, of the device or of the group's
  /// devices.
  case figure(Figure, Glob)

  package enum Figure: String, Sendable, Hashable, CaseIterable {
    case sum, avg, min, max, count
  }
}

/// A comparison of texts that a series has or that are written down: true or false for a series as long as its
/// description stands.
package struct SeriesPredicate: Sendable, Hashable {
  package enum Text: Sendable, Hashable {
    case literal(String)
    case namespace, device, node, property, model, unit
    /// A label's value; empty where the series has none.
    case label(String)

    func value(of series: SeriesDescription) -> String {
      switch self {
      case .literal(let text): text
      case .namespace: series.device.namespace
      case .device: series.device.name
      case .node: series.node
      case .property: series.property
      case .model: series.model
      case .unit: series.unit
      case .label(let key): series.labels[key] ?? ""
      }
    }
  }

  package enum Test: Sendable, Hashable {
    case equals(Text)
    case matches(Glob)
  }

  var text: Text
  var test: Test

  package func holds(of series: SeriesDescription) -> Bool {
    let text = text.value(of: series)
    switch test {
    case .equals(let other): return text == other.value(of: series)
    case .matches(let glob): return glob.matches(text)
    }
  }
}
