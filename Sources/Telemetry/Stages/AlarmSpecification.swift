public import SinkKit

extension PipelineSpecification {
  /// Watches a condition and tells when it comes and when it goes.
  public struct Alarm: Sendable, Hashable {
    public enum Severity: String, Sendable, Hashable, CaseIterable {
      case info = "Info"
      case warning = "Warning"
      case critical = "Critical"
    }
    public var name: String
    /// 1 where the alarm is to be raised, plus 2 where it is to be cleared.
    let condition: Expression
    /// How long the condition must hold before it is raised, and the clearing one before it is cleared.
    public var onDelay: Duration
    public var offDelay: Duration
    public var severity: Severity
    public var message: NameTemplate?
    /// How old a property's last known value may be, in source time; nil: any age.
    public var maximumAge: Duration?

    /// Whether each series has the alarm by itself: the condition reads the sample. Else each device has.
    var isPerSeries: Bool { condition.readsSample }
  }
}

extension PipelineSpecification.Alarm {
  init(_ stage: SpecificationReader) throws(SpecificationError) {
    var reader = stage
    guard let name = try reader.string("name"), !name.isEmpty else { throw reader.error("name", "is required") }
    let when = try reader.expression("when", scope: .sampleAndDevice)
    let clear = try reader.expression("clear", scope: .sampleAndDevice)
    let above = try reader.number("above")
    let below = try reader.number("below")
    let hysteresis = try reader.number("hysteresis")
    guard (when != nil) != (above != nil || below != nil) else {
      throw SpecificationError(path: reader.path, message: "needs either when, or above or below or both")
    }
    if clear != nil, when == nil {
      throw reader.error("clear", "goes with when; beside above and below write hysteresis")
    }
    if let hysteresis {
      guard when == nil else { throw reader.error("hysteresis", "goes with above and below; beside when write clear") }
      guard hysteresis >= 0 else { throw reader.error("hysteresis", "must not be negative") }
    }
    if let above, let below, below + (hysteresis ?? 0) >= above - (hysteresis ?? 0) {
      throw reader.error(
        "below", "must lie below above, by more than twice the hysteresis: else nothing would clear it")
    }
    let raise = when?.node ?? Self.outside(above: above, below: below)
    let restore = clear?.node ?? when.map { Self.not($0.node) } ?? Self.within(above, below, hysteresis ?? 0)
    do {
      condition = try Expression(Self.both(raise, restore), scope: .sampleAndDevice, result: .number)
    } catch let fault {
      throw reader.error("when", "\(fault)")
    }
    guard condition.readsProperties || condition.readsSample else {
      throw reader.error("when", "reads neither the sample nor a property: nothing would trigger it")
    }
    self.name = name
    onDelay = try reader.duration("for", allowingZero: true) ?? .zero
    offDelay = try reader.duration("clearFor", allowingZero: true) ?? .zero
    severity = try reader.choice("severity") ?? .warning
    maximumAge = try reader.duration("maxAge")
    if let text = try reader.string("message") { message = try reader.template("message", text) }
    try reader.finish()
  }

  private static func not(_ node: ExpressionNode) -> ExpressionNode { ExpressionNode(.unary(.not, node)) }

  private static func compare(_ operation: ExpressionNode.Binary, _ bound: Double) -> ExpressionNode {
    ExpressionNode(.binary(operation, ExpressionNode(.name("value")), ExpressionNode(.number(bound))))
  }

  private static func outside(above: Double?, below: Double?) -> ExpressionNode {
    let parts = [above.map { compare(.greater, $0) }, below.map { compare(.less, $0) }].compactMap { $0 }
    return parts.dropFirst().reduce(parts[0]) { ExpressionNode(.binary(.or, $0, $1)) }
  }

  private static func within(_ above: Double?, _ below: Double?, _ hysteresis: Double) -> ExpressionNode {
    let parts = [
      above.map { compare(.lessOrEqual, $0 - hysteresis) }, below.map { compare(.greaterOrEqual, $0 + hysteresis) },
    ].compactMap { $0 }
    return parts.dropFirst().reduce(parts[0]) { ExpressionNode(.binary(.and, $0, $1)) }
  }

  /// `if(raise, 1, 0) + if(clear, 2, 0)`.
  private static func both(_ raise: ExpressionNode, _ clear: ExpressionNode) -> ExpressionNode {
    func mark(_ node: ExpressionNode, _ number: Double) -> ExpressionNode {
      ExpressionNode(.call("if", [node, ExpressionNode(.number(number)), ExpressionNode(.number(0))]))
    }
    return ExpressionNode(.binary(.add, mark(raise, 1), mark(clear, 2)))
  }
}
