extension ModbusSchema {
  /// Under `Gateway.spec.servers[].modbus`.
  static let server =
    #"""
    type: object
    description: A Modbus TCP server. Modbus knows no authentication, whoever reaches the port reads and writes; hence loopback unless address says otherwise, and then allowFrom.
    required: [port, map]
    x-kubernetes-validations:
    - rule: "!has(self.address) || self.address.startsWith('127.') || self.address == '::1' || (has(self.allowFrom) && self.allowFrom.size() > 0)"
      message: is needed where address is not loopback, since Modbus knows no authentication
      fieldPath: .allowFrom
    properties:
      address:
        type: string
        minLength: 2
        maxLength: 45
        description: The IP address to listen at, such as 10.1.0.1 or ::1. Absent is 127.0.0.1.
      port:
        type: integer
        format: int32
        minimum: 1
        maximum: 65535
        description: The TCP port. The standard's is 502, for which the gateway needs the right to bind ports below 1024.
      allowFrom:
        type: array
        maxItems: 64
        x-kubernetes-list-type: set
        description: The addresses and blocks of clients, such as 10.1.0.7 and 10.2.0.0/24; needed where address is not loopback.
        items: {type: string, minLength: 2, maxLength: 49}
      unitID:
        type: integer
        format: int32
        minimum: 1
        maximum: 247
        description: The unit ID that is answered, besides 0 and 255, which mean the server itself. Absent is any.
      maxClients:
        type: integer
        format: int32
        minimum: 1
        maximum: 64
        description: How many clients may be connected at once. Absent is 8.
      idleTimeout:
        $use: period
        description: A client that asks nothing for so long is let go. Absent is 60s.
      onBad:
        type: string
        enum: [Exception, Sentinel, Last]
        description: What a read of a value without good quality gets. Exception 4, the value that stands for none, or the last value. Absent is Exception.
      gaps:
        type: string
        enum: [Exception, Zero]
        description: What a read gets of addresses that nothing lies at. Exception 2, or 0. Absent is Exception.
      heartbeat:
        type: object
        description: A register that counts the seconds since the server started, and goes round at 65536.
        required: [table, address]
        properties:
          table: {type: string, enum: [input, holding], description: The table of the Modbus data model.}
          address: {type: integer, format: int32, minimum: 0, maximum: 65535, description: Zero-based address.}
      quality:
        type: object
        description: One bit for each entry of map, in its order, that is 1 while the entry's quality is Good. In registers the lowest bit is the first.
        required: [table, address]
        properties:
          table: {type: string, enum: [discrete, input, holding], description: The table of the Modbus data model.}
          address: {type: integer, format: int32, minimum: 0, maximum: 65535, description: Zero-based address of the first.}
      map:
        type: array
        minItems: 1
        maxItems: 1024
        x-kubernetes-list-type: atomic
        description: What lies where.
        items:

    """# + entry

  /// An element of `map`: the fields that say how a property lies in a device say how it lies in the server, too.
  private static let entry: String = {
    let indentation = "      "
    let rules = #"""
      - rule: "!has(self.access) || self.access == 'Read' || !has(self.table) || self.table in ['coil', 'holding']"
        message: ReadWrite needs the table coil or holding; nobody writes the others
        fieldPath: .access
      - rule: "!has(self.scaleFrom) && !has(self.pulse)"
        message: scaleFrom and pulse have no meaning in a server
      """#
    let fields = #"""
        device:
          description: The Device, as NAME in the namespace default or as NAMESPACE/NAME.
          type: string
          minLength: 1
          maxLength: 317
          pattern: ^([a-z0-9]([-a-z0-9]*[a-z0-9])?/)?[a-z0-9]([-.a-z0-9]*[a-z0-9])?$
        property:
          description: The Device's property.
          type: string
          minLength: 1
          maxLength: 63
        access:
          description: Whether clients may write it; the model and the Device's spec.writes have to let them too. Read where absent.
          type: string
          enum: [Read, ReadWrite]
        onBad:
          description: As the server's, for this entry.
          type: string
          enum: [Exception, Sentinel, Last]
      """#
    var lines = ["required: [device, property]"]
    for line in property.split(separator: "\n") {
      // The model's words, and not the server's.
      if line.hasPrefix("description:") {
        lines.append("description: A property and where it lies. Exactly one of address (with table) and register.")
        continue
      }
      lines.append(String(line))
      if line == "x-kubernetes-validations:" { lines += rules.split(separator: "\n").map(String.init) }
    }
    lines += fields.split(separator: "\n").map(String.init)
    return lines.map { indentation + $0 }.joined(separator: "\n")
  }()
}
