public import Documents

extension ClockHistory {
  /// As it is kept on disk. Numbers stand as strings: they need 64 bits.
  public var json: JSONValue {
    let eras = eras.map { era -> JSONValue in
      [
        "boot": .string(era.boot), "offset": .string("\(era.offset)"), "start": .string("\(era.start)"),
        "end": .string("\(era.end)"), "shown": .string("\(era.shownStart)"),
      ]
    }
    return ["eras": .array(eras)]
  }

  /// Nil for a document of another form.
  public init?(json: JSONValue) {
    self.init()
    guard let items = json["eras"]?.array else { return nil }
    for item in items {
      func number(_ key: String) -> Int64? { item[key]?.string.flatMap { Int64($0) } }
      guard let boot = item["boot"]?.string, let offset = number("offset"), let start = number("start"),
        let end = number("end"), let shown = number("shown"), start <= end
      else { return nil }
      begin(Era(boot: boot, offset: offset, start: start, end: end, shownStart: shown))
    }
  }
}
