import Documents
import Foundation
import TestSupport
import Testing

/// The directory of manifests: applied at start and on change, and only then.
@Suite struct ManifestDirectoryTests {
  private static func broker(_ port: Int) -> String {
    """
    apiVersion: selvedge.dev/v1alpha1
    kind: Broker
    metadata: {name: local}
    spec: {url: "mqtt://127.0.0.1:\(port)"}
    """
  }

  private static func device(_ label: String) -> String {
    """
    apiVersion: selvedge.dev/v1alpha1
    kind: Device
    metadata: {name: pump-1, labels: {line: \(label)}}
    spec: {desired: {speed: 10}}
    """
  }

  @Test(.timeLimit(.minutes(10)))
  func aFileIsAppliedAtStartAndAgainWhenItIsEdited() async throws {
    try await withGateway(manifests: ["pump.yaml": Self.device("a")]) { gateway in
      try await eventually("the file is applied", seen: { gateway.log }) {
        try await gateway.object("device", "pump-1") != nil
      }
      try gateway.folder.write(Self.device("b"), to: "manifests/pump.yaml")
      try await eventually("the edit is applied", seen: { gateway.log }) {
        try await gateway.object("device", "pump-1")?[path: "metadata", "labels", "line"]?.string == "b"
      }
    }
  }

  @Test(.timeLimit(.minutes(10)))
  func aRestartDoesNotUndoAPatchOfWhatAnUnchangedFileSays() async throws {
    try await withGateway(manifests: ["pump.yaml": Self.device("a")]) { gateway in
      try await eventually("the file is applied", seen: { gateway.log }) {
        try await gateway.object("device", "pump-1") != nil
      }
      try await gateway.kubectl(
        "patch", "device", "pump-1", "--type", "merge", "-p", #"{"spec":{"desired":{"speed":20}}}"#)
      try await gateway.restart()
      // A second file's arrival shows that the directory has been looked through.
      try gateway.folder.write(Self.broker(1), to: "manifests/zz-broker.yaml")
      try await eventually("the directory is looked through", seen: { gateway.log }) {
        try await gateway.object("broker", "local") != nil
      }
      #expect(try await gateway.object("device", "pump-1")?[path: "spec", "desired", "speed"]?.number == 20)
    }
  }

  @Test(.timeLimit(.minutes(10)))
  func aBrokenFileIsToldAndTheOthersAreApplied() async throws {
    let manifests = [
      "a-syntax.yaml": "kind: [Device\n",
      "b-field.yaml": Self.device("a").replacingOccurrences(of: "desired", with: "wanted"),
      "c-kind.yaml": "apiVersion: selvedge.dev/v1alpha1\nkind: Turnip\nmetadata: {name: t}\n",
      "d-good.yaml": Self.broker(1),
      "notes.txt": "no manifest",
    ]
    try await withGateway(manifests: manifests) { gateway in
      try await eventually("the good file is applied", seen: { gateway.log }) {
        try await gateway.object("broker", "local") != nil
      }
      let faults = gateway.log.split(separator: "\n").filter { $0.contains("manifest not applied") }
      #expect(faults.count == 3, "\(faults)")
      #expect(faults.contains { $0.contains("a-syntax.yaml") && $0.contains("line") }, "\(faults)")
      #expect(faults.contains { $0.contains("b-field.yaml") && $0.contains("spec.wanted") }, "\(faults)")
      #expect(faults.contains { $0.contains("c-kind.yaml") && $0.contains("Turnip") }, "\(faults)")
      #expect(try await gateway.object("device", "pump-1") == nil)

      try gateway.folder.write(Self.device("a"), to: "manifests/b-field.yaml")
      try await eventually("the mended file is applied", seen: { gateway.log }) {
        try await gateway.object("device", "pump-1") != nil
      }
    }
  }
}
