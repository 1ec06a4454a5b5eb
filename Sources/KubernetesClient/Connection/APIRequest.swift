internal import Documents
internal import HTTPClient
internal import Resources

/// One request to an API server, before credentials.
struct APIRequest: Sendable {
  /// What it counts as.
  var call: ClientFigures.Call
  var method: String
  /// Encoded, from the first slash.
  var path: String
  var query: [(name: String, value: String)] = []
  var contentType = ""
  var body: [UInt8] = []
  /// For whom it is made; nil: for the client itself. Told only to a server that takes the client for a proxy.
  var user: ProxiedUser?
  /// Whether it does no harm to do it twice.
  var isRepeatable: Bool

  static func get(_ call: ClientFigures.Call, _ path: String, _ query: [(name: String, value: String)] = [])
    -> APIRequest
  {
    APIRequest(call: call, method: "GET", path: path, query: query, isRepeatable: true)
  }

  var target: String {
    guard !query.isEmpty else { return path }
    return path + "?" + query.map { "\($0.name)=\(Self.encoded($0.value))" }.joined(separator: "&")
  }

  /// Percent-encoded but for what RFC 3986, section 2.3 calls unreserved.
  static func encoded(_ text: String) -> String {
    var result = ""
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "~"):
        result.unicodeScalars.append(UnicodeScalar(byte))
      default: result += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
      }
    }
    return result
  }
}

extension ResourceDefinition {
  /// `/api/v1/…` or `/apis/GROUP/VERSION`.
  var groupPath: String { group.isEmpty ? "/api/\(version)" : "/apis/\(group)/\(version)" }

  /// What a request for objects of this kind, or for a part of one, counts as.
  func call(_ verb: String, _ subresource: Subresource? = nil) -> ClientFigures.Call {
    ClientFigures.Call(verb, subresource.map { "\(plural)/\($0.rawValue)" } ?? plural)
  }

  /// The address of a collection, an object or a part of one (Kubernetes API concepts, section Resource URIs).
  func path(namespace: String?, name: String? = nil, subresource: String? = nil) -> String {
    var path = groupPath
    if isNamespaced, let namespace, !namespace.isEmpty { path += "/namespaces/\(APIRequest.encoded(namespace))" }
    path += "/\(plural)"
    if let name { path += "/\(APIRequest.encoded(name))" }
    if let subresource { path += "/\(subresource)" }
    return path
  }
}
