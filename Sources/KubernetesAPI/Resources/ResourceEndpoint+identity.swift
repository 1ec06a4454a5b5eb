internal import Documents
internal import Resources

extension ResourceEndpoint {
  /// The object with the apiVersion, kind and namespace of its address; 400 where it says otherwise.
  /// - Parameters:
  ///   - name: the name in the address; nil for a create.
  ///   - kind: the kind of a named subresource; nil for the resource's own.
  func identified(_ object: JSONValue, name: String?, kind: String? = nil) throws(APIStatus) -> JSONValue {
    var object = object
    let kind = kind ?? definition.kind
    if let given = object["apiVersion"]?.string, !given.isEmpty, given != definition.apiVersion {
      throw .badRequest(
        "the API version in the data (\(given)) does not match the expected API version (\(definition.apiVersion))")
    }
    if let given = object["kind"]?.string, !given.isEmpty, given != kind {
      throw .badRequest("the kind in the data (\(given)) does not match the expected kind (\(kind))")
    }
    object["apiVersion"] = .string(definition.apiVersion)
    object["kind"] = .string(kind)
    var metadata = object["metadata"] ?? [:]
    guard metadata.object != nil else {
      throw .badRequest("metadata must be an object, found \(metadata.typeName)")
    }
    if let name {
      if let given = metadata["name"]?.string, !given.isEmpty, given != name {
        throw .badRequest("the name of the object (\(given)) does not match the name on the URL (\(name))")
      }
      metadata["name"] = .string(name)
    }
    if let given = metadata["namespace"]?.string, !given.isEmpty, given != namespace {
      throw .badRequest(
        "the namespace of the provided object (\(given)) does not match the namespace sent on the request (\(namespace))"
      )
    }
    metadata["namespace"] = namespace.isEmpty ? nil : .string(namespace)
    object["metadata"] = metadata
    return object
  }

  /// Warnings about keys that the text gave twice; 400 where validation is strict.
  func duplicates(in document: RequestBodyReader.Document, _ options: WriteOptions) throws(APIStatus) -> [String] {
    let texts = document.duplicateKeys.map { "duplicate field \"\($0)\"" }
    guard !texts.isEmpty else { return [] }
    switch options.fieldValidation {
    case .ignore: return []
    case .warn: return texts
    case .strict:
      throw .badRequest(
        "\(definition.kind) in version \"\(definition.version)\" cannot be handled as a \(definition.kind): strict decoding error: \(texts.joined(separator: ", "))"
      )
    }
  }
}
