import Documents
import KubernetesAPI
import Resources
import Testing

@Suite("The protobuf form of the served core kinds")
struct CoreKindProtobufTests {
  static let metadata: ProtobufBytes = [.text(1, "a"), .text(2, ""), .text(3, "default"), .message(8, [])]
  static let named: JSONValue = ["name": "a", "namespace": "default"]
  /// 2026-11-21T10:00:00.25Z.
  static let time: ProtobufBytes = [.number(1, 1_795_255_200), .number(2, 250_000_000)]

  @Test(
    arguments: [
      (
        "v1", "Secret",
        [
          .message(1, metadata), .message(2, [.text(1, "password"), .bytes(2, [0xFF, 0, 0x41])]),
          .message(2, [.text(1, "empty"), .bytes(2, [])]), .text(3, "Opaque"),
          .message(4, [.text(1, "user"), .text(2, "me")]), .number(5, 1),
        ],
        [
          "metadata": named, "data": ["password": "/wBB", "empty": ""], "type": "Opaque", "stringData": ["user": "me"],
          "immutable": true,
        ]
      ),
      (
        "v1", "ConfigMap",
        [
          .message(1, metadata), .message(2, [.text(1, "k"), .text(2, "v")]),
          .message(3, [.text(1, "b"), .bytes(2, [1, 2, 3])]), .number(4, 0),
        ],
        ["metadata": named, "data": ["k": "v"], "binaryData": ["b": "AQID"], "immutable": false]
      ),
      (
        "v1", "Namespace",
        [
          .message(1, [.text(1, "a")]), .message(2, [.text(1, "kubernetes")]), .message(3, [.text(1, "")]),
        ],
        ["metadata": ["name": "a"], "spec": ["finalizers": ["kubernetes"]]]
      ),
      (
        "coordination.k8s.io/v1", "Lease",
        [
          .message(1, metadata),
          .message(
            2, [.text(1, "gw-1"), .number(2, 15), .message(3, time), .message(4, time), .number(5, 3)]),
        ],
        [
          "metadata": named,
          "spec": [
            "holderIdentity": "gw-1", "leaseDurationSeconds": 15, "acquireTime": "2026-11-21T10:00:00.250000Z",
            "renewTime": "2026-11-21T10:00:00.250000Z", "leaseTransitions": 3,
          ],
        ]
      ),
      (
        "v1", "Event",
        [
          .message(1, metadata),
          .message(
            2,
            [
              .text(1, "Device"), .text(2, "default"), .text(3, "boiler-1"), .text(4, "u"), .text(5, "g/v"),
              .text(6, "7"),
            ]),
          .text(3, "Found"), .text(4, "it is there"), .message(5, [.text(1, "c"), .text(2, "h")]), .message(6, time),
          .message(7, time), .number(8, 2), .text(9, "Normal"), .message(10, []), .text(12, "Act"), .text(14, "rc"),
          .text(15, "ri"),
        ],
        [
          "metadata": named,
          "involvedObject": [
            "kind": "Device", "namespace": "default", "name": "boiler-1", "uid": "u", "apiVersion": "g/v",
            "resourceVersion": "7",
          ],
          "reason": "Found", "message": "it is there", "source": ["component": "c", "host": "h"],
          "firstTimestamp": "2026-11-21T10:00:00Z", "lastTimestamp": "2026-11-21T10:00:00Z", "count": 2,
          "type": "Normal", "action": "Act", "reportingComponent": "rc", "reportingInstance": "ri",
        ]
      ),
    ] as [(String, String, ProtobufBytes, JSONValue)])
  func kinds(apiVersion: String, kind: String, message: ProtobufBytes, expected: JSONValue) throws {
    var expected = expected
    expected["apiVersion"] = .string(apiVersion)
    expected["kind"] = .string(kind)
    #expect(try KubernetesProtobuf.object(in: ProtobufBytes.body(apiVersion, kind, message)) == expected)
  }

  @Test("ObjectMeta is read whole")
  func objectMeta() throws {
    let owned: ProtobufBytes = [
      .text(1, "a"), .text(4, "/self"), .text(5, "uid"), .text(6, "12"), .number(7, 3), .message(8, Self.time),
      .message(9, Self.time), .number(10, 30), .message(11, [.text(1, "l"), .text(2, "")]),
      .message(12, [.text(1, "n"), .text(2, "v")]),
      .message(
        13, [.text(1, "Device"), .text(3, "d"), .text(4, "u"), .text(5, "g/v"), .number(6, 1), .number(7, 0)]),
      .text(14, "one"), .text(14, "two"),
      .message(
        17,
        [
          .text(1, "m"), .text(2, "Update"), .text(3, "v1"), .message(4, Self.time), .text(6, "FieldsV1"),
          .message(7, [.text(1, #"{"f:data":{}}"#)]), .text(8, ""),
        ]),
    ]
    let object = try KubernetesProtobuf.object(in: ProtobufBytes.body("v1", "ConfigMap", [.message(1, owned)]))
    let expected: JSONValue = [
      "name": "a", "selfLink": "/self", "uid": "uid", "resourceVersion": "12", "generation": 3,
      "creationTimestamp": "2026-11-21T10:00:00Z", "deletionTimestamp": "2026-11-21T10:00:00Z",
      "deletionGracePeriodSeconds": 30, "labels": ["l": ""], "annotations": ["n": "v"],
      "ownerReferences": [
        [
          "kind": "Device", "name": "d", "uid": "u", "apiVersion": "g/v", "controller": true,
          "blockOwnerDeletion": false,
        ]
      ],
      "finalizers": ["one", "two"],
      "managedFields": [
        [
          "manager": "m", "operation": "Update", "apiVersion": "v1", "time": "2026-11-21T10:00:00Z",
          "fieldsType": "FieldsV1", "fieldsV1": ["f:data": [:]],
        ]
      ],
    ]
    #expect(object["metadata"] == expected)
  }

  @Test("a kind of the same name in another group is not taken for it")
  func otherGroup() {
    let error = #expect(throws: APIStatus.self) {
      try KubernetesProtobuf.object(in: ProtobufBytes.body("example.dev/v1", "Secret", [.message(1, Self.metadata)]))
    }
    #expect(error?.code == 415)
  }
}
