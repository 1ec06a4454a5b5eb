import Documents
import KubernetesAPI
import Resources
import Testing

@Suite("Kubernetes protobuf bodies")
struct ProtobufTests {
  /// The envelope around a message, as apimachinery's runtime.Unknown.
  static func envelope(_ kind: String, apiVersion: String, _ body: (inout ProtobufWriter) -> Void) -> [UInt8] {
    var writer = ProtobufWriter()
    writer.message(1) { type in
      type.string(1, apiVersion)
      type.string(2, kind)
    }
    writer.message(2, body)
    writer.string(3, "")
    writer.string(4, "")
    return [0x6B, 0x38, 0x73, 0x00] + writer.bytes
  }

  @Test func aNamespaceIsRead() throws {
    let bytes = Self.envelope("Namespace", apiVersion: "v1") { namespace in
      namespace.message(1) { metadata in
        metadata.string(1, "plant")
        metadata.string(2, "")
        metadata.message(11) { entry in
          entry.string(1, "line")
          entry.string(2, "a")
        }
      }
      namespace.message(2) { _ in }
    }
    let expected: JSONValue = [
      "apiVersion": "v1", "kind": "Namespace", "metadata": ["name": "plant", "labels": ["line": "a"]],
    ]
    #expect(try KubernetesProtobuf.object(in: bytes) == expected)
  }

  @Test func deleteOptionsAreRead() throws {
    let bytes = Self.envelope("DeleteOptions", apiVersion: "v1") { options in
      options.message(2) { $0.string(1, "u-1") }
      options.string(4, "Foreground")
      options.string(5, "All")
    }
    let object = try KubernetesProtobuf.object(in: bytes)
    let options = try WriteParameters.deletion(APIQuery(), body: object)
    #expect(options.propagation == .foreground && options.isDryRun && options.preconditionUID == "u-1")
  }

  @Test func aKindOfUnknownFormIs415() {
    let bytes = Self.envelope("Pod", apiVersion: "v1") { $0.message(1) { $0.string(1, "x") } }
    let error = #expect(throws: APIStatus.self) { try KubernetesProtobuf.object(in: bytes) }
    #expect(error?.code == 415)
  }

  @Test("Broken bytes are 400, wherever they break off")
  func truncations() {
    let whole = Self.envelope("Namespace", apiVersion: "v1") { $0.message(1) { $0.string(1, "plant") } }
    for length in 0..<whole.count - 4 {
      let error = #expect(throws: APIStatus.self) { try KubernetesProtobuf.object(in: Array(whole.prefix(length))) }
      #expect([400, 415].contains(error?.code))
    }
  }

  @Test func numbersOfManyBytesAndFixedFieldsAreSkippedOrRead() throws {
    var reader = ProtobufReader([0x08, 0xAC, 0x02, 0x11, 1, 2, 3, 4, 5, 6, 7, 8, 0x1D, 1, 2, 3, 4])
    #expect(try reader.next()?.value == .varint(300))
    #expect(try reader.next()?.value == .fixed)
    #expect(try reader.next()?.value == .fixed)
    #expect(try reader.next() == nil)
  }
}
