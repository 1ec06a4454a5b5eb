import Documents
import Gateway
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// A small client of the gateway's own API: one connection a request.
struct APIClient {
  struct Response: Sendable {
    var code: Int
    var body: [UInt8]
    var isSuccess: Bool { (200..<300).contains(code) }
    /// What a Status says, else the code.
    var problem: String {
      (try? JSONValue(parsing: body))?["message"]?.string ?? "the gateway answered with HTTP \(code)"
    }
  }

  /// A kind that the gateway serves, as discovery tells it.
  struct Definition {
    var groupVersion: String
    var plural: String
    var singular: String
    var isNamespaced: Bool

    func path(namespace: String, name: String?) -> String {
      let root = groupVersion.contains("/") ? "/apis/\(groupVersion)" : "/api/\(groupVersion)"
      return root + (isNamespaced ? "/namespaces/\(namespace)" : "") + "/\(plural)" + (name.map { "/\($0)" } ?? "")
    }
  }

  private let host: String
  private let port: Int
  private let token: String?
  /// Nil: plain HTTP.
  private let tls: NIOSSLContext?

  init(_ options: ServerOption) throws {
    let server = options.server ?? ""
    let isSecure = server.hasPrefix("https://")
    guard isSecure || server.hasPrefix("http://"),
      let address = try? ListenAddress(String(server.dropFirst(isSecure ? 8 : 7).prefix { $0 != "/" }))
    else {
      throw ValidationFailure(message: "\"\(server)\" is no gateway: write http://HOST:PORT or https://HOST:PORT")
    }
    if !isSecure, !address.isLoopback, options.token != nil {
      throw ValidationFailure(message: "a token is not sent to \(server): beyond the loopback it needs https")
    }
    host = address.host
    port = address.port
    token = options.token
    tls = isSecure ? try ClientTLS.context(options) : nil
  }

  func json(_ method: String, _ path: String) async throws -> JSONValue {
    let response = try await request(method, path)
    guard response.isSuccess else { throw ValidationFailure(message: response.problem) }
    return try JSONValue(parsing: response.body)
  }

  func definition(named name: String) async throws -> Definition {
    let name = name.lowercased()
    return try await definition { resource in
      let names = [resource["name"], resource["singularName"], resource["kind"]].compactMap { $0?.string?.lowercased() }
      return names.contains(name) || (resource["shortNames"]?.array ?? []).contains(.string(name))
    } orThrow: {
      "the gateway serves no resource \"\(name)\""
    }
  }

  func definition(of document: JSONValue) async throws -> Definition {
    let kind = document["kind"]?.string ?? "(none)"
    let version = document["apiVersion"]?.string ?? "(none)"
    return try await definition(in: version) {
      $0["kind"]?.string == kind
    } orThrow: {
      "the gateway serves no kind \"\(kind)\" of \(version)"
    }
  }

  private func definition(
    in version: String? = nil, where matches: (JSONValue) -> Bool, orThrow problem: () -> String
  ) async throws -> Definition {
    let groups = try await json("GET", "/apis")["groups"]?.array ?? []
    let versions = groups.compactMap { $0[path: "preferredVersion", "groupVersion"]?.string } + ["v1"]
    for groupVersion in versions where version == nil || version == groupVersion {
      let list = try await json("GET", groupVersion.contains("/") ? "/apis/\(groupVersion)" : "/api/\(groupVersion)")
      for resource in list["resources"]?.array ?? [] where matches(resource) {
        guard let plural = resource["name"]?.string, !plural.contains("/") else { continue }
        return Definition(
          groupVersion: groupVersion, plural: plural, singular: resource["singularName"]?.string ?? plural,
          isNamespaced: resource["namespaced"]?.bool ?? true)
      }
    }
    throw ValidationFailure(message: problem())
  }

  /// The server's own Table, as aligned text.
  func table(_ path: String) async throws -> String {
    let response = try await request("GET", path, accept: "application/json;as=Table;v=v1;g=meta.k8s.io")
    guard response.isSuccess else { throw ValidationFailure(message: response.problem) }
    let table = try JSONValue(parsing: response.body)
    let columns = (table["columnDefinitions"]?.array ?? []).enumerated().filter {
      $0.element["priority"]?.int ?? 0 == 0
    }
    var rows = [columns.map { ($0.element["name"]?.string ?? "").uppercased() }]
    for row in table["rows"]?.array ?? [] {
      let cells = row["cells"]?.array ?? []
      rows.append(columns.map { $0.offset < cells.count ? cells[$0.offset].cellText : "" })
    }
    let widths = columns.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: "   ") + "\n"
    }.joined()
  }

  func request(
    _ method: String, _ path: String, accept: String = "application/json", contentType: String? = nil,
    body: [UInt8] = [], into file: Int32? = nil
  ) async throws -> Response {
    let channel: any Channel
    let collector = ResponseCollector(file: file)
    let isAddress = (try? SocketAddress(ipAddress: host, port: port)) != nil
    do {
      channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .connectTimeout(.seconds(5))
        .channelInitializer { [tls, host] channel in
          channel.eventLoop.makeCompletedFuture {
            if let tls {
              try channel.pipeline.syncOperations.addHandler(
                NIOSSLClientHandler(context: tls, serverHostname: isAddress ? nil : host))
            }
            try channel.pipeline.syncOperations.addHTTPClientHandlers()
            try channel.pipeline.syncOperations.addHandler(collector.handler())
          }
        }.connect(host: host, port: port).get()
    } catch {
      throw ValidationFailure(message: "no gateway answers at \(host):\(port); is `selvedge run` running?")
    }
    var head = HTTPRequestHead(version: .http1_1, method: HTTPMethod(rawValue: method), uri: path)
    head.headers.add(name: "Host", value: "\(host):\(port)")
    head.headers.add(name: "Accept", value: accept)
    head.headers.add(name: "Connection", value: "close")
    head.headers.add(name: "User-Agent", value: "selvedge-cli/\(GatewayVersion.text)")
    if let token { head.headers.add(name: "Authorization", value: "Bearer \(token)") }
    if let contentType { head.headers.add(name: "Content-Type", value: contentType) }
    if !body.isEmpty { head.headers.add(name: "Content-Length", value: "\(body.count)") }
    channel.write(HTTPClientRequestPart.head(head), promise: nil)
    if !body.isEmpty {
      channel.write(HTTPClientRequestPart.body(.byteBuffer(ByteBuffer(bytes: body))), promise: nil)
    }
    try? await channel.writeAndFlush(HTTPClientRequestPart.end(nil))
    try? await channel.closeFuture.get()
    guard let response = collector.response else {
      throw ValidationFailure(message: collector.problem ?? "the gateway closed the connection")
    }
    guard collector.isWhole else { throw ValidationFailure(message: "the gateway's answer broke off") }
    return response
  }
}

extension JSONValue {
  fileprivate var cellText: String {
    switch self {
    case .string(let text): text
    case .null: ""
    default: description
    }
  }
}
