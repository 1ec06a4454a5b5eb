internal import Documents
internal import Resources

/// Puts objects of one kind into the shape that a client asked for.
struct ObjectRendering: Sendable {
  private let kind: Catalogue.Entry
  let representation: Representation
  let include: Table.IncludeObject
  /// What ages in a Table count to.
  let now: @Sendable () -> Timestamp

  var definition: ResourceDefinition { kind.definition }
  private var table: TableRenderer { kind.table }
  private var cellParts: JSONProjection { kind.cellParts }

  /// Reads Accept and `includeObject`.
  init(_ call: APICall, of kind: Catalogue.Entry, now: @escaping @Sendable () -> Timestamp)
    throws(APIStatus)
  {
    self.kind = kind
    self.now = now
    representation = try Representation(accept: call.accept)
    guard let text = call.query["includeObject"] else {
      include = .metadata
      return
    }
    guard let include = Table.IncludeObject(rawValue: text) else {
      throw .invalidOptions(
        "TableOptions", "includeObject", "FieldValueNotSupported",
        "Unsupported value: \"\(text)\": supported values: \"Metadata\", \"None\", \"Object\"")
    }
    self.include = include
  }

  /// One object by itself; a Table of one row.
  func single(_ object: JSONValue) -> JSONValue {
    switch representation {
    case .object: object
    case .metadata: item(object)
    case .table(let version):
      versioned(
        Table.rendered(
          [object], of: definition, include: include, now: now(),
          listMetadata: ["resourceVersion": object[path: "metadata", "resourceVersion"] ?? ""]), version)
    }
  }

  /// An element of a list's `items`, or of a Table's `rows`.
  func item(_ object: JSONValue) -> JSONValue {
    switch representation {
    case .object: return object
    case .metadata(let version):
      return [
        "kind": "PartialObjectMetadata", "apiVersion": .string("meta.k8s.io/\(version)"),
        "metadata": object["metadata"] ?? [:],
      ]
    case .table(let version):
      var row: JSONValue = ["cells": .array(table.cells(of: object, now: now()))]
      switch include {
      case .none: break
      case .metadata:
        row["object"] = [
          "kind": "PartialObjectMetadata", "apiVersion": .string("meta.k8s.io/\(version)"),
          "metadata": object["metadata"] ?? [:],
        ]
      case .object: row["object"] = object
      }
      return row
    }
  }

  /// Appends what ``item(_:)`` makes of the object with this text, byte for byte, and reads no more of it than that
  /// needs.
  func append(itemFrom text: [UInt8], to output: inout [UInt8]) throws(APIStatus) {
    do throws(JSONError) {
      switch representation {
      case .object: output.append(contentsOf: text)
      case .metadata(let version):
        var parser = JSONParser(text)
        let range = try parser.parse(only: JSONProjection(paths: []), noting: "metadata").noted
        Self.append(partialObjectWith: text[range ?? 0..<0], version, to: &output)
      case .table(let version):
        var parser = JSONParser(text)
        let (parts, range) = try parser.parse(only: cellParts, noting: "metadata")
        output.append(contentsOf: #"{"cells":"#.utf8)
        JSONValue.array(table.cells(of: parts, now: now())).write(to: &output)
        switch include {
        case .none: break
        case .metadata:
          output.append(contentsOf: #","object":"#.utf8)
          Self.append(partialObjectWith: text[range ?? 0..<0], version, to: &output)
        case .object:
          output.append(contentsOf: #","object":"#.utf8)
          output.append(contentsOf: text)
        }
        output.append(UInt8(ascii: "}"))
      }
    } catch {
      throw .internalError("a stored \(definition.kind) cannot be read: \(error)")
    }
  }

  private static func append(
    partialObjectWith metadata: ArraySlice<UInt8>, _ version: String, to output: inout [UInt8]
  ) {
    output.append(contentsOf: #"{"apiVersion":"meta.k8s.io/"#.utf8)
    output.append(contentsOf: version.utf8)
    output.append(contentsOf: #"","kind":"PartialObjectMetadata","metadata":"#.utf8)
    if metadata.isEmpty { output.append(contentsOf: "{}".utf8) } else { output.append(contentsOf: metadata) }
    output.append(UInt8(ascii: "}"))
  }

  /// A list without its elements, and the key under which these belong.
  func listFrame(metadata: JSONValue) -> (frame: JSONValue, key: String) {
    switch representation {
    case .object:
      let frame: JSONValue = [
        "kind": .string(definition.listKind), "apiVersion": .string(definition.apiVersion), "metadata": metadata,
      ]
      return (frame, "items")
    case .metadata(let version):
      let frame: JSONValue = [
        "kind": "PartialObjectMetadataList", "apiVersion": .string("meta.k8s.io/\(version)"), "metadata": metadata,
      ]
      return (frame, "items")
    case .table(let version):
      var frame = versioned(
        Table.rendered([], of: definition, include: include, now: now(), listMetadata: metadata), version)
      frame["rows"] = nil
      return (frame, "rows")
    }
  }

  /// The Table and the partial objects of its rows in `version`.
  private func versioned(_ table: JSONValue, _ version: String) -> JSONValue {
    guard version != "v1" else { return table }
    let apiVersion = JSONValue.string("meta.k8s.io/\(version)")
    var table = table
    table["apiVersion"] = apiVersion
    table["rows"] = .array(
      (table["rows"]?.array ?? []).map { row in
        guard row[path: "object", "kind"] == "PartialObjectMetadata", var object = row["object"] else { return row }
        var row = row
        object["apiVersion"] = apiVersion
        row["object"] = object
        return row
      })
    return table
  }
}
