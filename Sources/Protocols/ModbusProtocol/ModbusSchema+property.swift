extension ModbusSchema {
  /// Under `DeviceModel.spec.properties[].modbus`.
  static let property = #"""
    description: Where and how the property lies in the device's registers. Exactly one of address (with table) and register.
    type: object
    x-kubernetes-validations:
    - rule: "!has(self.scale) || self.scale != 0.0"
      message: must not be 0
      fieldPath: .scale
    - rule: "!has(self.register) || (self.register >= 1 && self.register <= 9999) || (self.register >= 10001 && self.register <= 19999) || (self.register >= 30001 && self.register <= 39999) || (self.register >= 40001 && self.register <= 49999) || (self.register >= 100001 && self.register <= 165536) || (self.register >= 300001 && self.register <= 365536) || self.register >= 400001"
      message: 'is no Modicon number: 1-9999, 10001-19999, 30001-39999, 40001-49999, or six digits'
      fieldPath: .register
    - rule: "!has(self.table) || !(self.table in ['coil', 'discrete']) || ((!has(self.encoding) || self.encoding == 'bit') && !has(self.order) && !has(self.scale) && !has(self.offset) && !has(self.bit) && !has(self.registers) && !has(self.bits) && !has(self.byte) && !has(self.fractionBits) && !has(self.scaleFrom) && !has(self.notAvailable) && !has(self.states) && !has(self.flags) && !has(self.text))"
      message: 'the tables coil and discrete hold single bits: leave encoding, order, scale, bit and all else about registers out'
    - rule: "!has(self.encoding) || self.encoding != 'string' || has(self.registers)"
      message: encoding string needs registers
    - rule: "!has(self.encoding) || self.encoding != 'bit' || has(self.bit) || (has(self.table) && self.table in ['coil', 'discrete']) || (has(self.register) && (self.register <= 19999 || (self.register >= 100001 && self.register <= 165536)))"
      message: 'encoding bit in a register needs bit, 0 to 15'
    - rule: "!has(self.bit) || !has(self.encoding) || !(self.encoding in ['int8', 'uint8', 'float16', 'float32', 'float64', 'bcd16', 'bcd32', 'bcd64', 'string'])"
      message: bit needs an integer encoding
      fieldPath: .bit
    - rule: "!has(self.bit) || ((!has(self.scale) || self.scale == 1.0) && (!has(self.offset) || self.offset == 0.0))"
      message: scale and offset have no meaning for a single bit
    - rule: "!has(self.bits) || (!has(self.bit) && (!has(self.encoding) || self.encoding in ['int16', 'uint16', 'int32', 'uint32', 'int64', 'uint64']))"
      message: needs an integer encoding of 16, 32 or 64 bits, and no bit beside it
      fieldPath: .bits
    - rule: "!has(self.byte) || (has(self.encoding) && self.encoding in ['int8', 'uint8'])"
      message: goes with the encodings int8 and uint8
      fieldPath: .byte
    - rule: "!has(self.flags) || (!has(self.states) && !has(self.bit) && !has(self.bits) && !has(self.count) && !has(self.scale) && !has(self.offset))"
      message: flags go with the whole value, without states, bit, bits, count, scale and offset
      fieldPath: .flags
    - rule: "!has(self.text) || (has(self.encoding) && self.encoding == 'string')"
      message: goes with encoding string
      fieldPath: .text
    oneOf:
    - required: [table, address]
    - required: [register]
    properties:
      table:
        description: The table of the Modbus data model; may be left out with register, which says it.
        type: string
        enum: [coil, discrete, input, holding]
      address:
        description: Zero-based address, as sent on the wire.
        type: integer
        format: int32
        minimum: 0
        maximum: 65535
      register:
        description: Register number in Modicon notation, of five digits (40001 to 49999) or six (400001 to 465536); 1 to 9999 are coils.
        type: integer
        format: int32
        minimum: 1
        maximum: 465536
      encoding:
        description: How the value lies in registers; uint16 where absent. Coils and discrete inputs are always bits. int8 and uint8 are one byte of a register, bcd16 to bcd64 packed decimal digits.
        type: string
        enum: [bit, int8, uint8, int16, uint16, int32, uint32, int64, uint64, float16, float32, float64, bcd16, bcd32, bcd64, string]
      order:
        description: Order of the bytes, A the most significant; the pattern repeats at every width. ABCD where absent.
        type: string
        enum: [ABCD, DCBA, BADC, CDAB]
      scale:
        description: Value = raw × scale + offset. 1 where absent; never 0.
        type: number
      offset:
        description: Added after scaling. 0 where absent.
        type: number
      fractionBits:
        description: Bits behind the binary point of a fixed-point number, 8 for Q8.8. The raw value is divided by 2 to the power of it before scaling.
        type: integer
        format: int32
        minimum: 1
        maximum: 62
      scaleFrom:
        description: A register of the same table that holds a power of ten, -10 to 10, with which the value is multiplied (a scale factor, as SunSpec has them). It is read together with the value.
        type: object
        oneOf:
        - required: [address]
        - required: [register]
        properties:
          address:
            description: Zero-based address.
            type: integer
            format: int32
            minimum: 0
            maximum: 65535
          register:
            description: Register number in Modicon notation.
            type: integer
            format: int32
            minimum: 1
            maximum: 465536
      bit:
        description: The bit of the register that is the value, 0 the lowest.
        type: integer
        format: int32
        minimum: 0
        maximum: 63
      bits:
        description: The bits that are the value.
        type: object
        required: [from, count]
        properties:
          from:
            description: The lowest of them, 0 being the lowest of the raw value.
            type: integer
            format: int32
            minimum: 0
            maximum: 63
          count:
            description: How many.
            type: integer
            format: int32
            minimum: 1
            maximum: 64
      byte:
        description: Which byte of the register an int8 or uint8 is. Low where absent.
        type: string
        enum: [Low, High]
      count:
        description: For a property of type array. How many values follow each other.
        type: integer
        format: int32
        minimum: 1
        maximum: 2000
      notAvailable:
        description: Raw values that mean there is none, as 32768, -1 or "0x8000", or SunSpec for what that standard has for the encoding. The quality is then Bad.
        type: array
        maxItems: 16
        items:
          x-kubernetes-int-or-string: true
      states:
        description: For a property of type string. The texts for a raw integer.
        type: array
        minItems: 1
        maxItems: 256
        items:
          type: object
          required: [raw, text]
          properties:
            raw:
              description: The raw value.
              type: integer
              format: int64
            text:
              description: What it means.
              type: string
              minLength: 1
              maxLength: 128
      flags:
        description: Names for bits, such as alarms. A property of type array has the names of those that are set, one of type object all of them as true or false.
        type: array
        minItems: 1
        maxItems: 64
        items:
          type: object
          required: [bit, name]
          properties:
            bit:
              description: The bit, 0 the lowest.
              type: integer
              format: int32
              minimum: 0
              maximum: 63
            name:
              description: What it means.
              type: string
              minLength: 1
              maxLength: 63
      pulse:
        description: For a coil of access Write. A coil that is set is cleared again after this time.
        $use: period
      registers:
        description: How many registers a string takes, two characters each.
        type: integer
        format: int32
        minimum: 1
        maximum: 125
      text:
        description: How a string's characters lie in its registers.
        type: object
        properties:
          charset:
            description: What the bytes mean. UTF-8 where absent, and Latin-1 where they are none.
            type: string
            enum: [ASCII, UTF-8, Latin-1]
          characters:
            description: Which bytes of a register hold characters. Pairs, the high byte first, where absent.
            type: string
            enum: [Pairs, Low, High]
          padding:
            description: What fills the registers behind a written text. NUL where absent.
            type: string
            enum: [NUL, Space]
          terminator:
            description: The byte that ends the text. 0 where absent.
            type: integer
            format: int32
            minimum: 0
            maximum: 255
          trim:
            description: Which spaces are taken off what is read. Both where absent.
            type: string
            enum: [Both, Trailing, None]
    """#
}
