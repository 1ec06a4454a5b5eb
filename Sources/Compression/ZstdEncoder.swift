internal import CZstd

/// Makes one Zstandard frame (RFC 8878) of a whole text.
public enum ZstdEncoder {
  /// - Parameter level: 1, fastest, to 19, smallest.
  public static func compress(_ bytes: [UInt8], level: Int = 3) -> [UInt8] {
    let level = Int32(min(max(level, 1), 19))
    return [UInt8](unsafeUninitializedCapacity: ZSTD_compressBound(bytes.count)) { room, count in
      count = ZSTD_compress(room.baseAddress, room.count, bytes, bytes.count, level)
      precondition(ZSTD_isError(count) == 0, "no memory for libzstd")
    }
  }
}
