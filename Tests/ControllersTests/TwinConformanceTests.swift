import Controllers
import DeviceKit
import Documents
import Logging
import ResourceConformance
import Resources
import Synchronization
import Testing
import TwinStore

@Suite("The twins as a resource backend", .timeLimit(.minutes(10)))
struct TwinConformanceTests {
  /// Twins come with their Devices and take no create, no delete and no field owners; all else is every backend's.
  @Test(arguments: BackendConformance.rules(for: [.answers, .promptWatches]))
  func `A backend of twins conforms to what every backend does`(_ rule: ConformanceRule) async throws {
    let place = try TwinPlace(isEmpty: true)
    let namespace = TwinPlace.key.namespace
    @Sendable func device(_ name: String) -> DeviceKey { DeviceKey(namespace: namespace, name: name) }
    let subject = BackendUnderTest(
      backend: place.backend, resource: TwinPlace.name, namespace: namespace,
      changedField: ["spec", "desired", "setpoint"],
      change: { ["spec": ["desired": ["setpoint": .integer(Int64(20 + $0))]]] },
      bring: { name, labels in
        place.label(device(name), labels)
        place.attach(device(name))
        return try await place.backend.get(TwinPlace.name, ObjectKey(namespace: namespace, name: name))
      },
      remove: { name in place.store.remove(device(name)) })
    try await rule.hold(on: subject)
  }
}
