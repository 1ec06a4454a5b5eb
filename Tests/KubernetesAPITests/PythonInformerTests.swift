import Documents
import Foundation
import ResourceConformance
import ResourceStore
import Resources
import TestSupport
import Testing

@Suite("The Python client through lost connections, restarts and compaction", .timeLimit(.minutes(10)))
struct PythonInformerTests {
  /// List, watch from there, resume after a lost connection, list again after 410: what every informer does. It ends
  /// when it has seen `end`, and prints what it then believes.
  private static let informer = """
    import sys, time
    import urllib3
    from kubernetes import client, watch
    configuration = client.Configuration()
    configuration.host = sys.argv[1]
    configuration.retries = False
    objects = client.CustomObjectsApi(client.ApiClient(configuration))
    place = ("test.dev", "v1", "default", "widgets")
    known, version = {}, None
    def key(item): return item["metadata"]["name"]
    def note(*words): print(*words, flush=True)
    while "end" not in known:
        try:
            if version is None:
                listed = objects.list_namespaced_custom_object(*place)
                known = {key(item): item["spec"]["size"] for item in listed["items"]}
                version = listed["metadata"]["resourceVersion"]
                note("listed", len(known))
                continue
            stream = watch.Watch()
            for event in stream.stream(objects.list_namespaced_custom_object, *place, resource_version=version,
                                       allow_watch_bookmarks=True, timeout_seconds=60):
                item = event["object"]
                version = item["metadata"]["resourceVersion"]
                if event["type"] == "BOOKMARK":
                    continue
                if event["type"] == "DELETED":
                    if key(item) not in known: note("DOUBLE deletion", key(item))
                    known.pop(key(item), None)
                else:
                    if event["type"] == "ADDED" and key(item) in known: note("DOUBLE", key(item))
                    known[key(item)] = item["spec"]["size"]
                note(event["type"], key(item))
                if "end" in known: break
        except client.ApiException as error:
            if error.status != 410: raise
            note("expired")
            version = None
        except (urllib3.exceptions.HTTPError, ConnectionError):
            time.sleep(0.05)
    note("believes", sorted(known.items()))
    """

  private static func write(_ store: EmbeddedResourceStore, _ name: String, _ size: Int64) async throws {
    let key = ObjectKey(namespace: "default", name: name)
    if (try? await store.get(TestKinds.widgets, key)) == nil {
      _ = try await store.create(
        TestKinds.widgets, namespace: "default", TestKinds.widget(name, ["size": .integer(size)]), WriteOptions())
    } else {
      _ = try await store.patch(
        TestKinds.widgets, key, .merge(["spec": ["size": .integer(size)]]), subresource: nil, WriteOptions())
    }
  }

  @Test func anInformerNeitherMissesNorDoublesAnything() async throws {
    let data = try DataDirectory()
    var retention = EmbeddedResourceStore.Retention()
    retention.changes = 16
    let few = retention
    let ports = PortOfRestarts()
    let python = ClientOfRestarts()
    // A first server: the informer lists, and hears of a change.
    try await Self.serve(data, few, ports) { server, store in
      try await Self.write(store, "a", 1)
      try await Self.write(store, "b", 1)
      let started = try Subprocess.Running("/usr/bin/env", ["python3", "-c", Self.informer, server.url])
      python.keep(started)
      try await eventually("it has listed") { started.output.contains("listed 2") }
      try await Self.write(store, "c", 1)
      try await eventually("it has heard of c") { started.output.contains("ADDED c") }
    }
    // Nobody serves while this is written: few enough changes for the log.
    do {
      let store = try await data.open(few)
      try await Self.write(store, "a", 2)
      _ = try await store.delete(TestKinds.widgets, ObjectKey(namespace: "default", name: "b"), DeleteOptions())
    }
    try await Self.serve(data, few, ports) { server, store in
      try await eventually("it has resumed where it was") {
        python.output.contains("MODIFIED a") && python.output.contains("DELETED b")
      }
      #expect(!python.output.contains("expired") && python.output.components(separatedBy: "listed").count == 2)
    }
    // More changes than the log holds: its version is compacted when it comes back.
    do {
      let store = try await data.open(few)
      for size in 0..<60 { try await Self.write(store, "d", Int64(1 + size % 9)) }
      try await Self.write(store, "c", 5)
    }
    try await Self.serve(data, few, ports) { server, store in
      try await eventually("it was told so, and has listed again") { python.output.contains("expired\nlisted 3") }
      try await Self.write(store, "end", 1)
      let end = try #require(await python.result())
      #expect(end.status == 0, "\(end.description)")
      #expect(!end.output.contains("DOUBLE"), "\(end.output)")
      let stored = try await store.list(TestKinds.widgets, ListOptions()).items.map {
        "('\($0.metadata.name)', \($0[path: "spec", "size"] ?? .null))"
      }
      #expect(end.output.contains("believes [\(stored.joined(separator: ", "))]"), "\(end.output) but \(stored)")
    }
  }

  private static func serve(
    _ data: DataDirectory, _ retention: EmbeddedResourceStore.Retention, _ ports: PortOfRestarts,
    _ body: @escaping @Sendable (RunningServer, EmbeddedResourceStore) async throws -> Void
  ) async throws {
    let store = try await data.open(retention)
    try await RunningServer.with([store], port: ports.port) { server in
      ports.keep(server.port)
      try await body(server, store)
    }
  }

  static let fight = """
    import sys
    from kubernetes import client, dynamic
    configuration = client.Configuration()
    configuration.host = sys.argv[1]
    widgets = dynamic.DynamicClient(client.ApiClient(configuration)).resources.get(api_version="test.dev/v1", kind="Widget")
    def apply(manager, spec, force=False):
        body = {"apiVersion": "test.dev/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": spec}
        try:
            stored = widgets.server_side_apply(body=body, namespace="default", name="w", field_manager=manager, force_conflicts=force)
        except client.ApiException as error:
            status = __import__("json").loads(error.body)
            print(manager, error.status, [cause["field"] + ": " + cause["message"] for cause in status["details"]["causes"]])
            return
        owners = {entry.manager: sorted(key for key in (entry.fieldsV1.to_dict().get("f:spec") or {})) for entry in stored.metadata.managedFields}
        print(manager, {key: value for key, value in sorted(stored.spec.to_dict().items())}, owners)
    apply("one", {"size": 1, "tags": ["x"]})
    apply("two", {"size": 2})
    apply("two", {"size": 1})
    apply("one", {"tags": ["x"]})
    apply("two", {"size": 3})
    apply("one", {"size": 4, "tags": ["x"]})
    apply("one", {"size": 4, "tags": ["x"]}, force=True)
    apply("two", {})
    objects = client.CustomObjectsApi(client.ApiClient(configuration))
    place = ("test.dev", "v1", "default", "widgets", "w")
    objects.patch_namespaced_custom_object(*place, {"metadata": {"finalizers": ["test.dev/hold"]}})
    objects.delete_namespaced_custom_object(*place)
    held = objects.get_namespaced_custom_object(*place)["metadata"]
    print("held", held["finalizers"], "deletionTimestamp" in held, held["generation"])
    try:
        objects.patch_namespaced_custom_object(*place, {"metadata": {"finalizers": ["test.dev/hold", "test.dev/more"]}})
    except client.ApiException as error:
        print("no more", error.status)
    objects.patch_namespaced_custom_object(*place, {"metadata": {"finalizers": None}})
    try:
        objects.get_namespaced_custom_object(*place)
    except client.ApiException as error:
        print("gone", error.status)
    """

  @Test func twoManagersFightForAFieldAndAFinalizerHolds() async throws {
    try await RunningServer.withStore { server, _ in
      let run = try await Subprocess.run("/usr/bin/env", ["python3", "-c", Self.fight, server.url])
      #expect(run.status == 0, "\(run.description)")
      #expect(
        run.output.split(separator: "\n").map(String.init) == [
          "one {'colour': 'red', 'size': 1, 'tags': ['x']} {'one': ['f:size', 'f:tags']}",
          #"two 409 ['.spec.size: conflict with "one"']"#,
          "two {'colour': 'red', 'size': 1, 'tags': ['x']} {'one': ['f:size', 'f:tags'], 'two': ['f:size']}",
          "one {'colour': 'red', 'size': 1, 'tags': ['x']} {'one': ['f:tags'], 'two': ['f:size']}",
          "two {'colour': 'red', 'size': 3, 'tags': ['x']} {'one': ['f:tags'], 'two': ['f:size']}",
          #"one 409 ['.spec.size: conflict with "two"']"#,
          "one {'colour': 'red', 'size': 4, 'tags': ['x']} {'one': ['f:size', 'f:tags']}",
          "two {'colour': 'red', 'size': 4, 'tags': ['x']} {'one': ['f:size', 'f:tags'], 'two': []}",
          "held ['test.dev/hold'] True \(Self.generationWhenHeld)", "no more 422", "gone 404",
        ], "\(run.output)")
    }
  }

  /// Created, size 1 → 3 → 4, marked for deletion.
  private static let generationWhenHeld = 4
}
