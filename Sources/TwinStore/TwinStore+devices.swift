public import DeviceKit
public import Documents
internal import Synchronization

extension TwinStore {
  /// Serves a device's twin: the properties of its model, in its order. What is still of the same type keeps its
  /// reading, every wish is judged anew. Repeating it changes nothing.
  public func attach(
    _ device: DeviceKey, properties: [(PropertyDefinition, WriteRules)], writesEnabled: Bool
  ) {
    locked { $0.attach(device, properties: properties, writesEnabled: writesEnabled, now: clock.now) }
    scheduleTimers()
  }

  /// Says whether another gateway may write to the device, at present or soon: its wishes are Held meanwhile. Repeating
  /// it is harmless.
  public func hold(_ device: DeviceKey, isLeaseLost: Bool) {
    locked { $0.hold(device, isLeaseLost: isLeaseLost, now: clock.now) }
  }

  /// Nothing serves the device any more; its twin and what is wished for it stay.
  public func detach(_ device: DeviceKey) {
    locked { $0.detach(device, now: clock.now) }
  }

  /// Forgets a device and all that is stored of it.
  public func remove(_ device: DeviceKey) {
    locked { $0.remove(device) }
  }

  /// Forgets the devices that are not among `known`, are not served, and of which nothing was heard or wished for
  /// `span`; they are returned. A device whose resource is missing for a moment, or was lost with its file, keeps its
  /// twin.
  public func removeForgotten(besides known: Set<DeviceKey>, after span: Duration) -> [DeviceKey] {
    let now = clock.now
    return locked { state in
      var gone: [DeviceKey] = []
      for (device, twin) in state.indexes where !known.contains(device) && !state.twins[twin].isAttached {
        if now - state.lastHeard(of: twin) >= span { gone.append(device) }
      }
      for device in gone { state.remove(device) }
      return gone.sorted()
    }
  }

  /// Says how the link to an attached device is. Repeating it is harmless.
  public func connection(_ device: DeviceKey, isConnected: Bool) {
    locked { $0.setConnected(device, isConnected, now: clock.now) }
  }

  /// Takes a batch into the twins. Samples of points that no attached property has are counted and dropped; a sample
  /// without a value keeps the last value with its new quality; an unchanged one refreshes the times alone.
  public func ingest(_ batch: SampleBatch) {
    locked { $0.ingest(batch) { clock.now } }
  }

  /// The twin as it is now; nil where there is none.
  public func snapshot(_ device: DeviceKey) -> TwinSnapshot? {
    state.withLock { $0.snapshot(device) }
  }

  /// All devices that have a twin, sorted.
  public var devices: [DeviceKey] { state.withLock { $0.indexes.keys.sorted() } }

  /// The time by the store's clock.
  public var now: Timestamp { clock.now }

  /// The highest version that any twin has.
  public var version: UInt64 { state.withLock { $0.version } }

  /// The version below which a watcher cannot be told all that it missed.
  public var oldestResumableVersion: UInt64 { state.withLock { $0.lastRemoval } }

  public var statistics: TwinStatistics {
    state.withLock { state in
      var statistics = state.statistics
      statistics.historyDropped = state.history.dropped
      return statistics
    }
  }

  /// A new registration for changes; it ends when the feed is let go.
  public func changes() -> TwinChangeFeed {
    let feed = TwinChangeFeed()
    state.withLock { $0.feeds.append(.init(feed: feed)) }
    return feed
  }

  /// What `feed` has gathered, as of one moment: every change up to `version` has been in this or an earlier answer.
  /// `changes` has each device's version at that moment (nil: it is gone), sorted by it.
  public func take(_ feed: TwinChangeFeed) -> (
    version: UInt64, changes: [(device: DeviceKey, change: TwinChange, version: UInt64?)]
  ) {
    state.withLock { state in
      let changes = feed.take().map { device, change in
        (device: device, change: change, version: state.indexes[device].map { state.twins[$0].version })
      }
      return (state.version, changes.sorted { ($0.version ?? .max, $0.device) < ($1.version ?? .max, $1.device) })
    }
  }

  /// Changes of desired states from now on. A reader that falls more than 1,024 behind loses the oldest, which is
  /// counted.
  public func transitions() -> AsyncStream<TwinTransition> {
    let (stream, continuation) = AsyncStream.makeStream(
      of: TwinTransition.self, bufferingPolicy: .bufferingNewest(1_024))
    let id = state.withLock { state in
      let id = state.nextStream
      state.nextStream += 1
      state.transitionStreams[id] = continuation
      return id
    }
    continuation.onTermination = { [weak self] _ in
      self?.endTransitions(id)
    }
    return stream
  }

  private func endTransitions(_ id: Int) {
    _ = state.withLock { $0.transitionStreams.removeValue(forKey: id) }
  }
}
