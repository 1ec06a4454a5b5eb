internal import DeviceKit

/// A name with words in braces, `plant/{device}/{property}`, taken apart once: what topics, measurements, metric names and
/// labels are made by.
///
/// Words are `namespace`, `node`, `device`, `property`, `model`, `unit`, `pipeline`, `field` and `label:KEY`, a label of the
/// Device. What stands behind a bar takes the place of a word that is empty: `{label:line|none}`.
public struct NameTemplate: Sendable, Hashable {
  /// What stands for a part of a record's name.
  public enum Word: Sendable, Hashable {
    case namespace, node, device, property, model, unit, pipeline, field
    case label(String)
  }

  /// Why a text is no template; the caller says which field has it.
  public struct Problem: Error, Sendable, Hashable, CustomStringConvertible {
    public var description: String
  }

  public enum Part: Sendable, Hashable {
    case text(String)
    case word(Word, fallback: String)
  }

  public let parts: [Part]

  /// Takes `text` apart. `{field}`, the name of one value of a record, is known only where `namesFields`.
  public init(_ text: String, namesFields: Bool = false) throws(Problem) {
    var parts: [Part] = []
    var rest = text[...]
    while let open = rest.firstIndex(of: "{") {
      if open > rest.startIndex { parts.append(.text(String(rest[..<open]))) }
      guard let close = rest[open...].firstIndex(of: "}") else {
        throw Problem(description: "'{' without '}' in '\(text)'")
      }
      let inside = rest[rest.index(after: open)..<close]
      let halves = inside.split(separator: "|", maxSplits: 1, omittingEmptySubsequences: false)
      guard let word = Word(halves[0]), word != .field || namesFields else {
        let names = Word.plain.map { "{\($0.name)}" } + (namesFields ? ["{field}"] : [])
        throw Problem(
          description: "'{\(halves[0])}' is unknown; use \(names.joined(separator: ", ")) or {label:KEY}")
      }
      parts.append(.word(word, fallback: halves.count > 1 ? String(halves[1]) : ""))
      rest = rest[rest.index(after: close)...]
    }
    if !rest.isEmpty { parts.append(.text(String(rest))) }
    self.parts = parts
  }

  /// The text with a word's stand-in for every word: what the receiver's rules for fixed text are checked on.
  public func sample(_ standIn: String = "x") -> String {
    parts.map { part in
      switch part {
      case .text(let text): text
      case .word: standIn
      }
    }.joined()
  }

  /// The name of a record, or of one of its fields. `escape` makes each word's text fit for the receiver; what the
  /// template itself says stays as it is.
  public func name(
    of record: TelemetryRecord, field: String = "", escape: (String) -> String = { $0 }
  ) -> String {
    name(of: record.series, pipeline: record.pipeline, field: field, escape: escape)
  }

  /// The name of a series.
  public func name(
    of series: SeriesDescription, pipeline: String = "", field: String = "", escape: (String) -> String = { $0 }
  ) -> String {
    var name = ""
    for part in parts {
      switch part {
      case .text(let text): name += text
      case .word(let word, let fallback):
        let value = word.value(series, pipeline, field)
        name += escape(value.isEmpty ? fallback : value)
      }
    }
    return name
  }
}

extension NameTemplate.Word {
  fileprivate static let plain: [NameTemplate.Word] = [
    .namespace, .node, .device, .property, .model, .unit, .pipeline,
  ]

  fileprivate init?(_ text: Substring) {
    if text.hasPrefix("label:"), text.utf8.count > 6 {
      self = .label(String(text.dropFirst(6)))
      return
    }
    guard let word = (Self.plain + [.field]).first(where: { $0.name == text }) else { return nil }
    self = word
  }

  fileprivate var name: String {
    switch self {
    case .namespace: "namespace"
    case .node: "node"
    case .device: "device"
    case .property: "property"
    case .model: "model"
    case .unit: "unit"
    case .pipeline: "pipeline"
    case .field: "field"
    case .label(let key): "label:\(key)"
    }
  }

  fileprivate func value(_ series: SeriesDescription, _ pipeline: String, _ field: String) -> String {
    switch self {
    case .namespace: series.device.namespace
    case .node: series.node
    case .device: series.device.name
    case .property: series.property
    case .model: series.model
    case .unit: series.unit
    case .pipeline: pipeline
    case .field: field
    case .label(let key): series.labels[key] ?? ""
    }
  }
}
