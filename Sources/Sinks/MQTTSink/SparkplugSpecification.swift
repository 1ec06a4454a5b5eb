internal import Documents
internal import SinkKit

/// The part `sparkplug` of the fragment, checked: how the gateway stands in the namespace of Sparkplug (Eclipse Sparkplug
/// 3.0, chapter 4).
struct SparkplugSpecification: Sendable {
  var group: String
  /// With `{node}` in it, maybe.
  var edgeNode: String
  var device: NameTemplate
  var primaryHost: String?

  init(_ json: JSONValue) throws(SinkError) {
    group = try Self.identifier(json, "group", nil)
    edgeNode = try Self.identifier(json, "edgeNode", "{node}")
    device = try MQTTSinkSpecification.template(json["device"]?.string ?? "{device}", "sparkplug.device")
    primaryHost = json["primaryHost"]?.string == nil ? nil : try Self.identifier(json, "primaryHost", nil)
  }

  private static func identifier(_ json: JSONValue, _ field: String, _ standard: String?) throws(SinkError) -> String {
    guard let text = json[field]?.string ?? standard, !text.isEmpty else {
      throw MQTTSinkSpecification.error("sparkplug.\(field)", "is missing")
    }
    guard !text.utf8.contains(where: { $0 == 0x2B || $0 == 0x2F || $0 == 0x23 || $0 < 0x20 }) else {
      throw MQTTSinkSpecification.error("sparkplug.\(field)", "'\(text)' must not contain '+', '/' or '#'")
    }
    return text
  }
}
