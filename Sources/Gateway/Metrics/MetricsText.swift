/// Builds the Prometheus text exposition format, version 0.0.4
/// (prometheus.io/docs/instrumenting/exposition_formats, section Text-based format).
public struct MetricsText {
  public enum Kind: String {
    case counter, gauge, summary
  }

  /// The Content-Type that the text must be served with.
  public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  public private(set) var text = ""

  public init() {}

  /// Adds one metric family: its samples, each with labels. A family without samples is left out.
  public mutating func family(
    _ name: String, _ kind: Kind, _ help: String, _ samples: [(labels: [(String, String)], value: Double)]
  ) {
    guard !samples.isEmpty else { return }
    head(name, kind, help)
    for sample in samples { line(name, sample.labels, sample.value) }
  }

  /// Adds a summary without quantiles: how many there were, and what they come to together. Their ratio is the mean.
  public mutating func summary(
    _ name: String, _ help: String, _ samples: [(labels: [(String, String)], sum: Double, count: UInt64)]
  ) {
    guard !samples.isEmpty else { return }
    head(name, .summary, help)
    for sample in samples {
      line(name + "_sum", sample.labels, sample.sum)
      line(name + "_count", sample.labels, Double(sample.count))
    }
  }

  private mutating func head(_ name: String, _ kind: Kind, _ help: String) {
    text += "# HELP \(name) \(MetricsText.escaped(help, quotes: false))\n# TYPE \(name) \(kind.rawValue)\n"
  }

  private mutating func line(_ name: String, _ labels: [(String, String)], _ value: Double) {
    text += name
    if !labels.isEmpty {
      let labels = labels.map { "\($0.0)=\"\(MetricsText.escaped($0.1, quotes: true))\"" }
      text += "{\(labels.joined(separator: ","))}"
    }
    text += " \(MetricsText.number(value))\n"
  }

  private static func escaped(_ text: String, quotes: Bool) -> String {
    var result = ""
    for character in text {
      switch character {
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\"" where quotes: result += "\\\""
      default: result.append(character)
      }
    }
    return result
  }

  private static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    if value == value.rounded(), value.magnitude < 1e15 { return Int64(value).description }
    return value.description
  }
}
