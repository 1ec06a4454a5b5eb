import Foundation
import Testing

@Suite("The Python client against the API and the store", .timeLimit(.minutes(10)))
struct PythonClientTests {
  static let script = """
    import sys, yaml
    from kubernetes import client, config, dynamic, watch
    configuration = client.Configuration()
    configuration.host = sys.argv[1]
    connection = client.ApiClient(configuration)
    objects = client.CustomObjectsApi(connection)
    place = ("selvedge.dev", "v1alpha1", "default", "devices")
    with open(sys.argv[2]) as file:
        for document in yaml.safe_load_all(file):
            if document and document["kind"] == "Device":
                objects.create_namespaced_custom_object(*place, document)
    listed = objects.list_namespaced_custom_object(*place, label_selector="line=a")
    print("listed", sorted(item["metadata"]["name"] for item in listed["items"]))
    version = listed["metadata"]["resourceVersion"]
    patched = objects.patch_namespaced_custom_object(*place, "boiler-1", {"spec": {"desired": {"setpoint": 70}}})
    print("patched", patched["spec"]["desired"]["setpoint"], patched["metadata"]["generation"])
    stream = watch.Watch().stream(objects.list_namespaced_custom_object, *place, resource_version=version, timeout_seconds=5)
    for event in stream:
        print("watched", event["type"], event["object"]["metadata"]["name"])
        break
    try:
        objects.get_namespaced_custom_object(*place, "absent")
    except client.ApiException as error:
        print("refused", error.status, error.reason)
    devices = dynamic.DynamicClient(connection).resources.get(api_version="selvedge.dev/v1alpha1", kind="Device")
    print("dynamic", len(devices.get(namespace="default").items))
    applied = devices.server_side_apply(
        body={"apiVersion": "selvedge.dev/v1alpha1", "kind": "Device", "metadata": {"name": "new"}, "spec": {"nodeName": "gw-2"}},
        namespace="default", name="new", field_manager="script")
    print("applied", applied.spec.nodeName)
    print("namespaces", "default" in [item.metadata.name for item in client.CoreV1Api(connection).list_namespace().items])
    objects.delete_namespaced_custom_object(*place, "new")
    print("version", client.VersionApi(connection).get_code().git_version)
    """

  @Test func listsWatchesPatchesAndApplies() async throws {
    try await RunningServer.withStore { server, _ in
      let run = try await Subprocess.run(
        "/usr/bin/env", ["python3", "-c", Self.script, server.url, KubectlTests.contract("02-devices.yaml")])
      #expect(run.status == 0, "\(run.description)")
      let lines = run.output.split(separator: "\n").map(String.init)
      #expect(
        lines == [
          "listed ['boiler-1', 'meter-1']", "patched 70 2", "watched MODIFIED boiler-1", "refused 404 Not Found",
          "dynamic 3", "applied gw-2", "namespaces True", "version v1.33.0+selvedge.0.1.0",
        ])
    }
  }
}
