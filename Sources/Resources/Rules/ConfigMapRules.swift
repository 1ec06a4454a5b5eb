public import Documents

/// What is special about ConfigMaps (core/v1 ConfigMap).
public struct ConfigMapRules: KindRules {
  public init() {}

  public func folding(_ body: JSONValue) -> JSONValue {
    KeyedData.canonical(KeyedData.withoutNulls(body, ["data", "binaryData"]), "binaryData")
  }

  public func faults(in object: JSONValue, since old: JSONValue?) -> [APIStatus.Cause] {
    let (faults, binarySize) = KeyedData.decoding(object, "binaryData")
    let texts = object["data"]?.object ?? [:]
    let size = texts.values.reduce(binarySize) { $0 + ($1.string?.utf8.count ?? 0) }
    var causes = KeyedData.keyFaults(in: object, "data") + KeyedData.keyFaults(in: object, "binaryData") + faults
    for key in (object["binaryData"]?.object ?? [:]).keys.sorted() where texts[key] != nil {
      causes.append(
        APIStatus.Cause(
          reason: "FieldValueInvalid",
          message: "Invalid value: \(JSONValue.string(key)): duplicate of key present in data",
          field: "binaryData[\(key)]"))
    }
    causes += KeyedData.sizeFault(size)
    return causes + KeyedData.immutabilityFaults(object, since: old, ["data", "binaryData"])
  }
}
