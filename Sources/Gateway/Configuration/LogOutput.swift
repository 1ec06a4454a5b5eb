internal import DeviceKit
internal import Documents
internal import Glibc
public import Logging

/// Log lines on standard error: text for people, or one JSON object a line for collectors.
public struct LogOutput: LogHandler {
  public var logLevel: Logger.Level
  public var metadata: Logger.Metadata = [:]
  private let label: String
  private let isJSON: Bool

  public init(label: String, level: Logger.Level, format: GatewayConfiguration.LogFormat) {
    self.label = label
    logLevel = level
    isJSON = format == .json
  }

  public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  public func log(event: LogEvent) {
    let all = metadata.merging(event.metadata ?? [:]) { $1 }
    var line: [UInt8]
    if isJSON {
      var json: JSONValue = [
        "time": .string(WallClock.system.now.description), "level": .string(event.level.rawValue),
        "logger": .string(label), "message": .string("\(event.message)"),
      ]
      for (key, value) in all { json[key] = .string("\(value)") }
      line = json.serialised()
    } else {
      let fields = all.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
      line = Array("\(WallClock.system.now) \(event.level.rawValue.uppercased()) \(event.message)\(fields)".utf8)
    }
    line.append(0x0A)
    _ = line.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
  }
}
