public import Testing

/// One thing that a resource backend must do.
public struct ConformanceRule: Sendable, CustomTestStringConvertible {
  /// A sentence.
  public let name: String
  /// What a backend must be able to do for the rule to mean anything.
  public let needs: Set<BackendUnderTest.Ability>
  private let check: @Sendable (BackendUnderTest) async throws -> Void

  init(
    _ name: String, needs: Set<BackendUnderTest.Ability> = [],
    _ check: @escaping @Sendable (BackendUnderTest) async throws -> Void
  ) {
    self.name = name
    self.needs = needs
    self.check = check
  }

  public var testDescription: String { name }

  /// Checks the rule on a backend that no other rule has touched; what is broken is recorded as an issue.
  public func hold(on subject: BackendUnderTest) async throws { try await check(subject) }
}
