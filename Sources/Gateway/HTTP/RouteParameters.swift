internal import Documents
internal import KubernetesAPI
internal import Resources

/// The query of a request to one of the gateway's own routes. Every error is a 400 that names the parameter.
struct RouteParameters {
  private let query: APIQuery
  private let now: Timestamp

  /// Throws for a parameter that is not among `known`.
  init(_ text: String, known: [String], now: Timestamp) throws(APIStatus) {
    query = APIQuery(text)
    self.now = now
    if let unknown = query.items.first(where: { !known.contains($0.name) }) {
      throw .badRequest("\"\(unknown.name)\" is no parameter here; it takes \(known.joined(separator: ", "))")
    }
  }

  func text(_ name: String) -> String? { query[name] }

  /// A name, or a pattern with `*` and `?`.
  func pattern(_ name: String) throws(APIStatus) -> Glob? {
    guard let text = query[name] else { return nil }
    if let problem = Glob.problem(of: text) { throw .badRequest("\(name): \(problem)") }
    return Glob(text)
  }

  func list(_ name: String) -> [String] {
    query.all(name).flatMap { $0.split(separator: ",").map(String.init) }
  }

  func number(_ name: String, in range: ClosedRange<Int>, default standard: Int) throws(APIStatus) -> Int {
    guard let text = query[name] else { return standard }
    guard let number = Int(text), range.contains(number) else {
      throw .badRequest(
        "\(name): \"\(text)\" is no whole number between \(range.lowerBound) and \(range.upperBound)")
    }
    return number
  }

  /// A duration as manifests write it, or whole days.
  func duration(_ name: String) throws(APIStatus) -> Duration? {
    guard let text = query[name] else { return nil }
    guard let duration = Self.duration(of: text), duration > .zero else {
      throw .badRequest("\(name): \"\(text)\" is no duration such as 30s, 5m, 1h or 7d")
    }
    return duration
  }

  /// A time, `now`, or how long ago: `-1h` or `1h`.
  func moment(_ name: String, default standard: Duration) throws(APIStatus) -> Timestamp {
    guard let text = query[name] else { return now + (.zero - standard) }
    if text == "now" { return now }
    if let time = Timestamp(text) { return time }
    guard let age = Self.duration(of: text.hasPrefix("-") ? String(text.dropFirst()) : text) else {
      throw .badRequest(
        "\(name): \"\(text)\" is neither a time such as 2026-11-21T04:07:00Z nor how long ago, as -1h or -7d")
    }
    return now + (.zero - age)
  }

  private static func duration(of text: String) -> Duration? {
    if text.hasSuffix("d"), let days = Int(text.dropLast()), (0...36_500).contains(days) {
      return .seconds(days * 86_400)
    }
    return Duration(manifest: text)
  }
}
