internal import DeviceKit
internal import Documents
internal import Resources

/// The values of one Secret that another object refers to; what is missing is told by field, Secret and key, never a value.
struct SecretContent: Hashable {
  /// Where the reference stands: `spec.credentialsSecretRef`.
  var field: String
  var name: String
  private var data: JSONValue

  /// Nil where there is no reference; throws where there is no such Secret (yet).
  init?(_ reference: JSONValue?, at field: String, in namespace: String, of mirror: ResourceMirror)
    throws(DeviceError)
  {
    guard let name = reference?["name"]?.string else { return nil }
    guard let secret = mirror.object(.secrets, ObjectKey(namespace: namespace, name: name)) else {
      throw DeviceError(
        reason: "SecretNotFound", message: "\(field): Secret \"\(name)\" does not exist in namespace \(namespace)")
    }
    self.field = field
    self.name = name
    data = secret["data"] ?? [:]
  }

  var keys: [String] { (data.object ?? [:]).keys.sorted() }

  func bytes(_ key: String) throws(DeviceError) -> [UInt8] {
    guard let text = data[key]?.string, let bytes = Base64.bytes(of: text) else {
      throw DeviceError(reason: "SecretKeyMissing", message: "\(field): Secret \"\(name)\" has no key \(key)")
    }
    return bytes
  }

  func text(_ key: String) throws(DeviceError) -> String {
    guard let text = String(validating: try bytes(key), as: UTF8.self), !text.utf8.contains(0) else {
      throw DeviceError(
        reason: "SecretNotText", message: "\(field): key \(key) of Secret \"\(name)\" is no text in UTF-8")
    }
    return text
  }
}
