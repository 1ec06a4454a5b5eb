internal import Controllers
internal import DeviceKit
internal import Documents
internal import Logging
internal import Resources

/// Every write to a device, in the log and in the audit file: who, what, from, to. And every scan: where, what, how much.
struct WriteAuditLog: Sendable {
  let file: AuditFile
  let clock: WallClock
  let logger: Logger

  /// A wish of the cloud, and what it was answered.
  func record(_ wish: RemoteWishController.Record) {
    file.record([
      "time": .string(clock.now.description), "kind": "remoteWish", "namespace": .string(wish.device.namespace),
      "name": .string(wish.device.name), "by": "cloud", "id": .string(wish.id), "desired": .object(wish.values),
      "answer": wish.answer,
    ])
  }

  /// What a client of a server wished, and what came of it.
  @Sendable func record(client record: TwinPropertyAccess.Record) {
    var entry: JSONValue = [
      "time": .string(clock.now.description), "kind": "clientWish", "by": .string(record.author),
      "wishes": .array(
        record.wishes.map { wish in
          [
            "namespace": .string(wish.name.device.namespace), "name": .string(wish.name.device.name),
            "property": .string(wish.name.property), "to": wish.value.json,
          ]
        }),
      "outcome": .string(record.refusal?.reason.rawValue ?? "Accepted"),
    ]
    entry["message"] = record.refusal.map { .string($0.message) }
    file.record(entry)
  }

  /// A step of a Discovery's look.
  @Sendable func record(scan discovery: ObjectKey, step: String) {
    logger.notice("scan", metadata: ["discovery": "\(discovery)", "step": "\(step)"])
    file.record([
      "time": .string(clock.now.description), "kind": "scan", "namespace": .string(discovery.namespace),
      "name": .string(discovery.name), "step": .string(step),
    ])
  }

  func record(_ write: WriteAudit) {
    logger.notice(
      "write",
      metadata: [
        "device": "\(write.device)", "property": "\(write.property)", "from": "\(write.from?.json ?? .null)",
        "to": "\(write.to.json)", "by": "\(write.by)",
      ])
    file.record([
      "time": .string(clock.now.description), "kind": "deviceWrite", "namespace": .string(write.device.namespace),
      "name": .string(write.device.name), "property": .string(write.property), "from": write.from?.json ?? .null,
      "to": write.to.json, "by": .string("\(write.by)"),
    ])
  }
}
