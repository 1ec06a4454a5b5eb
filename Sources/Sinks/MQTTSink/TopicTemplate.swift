internal import DeviceKit
internal import MQTTClient
internal import SinkKit

/// A topic with names in braces, `plant/{device}/{property}`, taken apart once.
struct TopicTemplate: Sendable, Hashable {
  struct Problem: Error {
    var message: String
  }

  enum Part: Sendable, Hashable {
    case text(String)
    case namespace, node, model, device, property
  }

  private let parts: [Part]

  init(_ text: String) throws(Problem) {
    var parts: [Part] = []
    var rest = text[...]
    while let open = rest.firstIndex(of: "{") {
      if open > rest.startIndex { parts.append(.text(String(rest[..<open]))) }
      guard let close = rest[open...].firstIndex(of: "}") else {
        throw Problem(message: "'{' without '}' in '\(text)'")
      }
      let name = rest[rest.index(after: open)..<close]
      switch name {
      case "namespace": parts.append(.namespace)
      case "node": parts.append(.node)
      case "model": parts.append(.model)
      case "device": parts.append(.device)
      case "property": parts.append(.property)
      default:
        throw Problem(
          message: "'{\(name)}' is unknown; use {namespace}, {node}, {model}, {device} or {property}")
      }
      rest = rest[rest.index(after: close)...]
    }
    if !rest.isEmpty { parts.append(.text(String(rest))) }
    let fixed = parts.map { if case .text(let text) = $0 { text } else { "x" } }.joined()
    if let problem = TopicFilter.problem(ofTopic: fixed) { throw Problem(message: "'\(text)': \(problem)") }
    self.parts = parts
  }

  func topic(for series: SeriesDescription) -> String {
    var topic = ""
    for part in parts {
      switch part {
      case .text(let text): topic += text
      case .namespace: topic += series.device.namespace
      case .node: topic += series.node
      case .model: topic += series.model
      case .device: topic += series.device.name
      case .property: topic += series.property
      }
    }
    return topic
  }
}
