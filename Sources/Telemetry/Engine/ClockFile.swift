public import DeviceKit
internal import Documents

/// Where the engine keeps what the gateway's clock has shown: in its directory, beside the spools.
public enum ClockFile {
  static let name = "clock"

  /// What the last stop left in an engine's directory; empty where there is nothing that can be read.
  public static func load(in directory: String) -> ClockHistory {
    guard let content = try? Folder.content(of: "\(directory)/\(name)"),
      let document = try? JSONValue(parsing: content)
    else { return ClockHistory() }
    return ClockHistory(json: document) ?? ClockHistory()
  }
}
