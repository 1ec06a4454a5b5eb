internal import DeviceKit
internal import Documents
internal import Synchronization

/// Serves one device of the kernel: its presence, and values of udev's properties and of sysfs.
final class UdevSession: DeviceSession {
  enum Source: Sendable, Hashable {
    /// A property of udev's database.
    case environment(String)
    /// A file in sysfs, of the device or its nearest ancestor that has it.
    case attribute(String)
  }

  /// How the device is found among the others.
  enum Place: Sendable, Hashable {
    case devpath(String)
    case devnode(String)
  }

  private struct Snapshot: Sendable {
    var isPresent: Bool
    var texts: [String?]
  }

  private let request: SessionRequest
  private let place: Place
  private let sources: [Source]
  private let feed: any DeviceFeed
  private let watcher: UdevWatcher
  private let clock: WallClock
  private let last = Mutex<[String: Reading]>([:])

  init(
    _ request: SessionRequest, place: Place, sources: [Source], feed: any DeviceFeed, watcher: UdevWatcher,
    clock: WallClock
  ) {
    self.request = request
    self.place = place
    self.sources = sources
    self.feed = feed
    self.watcher = watcher
    self.clock = clock
  }

  func run() async {
    feed.connection(of: request.device, is: .connecting)
    let (snapshots, continuation) = AsyncStream.makeStream(of: Snapshot.self, bufferingPolicy: .bufferingNewest(1))
    let id = watcher.start { [place, sources] udev in
      let node =
        switch place {
        case .devpath(let path): udev.device(atDevpath: path)
        case .devnode(let path): udev.device(atDevnode: path)
        }
      continuation.yield(
        Snapshot(isPresent: node != nil, texts: sources.map { source in node.flatMap { UdevSession.text(source, $0) } })
      )
    }
    defer { watcher.end(id) }
    for await snapshot in snapshots {
      if snapshot.isPresent {
        feed.connection(of: request.device, is: .connected)
      } else {
        let name =
          switch place {
          case .devpath(let path), .devnode(let path): path
          }
        let error = DeviceError(reason: "DeviceAbsent", message: "\(name) is not there; is the device plugged in?")
        feed.connection(of: request.device, is: .disconnected(error))
      }
      await take(snapshot)
    }
  }

  private static func text(_ source: Source, _ node: some UdevNode) -> String? {
    switch source {
    case .environment(let name): node.environment(name)
    case .attribute(let name): node.lineage.lazy.compactMap { $0.attribute(name) }.first
    }
  }

  /// Delivers what differs from the last time.
  private func take(_ snapshot: Snapshot) async {
    var batch = SampleBatch()
    let now = clock.now
    for (index, property) in request.properties.enumerated() where property.access.canRead {
      let before = last.withLock { $0[property.name] }
      var reading: Reading
      if let text = snapshot.texts[index] {
        if let value = UdevSession.value(text, property.type) {
          reading = Reading(value, sourceTime: now, gatewayTime: now)
        } else {
          reading = Reading(
            before?.value, quality: before?.value == nil ? .bad : .uncertain, sourceTime: now, gatewayTime: now,
            cause: "'\(text)' is no \(property.type)")
        }
      } else if snapshot.isPresent {
        reading = Reading(nil, quality: .bad, sourceTime: now, gatewayTime: now, cause: "the device does not have it")
      } else {
        reading = Reading(
          before?.value, quality: before?.value == nil ? .bad : .uncertain, sourceTime: before?.sourceTime ?? now,
          gatewayTime: now, cause: "the device is not there")
      }
      if let before, before.value == reading.value, before.quality == reading.quality, before.cause == reading.cause {
        continue
      }
      last.withLock { $0[property.name] = reading }
      batch.append(request.points[index], reading)
    }
    if !batch.isEmpty { await feed.deliver(batch) }
  }

  private static func value(_ text: String, _ type: PropertyType) -> Value? {
    if type == .string { return .string(text) }
    if type == .boolean {
      switch text.lowercased() {
      case "1", "y", "yes", "true", "on", "enabled": return .boolean(true)
      case "0", "n", "no", "false", "off", "disabled": return .boolean(false)
      default: return nil
      }
    }
    return (try? JSONValue(parsing: text)).flatMap { Value($0, as: type) }
  }

  func read(_ properties: [String]) async -> [String: Result<Reading, DeviceError>] {
    let last = last.withLock { $0 }
    var results: [String: Result<Reading, DeviceError>] = [:]
    for name in properties {
      results[name] =
        last[name].map { .success($0) }
        ?? .failure(DeviceError(reason: "NothingHeard", message: "the device was not looked at yet"))
    }
    return results
  }

  func write(_ writes: [PropertyWrite]) async -> [DeviceError?] {
    writes.map {
      DeviceError(
        reason: "NotWritable", message: "property '\($0.property)' comes from udev and cannot be written",
        isPermanent: true)
    }
  }
}
