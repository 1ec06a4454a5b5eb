public import DeviceKit
internal import Documents
internal import Resources
public import SinkKit

/// Secrets from the mirror and files from the operator's folder, for sinks.
public struct MirroredCredentials: CredentialSource {
  private let mirror: ResourceMirror
  private let read: @Sendable (_ file: String) throws(DeviceError) -> BrokerController.SecretFile

  /// `read` opens a file that a Sink names, under the configured folder only.
  public init(
    mirror: ResourceMirror,
    read: @escaping @Sendable (_ file: String) throws(DeviceError) -> BrokerController.SecretFile
  ) {
    self.mirror = mirror
    self.read = read
  }

  public func secret(_ name: String, namespace: String, field: String) throws(SinkError) -> [String: [UInt8]] {
    do throws(DeviceError) {
      guard let content = try SecretContent(["name": .string(name)], at: field, in: namespace, of: mirror) else {
        return [:]
      }
      var values: [String: [UInt8]] = [:]
      for key in content.keys { values[key] = try content.bytes(key) }
      return values
    } catch {
      throw SinkError(reason: error.reason, message: error.message)
    }
  }

  public func file(_ path: String, field: String) throws(SinkError) -> [UInt8] {
    do throws(DeviceError) {
      return Array(try read(path).text.utf8)
    } catch {
      throw SinkError(reason: error.reason, message: "\(field): \(error.message)")
    }
  }
}
