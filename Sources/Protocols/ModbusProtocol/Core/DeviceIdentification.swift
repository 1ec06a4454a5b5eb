/// One reply to FC 43/14 (Modbus Application Protocol V1.1b3, section 6.21).
public struct DeviceIdentificationPage: Sendable, Hashable {
  public var code: UInt8
  public var conformity: UInt8
  /// Nil where the device has told all.
  public var nextObjectID: UInt8?
  public var objects: [UInt8: [UInt8]]

  public init(code: UInt8, conformity: UInt8, nextObjectID: UInt8?, objects: [UInt8: [UInt8]]) {
    self.code = code
    self.conformity = conformity
    self.nextObjectID = nextObjectID
    self.objects = objects
  }

  /// Reads the bytes after the function code; nil where a length leads past the end or bytes are left over.
  init?(_ body: ArraySlice<UInt8>) {
    let bytes = Array(body)
    guard bytes.count >= 6, bytes[0] == 0x0E else { return nil }
    var objects: [UInt8: [UInt8]] = [:]
    var position = 6
    for _ in 0..<bytes[5] {
      guard position + 2 <= bytes.count else { return nil }
      let end = position + 2 + Int(bytes[position + 1])
      guard end <= bytes.count else { return nil }
      objects[bytes[position]] = Array(bytes[position + 2..<end])
      position = end
    }
    guard position == bytes.count else { return nil }
    self.init(code: bytes[1], conformity: bytes[2], nextObjectID: bytes[3] == 0 ? nil : bytes[4], objects: objects)
  }
}

/// What a device tells of itself by FC 43/14, gathered over as many replies as it needs.
public struct DeviceIdentification: Sendable, Hashable {
  /// Texts by object ID: 0 vendor name, 1 product code, 2 revision, 3 URL, 4 product name, 5 model name, 6 application.
  public private(set) var objects: [UInt8: String] = [:]
  private var rounds = 0
  private var lastAsked: UInt8 = 0

  /// The most replies that are followed: more are a device in a loop.
  public static let maximumRounds = 16

  public init() {}

  /// Takes a reply in; answers the object to ask for next, or nil where the device has told all, does not advance or
  /// needs more than ``maximumRounds`` replies.
  public mutating func take(_ page: DeviceIdentificationPage) -> UInt8? {
    for (id, bytes) in page.objects { objects[id] = bytes.deviceText }
    rounds += 1
    guard let next = page.nextObjectID, next > lastAsked, rounds < Self.maximumRounds else { return nil }
    lastAsked = next
    return next
  }

  /// The identity's keys and values; empty texts are left out.
  public var identity: [String: String] {
    let names: [UInt8: String] = [0: "vendorName", 1: "productCode", 2: "revision", 4: "productName", 5: "modelName"]
    var identity: [String: String] = [:]
    for (id, name) in names {
      if let text = objects[id], !text.isEmpty { identity[name] = text }
    }
    return identity
  }
}

extension Collection<UInt8> {
  /// The text up to the first NUL, trimmed of spaces; bytes that are not UTF-8 are read as Latin-1, control
  /// characters become spaces.
  package var deviceText: String {
    let bytes = Array(prefix { $0 != 0 })
    let text =
      String(validating: bytes, as: UTF8.self) ?? String(String.UnicodeScalarView(bytes.map { UnicodeScalar($0) }))
    let printable = text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : $0 }
    let trimmed = printable.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()
    return String(String.UnicodeScalarView(trimmed))
  }
}
