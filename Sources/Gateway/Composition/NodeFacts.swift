internal import Documents
internal import Glibc

/// What the machine says of itself, as a Gateway's status has it.
enum NodeFacts {
  /// version, startTime and node.
  static func status(startTime: Timestamp) -> JSONValue {
    var names = utsname()
    uname(&names)
    func text<Tuple>(_ tuple: Tuple) -> JSONValue {
      withUnsafeBytes(of: tuple) { .string(String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)) }
    }
    let memory = Int64(sysconf(Int32(_SC_PHYS_PAGES))) * Int64(sysconf(Int32(_SC_PAGESIZE)))
    return [
      "version": .string(GatewayVersion.text), "startTime": .string(startTime.secondsText),
      "node": [
        "hostname": text(names.nodename), "kernelVersion": text(names.release), "architecture": text(names.machine),
        "processors": .integer(Int64(sysconf(Int32(_SC_NPROCESSORS_ONLN)))), "memoryBytes": .integer(memory),
      ],
    ]
  }
}
