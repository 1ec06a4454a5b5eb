internal import Controllers
internal import DeviceKit
internal import FoundationEssentials

/// The folder that holds certificates and credentials; nothing outside it is read for a resource.
struct SecretFolder: Sendable {
  let path: String

  /// The file that a resource names, relative to the folder or by its whole path below it.
  func read(_ file: String) throws(DeviceError) -> BrokerController.SecretFile {
    let root = URL(filePath: path).resolvingSymlinksInPath().path
    let full = URL(filePath: file.hasPrefix("/") ? file : path + "/" + file).resolvingSymlinksInPath().path
    guard full.hasPrefix(root + "/") else {
      throw DeviceError(
        reason: "FileOutsideFolder", message: "\(file) does not lie under the secrets folder \(path)", isPermanent: true
      )
    }
    guard let data = FileManager.default.contents(atPath: full) else {
      throw DeviceError(reason: "FileNotReadable", message: "cannot read \(full)")
    }
    return BrokerController.SecretFile(path: full, text: String(decoding: data, as: UTF8.self))
  }
}
