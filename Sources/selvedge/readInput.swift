import FoundationEssentials
import Gateway

/// The bytes of a file, or of standard input for `-`.
func readInput(_ file: String) throws -> [UInt8] {
  let path = file == "-" ? "/dev/stdin" : file
  guard let data = FileManager.default.contents(atPath: path) else {
    throw ValidationFailure(message: "cannot read \(file)")
  }
  return Array(data)
}
