import DeviceKit
import Documents
import Foundation
import ModbusProtocol
import Testing

/// Two pseudo-terminals that socat ties together, one end for the gateway and one for a device.
final class SerialCable {
  let gateway: String
  let device: String
  private let folder: URL
  private let process = Process()

  init() async throws {
    folder = URL(fileURLWithPath: NSTemporaryDirectory()).appendingPathComponent("cable-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    gateway = folder.appendingPathComponent("gateway").path
    device = folder.appendingPathComponent("device").path
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["socat", "pty,raw,echo=0,link=\(gateway)", "pty,raw,echo=0,link=\(device)"]
    process.standardError = FileHandle.nullDevice
    try process.run()
    let paths = [gateway, device]
    guard await eventually({ paths.allSatisfy { FileManager.default.fileExists(atPath: $0) } }) else {
      throw TestTrouble("socat made no pseudo-terminals; is it installed?")
    }
  }

  func cut() {
    guard process.isRunning else { return }
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    try? FileManager.default.removeItem(at: folder)
  }
}

@Suite(.serialized) struct SerialTests {
  private let properties = [
    property("setpoint", .number, .readWrite, ["table": "holding", "address": 40, "encoding": "int16", "scale": 0.1]),
    property("flow", .integer, ["table": "input", "address": 10]),
    property("pump", .boolean, .readWrite, ["table": "coil", "address": 3]),
  ]

  private func serial(_ path: String, unit: Int64) -> JSONValue {
    ["serial": ["path": .string(path), "baudRate": 19_200], "unitID": .integer(unit), "timeout": "500ms"]
  }

  @Test func devicesOnALineArePolledWrittenAndReadBack() async throws {
    let cable = try await SerialCable()
    defer { cable.cut() }
    let server = LibmodbusSerialServer(cable.device)
    let plugin = ModbusPlugin()
    let feeds = [CollectingFeed(), CollectingFeed()]
    let sessions = try feeds.enumerated().map { index, feed in
      try plugin.session(
        for: sessionRequest(properties, connection: serial(cable.gateway, unit: Int64(index + 1))), feed: feed)
    }
    #expect(
      await sessions[0].write([
        PropertyWrite(property: "setpoint", value: .number(55.5)),
        PropertyWrite(property: "pump", value: .boolean(true)),
      ]) == [nil, nil])
    let tasks = sessions.map { session in Task { await session.run() } }
    defer { tasks.forEach { $0.cancel() } }
    #expect(await eventually { feeds[0].last(0)?.value == .number(55.5) && feeds[0].last(2)?.value == .boolean(true) })
    #expect(feeds[0].last(1)?.value == .integer(1010))
    #expect(await eventually { feeds[1].last(0)?.cause.hasPrefix("Timeout: ") ?? false }, "unit 2 is not on the line")
    #expect(feeds[0].connections.last == .connected)
    await server.stop()
    cable.cut()
    #expect(
      await eventually { feeds[0].last(0)?.cause.hasPrefix("PortNotFound: ") ?? false },
      "\(feeds[0].last(0)?.cause ?? "")")
    for task in tasks {
      task.cancel()
      await task.value
    }
  }

  @Test func aQuietLineIsScannedAfterListening() async throws {
    let cable = try await SerialCable()
    defer { cable.cut() }
    let server = LibmodbusSerialServer(cable.device)
    let path = cable.gateway
    let (report, audit) = try await firstReport(
      [
        "serial": [
          "discoveryRef": ["name": "adapters"], "allowActiveScan": true, "baudRates": [19_200], "unitIDs": ["1-3"],
        ]
      ],
      ports: [path])
    await server.stop()
    #expect(report.devices.map(\.stableID) == ["\(path) unit 1"])
    #expect(report.devices.first?.identity["serverID"]?.hasPrefix("LMB") == true)
    #expect(report.devices.first?.connection[path: "serial", "baudRate"] == 19_200)
    #expect(report.warnings.isEmpty && !audit.isEmpty)
  }

  @Test func aLineWhereSomebodySpeaksIsLeftAlone() async throws {
    let cable = try await SerialCable()
    defer { cable.cut() }
    let descriptor = open(cable.device, O_RDWR | O_NOCTTY | O_NONBLOCK)
    defer { close(descriptor) }
    let chatter = Task {
      while !Task.isCancelled {
        _ = write(descriptor, "hello", 5)
        try? await Task.sleep(for: .milliseconds(50))
      }
    }
    defer { chatter.cancel() }
    let (report, audit) = try await firstReport(
      ["serial": ["paths": [.string(cable.gateway)], "allowActiveScan": true]], ports: [])
    #expect(report.devices.isEmpty)
    #expect(report.warnings == ["\(cable.gateway): somebody speaks on the line, it is left alone"])
    #expect(!audit.contains { $0.contains("scan at") })
    var bytes = [UInt8](repeating: 0, count: 64)
    #expect(Foundation.read(descriptor, &bytes, 64) <= 0, "nothing was sent")
  }

  private func firstReport(_ specification: JSONValue, ports: [String]) async throws -> (DiscoveryReport, [String]) {
    let (reports, yield) = AsyncStream.makeStream(of: DiscoveryReport.self)
    let (lines, note) = AsyncStream.makeStream(of: String.self)
    let request = DiscoveryRequest(
      name: "meters", specification: specification, every: .seconds(60),
      devicesOfDiscovery: { _ in
        ports.map { DiscoveredDevice(identity: [:], stableID: $0, connection: ["devnode": .string($0)]) }
      }, audit: { note.yield($0) })
    let discoverer = try #require(try ModbusPlugin().discoverer(for: request))
    let task = Task { try await discoverer.run { yield.yield($0) } }
    var iterator = reports.makeAsyncIterator()
    let report = try #require(await iterator.next())
    task.cancel()
    _ = try? await task.value
    note.finish()
    var audit: [String] = []
    for await line in lines { audit.append(line) }
    return (report, audit)
  }
}
