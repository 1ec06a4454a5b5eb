import DeviceKit
import Documents
import Foundation
import Glibc
import Logging
import Synchronization
import Testing
import UdevProtocol

private let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent().appendingPathComponent("Fixtures/udev").path

/// Whether this process was started by ``UmockdevTests`` under umockdev's preloaded library.
private let isInside = getenv("SELVEDGE_INSIDE_UMOCKDEV") != nil

struct DeadlinePassed: Error, CustomStringConvertible {
  var description: String
}

private func eventually<T: Sendable>(_ what: String, _ condition: @Sendable () -> T?) async throws -> T {
  let deadline = ContinuousClock.now + .seconds(60)
  while ContinuousClock.now < deadline {
    if let value = condition() { return value }
    try await Task.sleep(for: .milliseconds(5))
  }
  throw DeadlinePassed(description: what)
}

@Suite struct UmockdevTests {
  /// umockdev has to be loaded before anything else, hence a process of its own for the tests below.
  @Test(.enabled(if: !isInside)) func realLibudevSeesMockedDevicesComeAndGo() async throws {
    let log = NSTemporaryDirectory() + "umockdev-\(UUID().uuidString).log"
    defer { try? FileManager.default.removeItem(atPath: log) }
    let command =
      "SELVEDGE_INSIDE_UMOCKDEV=1 exec umockdev-wrapper \"$0\" --testing-library swift-testing --filter UdevInsideUmockdev >\"$1\" 2>&1"
    let executable = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let arguments = ["/bin/sh", "-c", command, executable, log]
    var strings: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    defer { strings.forEach { free($0) } }
    var pid = pid_t()
    #expect(posix_spawn(&pid, "/bin/sh", nil, nil, &strings, environ) == 0)
    let child = pid
    let status = try await eventually("the inner tests end") { () -> Int32? in
      var status: Int32 = 0
      return waitpid(child, &status, WNOHANG) == child ? status : nil
    }
    let output = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
    #expect(status == 0, "\(output)")
    #expect(output.contains("with 2 tests"), "\(output)")
  }
}

/// libumockdev's testbed, called by name: its headers need GLib's, the library itself is there with umockdev.
///
/// `@unchecked Sendable`: a test calls it from one task at a time.
private final class Testbed: @unchecked Sendable {
  private let library: UnsafeMutableRawPointer
  private let bed: OpaquePointer

  init() throws {
    let library = try #require(dlopen("libumockdev.so.0", RTLD_NOW))
    self.library = library
    typealias New = @convention(c) () -> OpaquePointer?
    bed = try #require(unsafeBitCast(dlsym(library, "umockdev_testbed_new"), to: New.self)())
  }

  func add(_ fixture: String) throws {
    typealias Add = @convention(c) (OpaquePointer, UnsafePointer<CChar>, UnsafeMutableRawPointer?) -> Int32
    let add = unsafeBitCast(dlsym(library, "umockdev_testbed_add_from_file"), to: Add.self)
    #expect(add(bed, fixtures + "/" + fixture, nil) != 0)
  }

  func send(_ action: String, _ devpath: String) {
    typealias Send = @convention(c) (OpaquePointer, UnsafePointer<CChar>, UnsafePointer<CChar>) -> Void
    unsafeBitCast(dlsym(library, "umockdev_testbed_uevent"), to: Send.self)(bed, "/sys" + devpath, action)
  }

  func remove(_ devpath: String) {
    typealias Remove = @convention(c) (OpaquePointer, UnsafePointer<CChar>) -> Void
    unsafeBitCast(dlsym(library, "umockdev_testbed_remove_device"), to: Remove.self)(bed, "/sys" + devpath)
  }
}

private final class Feed: DeviceFeed {
  private let contents = Mutex<(readings: [Reading], states: [ConnectionState])>(([], []))
  func deliver(_ batch: SampleBatch) async {
    contents.withLock { contents in for index in 0..<batch.count { contents.readings.append(batch.reading(at: index)) }
    }
  }
  func connection(of device: DeviceKey, is state: ConnectionState) { contents.withLock { $0.states.append(state) } }
  var readings: [Reading] { contents.withLock { $0.readings } }
  var states: [ConnectionState] { contents.withLock { $0.states } }
}

private final class Reports: Sendable {
  private let contents = Mutex<[DiscoveredDevice]>([])
  var last: [DiscoveredDevice] { contents.withLock { $0 } }
  func take(_ report: DiscoveryReport) { contents.withLock { $0 = report.devices } }
}

@Suite(.enabled(if: isInside), .serialized) struct UdevInsideUmockdev {
  private let tty = "/devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0/ttyUSB0/tty/ttyUSB0"

  @Test func anAdapterIsFoundWhenItIsPluggedInAndLostWhenItIsPulled() async throws {
    let bed = try Testbed()
    try bed.add("uvc-camera.umockdev")
    let plugin = UdevPlugin(clock: .system, logger: Logger(label: "test"))
    let rule = #"SUBSYSTEM=="tty|video4linux", ENV{ID_BUS}=="usb", ENV{ID_V4L_CAPABILITIES}!=":""#
    let discoverer = try #require(
      try plugin.discoverer(
        for: DiscoveryRequest(name: "d", specification: ["rules": [.string(rule)]], every: .seconds(900))))
    let reports = Reports()
    let running = Task { try await discoverer.run { report in reports.take(report) } }
    let camera = try await eventually("the camera") { reports.last.first }
    #expect(camera.connection["devnode"] == "/dev/video0")
    #expect(camera.stableID == "video4linux:046d_0825_A1B2C3D0:00")
    try bed.add("ftdi-usb-rs485.umockdev")
    bed.send("add", tty)
    let adapter = try await eventually("the adapter") {
      reports.last.first { $0.connection["devnode"] == "/dev/ttyUSB0" }
    }
    #expect(adapter.stableID == "tty:FTDI_USB-RS485_Cable_FT4S1XQ9:00")
    #expect(adapter.identity["serialNumber"] == "FT4S1XQ9")
    #expect(adapter.identity["vendorName"] == "FTDI")
    bed.send("remove", tty)
    bed.remove(tty)
    bed.send("change", "/devices/pci0000:00/0000:00:14.0/usb1/1-4")
    _ = try await eventually("the adapter's end") { reports.last.count == 1 ? true : nil }
    running.cancel()
    try await running.value
  }

  @Test func aServedDeviceTellsItsPropertiesAndItsPresence() async throws {
    let bed = try Testbed()
    try bed.add("ftdi-usb-rs485.umockdev")
    let plugin = UdevPlugin(clock: .system, logger: Logger(label: "test"))
    let feed = Feed()
    let properties = [
      PropertyDefinition(name: "serial", type: .string, binding: ["env": "ID_SERIAL"]),
      PropertyDefinition(name: "speed", type: .integer, binding: ["attribute": "speed"]),
    ]
    let session = try plugin.session(
      for: SessionRequest(
        device: DeviceKey(namespace: "default", name: "adapter"), connection: ["devpath": .string(tty)],
        properties: properties, points: [PointID(index: 0), PointID(index: 1)]), feed: feed)
    let running = Task { await session.run() }
    _ = try await eventually("readings") { feed.readings.count >= 2 ? true : nil }
    #expect(feed.readings[0].value == .string("FTDI_USB-RS485_Cable_FT4S1XQ9"))
    #expect(feed.readings[1].value == .integer(12))
    #expect(feed.states.last == .connected)
    #expect(await session.write([PropertyWrite(property: "serial", value: .string("x"))])[0]?.reason == "NotWritable")
    bed.send("remove", tty)
    bed.remove(tty)
    bed.send("change", "/devices/pci0000:00/0000:00:14.0/usb1/1-2")
    _ = try await eventually("absence") {
      if case .disconnected(let error) = feed.states.last { error.reason == "DeviceAbsent" ? true : nil } else { nil }
    }
    running.cancel()
    await running.value
  }
}
