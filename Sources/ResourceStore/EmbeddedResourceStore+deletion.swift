public import Documents
public import Resources

extension EmbeddedResourceStore {
  public func delete(_ resource: ResourceName, _ key: ObjectKey, _ options: DeleteOptions)
    async throws(APIStatus) -> (object: JSONValue, isGone: Bool)
  {
    let kind = try kind(resource, verb: "delete")
    return try await writing(isDryRun: options.isDryRun) { batch throws(APIStatus) in
      let object = try batch.existing(kind, key)
      try Self.check(options, object, kind)
      return try batch.delete(kind, object, options.propagation)
    }
  }

  private static func check(_ options: DeleteOptions, _ object: JSONValue, _ kind: ServedKind) throws(APIStatus) {
    func refused(_ what: String, _ wanted: String, _ is: String) -> APIStatus {
      APIStatus(
        code: 409, reason: "Conflict",
        message:
          "Operation cannot be fulfilled on \(kind.name) \"\(object.metadata.name)\": Precondition failed: \(what) in precondition: \(wanted), \(what) in object meta: \(`is`)",
        name: object.metadata.name, group: kind.name.group, kind: kind.name.plural)
    }
    if let uid = options.preconditionUID, uid != object.metadata.uid {
      throw refused("UID", uid, object.metadata.uid)
    }
    if let version = options.preconditionResourceVersion, version != object.metadata.resourceVersion {
      throw refused("ResourceVersion", version, object.metadata.resourceVersion)
    }
  }
}
