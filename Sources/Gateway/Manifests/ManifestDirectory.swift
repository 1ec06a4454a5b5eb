internal import Controllers
internal import Documents
internal import FoundationEssentials
public import Logging
public import Resources
internal import YAML

/// Applies the manifests of a directory at start and whenever one of its files changes.
///
/// A file is applied again only when its content differs from what was applied last, also over restarts: the plant's
/// people may have changed an object since, and a restart must not undo that.
public actor ManifestDirectory {
  /// The field manager of what manifests own.
  public static let fieldManager = "selvedge-manifests"

  private let directory: String
  private let statePath: String
  private let backend: any ResourceBackend
  private let logger: Logger
  private var applied: [String: String]
  private var refused: [String: String] = [:]

  /// `statePath` names the file that remembers what was applied.
  public init(directory: String, statePath: String, backend: any ResourceBackend, logger: Logger) {
    self.directory = directory
    self.statePath = statePath
    self.backend = backend
    self.logger = logger
    let stored = FileManager.default.contents(atPath: statePath).map { Array($0) } ?? []
    applied = ((try? JSONValue(parsing: stored))?.object ?? [:]).compactMapValues(\.string)
  }

  /// Files that could not be applied, with the reason.
  public var problems: [String: String] { refused }

  /// Looks every `interval` until the task is cancelled.
  public func run(every interval: Duration = .seconds(2)) async {
    while !Task.isCancelled {
      await applyChanges()
      try? await Task.sleep(for: interval)
    }
  }

  /// Applies every file that changed since it was applied last. Files are taken by name; a file with a fault is told
  /// once for each content and tried again when it changes, one that the store refuses is tried again at every look.
  public func applyChanges() async {
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: directory).filter(ManifestDirectory.isManifest)
        .sorted()
    } catch {
      return report(directory, "cannot read the manifests directory \(directory)")
    }
    var isChanged = false
    for name in names {
      guard let data = FileManager.default.contents(atPath: directory + "/" + name) else {
        report(name, "cannot be read")
        continue
      }
      let bytes = Array(data)
      let digest = ManifestDirectory.digest(of: bytes)
      guard applied[name] != digest else { continue }
      if await apply(name, bytes) {
        applied[name] = digest
        refused[name] = nil
        isChanged = true
      }
    }
    if isChanged { remember() }
  }

  private func apply(_ name: String, _ bytes: [UInt8]) async -> Bool {
    let documents: [YAMLDocument.Decoded]
    do {
      documents = try YAMLDocument.decoded(in: bytes)
    } catch {
      report(name, "\(error)")
      return false
    }
    var isWhole = true
    for (index, decoded) in documents.enumerated() {
      let document = decoded.value
      let label =
        "document \(index + 1), line \(decoded.line): \(document["kind"]?.string ?? "?") \(document[path: "metadata", "name"]?.string ?? "?")"
      if let twice = decoded.duplicates.first {
        report(name, "\(label): line \(twice.line): key \"\(twice.key)\" occurs twice")
        isWhole = false
        continue
      }
      guard let definition = definition(of: document) else {
        report(
          name,
          "\(label): apiVersion \(document["apiVersion"]?.string ?? "(none)") and kind name nothing that is served here"
        )
        isWhole = false
        continue
      }
      var object = document
      if definition.isNamespaced, object[path: "metadata", "namespace"] == nil {
        object["metadata"] = (object["metadata"] ?? [:]).merging(["namespace": "default"])
      }
      do throws(APIStatus) {
        let options = WriteOptions(fieldManager: ManifestDirectory.fieldManager, fieldValidation: .strict)
        _ = try await backend.patch(
          definition.name, object.objectKey, .apply(object, force: true), subresource: nil, options)
        logger.info("manifest applied", metadata: ["file": "\(name)", "object": "\(label)"])
      } catch {
        report(name, "\(label): \(error.message)")
        isWhole = false
      }
    }
    return isWhole
  }

  private func definition(of document: JSONValue) -> ResourceDefinition? {
    backend.definitions.first {
      $0.apiVersion == document["apiVersion"]?.string && $0.kind == document["kind"]?.string
    }
  }

  private func report(_ file: String, _ problem: String) {
    guard refused.updateValue(problem, forKey: file) != problem else { return }
    logger.error("manifest not applied", metadata: ["file": "\(file)", "problem": "\(problem)"])
  }

  private func remember() {
    let state = JSONValue.object(applied.mapValues { .string($0) })
    do {
      try Data(state.serialised(pretty: true)).write(to: URL(filePath: statePath), options: .atomic)
    } catch {
      logger.error("cannot remember what was applied", metadata: ["file": "\(statePath)", "error": "\(error)"])
    }
  }

  private static func isManifest(_ name: String) -> Bool {
    !name.hasPrefix(".") && [".yaml", ".yml", ".json"].contains { name.hasSuffix($0) }
  }

  /// A hash of the content, with its length: tells an edit, withstands no adversary (who could write the file anyway).
  private static func digest(of bytes: [UInt8]) -> String {
    "\(bytes.count)-\(String(FNV1a.hash(bytes), radix: 16))"
  }
}
