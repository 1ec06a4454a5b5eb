import Controllers
import DeviceKit
import Documents
import Testing
import TwinStore

@Suite struct RemoteWishMessageTests {
  @Test func aWholeMessageIsRead() throws {
    let text =
      #"{"id":"a-1","desired":{"setpoint":55.5,"pump":null},"baseVersion":"12","expiresAt":"2026-11-21T12:00:00Z"}"#
    let message = try RemoteWishMessage(parsing: Array(text.utf8))
    #expect(message.wish == RemoteWish(id: "a-1", values: ["setpoint": 55.5, "pump": .null], baseVersion: 12))
    #expect(message.expiry == Timestamp("2026-11-21T12:00:00Z"))
    let least = try RemoteWishMessage(parsing: Array(#"{"id":"b","desired":{"a":1},"baseVersion":7}"#.utf8))
    #expect(least.wish.baseVersion == 7 && least.expiry == nil)
  }

  @Test(arguments: [
    ("", "JSON", nil), ("[]", "object", nil), (#"{"desired":{"a":1}}"#, "id", nil),
    (#"{"id":7,"desired":{"a":1}}"#, "id", nil),
    (#"{"id":"x"}"#, "desired", "x"), (#"{"id":"x","desired":{}}"#, "desired", "x"),
    (#"{"id":"x","desired":[1]}"#, "desired", "x"),
    (#"{"id":"x","desired":{"a":1},"baseVersion":-1}"#, "baseVersion", "x"),
    (#"{"id":"x","desired":{"a":1},"baseVersion":"new"}"#, "baseVersion", "x"),
    (#"{"id":"x","desired":{"a":1},"expiresAt":"soon"}"#, "expiresAt", "x"),
    (#"{"id":"x","desired":{"a":1},"expiresIn":"5m"}"#, "expiresIn", "x"),
  ])
  func whatIsNoMessageNamesItsField(text: String, field: String, id: String?) {
    let fault = #expect(throws: RemoteWishMessage.Fault.self) { try RemoteWishMessage(parsing: Array(text.utf8)) }
    #expect(fault?.message.contains(field) == true, "\(fault?.message ?? "")")
    #expect(fault?.id == id)
  }

  @Test func whatIsTooLargeIsRefused() {
    let large = #"{"id":"x","desired":{"a":""# + String(repeating: "a", count: 70_000) + #""}}"#
    #expect(throws: RemoteWishMessage.Fault.self) { try RemoteWishMessage(parsing: Array(large.utf8)) }
    let many = (0...RemoteWishMessage.maximumProperties).map { #""p\#($0)":1"# }.joined(separator: ",")
    #expect(throws: RemoteWishMessage.Fault.self) {
      try RemoteWishMessage(parsing: Array(#"{"id":"x","desired":{\#(many)}}"#.utf8))
    }
  }

  @Test(
    arguments: [
      ("cloud/site-1/default/pump-3/desired", DeviceKey(namespace: "default", name: "pump-3")),
      ("cloud/site-1/default/pump-3/desired/result", nil), ("cloud/site-2/default/pump-3/desired", nil),
      ("cloud/site-1//pump-3/desired", nil), ("cloud/site-1/pump-3/desired", nil),
    ] as [(String, DeviceKey?)])
  func theTopicNamesTheDevice(topic: String, device: DeviceKey?) {
    #expect(RemoteWishMessage.device(of: topic, prefix: "cloud/site-1") == device)
  }
}
