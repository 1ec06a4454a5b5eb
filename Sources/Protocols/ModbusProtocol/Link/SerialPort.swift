import CModbus
import Documents
import Glibc
import NIOCore

/// An open serial port: owns libmodbus' RTU context, which sets the line and sends; answers are read here.
///
/// libmodbus waits in select(), which aborts the process once the port's descriptor is above 1,023, and cuts the answers
/// to FC 43 off; poll() and ``RTUReplyParser`` do neither. Used on one thread.
struct SerialPort: ~Copyable {
  private let context: OpaquePointer
  private let descriptor: Int32
  let settings: SerialSettings
  private var lastActivity: Int64 = 0
  private var parser = RTUReplyParser()
  private var owed = OwedReplies()
  /// Whether the last request ended without an answer: the rest of a frame may still be on the line.
  private var isUnsettled = false

  /// Opens and sets the line, with exclusive use (TIOCEXCL), so that no other program mixes its frames in.
  init(path: String, settings: SerialSettings) throws(ModbusError) {
    let parity = CChar(settings.parity.letter.asciiValue ?? 0x4E)
    guard
      let context = modbus_new_rtu(
        path, Int32(settings.baudRate), parity, Int32(settings.dataBits), Int32(settings.stopBits))
    else { throw Self.failure(path, errno) }
    guard modbus_connect(context) == 0, Self.setDirection(context, settings) else {
      let code = errno
      modbus_close(context)
      modbus_free(context)
      if code == ENOTTY || code == EINVAL || code == ENOTSUP, settings.direction != .automatic {
        throw .unreachable(
          reason: "DirectionUnsupported",
          message:
            "\(path): the port's driver cannot turn the line round (serial.direction: \(settings.direction.rawValue)); "
            + "try Automatic, RTSHigh or RTSLow")
      }
      throw Self.failure(path, code)
    }
    self.context = context
    self.settings = settings
    descriptor = modbus_get_socket(context)
    _ = ioctl(descriptor, UInt(TIOCEXCL))
  }

  private static func setDirection(_ context: OpaquePointer, _ settings: SerialSettings) -> Bool {
    switch settings.direction {
    case .automatic: return true
    case .driver: return modbus_rtu_set_serial_mode(context, MODBUS_RTU_RS485) == 0
    case .rtsHigh, .rtsLow:
      guard modbus_rtu_set_rts(context, settings.direction == .rtsHigh ? MODBUS_RTU_RTS_UP : MODBUS_RTU_RTS_DOWN) == 0
      else { return false }
      guard let delay = settings.directionDelay else { return true }
      return modbus_rtu_set_rts_delay(context, Int32(clamping: delay.nanoseconds / 1_000)) == 0
    }
  }

  deinit {
    _ = ioctl(descriptor, UInt(TIOCNXCL))
    modbus_close(context)
    modbus_free(context)
  }

  private static func failure(_ path: String, _ code: Int32) -> ModbusError {
    let reason =
      switch code {
      case ENOENT: "PortNotFound"
      case EACCES, EPERM: "PortAccessDenied"
      case EBUSY: "PortBusy"
      default: "PortFailed"
      }
    let hint = code == EACCES ? "; the gateway's user must be in the port's group, often dialout" : ""
    return .unreachable(reason: reason, message: "\(path): \(String(cString: modbus_strerror(code)))\(hint)")
  }

  /// One request and its answer, `pause` after what was last on the line. A connection that is gone ends in
  /// `.connectionLost`. Where a late reply could pass for the answer, another read goes first (``OwedReplies``).
  mutating func transact(
    _ request: ModbusRequest, unit: UInt8, timeout: Duration, pause: Duration, counters: inout LinkCounters
  ) -> Result<ModbusResponse, ModbusError> {
    while let probe = owed.probe(before: request, unit: unit, at: Self.now) {
      counters.probes += 1
      switch exchange(probe, unit: unit, timeout: timeout, pause: pause, counters: &counters) {
      case .success, .failure(.exception): continue
      case .failure(let error): return .failure(error)
      }
    }
    return exchange(request, unit: unit, timeout: timeout, pause: pause, counters: &counters)
  }

  private mutating func exchange(
    _ request: ModbusRequest, unit: UInt8, timeout: Duration, pause: Duration, counters: inout LinkCounters
  ) -> Result<ModbusResponse, ModbusError> {
    counters.requests += 1
    guard clearLine(&counters) else { return .failure(.connectionLost) }
    parser.reset()
    Self.sleep(until: lastActivity + max(settings.frameGap, pause.nanoseconds))
    let frame = [unit] + request.bytes
    guard modbus_send_raw_request(context, frame, Int32(frame.count)) >= 0 else { return .failure(.connectionLost) }
    let sent = Self.now
    lastActivity = sent
    let expiry = sent + max(2_000_000_000, 4 * timeout.nanoseconds)
    var deadline = sent + timeout.nanoseconds + settings.nanoseconds(characters: Double(frame.count + 2))
    var dropped: DropCause?
    while true {
      switch receive(until: deadline) {
      case .gone: return .failure(.connectionLost)
      case .nothing:
        counters.timeouts += 1
        isUnsettled = true
        owed.giveUp(request, unit: unit, until: expiry)
        if !parser.isEmpty { dropped = dropped ?? .malformed("an answer that breaks off") }
        return .failure(.timeout(after: timeout, dropped: dropped))
      case .bytes(let bytes):
        parser.append(bytes)
        // Once an answer has begun, its next bytes follow closely; adapters on USB deliver in lumps of some 16 ms.
        deadline = max(deadline, min(Self.now + 100_000_000, sent + timeout.nanoseconds * 2 + 1_000_000_000))
      }
      switch parser.next() {
      case .incomplete: continue
      case .dropped(let cause):
        counters.drop(cause)
        dropped = cause
      case .frame(let sender, let pdu):
        guard sender == unit else {
          dropped = .wrongUnit(expected: unit, received: sender)
          counters.drop(.wrongUnit(expected: unit, received: sender))
          continue
        }
        switch request.response(from: pdu) {
        case .success(let response):
          counters.answers += 1
          owed.answered(request, unit: unit, isException: false, until: expiry)
          return .success(response)
        case .failure(.exception(let exception)):
          counters.answers += 1
          counters.exceptions[exception.code, default: 0] += 1
          owed.answered(request, unit: unit, isException: true, until: expiry)
          return .failure(.exception(exception))
        case .failure(.dropped(let cause)):
          counters.drop(cause)
          dropped = cause
        }
      }
    }
  }

  /// Throws away what lies on the line; after a request without an answer, until it has been quiet for a frame's end and
  /// an adapter's lump, for 250 ms at most. False where the port is gone.
  private mutating func clearLine(_ counters: inout LinkCounters) -> Bool {
    let end = Self.now + 250_000_000
    var quiet: Int64 = isUnsettled ? max(settings.frameGap, 20_000_000) : 0
    isUnsettled = false
    while true {
      switch receive(until: min(end, Self.now + quiet)) {
      case .nothing: return true
      case .gone: return false
      case .bytes:
        counters.drop(.unsolicited)
        quiet = max(settings.frameGap, 20_000_000)
        if Self.now >= end { return true }
      }
    }
  }

  /// Whether anybody speaks on the line within `duration`.
  mutating func hearsSomebody(for duration: Duration) -> Bool {
    if case .bytes = receive(until: Self.now + duration.nanoseconds) { true } else { false }
  }

  private enum Received {
    case bytes(ArraySlice<UInt8>)
    case nothing, gone
  }

  /// The next bytes, waiting for them until `deadline`.
  private mutating func receive(until deadline: Int64) -> Received {
    while true {
      let remaining = deadline - Self.now
      var interest = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      let ready = poll(&interest, 1, Int32(max(0, min((remaining + 999_999) / 1_000_000, 3_600_000))))
      if ready < 0, errno == EINTR { continue }
      guard ready >= 0 else { return .gone }
      if ready == 0 {
        if Self.now >= deadline { return .nothing }
        continue
      }
      guard interest.revents & Int16(POLLIN) != 0 else { return .gone }
      var bytes = [UInt8](repeating: 0, count: 512)
      let count = read(descriptor, &bytes, bytes.count)
      if count < 0, errno == EINTR || errno == EAGAIN { continue }
      guard count > 0 else { return .gone }
      lastActivity = Self.now
      return .bytes(bytes[..<count])
    }
  }

  static var now: Int64 { Int64(clamping: NIODeadline.now().uptimeNanoseconds) }

  static func sleep(until time: Int64) {
    let remaining = time - now
    if remaining > 0 { usleep(UInt32(clamping: (remaining + 999) / 1_000)) }
  }
}
