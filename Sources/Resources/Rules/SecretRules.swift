public import Documents

/// What is special about Secrets (core/v1 Secret).
public struct SecretRules: KindRules {
  public init() {}

  /// `stringData` becomes base64 in `data`, over what is there; it is never stored.
  public func folding(_ body: JSONValue) -> JSONValue {
    var secret = KeyedData.canonical(KeyedData.withoutNulls(body, ["data", "stringData"]), "data")
    guard let texts = secret["stringData"]?.object, texts.values.allSatisfy({ $0.string != nil }),
      secret["data"] == nil || secret["data"]?.object != nil
    else { return secret }
    var data = secret["data"]?.object ?? [:]
    for (key, text) in texts { data[key] = .string(Base64.text(of: (text.string ?? "").utf8)) }
    secret["stringData"] = nil
    if !data.isEmpty { secret["data"] = .object(data) }
    return secret
  }

  public func faults(in object: JSONValue, since old: JSONValue?) -> [APIStatus.Cause] {
    let (faults, size) = KeyedData.decoding(object, "data")
    var causes = KeyedData.keyFaults(in: object, "data") + faults + KeyedData.sizeFault(size)
    causes += KeyedData.immutabilityFaults(object, since: old, ["data"])
    if let old, old["type"] != object["type"] {
      causes.append(
        APIStatus.Cause(
          reason: "FieldValueInvalid",
          message: "Invalid value: \(object["type"] ?? ""): field is immutable", field: "type"))
    }
    return causes + typeFaults(in: object)
  }

  /// What the types that Kubernetes knows ask of the data.
  private func typeFaults(in object: JSONValue) -> [APIStatus.Cause] {
    let data = object["data"]?.object ?? [:]
    func required(_ keys: String...) -> [APIStatus.Cause] {
      keys.map { APIStatus.Cause(reason: "FieldValueRequired", message: "Required value", field: "data[\($0)]") }
    }
    switch object["type"]?.string {
    case "kubernetes.io/basic-auth":
      return data["username"] == nil && data["password"] == nil ? required("username", "password") : []
    case "kubernetes.io/tls": return ["tls.crt", "tls.key"].filter { data[$0] == nil }.flatMap { required($0) }
    case "kubernetes.io/ssh-auth":
      return data["ssh-privatekey"]?.string?.isEmpty ?? true ? required("ssh-privatekey") : []
    case "kubernetes.io/dockerconfigjson": return document(".dockerconfigjson", in: data)
    case "kubernetes.io/dockercfg": return document(".dockercfg", in: data)
    case "kubernetes.io/service-account-token":
      guard object.metadata.annotations["kubernetes.io/service-account.name"]?.isEmpty ?? true else { return [] }
      return [
        APIStatus.Cause(
          reason: "FieldValueRequired", message: "Required value",
          field: "metadata.annotations[kubernetes.io/service-account.name]")
      ]
    default: return []
    }
  }

  private func document(_ key: String, in data: [String: JSONValue]) -> [APIStatus.Cause] {
    guard let bytes = data[key]?.string.flatMap({ Base64.bytes(of: $0) }) else {
      return [APIStatus.Cause(reason: "FieldValueRequired", message: "Required value", field: "data[\(key)]")]
    }
    guard (try? JSONValue(parsing: bytes)) == nil else { return [] }
    return [
      APIStatus.Cause(
        reason: "FieldValueInvalid", message: "Invalid value: \"<secret contents redacted>\": must be JSON",
        field: "data[\(key)]")
    ]
  }
}
