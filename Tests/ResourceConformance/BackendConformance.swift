/// What every ``ResourceBackend`` does, whatever is behind it: one rule a test, each on a backend of its own.
///
/// A test target runs `@Test(arguments: BackendConformance.rules(for: abilities))` and gives every rule a fresh
/// ``BackendUnderTest``.
public enum BackendConformance {
  public static let rules: [ConformanceRule] =
    creating + updating + patching + dryRunning + applying + owning + deleting + collecting + listing + watching

  /// The rules that a backend of these abilities can be asked to keep.
  public static func rules(for abilities: Set<BackendUnderTest.Ability>) -> [ConformanceRule] {
    rules.filter { $0.needs.isSubset(of: abilities) }
  }
}
