package import DeviceKit

/// A change that a client asks for, at consecutive addresses of one table.
package struct ServedWrite: Sendable, Hashable {
  package var table: RegisterTable
  package var address: Int
  /// Registers, or bits as 0 and 1.
  package var words: [UInt16]
  /// The bits that are changed, one mask for each address.
  package var masks: [UInt16]
  package var end: Int { address + words.count }

  /// Whole registers or bits.
  package init(_ table: RegisterTable, _ address: Int, _ words: [UInt16]) {
    self.init(table, address, words, masks: [UInt16](repeating: table.holdsBits ? 1 : .max, count: words.count))
  }

  package init(_ table: RegisterTable, _ address: Int, _ words: [UInt16], masks: [UInt16]) {
    self.table = table
    self.address = address
    self.words = words
    self.masks = masks
  }
}

extension ServedImage {
  /// What a change asks of the properties, all of it or nothing. Throws
  /// - exception 1 where nothing of the table may be written, as if the function were not there;
  /// - exception 2 where nothing lies at an address, where what lies there is read only, and where a value would be
  ///   written in part;
  /// - exception 3 for words that are no value, and for set bits that nothing has;
  /// - exception 4 where the device is not served, or bits that stay are not known.
  package mutating func wishes(
    for write: ServedWrite, _ look: Look
  ) throws(ModbusException) -> [PropertyWish] {
    guard map.isWritable(write.table) else { throw .illegalFunction }
    guard write.end <= 65_536, let table = tables[write.table], !table.hasGap(write.address..<write.end) else {
      throw .illegalDataAddress
    }
    let found = table.entries(in: write.address..<write.end, of: map)
    refresh(found, look)
    let present = tables[write.table]?.words(in: write.address..<write.end) ?? []
    var unowned = write.masks
    var wishes: [PropertyWish] = []
    var kept: [ServedEntry] = []
    for index in found {
      let entry = map.entries[index]
      let shared = max(entry.address, write.address)..<min(entry.end, write.end)
      var isTouched = false
      for address in shared {
        let mask = entry.mask(at: address)
        if write.masks[address - write.address] & mask != 0 { isTouched = true }
        unowned[address - write.address] &= ~mask
      }
      guard isTouched else { continue }
      guard case .property(let property) = entry.content, property.isWritable else {
        kept.append(entry)
        continue
      }
      guard entry.address >= write.address, entry.end <= write.end else { throw .illegalDataAddress }
      wishes.append(PropertyWish(name: property.name, value: try value(index, write, look)))
    }
    for entry in kept {
      // A register may hold bits that are written and bits that are read only: these must be left as they are.
      let isShared = entry.masks.contains { $0 != .max } && !write.table.holdsBits
      guard isShared, !wishes.isEmpty else { throw .illegalDataAddress }
      for address in max(entry.address, write.address)..<min(entry.end, write.end) {
        let place = address - write.address
        let changed = (write.words[place] ^ present[place]) & write.masks[place] & entry.mask(at: address)
        guard changed == 0 else { throw .illegalDataAddress }
      }
    }
    for (word, mask) in zip(write.words, unowned) where word & mask != 0 { throw .illegalDataValue }
    return wishes
  }

  /// What the written words make of a property, with the bits of it that are not written as they are or, where something
  /// else is on its way to the device, as they will be.
  private func value(_ index: Int, _ write: ServedWrite, _ look: Look) throws(ModbusException) -> Value {
    let entry = map.entries[index]
    guard let binding = cells[index].codec?.binding else { throw .serverDeviceFailure }
    let start = entry.address - write.address
    var words = Array(write.words[start..<start + entry.count])
    let masks = write.masks[start..<start + entry.count]
    if zip(entry.masks, masks).contains(where: { $0 & ~$1 != 0 }) {
      guard let state = look.states([points[index]]).first ?? nil else { throw .serverDeviceFailure }
      let isKnown = state.wished != nil || state.reading.quality == .good
      guard isKnown, let base = state.wished ?? state.reading.value, let held = try? binding.served(base) else {
        throw .serverDeviceFailure
      }
      for (offset, mask) in masks.enumerated() { words[offset] = words[offset] & mask | held[offset] & ~mask }
    }
    return try binding.wished(words)
  }
}
