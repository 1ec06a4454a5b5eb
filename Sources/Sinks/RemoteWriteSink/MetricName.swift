/// Names as Prometheus' data model has them.
enum MetricName {
  /// `text` with an underscore for every character outside `[a-zA-Z0-9_]`, and `:` in a metric's name; one more before a
  /// digit at the start. An empty text becomes one underscore.
  static func sanitised(_ text: String, isLabel: Bool) -> String {
    var output: [UInt8] = []
    for scalar in text.unicodeScalars {
      switch scalar {
      case "a"..."z", "A"..."Z", "_": output.append(UInt8(scalar.value))
      case "0"..."9":
        if output.isEmpty { output.append(UInt8(ascii: "_")) }
        output.append(UInt8(scalar.value))
      case ":" where !isLabel: output.append(UInt8(ascii: ":"))
      default: output.append(UInt8(ascii: "_"))
      }
    }
    return output.isEmpty ? "_" : String(decoding: output, as: UTF8.self)
  }
}
