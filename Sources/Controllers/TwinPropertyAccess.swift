public import DeviceKit
internal import Documents
internal import Synchronization
public import TwinStore

/// The properties of the gateway's devices for its servers: read from the twins, wished of them as local changes.
///
/// What a client wishes again and again, as PLCs do at every cycle, costs nothing while it stands, and a refusal of it is
/// told the audit log once a minute.
public final class TwinPropertyAccess: PropertyAccess {
  /// What a client wished and what came of it, for the audit log.
  public struct Record: Sendable {
    public var wishes: [PropertyWish]
    public var author: String
    /// Nil: all were taken.
    public var refusal: WishRefusal?
  }
  private let twins: TwinStore
  private let audit: @Sendable (Record) -> Void
  private struct LastRefusal {
    var wishes: [PropertyWish]
    var reason: WishRefusal.Reason
    var time: ContinuousClock.Instant
  }
  /// By author; forgotten where there are too many.
  private let refusals = Mutex<[String: LastRefusal]>([:])
  private static let mostAuthors = 64

  /// `audit` must not block.
  public init(twins: TwinStore, audit: @escaping @Sendable (Record) -> Void) {
    self.twins = twins
    self.audit = audit
  }

  public func point(of name: PointName) -> PointID { twins.point(of: name) }
  public var version: UInt64 { twins.version }
  public func states(of points: [PointID]) -> [PropertyState?] { twins.properties(of: points) }

  /// Wishes for several devices are all looked at before the first is taken; they are then taken device by device, and
  /// only a disk that fails between two of them can take one and not the other.
  public func wish(_ wishes: [PropertyWish], by author: String) async throws(WishRefusal) {
    do throws(WishRefusal) {
      let byDevice = Dictionary(grouping: wishes) { $0.name.device }.sorted { $0.key < $1.key }.map { device, wishes in
        (device, Dictionary(wishes.map { ($0.name.property, $0.value.json) }, uniquingKeysWith: { $1 }))
      }
      var changes: [(DeviceKey, [String: JSONValue])] = []
      for (device, values) in byDevice {
        if try isNew(values, of: device) { changes.append((device, values)) }
      }
      guard !changes.isEmpty else { return }
      for (device, values) in changes {
        do throws(TwinError) {
          try await twins.setDesired(values, of: device, from: .local(user: author))
        } catch {
          throw Self.refusal(error, device)
        }
      }
      audit(Record(wishes: wishes, author: author, refusal: nil))
    } catch {
      if isNews(error, wishes, author) { audit(Record(wishes: wishes, author: author, refusal: error)) }
      throw error
    }
  }

  private func isNews(_ refusal: WishRefusal, _ wishes: [PropertyWish], _ author: String) -> Bool {
    refusals.withLock { refusals in
      if let last = refusals[author], last.reason == refusal.reason, last.wishes == wishes,
        last.time.duration(to: .now) < .seconds(60)
      {
        return false
      }
      if refusals.count >= Self.mostAuthors { refusals = [:] }
      refusals[author] = LastRefusal(wishes: wishes, reason: refusal.reason, time: .now)
      return true
    }
  }

  /// Whether any of the values is not wished already; throws what forbids one.
  private func isNew(_ values: [String: JSONValue], of device: DeviceKey) throws(WishRefusal) -> Bool {
    var isNew = false
    guard let twin = twins.snapshot(device), twin.isAttached else {
      throw WishRefusal(.notServed, "\(device) is not served by this gateway")
    }
    for name in values.keys.sorted() {
      guard let property = twin[name], let definition = property.definition else {
        throw WishRefusal(.unknownProperty, "the model of \(device) has no property \(name)")
      }
      guard definition.access.canWrite else {
        throw WishRefusal(.readOnly, "\(device): \(name) is read-only in the device's model")
      }
      guard twin.policy != .specWins || property.specDesired == nil else {
        throw WishRefusal(
          .specWins, "\(device): \(name) is named by the Device's spec, whose desiredPolicy is SpecWins")
      }
      switch property.state {
      case .pending, .writing, .confirmed:
        if let value = values[name], Value(value, for: definition) != property.target { isNew = true }
      default: isNew = true
      }
    }
    guard twin.writesEnabled else {
      throw WishRefusal(
        .writesDisabled, "\(device): spec.writes of the Device is Disabled, or the gateway runs with --read-only")
    }
    do throws(TwinError) {
      try twins.checkDesired(values, of: device)
    } catch {
      throw Self.refusal(error, device)
    }
    return isNew
  }

  private static func refusal(_ error: TwinError, _ device: DeviceKey) -> WishRefusal {
    switch error {
    case .invalid: WishRefusal(.forbiddenValue, "\(device): \(error)")
    case .notFound: WishRefusal(.notServed, "\(error)")
    case .conflict, .refused, .storage, .closed: WishRefusal(.notStored, "\(device): \(error)")
    }
  }
}
