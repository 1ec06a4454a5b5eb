internal import Documents
internal import Resources
internal import YAML

/// Turns the bytes of a request into the object that they hold.
enum RequestBodyReader {
  /// An object, with the paths of keys that its JSON text gave twice.
  struct Document: Sendable, Equatable {
    var value: JSONValue
    var duplicateKeys: [String] = []
  }

  /// 400 says where the text is broken.
  static func json(_ bytes: [UInt8]) throws(APIStatus) -> Document {
    var parser = JSONParser(bytes)
    do throws(JSONError) {
      let value = try parser.parse()
      return Document(value: value, duplicateKeys: parser.duplicateKeys)
    } catch {
      throw .badRequest("the body of the request is not JSON: \(error)")
    }
  }

  /// The one document of a YAML (or JSON) text.
  static func yaml(_ bytes: [UInt8]) throws(APIStatus) -> Document {
    let documents: [YAMLDocument.Decoded]
    do throws(YAMLError) {
      documents = try YAMLDocument.decoded(in: bytes)
    } catch {
      throw .badRequest("the body of the request is not YAML: \(error)")
    }
    guard documents.count == 1 else {
      throw .badRequest("the body of the request must hold one YAML document, found \(documents.count)")
    }
    let duplicates = documents[0].duplicates.prefix(JSONParser.maximumDuplicates)
    return Document(
      value: documents[0].value, duplicateKeys: duplicates.map { JSONParser.text(ofPath: $0.path) })
  }

  /// A whole object in any of the formats that creates and updates take; JSON where the type is left out.
  static func object(_ call: APICall) throws(APIStatus) -> Document {
    let document: Document
    let type = call.contentType.isEmpty ? "application/json" : call.contentType
    switch RequestBodyFormat(contentType: type) {
    case .json: document = try json(call.body)
    case .yaml: document = try yaml(call.body)
    case .protobuf: document = Document(value: try KubernetesProtobuf.object(in: call.body))
    default: throw .unsupportedMediaType(accepted: RequestBodyFormat.objectTypes)
    }
    guard document.value.object != nil else {
      throw .badRequest("the body of the request must be an object, found \(document.value.typeName)")
    }
    return document
  }
}
