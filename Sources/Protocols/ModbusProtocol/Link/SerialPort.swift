import CModbus
import Documents
import Glibc

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

  /// Opens and sets the line, with exclusive use (TIOCEXCL), so that no other program mixes its frames in.
  init(path: String, settings: SerialSettings) throws(ModbusError) {
    let parity = CChar(settings.parity.letter.asciiValue ?? 0x4E)
    guard
      let context = modbus_new_rtu(
        path, Int32(settings.baudRate), parity, Int32(settings.dataBits), Int32(settings.stopBits))
    else { throw Self.failure(path, errno) }
    guard modbus_connect(context) == 0 else {
      let code = errno
      modbus_free(context)
      throw Self.failure(path, code)
    }
    self.context = context
    self.settings = settings
    descriptor = modbus_get_socket(context)
    _ = ioctl(descriptor, UInt(TIOCEXCL))
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

  /// One request and its answer. A connection that is gone ends in `.connectionLost`.
  mutating func transact(
    _ request: ModbusRequest, unit: UInt8, timeout: Duration, counters: inout LinkCounters
  ) -> Result<ModbusResponse, ModbusError> {
    counters.requests += 1
    switch receive(until: Self.now) {
    case .bytes: counters.drop(.unsolicited)
    case .nothing: break
    case .gone: return .failure(.connectionLost)
    }
    parser.reset()
    Self.sleep(until: lastActivity + settings.frameGap)
    let frame = [unit] + request.bytes
    guard modbus_send_raw_request(context, frame, Int32(frame.count)) >= 0 else { return .failure(.connectionLost) }
    let sent = Self.now
    lastActivity = sent
    var deadline = sent + timeout.nanoseconds + settings.nanoseconds(characters: Double(frame.count + 2))
    var dropped: DropCause?
    while true {
      switch receive(until: deadline) {
      case .gone: return .failure(.connectionLost)
      case .nothing:
        counters.timeouts += 1
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
          return .success(response)
        case .failure(.exception(let exception)):
          counters.answers += 1
          counters.exceptions += 1
          return .failure(.exception(exception))
        case .failure(.dropped(let cause)):
          counters.drop(cause)
          dropped = cause
        }
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

  static var now: Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  private static func sleep(until time: Int64) {
    let remaining = time - now
    guard remaining > 0 else { return }
    var duration = timespec(tv_sec: Int(remaining / 1_000_000_000), tv_nsec: Int(remaining % 1_000_000_000))
    nanosleep(&duration, nil)
  }
}
