internal import CZlib

/// Makes one gzip member (RFC 1952) out of pieces.
public struct GzipEncoder: ~Copyable {
  private let stream: UnsafeMutablePointer<z_stream>
  private var buffer: [UInt8]

  /// - Parameter level: 1, fastest, to 9, smallest.
  public init(level: Int = 6) {
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    buffer = [UInt8](repeating: 0, count: 32_768)
    let code = deflate_begin_gzip(stream, Int32(min(max(level, 1), 9)))
    precondition(code == Z_OK, "no memory for zlib")
  }

  deinit {
    deflateEnd(stream)
    stream.deallocate()
  }

  /// Takes the next piece in and appends what is ready to `output`.
  public mutating func write(_ bytes: [UInt8], to output: inout [UInt8]) { run(bytes, Z_NO_FLUSH, &output) }

  /// Appends the rest and the trailer. No call follows.
  public mutating func finish(to output: inout [UInt8]) { run([], Z_FINISH, &output) }

  /// A whole text at once.
  public static func compress(_ bytes: [UInt8], level: Int = 6) -> [UInt8] {
    var encoder = GzipEncoder(level: level)
    var output: [UInt8] = []
    encoder.write(bytes, to: &output)
    encoder.finish(to: &output)
    return output
  }

  private mutating func run(_ bytes: [UInt8], _ flush: Int32, _ output: inout [UInt8]) {
    bytes.withUnsafeBufferPointer { input in
      stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
      stream.pointee.avail_in = UInt32(input.count)
      var isDone = false
      while !isDone {
        isDone = buffer.withUnsafeMutableBufferPointer { room in
          stream.pointee.next_out = room.baseAddress
          stream.pointee.avail_out = UInt32(room.count)
          let code = deflate(stream, flush)
          output.append(contentsOf: room.prefix(room.count - Int(stream.pointee.avail_out)))
          return flush == Z_FINISH ? code != Z_OK : stream.pointee.avail_out > 0
        }
      }
      stream.pointee.next_in = nil
    }
  }
}
