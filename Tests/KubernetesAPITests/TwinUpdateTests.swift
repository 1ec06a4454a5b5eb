import Controllers
import DeviceKit
import Documents
import Foundation
import Logging
import Resources
import Synchronization
import Testing
import TwinStore

/// Desired values as clients send them: over HTTP to the twins, and from there to simulated devices.
@Suite("Updates of twins over HTTP", .timeLimit(.minutes(5)))
struct TwinUpdateTests {
  /// A device of one register that keeps everything that was written to it.
  final class Register: DeviceSession {
    let written = Mutex<[Double]>([])
    func run() async {}
    func read(_ properties: [String]) async -> [String: Result<Reading, DeviceError>] {
      let now = WallClock.system.now
      let value = written.withLock { $0.last ?? 0 }
      return Dictionary(
        uniqueKeysWithValues: properties.map {
          ($0, .success(Reading(.number(value), sourceTime: now, gatewayTime: now)))
        })
    }
    func write(_ writes: [PropertyWrite]) async -> [DeviceError?] {
      for write in writes { if let number = write.value.number { written.withLock { $0.append(number) } } }
      return writes.map { _ in nil }
    }
  }

  struct Place: Sendable {
    var server: RunningServer
    var twins: TwinStore
    var devices: [DeviceKey: Register]
  }

  static func withDevices(_ names: [String], _ body: @escaping @Sendable (Place) async throws -> Void) async throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("updates-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let twins = try TwinStore.open(directory: path, points: PointTable(), logger: logger)
    let backend = TwinBackend(twins: twins) { (patch, document) throws(APIStatus) in
      try JSONPatch.applying(patch, to: document)
    }
    var devices: [DeviceKey: Register] = [:]
    let definition = PropertyDefinition(
      name: "setpoint", type: .number, access: .readWrite, minimum: 0, maximum: 100_000)
    for name in names {
      let key = DeviceKey(namespace: "n", name: name)
      twins.attach(key, properties: [(definition, WriteRules())], writesEnabled: true)
      twins.connection(key, isConnected: true)
      devices[key] = Register()
    }
    let writer = DesiredStateWriter(twins: twins) { _ in }
    try await RunningServer.with([backend]) { [devices] server in
      try await withThrowingTaskGroup { group in
        for (key, session) in devices { group.addTask { await writer.run(device: key, session: session) } }
        try await body(Place(server: server, twins: twins, devices: devices))
        group.cancelAll()
      }
    }
    await twins.close()
  }

  static func path(_ name: String) -> String { "/apis/twin.selvedge.dev/v1alpha1/namespaces/n/twins/\(name)" }

  /// Sends merge patches one after another on one connection; the codes of the answers.
  static func patch(_ server: RunningServer, _ updates: [(name: String, value: Int)]) async throws -> [String] {
    let requests = updates.map { update in
      """
      url = "\(server.url)\(path(update.name))"
      request = "PATCH"
      header = "Content-Type: application/merge-patch+json"
      data = "{\\"spec\\":{\\"desired\\":{\\"setpoint\\":\(update.value)}}}"
      output = "/dev/null"
      write-out = "%{http_code}\\n"
      """
    }
    let run = try await Subprocess.run(
      "/usr/bin/curl", ["-sS", "-K", "-"], input: requests.joined(separator: "\nnext\n"), deadline: 240)
    return run.output.split(separator: "\n").map(String.init)
  }

  static func settled(_ place: Place, _ key: DeviceKey, _ value: Double) async -> Bool {
    let deadline = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < deadline {
      let setpoint = place.twins.snapshot(key)?["setpoint"]
      if setpoint?.state == .confirmed, setpoint?.target == .number(value) { return true }
      try? await Task.sleep(for: .milliseconds(5))
    }
    return false
  }

  @Test func twoThousandRisingValuesArriveInOrder() async throws {
    try await Self.withDevices(["a"]) { place in
      let codes = try await Self.patch(place.server, (1...2_000).map { ("a", $0) })
      #expect(codes.count == 2_000 && codes.allSatisfy { $0 == "200" })
      let key = DeviceKey(namespace: "n", name: "a")
      #expect(await Self.settled(place, key, 2_000))
      let written = place.devices[key]?.written.withLock { $0 } ?? []
      let inversions = zip(written, written.dropFirst()).count { $0 > $1 }
      #expect(
        inversions == 0 && written.last == 2_000 && !written.isEmpty, "\(written.count) writes reached the device")
    }
  }

  @Test func fiveQuickValuesToEachOfTwoHundredDevicesEndRight() async throws {
    let names = (0..<200).map { "d\($0)" }
    try await Self.withDevices(names) { place in
      try await withThrowingTaskGroup { group in
        for part in 0..<4 {
          group.addTask {
            let mine = names.indices.filter { $0 % 4 == part }
            let updates = mine.flatMap { index in (1...5).map { (names[index], index * 10 + $0) } }
            let codes = try await Self.patch(place.server, updates)
            #expect(codes.count == 250 && codes.allSatisfy { $0 == "200" })
          }
        }
        try await group.waitForAll()
      }
      var wrong = 0
      for (index, name) in names.enumerated() {
        let key = DeviceKey(namespace: "n", name: name)
        let isSettled = await Self.settled(place, key, Double(index * 10 + 5))
        if !isSettled || place.devices[key]?.written.withLock({ $0.last }) != Double(index * 10 + 5) { wrong += 1 }
      }
      #expect(wrong == 0)
    }
  }

  @Test func aMalformedUpdateIsRefusedAndTheNextOneWorks() async throws {
    try await Self.withDevices(["a"]) { place in
      let type = ["-X", "PATCH", "-H", "Content-Type: application/merge-patch+json", "-d"]
      let bodies = [
        #"{"spec":{"desired":{"setpoint":"#, #"{"spec":{"desired":7}}"#, #"{"spec":{"desired":{"setpoint":"warm"}}}"#,
        #"{"spec":{"desired":{"ghost":1}}}"#, #"[]"#, "", #"{"spec":{"desired":{"setpoint":{}}}}"#,
      ]
      for (index, body) in bodies.enumerated() {
        let refused = try await place.server.curl(Self.path("a"), type + [body])
        #expect((400..<500).contains(refused.code), "\(body): \(refused.code)")
        let value = index + 1
        let taken = try await place.server.curl(
          Self.path("a"), type + [#"{"spec":{"desired":{"setpoint":\#(value)}}}"#])
        #expect(taken.code == 200)
        #expect(await Self.settled(place, DeviceKey(namespace: "n", name: "a"), Double(value)))
      }
    }
  }

  @Test func aCommandIsCarriedOutAndItsKeyAnswersAgain() async throws {
    try await Self.withDevices(["a"]) { place in
      let post = ["-X", "POST", "-H", "Content-Type: application/json", "-d"]
      let body = #"{"kind":"TwinCommand","property":"setpoint","value":7,"idempotencyKey":"k","verify":true}"#
      for code in [201, 200] {
        let reply = try await place.server.curl(Self.path("a") + "/commands", post + [body])
        let answer = try JSONValue(parsing: reply.body)
        #expect(reply.code == code && answer["state"] == "Succeeded" && answer["reported"] == 7, "\(reply.body)")
        #expect(answer["kind"] == "TwinCommand" && answer["apiVersion"] == "twin.selvedge.dev/v1alpha1")
      }
      let refused = try await place.server.curl(
        Self.path("a") + "/commands", post + [#"{"property":"setpoint","value":100001}"#])
      #expect(refused.code == 422 && refused.body.contains("above the maximum 100000"))
      #expect(place.devices[DeviceKey(namespace: "n", name: "a")]?.written.withLock { $0 } == [7])
    }
  }
}
