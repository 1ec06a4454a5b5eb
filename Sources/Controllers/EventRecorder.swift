public import DeviceKit
public import Documents
public import Logging
public import Resources

/// Writes Kubernetes events about objects: what `kubectl describe` shows below them. The same event again raises its
/// count; many that differ in their message alone become one; an object that has too many loses some, which are counted.
public actor EventRecorder {
  public enum Severity: String, Sendable {
    case normal = "Normal"
    case warning = "Warning"
  }

  /// What became of the events since the start.
  public struct Statistics: Sendable, Hashable {
    /// Stored: new ones, and higher counts.
    public var recorded: UInt64 = 0
    /// Not stored, because their object had too many.
    public var limited: UInt64 = 0
    /// Not stored, because the backend refused.
    public var failed: UInt64 = 0
  }

  private let backend: any ResourceBackend
  private let nodeName: String
  private let clock: WallClock
  private let logger: Logger
  private var correlator = EventCorrelator()
  public private(set) var statistics = Statistics()

  public init(backend: any ResourceBackend, nodeName: String, clock: WallClock, logger: Logger) {
    self.backend = backend
    self.nodeName = nodeName
    self.clock = clock
    self.logger = logger
  }

  /// Records that `reason` (CamelCase) happened to `object`. Trouble with the backend is logged, never thrown.
  public func record(_ object: JSONValue, type: Severity = .normal, reason: String, message: String) async {
    let key = object.objectKey
    let uid = object[path: "metadata", "uid"]?.string ?? ""
    let occurrence = EventCorrelator.Occurrence(
      object: uid.isEmpty ? "\(object["kind"]?.string ?? "")/\(key)" : uid, objectName: key.name,
      namespace: key.namespace.isEmpty ? "default" : key.namespace, type: type.rawValue, reason: reason,
      // The longest that the API takes (events.k8s.io/v1, note: 1 kB).
      message: String(message.prefix(1_000)))
    let now = clock.now
    do throws(APIStatus) {
      switch correlator.handle(occurrence, now: now) {
      case .drop:
        statistics.limited += 1
        return
      case .count(let identity, let event, let count, let message):
        let patch: JSONValue = [
          "count": .integer(count), "lastTimestamp": .string(now.secondsText), "message": .string(message),
        ]
        do throws(APIStatus) {
          _ = try await backend.patch(.events, event, .merge(patch), subresource: nil, options)
        } catch {
          // It has expired meanwhile.
          guard error.code == 404 else { throw error }
          correlator.forget(identity)
          try await create(event, about: object, occurrence, message: message, now)
        }
      case .create(let identity, let event, let message):
        do throws(APIStatus) {
          try await create(event, about: object, occurrence, message: message, now)
        } catch {
          correlator.forget(identity)
          throw error
        }
      }
      statistics.recorded += 1
    } catch {
      statistics.failed += 1
      logger.info("event not recorded", metadata: ["reason": "\(reason)", "error": "\(error.message)"])
    }
  }

  private func create(
    _ key: ObjectKey, about object: JSONValue, _ occurrence: EventCorrelator.Occurrence, message: String,
    _ now: Timestamp
  ) async throws(APIStatus) {
    let time = JSONValue.string(now.secondsText)
    let event: JSONValue = [
      "apiVersion": "v1", "kind": "Event",
      "metadata": ["name": .string(key.name), "namespace": .string(key.namespace)],
      "involvedObject": [
        "apiVersion": object["apiVersion"] ?? "", "kind": object["kind"] ?? "",
        "uid": object[path: "metadata", "uid"] ?? "", "namespace": .string(object.objectKey.namespace),
        "name": .string(object.objectKey.name),
        "resourceVersion": object[path: "metadata", "resourceVersion"] ?? "",
      ],
      "reason": .string(occurrence.reason), "message": .string(message), "type": .string(occurrence.type), "count": 1,
      "firstTimestamp": time, "lastTimestamp": time,
      "source": ["component": "selvedge", "host": .string(nodeName)],
      "reportingComponent": "selvedge.dev/gateway", "reportingInstance": .string(nodeName),
    ]
    _ = try await backend.create(.events, namespace: key.namespace, event, options)
  }

  private var options: WriteOptions { WriteOptions(fieldManager: gatewayFieldManager) }
}
