public import DeviceKit
public import Documents
public import Logging
public import Resources

/// Writes Kubernetes events about objects: what `kubectl describe` shows below them. The same event again within the
/// aggregation's memory raises its count instead of making another.
public actor EventRecorder {
  public enum Severity: String, Sendable {
    case normal = "Normal"
    case warning = "Warning"
  }

  private struct Identity: Hashable {
    var uid: String
    var reason: String
    var message: String
  }

  private let backend: any ResourceBackend
  private let nodeName: String
  private let clock: WallClock
  private let logger: Logger
  /// Names of recent events, oldest first in `order`; bounded.
  private var recent: [Identity: (key: ObjectKey, count: Int64)] = [:]
  private var order: [Identity] = []
  private static let memory = 512

  public init(backend: any ResourceBackend, nodeName: String, clock: WallClock, logger: Logger) {
    self.backend = backend
    self.nodeName = nodeName
    self.clock = clock
    self.logger = logger
  }

  /// Records that `reason` (CamelCase) happened to `object`. Trouble with the backend is logged, never thrown.
  public func record(_ object: JSONValue, type: Severity = .normal, reason: String, message: String) async {
    let uid = object[path: "metadata", "uid"]?.string ?? ""
    let identity = Identity(uid: uid, reason: reason, message: message)
    let now = JSONValue.string(clock.now.secondsText)
    do throws(APIStatus) {
      if let known = recent[identity] {
        recent[identity]?.count += 1
        let patch: JSONValue = ["count": .integer(known.count + 1), "lastTimestamp": now]
        _ = try await backend.patch(.events, known.key, .merge(patch), subresource: nil, options)
        return
      }
      let namespace = object.objectKey.namespace.isEmpty ? "default" : object.objectKey.namespace
      let event: JSONValue = [
        "apiVersion": "v1", "kind": "Event",
        "metadata": ["generateName": .string("\(object.objectKey.name)."), "namespace": .string(namespace)],
        "involvedObject": [
          "apiVersion": object["apiVersion"] ?? "", "kind": object["kind"] ?? "", "uid": .string(uid),
          "namespace": .string(object.objectKey.namespace), "name": .string(object.objectKey.name),
          "resourceVersion": object[path: "metadata", "resourceVersion"] ?? "",
        ],
        "reason": .string(reason), "message": .string(message), "type": .string(type.rawValue), "count": 1,
        "firstTimestamp": now, "lastTimestamp": now,
        "source": ["component": "selvedge", "host": .string(nodeName)],
        "reportingComponent": "selvedge.dev/gateway", "reportingInstance": .string(nodeName),
      ]
      let stored = try await backend.create(.events, namespace: namespace, event, options).object
      remember(identity, stored.objectKey)
    } catch {
      forget(identity)
      logger.info("event not recorded", metadata: ["reason": "\(reason)", "error": "\(error.message)"])
    }
  }

  private var options: WriteOptions { WriteOptions(fieldManager: "selvedge-gateway") }

  private func remember(_ identity: Identity, _ key: ObjectKey) {
    recent[identity] = (key, 1)
    order.append(identity)
    if order.count > EventRecorder.memory { recent[order.removeFirst()] = nil }
  }

  private func forget(_ identity: Identity) {
    recent[identity] = nil
    order.removeAll { $0 == identity }
  }
}
