internal import Documents
internal import Resources

extension ResourceEndpoint {
  func create(_ call: APICall) async throws(APIStatus) -> APIReply {
    let rendering = try ObjectRendering(call, of: kind, now: now)
    let options = try WriteParameters.read(call, kind: "CreateOptions")
    let document = try RequestBodyReader.object(call)
    let warnings = try duplicates(in: document, options)
    let object = try identified(document.value, name: nil)
    let result = try await backend.create(resource, namespace: namespace, object, options)
    return reply(result, code: 201, warnings, rendering, call)
  }

  func update(_ name: String, _ call: APICall) async throws(APIStatus) -> APIReply {
    let rendering = try ObjectRendering(call, of: kind, now: now)
    let options = try WriteParameters.read(call, kind: "UpdateOptions")
    let document = try RequestBodyReader.object(call)
    let warnings = try duplicates(in: document, options)
    let object = try identified(document.value, name: name)
    let result = try await backend.update(resource, key(name), object, subresource: subresource, options)
    return reply(result, code: result.isCreated ? 201 : 200, warnings, rendering, call)
  }

  func patch(_ name: String, _ call: APICall) async throws(APIStatus) -> APIReply {
    let rendering = try ObjectRendering(call, of: kind, now: now)
    let format = RequestBodyFormat(contentType: call.contentType)
    let options = try WriteParameters.read(call, kind: "PatchOptions", isApply: format == .applyPatch)
    if format != .applyPatch, call.query["force"] != nil {
      throw .invalidOptions(
        "PatchOptions", "force", "FieldValueForbidden", "Forbidden: may not be specified for non-apply patch")
    }
    let (patch, warnings) = try readPatch(format, call, name: name, options)
    let result = try await backend.patch(resource, key(name), patch, subresource: subresource, options)
    return reply(result, code: result.isCreated ? 201 : 200, warnings, rendering, call)
  }

  private func readPatch(_ format: RequestBodyFormat?, _ call: APICall, name: String, _ options: WriteOptions)
    throws(APIStatus) -> (Patch, [String])
  {
    switch format {
    case .mergePatch: return try mergePatch(call, options)
    case .strategicMergePatch where definition.isBuiltIn:
      let (patch, warnings) = try mergePatch(call, options)
      guard case .merge(let document) = patch else { return (patch, warnings) }
      return (.merge(try StrategicMergePatch.asMergePatch(document)), warnings)
    case .jsonPatch:
      let document = try RequestBodyReader.json(call.body)
      guard document.value.array != nil else {
        throw .badRequest("a JSON patch must be an array of operations, found \(document.value.typeName)")
      }
      return (.json(document.value), [])
    case .applyPatch:
      let document = try RequestBodyReader.yaml(call.body)
      let warnings = try duplicates(in: document, options)
      for key in ["apiVersion", "kind"] where document.value[key]?.string == nil {
        throw .badRequest("an applied configuration must have \(key)")
      }
      return (.apply(try identified(document.value, name: name), force: call.query.flag("force")), warnings)
    default: throw .unsupportedMediaType(accepted: RequestBodyFormat.patchTypes)
    }
  }

  private func mergePatch(_ call: APICall, _ options: WriteOptions) throws(APIStatus) -> (Patch, [String]) {
    let document = try RequestBodyReader.json(call.body)
    guard document.value.object != nil else {
      throw .badRequest("a merge patch must be an object, found \(document.value.typeName)")
    }
    return (.merge(document.value), try duplicates(in: document, options))
  }

  func delete(_ name: String, _ call: APICall) async throws(APIStatus) -> APIReply {
    let rendering = try ObjectRendering(call, of: kind, now: now)
    let options = try deletion(call)
    let (object, isGone) = try await backend.delete(resource, key(name), options)
    let pretty = call.query.flag("pretty")
    return .json(isGone ? success(object) : rendering.single(object), pretty: pretty)
  }

  func deleteCollection(_ call: APICall) async throws(APIStatus) -> APIReply {
    let options = try deletion(call)
    let parameters = try ListParameters(call.query, of: definition, namespace: path.namespace)
    for key in try await keys(parameters.options) {
      do throws(APIStatus) {
        _ = try await backend.delete(resource, key, options)
      } catch {
        if error.code != 404 { throw error }
      }
    }
    return .json(success(nil), pretty: call.query.flag("pretty"))
  }

  /// What a list names, all of it where it has no limit. The keys are all known before anything is deleted: a long
  /// deletion must not outlive its own continue token.
  private func keys(_ options: ListOptions) async throws(APIStatus) -> [ObjectKey] {
    var keys: [ObjectKey] = []
    var page = options
    page.limit = options.limit ?? Self.pageSize
    repeat {
      let list = try await backend.list(resource, page)
      for item in list.items {
        guard let name = item[path: "metadata", "name"]?.string else { continue }
        keys.append(ObjectKey(namespace: item[path: "metadata", "namespace"]?.string ?? "", name: name))
      }
      page.continueToken = options.limit == nil ? list.continueToken : nil
    } while page.continueToken != nil
    return keys
  }

  private func deletion(_ call: APICall) throws(APIStatus) -> DeleteOptions {
    guard !call.body.isEmpty else { return try WriteParameters.deletion(call.query, body: nil) }
    return try WriteParameters.deletion(call.query, body: try RequestBodyReader.object(call).value)
  }

  private func success(_ object: JSONValue?) -> JSONValue {
    var details: JSONValue = ["kind": .string(definition.plural)]
    if !definition.group.isEmpty { details["group"] = .string(definition.group) }
    if let name = object?[path: "metadata", "name"] { details["name"] = name }
    if let uid = object?[path: "metadata", "uid"] { details["uid"] = uid }
    return ["kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success", "details": details]
  }

  private func reply(
    _ result: WriteResult, code: Int, _ warnings: [String], _ rendering: ObjectRendering, _ call: APICall
  ) -> APIReply {
    var reply = APIReply.json(rendering.single(result.object), code: code, pretty: call.query.flag("pretty"))
    reply.add(warnings: warnings + result.warnings)
    return reply
  }
}
