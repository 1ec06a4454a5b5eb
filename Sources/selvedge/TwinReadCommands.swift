import ArgumentParser
import Documents

struct TwinHistoryCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "history", abstract: "Prints what happened to a device's properties, the newest last.")
  @OptionGroup var server: ServerOption
  @OptionGroup var twin: TwinArgument
  @Argument(help: "The property; absent: all.")
  var property: String?
  @Option(help: "The first moment: a time (RFC 3339), or how long ago, such as 15m, 36h or 7d.")
  var since: String?
  @Option(help: "The moment before which to stop.")
  var until: String?
  @Option(help: "Desired, Transition, Command, Drift or Reported; several with commas between.")
  var kind: String?
  @Option(help: "The most entries, the newest ones.")
  var limit = 100
  @Option(name: .shortAndLong, help: "table or json.")
  var output = "table"

  func run() async throws {
    let client = try server.client()
    let query = queryText([
      ("property", property), ("since", since), ("until", until), ("kind", kind), ("limit", "\(limit)"),
    ])
    let path = "\(twin.path)/history?\(query)"
    let document = try await client.json("GET", path)
    guard output == "table" else {
      print(String(decoding: document.serialised(pretty: true), as: UTF8.self), terminator: "")
      return
    }
    let items = document["items"]?.array ?? []
    print(
      textTable(
        [["TIME", "PROPERTY", "KIND", "FROM", "TO", "BY", "WHY"]]
          + items.map { item in
            let why = [item["reason"], item["message"], item["cause"]].compactMap { $0?.string }
            return [
              item["time"]?.string ?? "", item["property"]?.string ?? "", item["kind"]?.string ?? "",
              cell(item["from"]), cell(item["to"] ?? item["value"]), item["by"]?.string ?? "",
              ([item["state"]?.string, item["quality"]?.string].compactMap { $0 }.filter { $0 != "Good" } + why
                + (item["skipped"]?.int.map { ["\($0) changes before were not kept"] } ?? [])).joined(separator: ": "),
            ]
          }), terminator: "")
    if document[path: "metadata", "continue"] != nil {
      print("There is more before: raise --limit, or give --until.")
    }
  }
}

struct TwinDeltaCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delta", abstract: "Prints the desired values that a device is not known to hold.")
  @OptionGroup var server: ServerOption
  @OptionGroup var twin: TwinArgument
  @Option(name: .shortAndLong, help: "table or json.")
  var output = "table"

  func run() async throws {
    let client = try server.client()
    let document = try await client.json("GET", "\(twin.path)/delta")
    guard output == "table" else {
      print(String(decoding: document.serialised(pretty: true), as: UTF8.self), terminator: "")
      return
    }
    let items = document["properties"]?.array ?? []
    guard !items.isEmpty else {
      print("\(twin.device) holds all that is desired of it.")
      return
    }
    print(
      textTable(
        [["PROPERTY", "DESIRED", "REPORTED", "QUALITY", "STATE", "SINCE", "BY", "WHY"]]
          + items.map { item in
            [
              item["name"]?.string ?? "", cell(item["desired"]), cell(item["reported"]), item["quality"]?.string ?? "",
              item["state"]?.string ?? "", item["since"]?.string ?? "", item["by"]?.string ?? "",
              [item["reason"], item["message"]].compactMap { $0?.string }.joined(separator: ": "),
            ]
          }), terminator: "")
  }
}
