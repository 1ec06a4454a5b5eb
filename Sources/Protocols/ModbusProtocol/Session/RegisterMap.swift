import DeviceKit
import Documents

/// The properties of a device bound to registers, and which of them are polled when. Devices with equal properties share
/// one: ``LinkDirectory/registerMap(of:)``.
///
/// Properties are named by their index here.
package final class RegisterMap: Sendable {
  /// What is read at one period.
  struct PollGroup: Sendable {
    var period: Duration
    var items: [ReadItem]
  }

  let bindings: [PropertyBinding]
  let indexByName: [String: Int]
  /// Properties that are polled, by period, shortest first.
  let groups: [PollGroup]

  /// Throws what ``PropertyBinding`` has against a property.
  init(_ properties: [PropertyDefinition]) throws(DeviceError) {
    var bindings: [PropertyBinding] = []
    bindings.reserveCapacity(properties.count)
    var indexByName: [String: Int] = [:]
    var items: [Duration: [ReadItem]] = [:]
    for (index, property) in properties.enumerated() {
      let binding = try PropertyBinding(property)
      if property.access.canRead { items[property.pollEvery, default: []].append(ReadItem(index, binding)) }
      indexByName[property.name] = index
      bindings.append(binding)
    }
    self.bindings = bindings
    self.indexByName = indexByName
    groups = items.sorted { $0.key < $1.key }.map { PollGroup(period: $0.key, items: $0.value) }
  }

  /// A hash of where a device with this connection is and of all that is read of it.
  func basis(_ connection: ModbusConnection) -> String {
    var hash = FNV1a()
    hash.add("\(connection.fragment)")
    let places = groups.flatMap { $0.items.map { "\n\($0.table.rawValue) \($0.address) \($0.length)" } }
    for place in places.sorted() { hash.add(place) }
    return hash.digits
  }
}

extension ReadItem {
  init(_ index: Int, _ binding: PropertyBinding) {
    self.init(item: index, table: binding.table, address: binding.readAddress, length: binding.length)
  }
}
