internal import Documents
internal import HTTPDelivery
internal import SinkKit

/// The fragment `otlp` of a Sink's spec, checked.
struct OTLPSpecification: Sendable {
  private static let path = "/v1/metrics"

  var receiver: ReceiverSpecification
  var compression: BodyCompression
  var mapping: OTLPMapping

  init(_ json: JSONValue, namespace: String) throws(SinkError) {
    let reader = FieldReader(json, at: "spec.otlp")
    receiver = try ReceiverSpecification(reader, addressField: "endpoint", namespace: namespace)
    compression = try reader.choice("compression", BodyCompression.self) ?? .gzip
    mapping = OTLPMapping(
      name: try reader.template("name", standard: "{property}", namesFields: true),
      attributes: try reader.templates("attributes"), resource: try reader.templates("resource"),
      kinds: MetricKinds(counters: try reader.strings("counters").map { Glob($0) }))
    for (field, names) in [("attributes", mapping.attributes.keys), ("resource", mapping.resource.keys)]
    where names.contains("") {
      throw reader.error(field, "has an attribute without a name")
    }
  }

  /// OTLP/HTTP: the endpoint with `/v1/metrics` behind it, unless it is there.
  var url: String {
    receiver.address.url(appending: receiver.address.path.hasSuffix(Self.path) ? "" : Self.path)
  }
}
