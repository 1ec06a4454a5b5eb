import DeviceKit
import Documents
import HTTPSink
import OTLPSink
import RemoteWriteSink
import SinkKit
import Testing

/// A way to send: the sink, its fragment, and the path of receiver.py that understands it.
struct Kind: Sendable, CustomTestStringConvertible {
  var name: String
  var path: String
  /// Besides the address.
  var fragment: JSONValue

  static let json = Kind(name: "http", path: "/json", fragment: ["format": "json", "compression": "gzip"])
  static let ndjson = Kind(name: "http", path: "/ndjson", fragment: ["format": "ndjson", "compression": "zstd"])
  static let influx = Kind(name: "http", path: "", fragment: ["format": "influx", "influx": ["database": "d"]])
  static let influx2 = Kind(
    name: "http", path: "",
    fragment: ["format": "influx", "influx": ["bucket": "b", "org": "o"], "compression": "gzip"])
  private static let names: JSONValue = ["property": "{property}"]
  static let remoteWrite1 = Kind(
    name: "prometheusRemoteWrite", path: "/rw",
    fragment: ["version": 1, "name": "{property}__{field}", "labels": names])
  static let remoteWrite2 = Kind(
    name: "prometheusRemoteWrite", path: "/rw",
    fragment: ["version": 2, "name": "{property}__{field}", "labels": names])
  static let otlp = Kind(name: "otlp", path: "", fragment: ["name": "{property}..{field}"])

  var testDescription: String { "\(name) \(fragment)" }

  static func plugin(_ name: String, _ credentials: TestCredentials = TestCredentials()) -> any SinkPlugin {
    let clock = WallClock.system
    return switch name {
    case "http": HTTPSinkPlugin(credentials: credentials, clock: clock)
    case "otlp": OTLPSinkPlugin(credentials: credentials, clock: clock)
    default: RemoteWriteSinkPlugin(credentials: credentials, clock: clock)
    }
  }

  /// A writer for `url`; `more` goes over the kind's own fragment.
  func writer(
    _ url: String, _ more: JSONValue = [:], _ credentials: TestCredentials = TestCredentials()
  ) throws -> any SinkWriter {
    var fragment = fragment.merging(more)
    fragment[name == "otlp" ? "endpoint" : "url"] = .string(url)
    return try Self.plugin(name, credentials).writer(for: SinkRequest(name: "plant/s", specification: fragment))
  }
}
