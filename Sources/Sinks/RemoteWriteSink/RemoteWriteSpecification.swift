internal import Documents
internal import HTTPDelivery
internal import SinkKit

/// The fragment `prometheusRemoteWrite` of a Sink's spec, checked.
struct RemoteWriteSpecification: Sendable {
  var receiver: ReceiverSpecification
  /// The newest message that is sent.
  var version: WriteRequest
  var mapping: MetricMapping

  init(_ json: JSONValue, namespace: String) throws(SinkError) {
    let reader = FieldReader(json, at: "spec.prometheusRemoteWrite")
    receiver = try ReceiverSpecification(
      reader, addressField: "url", namespace: namespace, reserved: ["x-prometheus-remote-write-version"])
    version = try reader.integer("version", in: 1...2).flatMap { WriteRequest(rawValue: $0) } ?? .version1
    let isUTF8 = try reader.bool("utf8Names") ?? false
    var labels: [String: NameTemplate] = [:]
    for (name, template) in try reader.templates("labels") {
      let legal = isUTF8 ? name : MetricName.sanitised(name, isLabel: true)
      guard !name.isEmpty, legal == name else {
        throw reader.error("labels.\(name)", "is no name of a label; use \(legal), or utf8Names: true")
      }
      guard !name.hasPrefix("__") else { throw reader.error("labels.\(name)", "begins with __, which is reserved") }
      labels[name] = template
    }
    mapping = MetricMapping(
      name: try reader.template("name", standard: "{property}", namesFields: true), labels: labels,
      kinds: MetricKinds(counters: try reader.strings("counters").map { Glob($0) }), isUTF8: isUTF8)
  }
}
