import Documents
import Foundation
import HTTPClient
import TestSupport

/// A database of Debian's on a free port of the loopback, in a folder of its own; killed with its last reference.
struct Database: Sendable {
  let port: UInt16
  /// By how much of a value what is read back may differ from what was written.
  private(set) var precision = 0.0
  private let process: ChildProcess
  private let scratch: ScratchFolder

  private init(
    port: UInt16 = freePort(), ready path: String, environment: [String: String] = [:],
    _ words: (ScratchFolder, UInt16) throws -> [String]
  ) async throws {
    let folder = try ScratchFolder()
    let process = try ChildProcess(try words(folder, port), environment: environment, in: folder)
    (self.port, scratch, self.process) = (port, folder, process)
    let url = "http://127.0.0.1:\(port)\(path)"
    try await eventually("\(url) answers", seen: { process.errors + process.output }) {
      guard process.isRunning else { throw Trouble("ended: \(process.errors)") }
      return (try? await Self.get(url)) != nil
    }
  }

  /// Prometheus with the receiver of remote write on.
  static func prometheus() async throws -> Database {
    try await Database(ready: "/-/ready") { folder, port in
      [
        "prometheus", "--config.file=\(try folder.write("global: {scrape_interval: 1h}\n", to: "prometheus.yml"))",
        "--storage.tsdb.path=\(folder("data"))", "--web.listen-address=127.0.0.1:\(port)",
        "--web.enable-remote-write-receiver",
      ]
    }
  }

  /// VictoriaMetrics, which keeps values as decimals of about twelve digits.
  static func victoriaMetrics() async throws -> Database {
    var database = try await Database(ready: "/health") { folder, port in
      [
        "victoria-metrics", "-httpListenAddr=127.0.0.1:\(port)", "-storageDataPath=\(folder("data"))",
        "-retentionPeriod=100y", "-search.latencyOffset=0s",
      ]
    }
    database.precision = 1e-11
    return database
  }

  /// InfluxDB 1 with one user who may do everything.
  static func influxDB(password: String) async throws -> Database {
    let database = try await Database(ready: "/ping") { folder, port in
      let lines = """
        reporting-disabled = true
        bind-address = "127.0.0.1:\(freePort())"
        [meta]
        dir = "\(folder("meta"))"
        [data]
        dir = "\(folder("data"))"
        wal-dir = "\(folder("wal"))"
        [monitor]
        store-enabled = false
        [http]
        bind-address = "127.0.0.1:\(port)"
        auth-enabled = true
        log-enabled = false
        """
      return ["influxd", "-config", try folder.write(lines, to: "influxdb.conf")]
    }
    _ = try await database.influx(
      "CREATE USER admin WITH PASSWORD '\(password)' WITH ALL PRIVILEGES", password: password)
    return database
  }

  func url(_ path: String) -> String { "http://127.0.0.1:\(port)\(path)" }

  /// One statement of InfluxQL.
  func influx(_ statement: String, on name: String = "", password: String) async throws -> JSONValue {
    let parameters = [("u", "admin"), ("p", password), ("db", name), ("q", statement), ("epoch", "ns")]
    let body = try await Self.call("POST", url("/query?" + Self.query(parameters)))
    return try JSONValue(parsing: body)
  }

  /// All samples of the selector up to now, by Prometheus' API: labels, times in milliseconds and values as text.
  func samples(_ selector: String) async throws -> [JSONValue] {
    let body = try await Self.get(url("/api/v1/query?" + Self.query([("query", "\(selector)[12h]")])))
    return try JSONValue(parsing: body)[path: "data", "result"]?.array ?? []
  }

  static func query(_ parameters: [(String, String)]) -> String {
    var allowed = CharacterSet.alphanumerics
    allowed.insert(charactersIn: "-._~")
    return parameters.map { name, value in
      "\(name)=\(value.addingPercentEncoding(withAllowedCharacters: allowed) ?? "")"
    }.joined(separator: "&")
  }

  static func get(_ url: String) async throws -> [UInt8] { try await call("GET", url) }

  private static func call(_ method: String, _ url: String) async throws -> [UInt8] {
    var limits = HTTPLink.Limits()
    limits.bodyBytes = 64 << 20
    let link = try HTTPLink(host: "127.0.0.1", limits: limits)
    let answer: HTTPAnswer
    do {
      answer = try await link.call(HTTPCall(method, url))
      await link.close()
    } catch {
      await link.close()
      throw error
    }
    guard (200..<300).contains(answer.status) else {
      throw Trouble("\(url): \(answer.status) \(String(decoding: answer.body, as: UTF8.self))")
    }
    return answer.body
  }
}
