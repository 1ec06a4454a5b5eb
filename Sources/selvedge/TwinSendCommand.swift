import ArgumentParser
import Documents

struct TwinSendCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "command",
    abstract: "Writes a value once, as no desired state: selvedge twin command boiler-1 reset=true --timeout 5s")
  @OptionGroup var server: ServerOption
  @OptionGroup var twin: TwinArgument
  @Argument(help: "PROPERTY=VALUE; the value as JSON, or as plain text.")
  var assignment: String
  @Option(help: "How long to wait for the device, at most 60s.")
  var timeout = "10s"
  @Option(help: "An idempotency key: the same one again sends nothing and prints the first outcome.")
  var key: String?
  @Flag(help: "Read the property back once.")
  var verify = false

  func run() async throws {
    guard let equals = assignment.firstIndex(of: "="), assignment.index(after: equals) < assignment.endIndex else {
      throw ValidationFailure(message: "\"\(assignment)\" is not PROPERTY=VALUE")
    }
    let text = String(assignment[assignment.index(after: equals)...])
    var body: JSONValue = [
      "kind": "TwinCommand", "property": .string(String(assignment[..<equals])),
      "value": (try? JSONValue(parsing: text)) ?? .string(text), "timeout": .string(timeout), "verify": .bool(verify),
    ]
    if let key { body["idempotencyKey"] = .string(key) }
    let client = try server.client()
    let path = "\(twin.path)/commands"
    let response = try await client.request(
      "POST", path + "?fieldManager=selvedge-cli", contentType: "application/json", body: body.serialised())
    guard response.isSuccess else { throw ValidationFailure(message: response.problem) }
    let answer = try JSONValue(parsing: response.body)
    let state = answer["state"]?.string ?? "Unknown"
    let message = answer["message"]?.string ?? ""
    var line = message.isEmpty ? state : "\(state): \(message)"
    if let reported = answer["reported"] { line += "; reads \(reported)" }
    guard state == "Succeeded" else { throw ValidationFailure(message: line) }
    print("twin/\(twin.device) \(line)")
  }
}
