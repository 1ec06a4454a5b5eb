internal import Controllers
internal import DeviceKit
internal import Documents
internal import Logging

/// Every write to a device, in the log and in the audit file: who, what, from, to.
struct WriteAuditLog: Sendable {
  let file: AuditFile
  let clock: WallClock
  let logger: Logger

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
