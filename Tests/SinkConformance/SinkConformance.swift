public import Testing

/// What every sink does, whatever its receiver: one rule a test, each on a sink of its own.
///
/// A test target runs `@Test(arguments: SinkConformance.rules(for: abilities))` and gives every rule a fresh
/// ``SinkUnderTest``.
public enum SinkConformance {
  public static let rules: [SinkRule] = delivering + failing + naming

  /// The rules that a sink of these abilities can be asked to keep.
  public static func rules(for abilities: Set<SinkUnderTest.Ability>) -> [SinkRule] {
    rules.filter { $0.needs.isSubset(of: abilities) }
  }
}

/// One thing that a sink must do.
public struct SinkRule: Sendable, CustomTestStringConvertible {
  /// A sentence.
  public let name: String
  /// What a sink must be able to do for the rule to mean anything.
  public let needs: Set<SinkUnderTest.Ability>
  private let check: @Sendable (SinkUnderTest) async throws -> Void

  init(
    _ name: String, needs: Set<SinkUnderTest.Ability> = [],
    _ check: @escaping @Sendable (SinkUnderTest) async throws -> Void
  ) {
    self.name = name
    self.needs = needs
    self.check = check
  }

  public var testDescription: String { name }

  /// Checks the rule on a sink that no other rule has touched; what is broken is recorded as an issue.
  public func hold(on subject: SinkUnderTest) async throws { try await check(subject) }
}
