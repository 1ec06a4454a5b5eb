/// What a device tells about itself through function code 43, MEI type 14 (Modbus Application Protocol V1.1b3,
/// section 6.21): objects by number, 0–2 basic, 3–6 regular, 128–255 the maker's own.
public struct DeviceIdentification: Sendable, Equatable {
  public var objects: [UInt8: String]
  /// The most bytes that the objects of one answer take; smaller values force "more follows".
  public var pageBytes = 244

  public init(
    vendorName: String, productCode: String, revision: String, vendorURL: String = "", productName: String = "",
    modelName: String = "", userApplicationName: String = ""
  ) {
    objects = [
      0: vendorName, 1: productCode, 2: revision, 3: vendorURL, 4: productName, 5: modelName, 6: userApplicationName,
    ].filter { $0.key < 3 || !$0.value.isEmpty }
  }

  /// The answer to a request's bytes after the function code (MEI type, access code, object), again without the
  /// function code.
  public func answer(to request: some Collection<UInt8>) -> Result<[UInt8], ModbusException> {
    let bytes = Array(request)
    guard bytes.count == 3 else { return .failure(.illegalDataValue) }
    guard bytes[0] == 0x0E else { return .failure(.illegalFunction) }
    let access = bytes[1]
    let last: UInt8
    switch access {
    case 1: last = 2
    case 2: last = 0x7F
    case 3: last = 0xFF
    case 4:
      guard objects[bytes[2]] != nil else { return .failure(.illegalDataAddress) }
      return .success(header(access, more: 0, next: 0) + encode([bytes[2]]))
    default: return .failure(.illegalDataValue)
    }
    let known = objects.keys.filter { $0 <= last }.sorted()
    // An object that the category does not have starts at the beginning.
    let start = known.contains(bytes[2]) ? bytes[2] : 0
    var page: [UInt8] = []
    var size = 0
    var next: UInt8?
    for object in known where object >= start {
      size += 2 + (objects[object]?.utf8.count ?? 0)
      if size > pageBytes, !page.isEmpty {
        next = object
        break
      }
      page.append(object)
    }
    return .success(header(access, more: next == nil ? 0 : 0xFF, next: next ?? 0) + encode(page))
  }

  /// Conformity: the highest category held, individual access included.
  private func header(_ access: UInt8, more: UInt8, next: UInt8) -> [UInt8] {
    let conformity: UInt8 = objects.keys.contains { $0 >= 0x80 } ? 0x83 : objects.keys.contains { $0 > 2 } ? 0x82 : 0x81
    return [0x0E, access, conformity, more, next]
  }

  private func encode(_ page: [UInt8]) -> [UInt8] {
    page.reduce(into: [UInt8(page.count)]) { bytes, object in
      let value = Array((objects[object] ?? "").utf8.prefix(pageBytes - 2))
      bytes += [object, UInt8(value.count)] + value
    }
  }
}

extension ModbusException: Error {}
