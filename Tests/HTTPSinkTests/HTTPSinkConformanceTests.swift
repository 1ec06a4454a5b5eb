import Documents
import SinkConformance
import SinkKit
import TestSupport
import Testing

@Suite struct HTTPSinkConformanceTests {
  private static let secret = "s3cret-t0ken"

  private func subject(_ kind: Kind, _ more: JSONValue = [:]) async throws -> SinkUnderTest {
    let scheme = kind.fragment["influx"]?["bucket"] == nil ? "Bearer" : "Token"
    let receiver = try await ForeignReceiver(["--token", "\(scheme) \(Self.secret)"])
    let credentials = TestCredentials(secrets: ["good": ["token": Self.secret + "\n"], "bad": ["token": "wr0ng-t0ken"]])
    let url = receiver.url(kind.path)
    return SinkUnderTest(
      writer: { try kind.writer(url, more.merging(["tokenSecretRef": ["name": "good"]]), credentials) },
      received: { try await receiver.arrivals() }, takeAway: { receiver.kill() },
      bringBack: { try await receiver.start() }, poison: SinkUnderTest.sample(0, property: "poison"),
      misconfigured: { try kind.writer(url, more.merging(["tokenSecretRef": ["name": "bad"]]), credentials) },
      secrets: [Self.secret, "wr0ng-t0ken"])
  }

  private static let everything = Set(SinkUnderTest.Ability.allCases)
  /// Names have no line ends there, and an integer past the signed range only InfluxDB 2 takes.
  private static let lines = everything.subtracting([.anyNames, .objects])
  private static let numbers: Set<SinkUnderTest.Ability> = [.outage, .refusal, .credentials]

  @Test(arguments: SinkConformance.rules(for: everything))
  func `JSON`(rule: SinkRule) async throws { try await rule.hold(on: try await subject(.json)) }

  @Test(arguments: SinkConformance.rules(for: everything))
  func `lines of JSON`(rule: SinkRule) async throws { try await rule.hold(on: try await subject(.ndjson)) }

  @Test(arguments: SinkConformance.rules(for: lines.subtracting([.exactIntegers])))
  func `line protocol for InfluxDB 1`(rule: SinkRule) async throws {
    try await rule.hold(on: try await subject(.influx))
  }

  @Test(arguments: SinkConformance.rules(for: lines))
  func `line protocol for InfluxDB 2`(rule: SinkRule) async throws {
    try await rule.hold(on: try await subject(.influx2))
  }

  @Test(arguments: SinkConformance.rules(for: numbers.union([.anyNames])))
  func `remote write 1`(rule: SinkRule) async throws { try await rule.hold(on: try await subject(.remoteWrite1)) }

  @Test(arguments: SinkConformance.rules(for: numbers.union([.anyNames])))
  func `remote write 2`(rule: SinkRule) async throws { try await rule.hold(on: try await subject(.remoteWrite2)) }

  @Test(arguments: SinkConformance.rules(for: numbers.union([.anyNames])))
  func `OTLP`(rule: SinkRule) async throws { try await rule.hold(on: try await subject(.otlp)) }

  @Test(arguments: [Kind.json, .remoteWrite2, .otlp], SinkConformance.rules(for: numbers))
  func `several requests at a time`(kind: Kind, rule: SinkRule) async throws {
    try await rule.hold(on: try await subject(kind, ["concurrency": 4]))
  }
}
