/// The protocol's fragments of the CRDs, as YAML.
enum ModbusSchema {
  static let connection = #"""
    description: A Modbus device. Exactly one of tcp and serial.
    type: object
    x-kubernetes-validations:
    - rule: "!has(self.serial) || !has(self.unitID) || (self.unitID >= 1 && self.unitID <= 247)"
      message: on a serial line the unit ID is 1 to 247
      fieldPath: .unitID
    oneOf:
    - required: [tcp]
    - required: [serial]
    properties:
      tcp:
        description: A device or a gateway to serial lines that is reached over TCP. All devices of one host and port share a connection.
        type: object
        required: [host]
        properties:
          host:
            description: Name, IPv4 or IPv6 address.
            type: string
            minLength: 1
            maxLength: 253
          port:
            description: TCP port.
            type: integer
            format: int32
            minimum: 1
            maximum: 65535
            default: 502
          framing:
            description: TCP for Modbus TCP; RTU for converters that pass serial frames through.
            type: string
            enum: [TCP, RTU]
            default: TCP
      serial:
        description: A device on a serial line. All devices of one path share the line.
        type: object
        required: [path]
        properties:
          path:
            description: The port's device file, best one below /dev/serial/by-id, which stays the same after a restart.
            type: string
            pattern: ^/
            maxLength: 1024
          baudRate:
            description: Bits per second.
            type: integer
            format: int32
            minimum: 50
            maximum: 4000000
            default: 9600
          parity:
            description: Parity bit.
            type: string
            enum: [None, Even, Odd]
            default: None
          dataBits:
            description: Data bits of a character; RTU needs 8.
            type: integer
            format: int32
            minimum: 7
            maximum: 8
            default: 8
          stopBits:
            description: Stop bits of a character.
            type: integer
            format: int32
            minimum: 1
            maximum: 2
            default: 1
          direction:
            description: Who turns a half-duplex line round for sending. Automatic for adapters that do it themselves and for RS-232; Driver for the kernel's RS-485 mode; RTSHigh and RTSLow for the gateway, by the port's RTS. Automatic where absent.
            type: string
            enum: [Automatic, Driver, RTSHigh, RTSLow]
          directionDelay:
            description: From turning RTS to the first bit, and from the last bit to turning it back; the time of one byte where absent.
            $use: duration
      unitID:
        description: Unit ID (slave address). 1 to 247; 0 and 255 for devices that are reached directly over TCP.
        type: integer
        format: int32
        minimum: 0
        maximum: 255
        default: 1
      timeout:
        description: How long an answer is waited for.
        $use: period
        default: 1s
    \#(traits)
    """#

  /// What a model says of every device of its kind; a Device's connection may say otherwise.
  static let model = #"""
    description: What the device's Modbus side bears and lacks.
    type: object
    properties:
    \#(traits)
      forbidden:
        description: Addresses that are never read to fill a gap between two properties.
        type: array
        maxItems: 256
        items:
          type: object
          required: [table, from, to]
          x-kubernetes-validations:
          - rule: "self.from <= self.to"
            message: from must not be above to
          properties:
            table:
              description: The table of the Modbus data model.
              type: string
              enum: [coil, discrete, input, holding]
            from:
              description: The first address, zero-based.
              type: integer
              format: int32
              minimum: 0
              maximum: 65535
            to:
              description: The last address.
              type: integer
              format: int32
              minimum: 0
              maximum: 65535
      unsupportedFunctions:
        description: Functions for writing that the device does not serve; unlisted ones are tried, and an exception 1 is remembered.
        type: array
        maxItems: 6
        items:
          type: integer
          format: int32
          enum: [5, 6, 15, 16, 22, 23]
    """#

  private static let traits = #"""
      maxInFlight:
        description: Requests that may wait for their answers at once on one connection; 1 where nobody says. Not for framing RTU and serial lines.
        type: integer
        format: int32
        minimum: 1
        maximum: 16
      pauseAfterConnect:
        description: From the connection's being made to the first request.
        $use: duration
      pauseBetweenRequests:
        description: From an answer to the next request, on top of what the line itself asks for.
        $use: duration
      retries:
        description: How often a read without a usable answer in time is sent once more within a poll. 0 where absent.
        type: integer
        format: int32
        minimum: 0
        maximum: 5
      maxRegisters:
        description: The most registers that one read may ask for. 125 where absent.
        type: integer
        format: int32
        minimum: 1
        maximum: 125
      maxBits:
        description: The most bits that one read may ask for. 2000 where absent.
        type: integer
        format: int32
        minimum: 1
        maximum: 2000
      maxGap:
        description: The longest run of registers without a property that is read along; 0 for devices that refuse any. By the link's speed where absent.
        type: integer
        format: int32
        minimum: 0
        maximum: 124
    """#

  static let discovery = #"""
    description: Looks for Modbus devices at listed places only, with read-only functions. Exactly one of tcp and serial.
    type: object
    oneOf:
    - required: [tcp]
    - required: [serial]
    properties:
      tcp:
        description: Scans listed hosts, at most 8 at a time and with one connection each.
        type: object
        required: [targets]
        properties:
          targets:
            description: Hosts (name, IPv4, IPv6), host:port, CIDR blocks up to /20, ranges a.b.c.d-e.
            type: array
            minItems: 1
            maxItems: 256
            items:
              type: string
              minLength: 1
              maxLength: 255
          exclude:
            description: Hosts, blocks and ranges that are never contacted.
            type: array
            maxItems: 256
            items:
              type: string
              minLength: 1
              maxLength: 255
          ports:
            description: Ports for targets that name none.
            type: array
            minItems: 1
            maxItems: 16
            items:
              type: integer
              format: int32
              minimum: 1
              maximum: 65535
            default: [502]
          unitIDs:
            description: Unit IDs to ask for, single ones and ranges ("1-4").
            type: array
            minItems: 1
            maxItems: 64
            items:
              x-kubernetes-int-or-string: true
            default: [1]
          probesPerSecond:
            description: Connections and requests per second, over all hosts together.
            type: integer
            format: int32
            minimum: 1
            maximum: 1000
            default: 10
          probesPerSecondPerHost:
            description: The same at one host, which answers one request after the other.
            type: integer
            format: int32
            minimum: 1
            maximum: 100
            default: 10
          timeout:
            description: How long a connection and each answer is waited for.
            $use: period
            default: 1s
      serial:
        description: Scans serial ports. Frames of a wrong speed disturb a line in use, hence allowActiveScan.
        type: object
        x-kubernetes-validations:
        - rule: "has(self.discoveryRef) || (has(self.paths) && self.paths.size() > 0)"
          message: 'name the ports: discoveryRef, paths or both'
        properties:
          discoveryRef:
            description: A Discovery of this namespace that finds the ports (udev); each of its devices is scanned.
            type: object
            required: [name]
            properties:
              name:
                description: Its name.
                type: string
                minLength: 1
                maxLength: 253
          paths:
            description: Device files of the ports.
            type: array
            maxItems: 64
            items:
              type: string
              pattern: ^/
              maxLength: 1024
          allowActiveScan:
            description: Whether the gateway may send on these ports. Without it nothing is sent and a warning says so. A port is listened to for 5 s first and left alone where anybody speaks.
            type: boolean
            default: false
          baudRates:
            description: Speeds to try.
            type: array
            minItems: 1
            maxItems: 16
            items:
              type: integer
              format: int32
              minimum: 50
              maximum: 4000000
            default: [9600]
          parities:
            description: Parities to try.
            type: array
            minItems: 1
            maxItems: 3
            items:
              type: string
              enum: [None, Even, Odd]
            default: [None]
          unitIDs:
            description: Unit IDs to ask for, single ones and ranges ("1-16").
            type: array
            minItems: 1
            maxItems: 64
            items:
              x-kubernetes-int-or-string: true
            default: [1]
          timeout:
            description: How long each answer is waited for.
            $use: period
            default: 300ms
    """#
}
