internal import DeviceKit
internal import Documents
internal import MQTTClient

/// Where one property of a device is heard and set: the `mqtt` fragment of a model's property with the device's base
/// filled in.
struct PropertyBinding: Sendable {
  var topic: String
  /// Empty: the whole payload.
  var path: String
  /// Where the payload has the time of the value; nil: it says nothing.
  var timePath: String?
  /// Whether the payload is the bare value and no JSON.
  var isText: Bool
  var qos: UInt8
  var setTopic: String?
  var setPayload: SetPayload
  var retain: Bool

  /// Throws a permanent error that names the property and the field.
  init(_ property: PropertyDefinition, base: String?) throws(DeviceError) {
    let binding = property.binding
    func invalid(_ field: String, _ message: String) -> DeviceError {
      DeviceError(
        reason: "InvalidBinding", message: "property '\(property.name)': mqtt.\(field): \(message)", isPermanent: true)
    }
    func topic(_ field: String, _ template: String) throws(DeviceError) -> String {
      var text = template
      if template.contains("{base}") {
        guard let base, !base.isEmpty else {
          throw invalid(field, "'\(template)' needs connection.mqtt.base, which the Device does not give")
        }
        text = template.split(separator: "{base}", omittingEmptySubsequences: false).joined(separator: base)
      }
      if let problem = TopicFilter.problem(ofTopic: text) { throw invalid(field, "'\(text)': \(problem)") }
      return text
    }
    self.topic = try topic("topic", binding["topic"]?.string ?? "{base}")
    path = binding["path"]?.string ?? ""
    timePath = binding["timePath"]?.string
    for (field, text) in [("path", path), ("timePath", timePath ?? "")] {
      do throws(PathTree.Problem) {
        _ = try PathTree.steps(of: text)
      } catch {
        throw invalid(field, error.message)
      }
    }
    switch binding["encoding"]?.string ?? "json" {
    case "json": isText = false
    case "text":
      isText = true
      if !path.isEmpty { throw invalid("path", "a payload of the encoding 'text' has no paths") }
    case let other: throw invalid("encoding", "'\(other)' is unknown; use json or text")
    }
    let qos = binding["qos"]?.int ?? 1
    guard (0...2).contains(qos) else { throw invalid("qos", "must be 0, 1 or 2") }
    self.qos = UInt8(qos)
    setTopic = if let text = binding["setTopic"]?.string { try topic("setTopic", text) } else { nil }
    let template = binding["setPayload"]?.string ?? "{value}"
    guard template.contains("{value}") else { throw invalid("setPayload", "'\(template)' does not contain {value}") }
    setPayload = SetPayload(template, isText: isText)
    retain = binding["retain"]?.bool ?? false
  }
}
