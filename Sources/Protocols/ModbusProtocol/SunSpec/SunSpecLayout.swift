/// Every point of a device at its place: what its chain and the models' definitions say together.
package struct SunSpecLayout: Sendable, Hashable {
  package struct Place: Sendable, Hashable {
    package enum Scale: Sendable, Hashable {
      case none
      /// The register that holds the power of ten.
      case register(UInt16)
      /// A power of ten that the standard fixes, or that was read where its register lies too far away to be read along.
      case power(Int)
    }
    /// `inverter-w`, `mppt-module-2-dcw`, `meter-2-totwhimp`: the model's word, groups with their numbers, the point.
    package var name: String
    package var model: UInt16
    package var point: SunSpecPoint
    package var address: UInt16
    package var scale: Scale
    /// The period of reading.
    package var period: String
  }
  package private(set) var places: [Place] = []
  /// Models of the chain, by ID, that are not served, and points that could not be placed.
  package private(set) var notes: [String] = []
  /// The IDs of the chain's models, in their order.
  package let models: [UInt16]
  package let base: UInt16

  /// The most points that are placed; those of further models and groups are left out, and a note says so.
  package static let mostPlaces = 2_000
  /// The longest run of registers that one read takes: value and scale factor have to lie within.
  static let mostRegisters = 125

  package init(_ chain: SunSpecChain) {
    models = chain.models.map(\.id)
    base = chain.base
    var instances: [String: Int] = [:]
    var unknown: [UInt16] = []
    for model in chain.models {
      guard let definition = SunSpecTable.definition(of: model.id) else {
        unknown.append(model.id)
        continue
      }
      let instance = instances[definition.word, default: 0] + 1
      instances[definition.word] = instance
      var placing = Placing(model, definition, instance: instance, room: Self.mostPlaces - places.count)
      placing.place()
      places += placing.places
      notes += placing.notes
    }
    if !unknown.isEmpty { notes.append("models not served: \(unknown.map { "\($0)" }.joined(separator: ", "))") }
    if let fault = chain.fault { notes.append("the chain was left: \(fault)") }
  }

  /// One model on its way into the layout.
  private struct Placing {
    let model: SunSpecChain.Model
    let definition: SunSpecDefinition
    let room: Int
    let prefix: String
    /// The register behind the model.
    let end: Int
    var cursor: Int
    var places: [Place] = []
    var notes: [String] = []
    /// The model's own points, that groups refer to.
    var registers: [String: Int] = [:]

    init(_ model: SunSpecChain.Model, _ definition: SunSpecDefinition, instance: Int, room: Int) {
      self.model = model
      self.definition = definition
      self.room = room
      prefix = definition.word + (instance > 1 ? "-\(instance)" : "")
      cursor = Int(model.address)
      end = cursor + Int(model.length)
      var address = cursor
      for point in definition.body.points {
        registers[point.name] = address
        address += point.registers
      }
    }

    mutating func place() {
      place(definition.body, prefix)
      if places.count >= room {
        note("model \(model.id): more points than the \(SunSpecLayout.mostPlaces) that are served")
      }
    }

    /// Notes it once, and no more than a person reads.
    private mutating func note(_ text: String) {
      if notes.count < 8, !notes.contains(text) { notes.append(text) }
    }

    private mutating func place(_ group: SunSpecGroup, _ prefix: String) {
      var own: [String: Int] = [:]
      var address = cursor
      for point in group.points {
        own[point.name] = address
        address += point.registers
      }
      for point in group.points {
        guard cursor + point.registers <= end, places.count < room else { return cursor = end }
        place(point, prefix, own)
        cursor += point.registers
      }
      for inner in group.groups {
        let size = size(of: inner)
        let possible = size > 0 ? (end - cursor) / size : 0
        let count = min(self.count(of: inner, possible: possible), possible)
        let isNumbered = inner.count != .fixed(1)
        for number in stride(from: 1, through: count, by: 1) {
          place(inner, "\(prefix)-\(inner.name)" + (isNumbered ? "-\(number)" : ""))
        }
      }
    }

    private mutating func count(of group: SunSpecGroup, possible: Int) -> Int {
      switch group.count {
      case .fixed(let count): return count
      case .fill: return possible
      case .point(let name):
        guard let count = head(name) else {
          note("model \(model.id): group \(group.name) is left out, its number \(name) could not be read")
          return 0
        }
        // "Not implemented".
        return count == 0xFFFF ? 0 : Int(count)
      }
    }

    private mutating func size(of group: SunSpecGroup) -> Int {
      var size = group.pointRegisters
      for inner in group.groups { size += self.size(of: inner) * count(of: inner, possible: Int(UInt16.max)) }
      return size
    }

    /// The value of one of the model's points of one register, as it was read on the walk.
    private func head(_ name: String) -> UInt16? {
      guard let address = registers[name] else { return nil }
      let index = address - Int(model.address)
      return model.head.indices.contains(index) ? model.head[index] : nil
    }

    private mutating func place(_ point: SunSpecPoint, _ prefix: String, _ own: [String: Int]) {
      guard point.type.encoding != nil else { return }
      let name = "\(prefix)-" + String(point.name.lowercased().map { $0 == "_" ? "-" : $0 })
      guard name.utf8.count <= 63 else { return note("\(name): left out, a property's name has 63 characters at most") }
      let scale: Place.Scale
      switch point.scale {
      case nil: scale = .none
      case .power(let power): scale = .power(power)
      case .point(let factor):
        guard let address = own[factor] ?? registers[factor], address < end else {
          note("\(name): left out, its scale factor \(factor) lies behind the model's end")
          return
        }
        let span = max(address + 1, cursor + point.registers) - min(address, cursor)
        if span <= SunSpecLayout.mostRegisters {
          scale = .register(UInt16(address))
        } else if let power = head(factor).map({ Int(Int16(bitPattern: $0)) }), (-10...10).contains(power) {
          scale = .power(power)
        } else {
          note("\(name): left out, its scale factor \(factor) was not to be had")
          return
        }
      }
      places.append(
        Place(
          name: name, model: model.id, point: point, address: UInt16(cursor), scale: scale,
          period: point.isStatic ? "1h" : definition.period))
    }
  }
}
