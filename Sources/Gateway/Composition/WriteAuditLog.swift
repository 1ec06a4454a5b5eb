internal import Controllers
internal import DeviceKit
internal import Documents
internal import Logging

/// One log line for every write to a device: who, what, from, to.
struct WriteAuditLog: Sendable {
  let logger: Logger

  func record(_ write: WriteAudit) {
    logger.notice(
      "write",
      metadata: [
        "device": "\(write.device)", "property": "\(write.property)", "from": "\(write.from?.json ?? .null)",
        "to": "\(write.to.json)", "by": "\(write.by)",
      ])
  }
}
