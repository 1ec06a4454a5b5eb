internal import Documents
internal import Resources
internal import Synchronization

/// Answers the paths under `/openapi`. Documents are made when asked for; only their hashes are kept.
final class OpenAPIDocuments: Sendable {
  private let catalogue: Catalogue
  private let version: String
  private let hashes = Mutex<[String: String]>([:])

  init(_ catalogue: Catalogue, version: String) {
    self.catalogue = catalogue
    self.version = version
  }

  /// `/openapi/v3`.
  func index() -> APIReply {
    var paths: [String: JSONValue] = [:]
    for (group, version) in catalogue.groupVersions {
      let key = Self.key(group, version)
      paths[key] = ["serverRelativeURL": .string("/openapi/v3/\(key)?hash=\(hash(group, version))")]
    }
    return .json(["paths": .object(paths)])
  }

  /// `/openapi/v3/apis/G/V`. A request with the current hash may be kept for good; one with another is led to it.
  func document(group: String, version: String, query: APIQuery) throws(APIStatus) -> APIReply {
    guard let definitions = catalogue.definitions(group: group, version: version) else { throw .noSuchPath }
    let current = hash(group, version)
    if let asked = query["hash"], asked != current {
      var reply = APIReply(code: 301, contentType: "", body: .bytes([]))
      reply.headers = [("Location", "/openapi/v3/\(Self.key(group, version))?hash=\(current)")]
      return reply
    }
    var reply = APIReply.json(OpenAPIv3.document(definitions, version: self.version))
    reply.headers = [("ETag", "\"\(current)\""), ("Vary", "Accept")]
    if query["hash"] != nil { reply.headers.append(("Cache-Control", "public, immutable, max-age=31536000")) }
    return reply
  }

  /// `/openapi/v2`, as protobuf for kubectl, as JSON for everybody else.
  func version2(accept: String) throws(APIStatus) -> APIReply {
    let document = OpenAPIv2.document(catalogue.entries.map(\.definition), version: version)
    for range in MediaRange.accepted(by: accept) {
      if range.takesJSON { return .json(document) }
      guard range.essence == "application/com.github.proto-openapi.spec.v2@v1.0+protobuf" else { continue }
      // The type in the answer has a dot where the request has an @: kubectl's parser takes no other.
      return APIReply(
        code: 200, contentType: "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
        body: .bytes(OpenAPIv2.protobuf(document)))
    }
    throw .notAcceptable
  }

  private static func key(_ group: String, _ version: String) -> String {
    group.isEmpty ? "api/\(version)" : "apis/\(group)/\(version)"
  }

  private func hash(_ group: String, _ version: String) -> String {
    let key = Self.key(group, version)
    if let known = hashes.withLock({ $0[key] }) { return known }
    let definitions = catalogue.definitions(group: group, version: version) ?? []
    let hash = ContentHash.text(of: OpenAPIv3.document(definitions, version: self.version).serialised())
    hashes.withLock { $0[key] = hash }
    return hash
  }
}

/// Tells versions of a document apart; no defence against forgery.
enum ContentHash {
  static func text(of bytes: [UInt8]) -> String {
    let digits = String(FNV1a.hash(bytes), radix: 16, uppercase: true)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
