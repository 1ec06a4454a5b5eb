internal import Glibc

/// A section of a 64-bit, little-endian ELF file (System V ABI, chapter 4, "Sections"): what lies beside a program's code.
enum ELFSection {
  /// No section of ours comes near this many bytes; what claims to be larger is damage.
  private static let mostBytes = 1 << 20

  /// The bytes of the section `name`; nil where the file cannot be read, is no such ELF file, or has no such section.
  static func bytes(named name: String, inFileAt path: String) -> [UInt8]? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    // e_ident: magic, ELFCLASS64, ELFDATA2LSB.
    guard let head = read(file, at: 0, count: 64), Array(head[0..<6]) == [0x7F, 0x45, 0x4C, 0x46, 2, 1] else {
      return nil
    }
    let size = number(head, at: 0x3A, width: 2)
    let count = number(head, at: 0x3C, width: 2)
    let namesIndex = number(head, at: 0x3E, width: 2)
    guard size == 64, namesIndex < count,
      let table = read(file, at: number(head, at: 0x28, width: 8), count: size * count),
      let names = contents(of: namesIndex, table, file)
    else { return nil }
    let wanted = Array(name.utf8) + [0]
    for index in 0..<Int(count) {
      let start = number(table, at: 64 * index, width: 4)
      guard start < names.count, names[Int(start)...].starts(with: wanted) else { continue }
      return contents(of: UInt64(index), table, file)
    }
    return nil
  }

  private static func contents(of index: UInt64, _ table: [UInt8], _ file: Int32) -> [UInt8]? {
    let entry = 64 * Int(index)
    return read(
      file, at: number(table, at: entry + 0x18, width: 8), count: number(table, at: entry + 0x20, width: 8))
  }

  private static func number(_ bytes: [UInt8], at offset: Int, width: Int) -> UInt64 {
    (0..<width).reduce(0) { $0 | UInt64(bytes[offset + $1]) << (8 * UInt64($1)) }
  }

  private static func read(_ file: Int32, at offset: UInt64, count: UInt64) -> [UInt8]? {
    guard let offset = off_t(exactly: offset), count > 0, count <= mostBytes else { return nil }
    var bytes = [UInt8](repeating: 0, count: Int(count))
    let got = bytes.withUnsafeMutableBytes { pread(file, $0.baseAddress, $0.count, offset) }
    return got == bytes.count ? bytes : nil
  }
}
