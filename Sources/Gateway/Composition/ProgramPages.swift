internal import FoundationEssentials
internal import Glibc

/// The program's own code in memory. A start runs through much of it once, and the kernel maps whatever lies around: on
/// a gateway of 128 MB that is worth giving back.
enum ProgramPages {
  /// Unmaps the pages of code, of the program and its libraries. What is used again is mapped again, from the page
  /// cache where it still is there, else from the disk. Code is never written to, so that nothing can be lost
  /// (madvise(2), MADV_DONTNEED).
  static func release() {
    guard let maps = FileManager.default.contents(atPath: "/proc/self/maps") else { return }
    for line in maps.split(separator: UInt8(ascii: "\n")) {
      // proc(5): address-range permissions offset device inode path
      let words = String(decoding: line, as: UTF8.self).split(separator: " ", omittingEmptySubsequences: true)
      guard words.count >= 6, words[1] == "r-xp", words[5].hasPrefix("/") else { continue }
      let range = words[0].split(separator: "-").compactMap { UInt(String($0), radix: 16) }
      guard range.count == 2, range[0] < range[1] else { continue }
      madvise(UnsafeMutableRawPointer(bitPattern: range[0]), Int(range[1] - range[0]), MADV_DONTNEED)
    }
  }
}
