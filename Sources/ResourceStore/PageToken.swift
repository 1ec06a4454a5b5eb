internal import Documents
internal import Resources

/// What a continue token says: the version of the list's first page and the last key that was shown.
struct PageToken {
  var version: UInt64
  var after: ObjectKey?

  init(version: UInt64, after: ObjectKey?) {
    self.version = version
    self.after = after
  }

  /// Reads a token; one of another kind of resource is refused.
  init(_ text: String, of resource: ResourceName) throws(APIStatus) {
    var bytes: [UInt8] = []
    var digits = Array(text.utf8)[...]
    while digits.count >= 2, let byte = UInt8(String(decoding: digits.prefix(2), as: UTF8.self), radix: 16) {
      bytes.append(byte)
      digits = digits.dropFirst(2)
    }
    guard digits.isEmpty, let json = try? JSONValue(parsing: bytes), json["r"]?.string == resource.description,
      let version = json["v"]?.integer, let namespace = json["n"]?.string, let name = json["k"]?.string
    else { throw .badRequest("continue key is not valid: list again without it") }
    self.init(version: UInt64(clamping: version), after: ObjectKey(namespace: namespace, name: name))
  }

  func text(of resource: ResourceName) -> String {
    let json: JSONValue = [
      "v": .integer(Int64(clamping: version)), "r": .string(resource.description),
      "n": .string(after?.namespace ?? ""), "k": .string(after?.name ?? ""),
    ]
    return json.serialised().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
