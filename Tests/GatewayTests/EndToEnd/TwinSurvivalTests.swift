import DeviceKit
import Documents
import Foundation
import Synchronization
import TestSupport
import Testing

/// The real gateway, killed without warning again and again while twins are patched and devices report.
///
/// `SELVEDGE_KILL_ROUNDS` sets the number of kills, 5 unless said; the figures of each round are printed then.
@Suite struct TwinSurvivalTests {
  private static let devices = 4
  private static let rounds = ProcessInfo.processInfo.environment["SELVEDGE_KILL_ROUNDS"].flatMap { Int($0) }

  @Test(.timeLimit(.minutes(30)))
  func acknowledgedWishesVersionsAndReportedValuesOutliveKills() async throws {
    let clockServer = try await ClockServer()
    try await withGateway { gateway in
      let names = (0..<Self.devices).map { "clock-\($0)" }
      try await gateway.kubectl(
        "apply", "-f", "-",
        input: ([ClockServer.model] + names.map(clockServer.device)).joined(separator: "\n---\n"))
      for name in names { try await gateway.awaitCondition("Connected", of: "device", name, "True") }
      var random = SplitMix64(seed: 0x5E1)
      var worst: Int64 = 0
      var patches = 0
      let ledger = Ledger()
      for round in 0..<(Self.rounds ?? 5) {
        let began = ledger.acknowledged
        let span = Duration.milliseconds(Int.random(in: 20...1_500, using: &random))
        let killed = try await patching(names, ledger, server: gateway.server) {
          try await eventually("a wish is acknowledged in round \(round)", seen: { gateway.log }) {
            ledger.acknowledged > began
          }
          try await Task.sleep(for: span)
          gateway.process.end(SIGKILL)
          return ClockServer.now
        }
        patches += ledger.acknowledged - began
        try await gateway.crash {
          let left = try await LeftBehind(folder: gateway.dataDirectory + "/twins")
          #expect(left.integrity == "ok")
          for name in names {
            let stored = left.devices[name]?["setpoint"]
            #expect(
              ledger.isPossible(stored?.number.map { Int($0) }, for: name),
              "round \(round): \(name) has \(stored ?? .null), \(ledger.description(of: name))")
            let kept = ClockServer.time(left.devices[name]?["clock"]?.number ?? 0, near: killed)
            let age = ledger.age(of: name, stored: kept, at: killed)
            worst = max(worst, age)
            #expect(age <= ClockServer.interval + ClockServer.patience, "round \(round): \(name) is \(age) ms old")
          }
        }
        for name in names {
          let twin = try #require(try await gateway.object("twin", name))
          let version = UInt64(twin[path: "metadata", "resourceVersion"]?.string ?? "") ?? 0
          #expect(version > ledger.version(of: name), "round \(round): \(name)'s version has gone back")
          #expect(ledger.isPossible(twin[path: "spec", "desired", "setpoint"]?.int, for: name))
        }
        #expect(!gateway.log.contains("damaged"), "\(gateway.log)")
      }
      if let rounds = Self.rounds {
        print("\(rounds) kills, \(patches) acknowledged wishes, oldest reported value \(worst) ms")
      }
    }
  }

  /// Patches every twin without a pause while `body` runs.
  private func patching(
    _ names: [String], _ ledger: Ledger, server: String, _ body: () async throws -> Int64
  ) async throws -> Int64 {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for name in names {
        group.addTask {
          while !Task.isCancelled {
            let value = ledger.begin(name)
            let answer = try? await run([
              "curl", "-s", "-m", "10", "-X", "PATCH", "-H", "Content-Type: application/merge-patch+json", "-d",
              #"{"spec":{"desired":{"setpoint":\#(value)}}}"#,
              server + "/apis/twin.selvedge.dev/v1alpha1/namespaces/default/twins/" + name,
            ])
            guard let answer, answer.status == 0, let twin = try? JSONValue(parsing: Array(answer.output.utf8)),
              twin["kind"]?.string == "Twin"
            else { continue }
            let clock = twin[path: "status", "properties"]?.array?.first { $0["name"]?.string == "clock" }
            ledger.end(
              name, value, UInt64(twin[path: "metadata", "resourceVersion"]?.string ?? "") ?? 0,
              clock: clock?["reported"]?.number)
          }
        }
      }
      let result = try await body()
      group.cancelAll()
      try await group.waitForAll()
      return result
    }
  }
}

/// What was asked of each twin and what was acknowledged.
private final class Ledger: Sendable {
  private struct Entry {
    var acknowledged: Int?
    /// Asked for since, with no answer yet.
    var open: [Int] = []
    var version: UInt64 = 0
    /// What the twin showed of the clock since the last kill, each reading when it was first seen; ms.
    var shown: [(time: Int64, reading: Int64)] = []
  }
  private struct State {
    var entries: [String: Entry] = [:]
    var next = 0
    var acknowledged = 0
  }
  private let state = Mutex(State())

  var acknowledged: Int { state.withLock { $0.acknowledged } }

  /// A value between 20 and 9,999 that was not asked for lately.
  func begin(_ name: String) -> Int {
    state.withLock { state in
      state.next += 1
      let value = 20 + state.next % 9_979
      state.entries[name, default: Entry()].open.append(value)
      return value
    }
  }

  func end(_ name: String, _ value: Int, _ version: UInt64, clock: Double?) {
    let now = ClockServer.now
    state.withLock { state in
      state.acknowledged += 1
      let last = state.entries[name] ?? Entry()
      let shown = clock.map { [(now, ClockServer.time($0, near: now))] } ?? []
      state.entries[name] = Entry(
        acknowledged: value, version: max(last.version, version), shown: last.shown + shown)
    }
  }

  /// The last acknowledged value or one that was asked for after it.
  func isPossible(_ value: Int?, for name: String) -> Bool {
    state.withLock { state in
      let entry = state.entries[name] ?? Entry()
      return value == entry.acknowledged || value.map(entry.open.contains) ?? false
    }
  }

  /// For how long before the kill something newer than what is stored had been shown; 0: nothing was. Forgets what was
  /// shown.
  func age(of name: String, stored: Int64, at kill: Int64) -> Int64 {
    state.withLock { state in
      let newer = state.entries[name]?.shown.filter { $0.reading > stored && $0.time <= kill }.map(\.time).min()
      state.entries[name]?.shown = []
      return newer.map { kill - $0 } ?? 0
    }
  }

  func version(of name: String) -> UInt64 { state.withLock { $0.entries[name]?.version ?? 0 } }
  func description(of name: String) -> String { state.withLock { "\($0.entries[name] ?? Entry())" } }
}

/// What a killed gateway's file of twins holds, read by another program.
private struct LeftBehind {
  var integrity: String
  /// By device: `clock` as reported, `setpoint` as desired.
  var devices: [String: JSONValue]

  init(folder: String) async throws {
    let answer = try JSONValue(
      parsing: Array(try await run(["python3", "-c", Self.script, folder]).succeeded().utf8))
    integrity = answer["integrity"]?.string ?? ""
    devices = answer["devices"]?.object ?? [:]
  }

  private static let script = #"""
    import json, os, shutil, sqlite3, sys, tempfile
    with tempfile.TemporaryDirectory() as copy:
        for name in ("twin.db", "twin.db-wal"):
            if os.path.exists(os.path.join(sys.argv[1], name)):
                shutil.copy(os.path.join(sys.argv[1], name), copy)
        db = sqlite3.connect(os.path.join(copy, "twin.db"))
        devices = {}
        rows = db.execute("""SELECT device.name, property.name, reported.value, desired.value FROM device
            JOIN property ON property.device = device.id LEFT JOIN reported ON reported.property = property.id
            LEFT JOIN desired ON desired.property = property.id""")
        for device, name, reported, desired in rows:
            value = reported if name == "clock" else json.loads(desired) if desired else None
            devices.setdefault(device, {})[name] = value
        print(json.dumps({"integrity": db.execute("PRAGMA integrity_check").fetchone()[0], "devices": devices}))
    """#
}

/// A Modbus device in plain Python (Modbus Messaging on TCP/IP 1.0b) whose input registers 0 and 1 hold the time in ms, modulo 2^31.
private final class ClockServer {
  /// How often its model has reported values written, and what a busy machine may add to that; ms.
  static let interval: Int64 = 500
  static let patience: Int64 = 5_000

  private let port: Int
  private let process: ChildProcess

  init() async throws {
    let process = try ChildProcess(["python3", "-u", "-c", Self.script])
    self.process = process
    port = try await eventually("the clock is ready", seen: { process.errors }) {
      guard process.isRunning else { throw Trouble("the clock has ended: \(process.errors)") }
      return process.output.firstMatch(of: /ready ([0-9]+)\n/).flatMap { Int($0.1) }
    }
  }

  /// ms since 1970.
  static var now: Int64 { Int64(Date().timeIntervalSince1970 * 1_000) }

  /// The time that a reading tells, ms since 1970.
  static func time(_ reading: Double, near now: Int64) -> Int64 {
    let period = Int64(1) << 31
    let time = now / period * period + Int64(reading)
    return time > now + period / 2 ? time - period : time
  }

  static let model = """
    apiVersion: selvedge.dev/v1alpha1
    kind: DeviceModel
    metadata: {name: clock}
    spec:
      protocol: modbus
      persist: {every: \(interval)ms}
      properties:
      - {name: clock, type: integer, poll: {every: 50ms}, modbus: {table: input, address: 0, encoding: uint32}}
      - {name: setpoint, type: integer, access: ReadWrite, poll: {every: 100ms}, persist: {every: 0s},
         modbus: {table: holding, address: 40, encoding: uint16}}
    """

  func device(_ name: String) -> String {
    """
    apiVersion: selvedge.dev/v1alpha1
    kind: Device
    metadata: {name: \(name)}
    spec:
      modelRef: {name: clock}
      connection: {modbus: {tcp: {host: 127.0.0.1, port: \(port)}, unitID: 1, timeout: 1s}}
      writes: Enabled
    """
  }

  private static let script = #"""
    import asyncio, struct, time

    holding = [0] * 128

    def answer(pdu):
        code, address, last = struct.unpack(">BHH", pdu[:5])
        if code in (3, 4):
            now = int(time.time() * 1000) % 2**31
            table = [now >> 16, now & 0xFFFF] + [0] * 126 if code == 4 else holding
            values = table[address:address + last]
            return struct.pack(f">BB{len(values)}H", code, 2 * len(values), *values)
        holding[address] = last if code == 6 else struct.unpack(">H", pdu[6:8])[0]
        return pdu[:5]

    async def serve(reader, writer):
        try:
            while True:
                transaction, protocol, length, unit = struct.unpack(">HHHB", await reader.readexactly(7))
                reply = answer(await reader.readexactly(length - 1))
                writer.write(struct.pack(">HHHB", transaction, protocol, len(reply) + 1, unit) + reply)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def main():
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        print("ready", server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()
    asyncio.run(main())
    """#
}
