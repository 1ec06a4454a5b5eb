import DeviceKit
import Documents

/// Looks a model's register map over: bindings that cannot be served, values that do not fit their registers, overlaps,
/// orders left to chance; and how many requests the map takes.
struct RegisterLint {
  private var findings: [ModelFinding] = []
  private var places: [Place] = []
  private var items: [Duration: [ReadItem]] = [:]

  /// What a property covers: the bits of its addresses, as far as they are its own.
  private struct Place {
    var path: String
    var name: String
    var binding: PropertyBinding
    /// Its addresses, and in each the bits that are the value's.
    var masks: [Int: UInt16]
  }

  static func findings(in properties: [PropertyDefinition], model: JSONValue) -> [ModelFinding] {
    var lint = RegisterLint()
    for (index, property) in properties.enumerated() { lint.look(at: property, index) }
    lint.lookForOverlaps()
    do throws(DeviceError) { lint.noteRequests(try DeviceTraits(model: model)) } catch {
      lint.findings.append(ModelFinding(.error, "modbus", error.message))
    }
    return lint.findings
  }

  private mutating func look(at property: PropertyDefinition, _ index: Int) {
    let path = "properties[\(index)].modbus"
    let binding: PropertyBinding
    do throws(DeviceError) { binding = try PropertyBinding(property) } catch {
      findings.append(ModelFinding(.error, path, error.message))
      return
    }
    func warn(_ field: String, _ message: String) {
      findings.append(ModelFinding(.warning, "\(path).\(field)", "property '\(property.name)': \(message)"))
    }
    let codec = binding.codec
    if property.access.canWrite, !binding.table.isWritable {
      findings.append(
        ModelFinding(
          .error, "\(path).table",
          "property '\(property.name)': table \(binding.table.rawValue) cannot be written, its access is \(property.access.rawValue)"
        ))
    }
    if codec.registerCount > 1, codec.encoding != .string, property.binding["order"] == nil {
      warn("order", "say the order of a value over \(codec.registerCount) registers")
    }
    if binding.table.holdsBits, codec.type != .boolean { warn("table", "a single bit is a boolean") }
    if !binding.table.holdsBits, codec.type == .boolean, codec.field == nil {
      warn("bit", "a boolean of a whole register is true for every number but 0: say which bit")
    }
    if codec.type == .integer,
      codec.transform.factor.rounded() != codec.transform.factor
        || codec.transform.offset.rounded() != codec.transform.offset
    {
      warn("scale", "scale and offset make fractions of an integer")
    }
    if codec.scaleFactor != nil, property.access.canWrite {
      warn("scaleFrom", "say the tolerance of writing: the step varies")
    }
    lookAtRange(binding, path)
    if property.access.canRead { items[property.pollEvery, default: []].append(ReadItem(index, binding)) }
    places.append(Place(path: path, name: property.name, binding: binding, masks: Self.masks(of: binding)))
  }

  /// Bounds and allowed values that the raw value cannot reach.
  private mutating func lookAtRange(_ binding: PropertyBinding, _ path: String) {
    let (property, codec) = (binding.property, binding.codec)
    guard let range = codec.rawRange, codec.states.isEmpty, codec.flags.isEmpty, codec.scaleFactor == nil,
      codec.type == .integer || codec.type == .number
    else { return }
    let ends = [range.lowerBound, range.upperBound].map {
      switch codec.transform.value(of: $0) {
      case .whole(let value): Double(value)
      case .fraction(let value): value
      }
    }.sorted()
    var values: [(String, Double)] = []
    if let minimum = property.minimum { values.append(("minimum", minimum)) }
    if let maximum = property.maximum { values.append(("maximum", maximum)) }
    values += property.allowed.enumerated().compactMap { index, value in value.number.map { ("enum[\(index)]", $0) } }
    for (field, value) in values where value < ends[0] || value > ends[1] {
      findings.append(
        ModelFinding(
          property.access.canWrite ? .error : .warning, path.replacingSuffix(".modbus", with: ".\(field)"),
          "property '\(property.name)': \(value) cannot be in \(codec.encoding.rawValue), which gives \(ends[0]) to \(ends[1])"
        ))
    }
  }

  private static func masks(of binding: PropertyBinding) -> [Int: UInt16] {
    let masks = binding.table.holdsBits ? [UInt16](repeating: 1, count: binding.codec.valueCount) : binding.codec.masks
    return Dictionary(
      uniqueKeysWithValues: masks.enumerated().filter { $1 != 0 }.map { (Int(binding.address) + $0, $1) })
  }

  /// Two properties in the same bits: an error where one of them is written, else a warning. A part of a register beside
  /// the whole of it, both only read, is how status words are told twice, and passes.
  private mutating func lookForOverlaps() {
    let sorted = places.sorted {
      ($0.binding.table.modiconDigit, $0.binding.address) < ($1.binding.table.modiconDigit, $1.binding.address)
    }
    for (index, later) in sorted.enumerated() {
      for earlier in sorted[..<index].reversed() {
        guard earlier.binding.table == later.binding.table else { break }
        // Values reach 125 registers or 2,000 bits at most.
        guard Int(later.binding.address) - Int(earlier.binding.address) < 2_000 else { break }
        let shared = later.masks.contains { earlier.masks[$0.key, default: 0] & $0.value != 0 }
        guard shared else { continue }
        let isWritten = later.binding.property.access.canWrite || earlier.binding.property.access.canWrite
        let isPart = later.binding.codec.isMasked != earlier.binding.codec.isMasked
        let isSame = later.masks == earlier.masks && later.binding.codec == earlier.binding.codec
        guard isWritten || isSame || !isPart else { continue }
        let message =
          isSame
          ? "property '\(later.name)': reads the same as '\(earlier.name)'"
          : "property '\(later.name)': overlaps '\(earlier.name)'\(isWritten ? ", and one of the two is written" : "")"
        findings.append(ModelFinding(isWritten ? .error : .warning, later.path, message))
      }
    }
  }

  /// For each period, how many requests read its properties, and how much of what they read is wanted.
  private mutating func noteRequests(_ traits: DeviceTraits) {
    let planner = ReadPlanner(limits: traits.limits(over: .network))
    for (period, items) in items.sorted(by: { $0.key < $1.key }) {
      let blocks = planner.plan(items)
      let read = blocks.reduce(0) { $0 + $1.count }
      let wanted = Set(items.flatMap { item in (item.address..<item.end).map { "\(item.table) \($0)" } }).count
      findings.append(
        ModelFinding(
          .note, "",
          "every \(period.brief): \(items.count) properties in \(blocks.count) requests, \(read) addresses read for \(wanted) wanted"
        ))
    }
  }
}

extension String {
  fileprivate func replacingSuffix(_ suffix: String, with other: String) -> String {
    hasSuffix(suffix) ? dropLast(suffix.count) + other : self
  }
}
