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

/// What a device tells of itself by FC 43/14, gathered over as many replies as it needs: the stream of the basic objects,
/// of the regular ones, and of the extended ones where the device says that it has any.
public struct DeviceIdentification: Sendable, Hashable {
  /// Texts by object ID: 0 vendor name, 1 product code, 2 revision, 3 URL, 4 product name, 5 model name, 6 application,
  /// from 128 on the maker's own.
  public private(set) var objects: [UInt8: String] = [:]
  private var stream: UInt8 = 1
  private var object: UInt8? = 0
  private var rounds = 0
  private var conformity: UInt8 = 0

  /// The most replies that are taken: more are a device in a loop.
  public static let mostRounds = 32
  /// The most objects that are kept, and the most bytes of each.
  public static let mostObjects = 32
  public static let longestText = 128

  public init() {}

  /// What to ask next; nil: the device has told all, or there is no sense in going on.
  public var request: ModbusRequest? {
    object.map { .readDeviceIdentification(code: stream, objectID: $0) }
  }

  /// Takes a reply in.
  public mutating func take(_ page: DeviceIdentificationPage) {
    guard let asked = object else { return }
    conformity = max(conformity, page.conformity & 0x7F)
    for (id, bytes) in page.objects.sorted(by: { $0.key < $1.key })
    where objects[id] != nil || objects.count < Self.mostObjects {
      objects[id] = bytes.prefix(Self.longestText).deviceText
    }
    rounds += 1
    guard rounds < Self.mostRounds else { return object = nil }
    // An object that is not behind the one asked for would be asked for again and again.
    if let next = page.nextObjectID, next > asked { object = next } else { proceed() }
  }

  /// The device refused what ``request`` asks, or did not answer.
  public mutating func refused() { if objects.isEmpty { object = nil } else { proceed() } }

  /// The next stream that the device can have.
  private mutating func proceed() {
    switch stream {
    case 1 where !objects.isEmpty: (stream, object) = (2, 3)
    case 2 where conformity >= 3: (stream, object) = (3, 0x80)
    default: object = nil
    }
  }

  /// The identity's keys and values; empty texts are left out. The maker's own objects are `object128` and so on, eight
  /// at most.
  public var identity: [String: String] {
    let names: [UInt8: String] = [
      0: "vendorName", 1: "productCode", 2: "revision", 4: "productName", 5: "modelName", 6: "applicationName",
    ]
    var identity: [String: String] = [:]
    for (id, name) in names {
      if let text = objects[id], !text.isEmpty { identity[name] = text }
    }
    for (id, text) in objects.filter({ $0.key >= 0x80 && !$0.value.isEmpty }).sorted(by: { $0.key < $1.key }).prefix(8)
    {
      identity["object\(id)"] = text
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
