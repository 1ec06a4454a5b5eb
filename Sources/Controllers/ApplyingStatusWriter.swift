public import DeviceKit
public import Documents
public import Logging
public import Resources

/// Writes by server-side apply, each object at most once in a while: for a backend that many gateways share. What comes
/// in between is laid together and written when its time has come; what could not be written is tried again then.
///
/// The status is the gateway's: fields that another manager has set are taken back.
public actor ApplyingStatusWriter: StatusWriter {
  private struct Place: Hashable {
    var resource: ResourceName
    var key: ObjectKey
  }
  private struct Entry {
    /// The whole status that is to be written; nil: nothing waits.
    var wanted: JSONValue?
    /// What was written last: whoever writes next may not have heard of it yet.
    var written: JSONValue?
    /// When the last write was begun.
    var time: Timestamp
  }

  /// What has become of the statuses since the start.
  public struct Figures: Sendable, Hashable {
    /// Stored by the server.
    public var applied: UInt64 = 0
    /// Not stored, to be tried again or for good.
    public var failed: UInt64 = 0
    /// Laid together with one that waited for its time or its answer.
    public var coalesced: UInt64 = 0
    /// Not sent, since nothing in them was news.
    public var unchanged: UInt64 = 0
  }

  private let backend: any ResourceBackend
  private let interval: Duration
  private let clock: WallClock
  private let logger: Logger
  /// As many as there are objects with news in the last interval.
  private var entries: [Place: Entry] = [:]
  public private(set) var figures = Figures()

  public init(backend: any ResourceBackend, interval: Duration = .seconds(10), clock: WallClock, logger: Logger) {
    self.backend = backend
    self.interval = interval
    self.clock = clock
    self.logger = logger
  }

  /// How many statuses wait for their time.
  public var waitingCount: Int { entries.values.count { $0.wanted != nil } }

  /// Returns once it is written, or waits for its time or another try; throws where no other try can help.
  public func write(_ patch: JSONValue, to key: ObjectKey, of resource: ResourceName, over previous: JSONValue)
    async throws(APIStatus)
  {
    let place = Place(resource: resource, key: key)
    var entry = entries[place] ?? Entry(time: clock.now + (.zero - interval))
    let base = entry.wanted ?? entry.written ?? previous
    let wanted = base.merging(patch)
    guard Self.isNews(wanted, over: base) else {
      figures.unchanged += 1
      return
    }
    if entry.wanted != nil { figures.coalesced += 1 }
    entry.wanted = wanted
    let isDue = clock.now - entry.time >= interval
    if isDue { entry.time = clock.now }
    entries[place] = entry
    guard isDue else { return }
    do throws(APIStatus) {
      try await apply(place)
    } catch {
      if !error.isRetryable { throw error }
    }
  }

  /// Whether a status says more than that somebody has looked once more: that alone is said once an hour.
  private static func isNews(_ status: JSONValue, over base: JSONValue) -> Bool {
    func time(_ status: JSONValue) -> Timestamp? { status["lastScanTime"]?.string.flatMap { Timestamp($0) } }
    guard let new = time(status), let old = time(base), new - old < .seconds(3_600) else { return true }
    var same = base
    same["lastScanTime"] = status["lastScanTime"]
    return same != status
  }

  /// Writes what is due, every second until the task is cancelled.
  public func run() async {
    while !Task.isCancelled {
      try? await Task.sleep(for: .seconds(1))
      await writeDue()
    }
  }

  /// Writes what has waited long enough.
  public func writeDue() async {
    for (place, entry) in entries where clock.now - entry.time >= interval {
      guard entry.wanted != nil else {
        entries[place] = nil
        continue
      }
      entries[place]?.time = clock.now
      do throws(APIStatus) {
        try await apply(place)
      } catch {
        logger.debug(
          "status not written", metadata: ["object": "\(place.resource) \(place.key)", "error": "\(error.message)"])
      }
    }
  }

  private func apply(_ place: Place) async throws(APIStatus) {
    guard let wanted = entries[place]?.wanted,
      let definition = backend.definitions.first(where: { $0.name == place.resource })
    else { return }
    var configuration: JSONValue = [
      "apiVersion": .string(definition.apiVersion), "kind": .string(definition.kind), "status": wanted,
    ]
    configuration.metadata.name = place.key.name
    configuration.metadata.namespace = place.key.namespace
    do throws(APIStatus) {
      _ = try await backend.patch(
        place.resource, place.key, .apply(configuration, force: true), subresource: .status,
        WriteOptions(fieldManager: gatewayFieldManager))
      figures.applied += 1
    } catch {
      figures.failed += 1
      // What only another manifest can mend is not tried for ever.
      if !error.isRetryable, entries[place]?.wanted == wanted { entries[place]?.wanted = nil }
      throw error
    }
    entries[place]?.written = wanted
    if entries[place]?.wanted == wanted { entries[place]?.wanted = nil }
  }
}
