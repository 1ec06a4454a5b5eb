package import Documents
package import Resources

/// Reads the protobuf bodies that kubectl sends for built-in kinds: the `k8s` magic, then runtime.Unknown
/// (apimachinery, runtime/generated.proto).
package enum KubernetesProtobuf {
  private static let magic: [UInt8] = [0x6B, 0x38, 0x73, 0x00]

  /// The object in a body; 415 for a kind whose protobuf form is not known, 400 for broken bytes.
  package static func object(in body: [UInt8]) throws(APIStatus) -> JSONValue {
    guard body.starts(with: magic) else {
      throw .badRequest("the body of the request is not Kubernetes protobuf: it does not begin with its magic bytes")
    }
    do throws(ProtobufReader.Malformed) {
      var apiVersion = ""
      var kind = ""
      var raw: [UInt8]?
      var reader = ProtobufReader(body.dropFirst(magic.count))
      while let (field, value) = try reader.next() {
        guard case .bytes(let content) = value else { continue }
        switch field {
        case 1:
          let type = try typeMeta.read(content)
          apiVersion = type["apiVersion"]?.string ?? ""
          kind = type["kind"]?.string ?? ""
        case 2: raw = content
        default: continue
        }
      }
      guard let raw else { throw ProtobufReader.Malformed() }
      if let shape = shapes[kind] {
        var object = try shape.read(raw)
        object["apiVersion"] = .string(apiVersion)
        object["kind"] = .string(kind)
        return object
      }
    } catch {
      throw .badRequest("the body of the request is not Kubernetes protobuf: it ends early or is malformed")
    }
    throw .unsupportedMediaType(accepted: ["application/json", "application/yaml"])
  }

  private static let typeMeta = ProtobufShape(fields: [1: ("apiVersion", .string), 2: ("kind", .string)])

  private static let metadata = ProtobufShape(fields: [
    1: ("name", .string), 2: ("generateName", .string), 3: ("namespace", .string), 5: ("uid", .string),
    6: ("resourceVersion", .string), 11: ("labels", .map), 12: ("annotations", .map), 14: ("finalizers", .strings),
  ])

  private static let resourceAttributes = ProtobufShape(fields: [
    1: ("namespace", .string), 2: ("verb", .string), 3: ("group", .string), 4: ("version", .string),
    5: ("resource", .string), 6: ("subresource", .string), 7: ("name", .string),
  ])

  private static let shapes: [String: ProtobufShape] = [
    "Namespace": ProtobufShape(fields: [1: ("metadata", .message(metadata))]),
    "ConfigMap": ProtobufShape(fields: [1: ("metadata", .message(metadata)), 2: ("data", .map)]),
    "SelfSubjectReview": ProtobufShape(fields: [1: ("metadata", .message(metadata))]),
    "SelfSubjectAccessReview": ProtobufShape(fields: [
      1: ("metadata", .message(metadata)),
      2: (
        "spec",
        .message(
          ProtobufShape(fields: [
            1: ("resourceAttributes", .message(resourceAttributes)),
            2: (
              "nonResourceAttributes",
              .message(ProtobufShape(fields: [1: ("path", .string), 2: ("verb", .string)]))
            ),
          ]))
      ),
    ]),
    "SelfSubjectRulesReview": ProtobufShape(fields: [
      1: ("metadata", .message(metadata)),
      2: ("spec", .message(ProtobufShape(fields: [1: ("namespace", .string)]))),
    ]),
    "DeleteOptions": ProtobufShape(fields: [
      1: ("gracePeriodSeconds", .integer),
      2: (
        "preconditions",
        .message(ProtobufShape(fields: [1: ("uid", .string), 2: ("resourceVersion", .string)]))
      ),
      3: ("orphanDependents", .bool), 4: ("propagationPolicy", .string), 5: ("dryRun", .strings),
    ]),
  ]
}
