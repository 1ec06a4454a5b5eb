import DeviceKit
import Documents
import HTTPClient
import SinkConformance
import SinkKit
import Synchronization
import TestSupport

/// receiver.py on a port of the loopback: all protocols by decoders that are not ours, and bad manners on demand.
final class ForeignReceiver: Sendable {
  let port: UInt16
  private let scratch: ScratchFolder
  private let options: [String]
  private let tls: ClientTLS?
  private let process = Mutex<ChildProcess?>(nil)

  init(_ options: [String] = [], tls: ClientTLS? = nil) async throws {
    port = freePort()
    scratch = try ScratchFolder()
    self.options = options
    self.tls = tls
    try await start()
  }

  func url(_ path: String) -> String { "\(tls == nil ? "http" : "https")://127.0.0.1:\(port)\(path)" }

  func start() async throws {
    let words = ["python3", packageRoot + "/Tests/HTTPSinkTests/receiver.py", "\(port)", scratch("arrived")] + options
    let started = try ChildProcess(words, in: scratch)
    process.withLock { $0 = started }
    try await eventually("the receiver answers", seen: { started.errors }) {
      guard started.isRunning else { throw Trouble("the receiver has ended: \(started.errors)") }
      return answers(port)
    }
  }

  /// Ends it as a power cut would.
  func kill() {
    process.withLock { process in
      process?.end(9)
      process = nil
    }
  }

  private func call(_ method: String, _ path: String, _ body: JSONValue? = nil) async throws -> JSONValue {
    var limits = HTTPLink.Limits()
    limits.bodyBytes = 64 << 20
    let link = try HTTPLink(host: "127.0.0.1", tls: tls, limits: limits)
    let answer: HTTPAnswer
    do {
      answer = try await link.call(HTTPCall(method, url(path), body: body?.serialised() ?? []))
      await link.close()
    } catch {
      await link.close()
      throw error
    }
    return answer.body.isEmpty ? .null : try JSONValue(parsing: answer.body)
  }

  /// What becomes of the next requests, one each.
  func behave(_ behaviours: JSONValue...) async throws { _ = try await call("POST", "/control", .array(behaviours)) }

  /// The values that have arrived, as receiver.py tells them.
  func values() async throws -> [JSONValue] { try await call("GET", "/received").array ?? [] }

  /// The requests that the running process has seen.
  func requests() async throws -> [JSONValue] { try await call("GET", "/requests").array ?? [] }

  /// The values put together again to records: those of one device, property and time.
  func arrivals() async throws -> [SinkUnderTest.Arrival] {
    var arrivals: [SinkUnderTest.Arrival] = []
    var places: [String: Int] = [:]
    for value in try await values() {
      let device = value["device"]?.string ?? ""
      let property = value["property"]?.string ?? ""
      let time = Timestamp(milliseconds: value["ms"]?.integer ?? 0)
      let name = value["field"]?.string
      let key = "\(device)\u{0}\(property)\u{0}\(time.nanoseconds)"
      var fields: [String: Value] = [:]
      if let name, name != "quality", let json = value["value"] {
        // Remote write has doubles alone: those that are whole stand for integers.
        let whole = value["labels"] == nil ? nil : json.integer.map { JSONValue.integer($0) }
        fields[name] = Value(received: whole ?? json)
      }
      if let place = places[key], let name, arrivals[place].fields[name] == nil {
        arrivals[place].fields.merge(fields) { $1 }
      } else {
        places[key] = arrivals.count
        arrivals.append(SinkUnderTest.Arrival(device: device, property: property, time: time, fields: fields))
      }
    }
    return arrivals
  }
}

/// Secrets and files of a test.
final class TestCredentials: CredentialSource {
  private let secrets: Mutex<[String: [String: [UInt8]]]>
  private let files: Mutex<[String: [UInt8]]>

  init(secrets: [String: [String: String]] = [:], files: [String: String] = [:]) {
    self.secrets = Mutex(secrets.mapValues { $0.mapValues { Array($0.utf8) } })
    self.files = Mutex(files.mapValues { Array($0.utf8) })
  }

  func set(_ name: String, _ values: [String: String]?) {
    secrets.withLock { $0[name] = values?.mapValues { Array($0.utf8) } }
  }

  func secret(_ name: String, namespace: String, field: String) throws(SinkError) -> [String: [UInt8]] {
    guard namespace == "plant", let values = secrets.withLock({ $0[name] }) else {
      throw SinkError(
        reason: "SecretNotFound", message: "\(field): Secret \"\(name)\" does not exist in namespace \(namespace)")
    }
    return values
  }

  func file(_ path: String, field: String) throws(SinkError) -> [UInt8] {
    guard let content = files.withLock({ $0[path] }) else {
      throw SinkError(reason: "FileNotReadable", message: "\(field): cannot read \(path)")
    }
    return content
  }
}
