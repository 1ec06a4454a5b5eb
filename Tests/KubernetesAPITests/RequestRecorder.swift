import Documents
import Foundation
import Hummingbird
import NIOCore
import Synchronization

/// One request of a real client, and the code that it was answered with.
struct GoldenRequest: Codable, Sendable {
  var method: String
  /// With its query; without the hash of an OpenAPI document, which changes with its content.
  var path: String
  var accept: String?
  var contentType: String?
  var userAgent: String?
  /// What is text; a body that is not is in `base64`.
  var body: String?
  var base64: String?
  var code: Int

  var bytes: [UInt8] { base64.flatMap { Data(base64Encoded: $0) }.map(Array.init) ?? Array((body ?? "").utf8) }
  var isWatch: Bool { path.contains("watch=1") || path.contains("watch=true") }
}

/// The requests of a client in the order in which they were answered.
final class RequestRecorder: Sendable {
  private let requests = Mutex<[GoldenRequest]>([])
  func add(_ request: GoldenRequest) { requests.withLock { $0.append(request) } }

  /// Writes them to `Fixtures/<folder>/<name>.json`.
  func write(_ folder: String, _ name: String) throws {
    let directory = Kubectl.root + "/Fixtures/" + folder
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let text = try encoder.encode(requests.withLock { $0 })
    try (text + Data([0x0A])).write(to: URL(fileURLWithPath: "\(directory)/\(name).json"))
  }
}

struct RecordingMiddleware<Context: RequestContext>: RouterMiddleware {
  let recorder: RequestRecorder

  func handle(
    _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
  ) async throws -> Response {
    var request = request
    let body = Array(buffer: try await request.collectBody(upTo: 4 << 20))
    let text = String(validating: body, as: UTF8.self)
    var query = (request.uri.query ?? "").split(separator: "&").filter { !$0.hasPrefix("hash=") }
    if query == [""] { query = [] }
    var golden = GoldenRequest(
      method: request.method.rawValue,
      path: request.uri.path + (query.isEmpty ? "" : "?" + query.joined(separator: "&")),
      accept: request.headers[.accept], contentType: request.headers[.contentType],
      userAgent: request.headers[.userAgent], body: body.isEmpty ? nil : text,
      base64: text == nil ? Data(body).base64EncodedString() : nil, code: 0)
    let response = try await next(request, context)
    golden.code = response.status.code
    recorder.add(golden)
    return response
  }
}
