package import Documents
package import Resources

/// Reads the protobuf bodies that typed clients send for built-in kinds: the `k8s` magic, then runtime.Unknown
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
      if let shape = shape(of: kind, apiVersion: apiVersion) {
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

  private static let typeMeta = ProtobufShape([1: ("apiVersion", .string), 2: ("kind", .string)])

  private static func shape(of kind: String, apiVersion: String) -> ProtobufShape? {
    // Clients name it by the group and version of what they delete.
    if kind == "DeleteOptions" { return MetaShapes.deleteOptions }
    return KindShapes.all["\(apiVersion)/\(kind)"]
  }
}
