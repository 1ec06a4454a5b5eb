import DeviceKit
import Documents
import NIOCore
import Synchronization

/// What a server's clients share: the image, and who they are.
///
/// Unchecked: every stored variable is touched on `loop` alone (each entry asserts it), but for `shown`, a mutex.
final class ServerFace: @unchecked Sendable {
  /// For the status.
  struct Shown {
    var clients = 0
    var faultCount = 0
    var faults: [String] = []
  }
  let shown = Mutex(Shown())
  let settings: ServerSettings
  let counters: ServerCounters
  let loop: any EventLoop
  private let access: any PropertyAccess
  private let identification: ServerIdentification
  private let start = NIODeadline.now()
  private var image: ServedImage
  private var clients: [ObjectIdentifier: ServerConnection] = [:]
  /// Writes are carried out one after another: what is left of a register's bits is known to the next. At most one of each
  /// client.
  private var waiting: [() -> Void] = []
  private var isWriting = false
  private var lastFaults = NIODeadline.uptimeNanoseconds(0)

  init(
    image: ServedImage, access: any PropertyAccess, settings: ServerSettings, identification: ServerIdentification,
    counters: ServerCounters, loop: any EventLoop
  ) {
    self.image = image
    self.access = access
    self.settings = settings
    self.identification = identification
    self.counters = counters
    self.loop = loop
  }

  // MARK: Clients

  /// A connection to a client; nil where there are as many as there may be, none of which is idle enough to go.
  func connection(to address: String) -> ServerConnection? {
    loop.assertInEventLoop()
    if clients.count >= settings.maximumClients {
      // The one that has been idle longest gives way (Modbus Messaging on TCP/IP V1.0b, section 4.2.2), if it is.
      let now = NIODeadline.now()
      guard let idlest = clients.values.min(by: { $0.lastRequest < $1.lastRequest }),
        now - idlest.lastRequest > .nanoseconds(settings.frameTimeout.nanoseconds)
      else {
        counters.count(.tooManyClients)
        return nil
      }
      idlest.end(.idle)
    }
    counters.count(.connections)
    let connection = ServerConnection(self, author: "modbus:\(address)")
    clients[ObjectIdentifier(connection)] = connection
    shown.withLock { $0.clients = clients.count }
    return connection
  }

  func ended(_ connection: ServerConnection) {
    loop.assertInEventLoop()
    clients[ObjectIdentifier(connection)] = nil
    shown.withLock { $0.clients = clients.count }
  }

  func closeAll() {
    loop.assertInEventLoop()
    for client in clients.values { client.end(nil) }
  }

  // MARK: Requests

  private var look: ServedImage.Look {
    let seconds = Int((NIODeadline.now() - start).nanoseconds / 1_000_000_000)
    // The version first: what changes meanwhile is looked at again.
    return ServedImage.Look(version: access.version, seconds: seconds) { [access] in access.states(of: $0) }
  }

  /// Answers a request's protocol data unit. `reply` gets the answer's, at once or later, on the loop.
  func answer(_ pdu: ArraySlice<UInt8>, unit: UInt8, author: String, _ reply: @escaping ([UInt8]) -> Void) {
    loop.assertInEventLoop()
    counters.count(.requests)
    let code = pdu.first ?? 0
    do throws(ModbusException) {
      guard settings.answers(unit) else { throw .gatewayTargetFailedToRespond }
      let request = try ModbusRequest(pdu: pdu)
      switch request {
      case .read(let table, let address, let count):
        reply(try read(code, table, Int(address), Int(count)))
      case .readDeviceIdentification(let kind, let object):
        reply([code] + (try identification.answer(code: kind, objectID: object)))
      case .reportServerID: throw .illegalFunction
      case .writeCoil(let address, let value):
        write(ServedWrite(.coil, Int(address), [value ? 1 : 0]), author, code, reply) { Array(pdu) }
      case .writeRegister(let address, let value):
        write(ServedWrite(.holding, Int(address), [value]), author, code, reply) { Array(pdu) }
      case .writeCoils(let address, let values):
        write(ServedWrite(.coil, Int(address), values.map { $0 ? 1 : 0 }), author, code, reply) { Array(pdu.prefix(5)) }
      case .writeRegisters(let address, let values):
        write(ServedWrite(.holding, Int(address), values), author, code, reply) { Array(pdu.prefix(5)) }
      case .maskWrite(let address, let and, let or):
        write(ServedWrite(.holding, Int(address), [or], masks: [~and]), author, code, reply) { Array(pdu) }
      case .readWriteRegisters(let address, let count, let writeAddress, let values):
        // What cannot be read is said before anything is written (section 6.17).
        let before = try read(code, .holding, Int(address), Int(count))
        // An exception would say that nothing was written.
        write(ServedWrite(.holding, Int(writeAddress), values), author, code, reply) { [self] in
          (try? read(code, .holding, Int(address), Int(count))) ?? before
        }
      }
    } catch {
      refuse(error, code, reply)
    }
    showFaults()
  }

  private func refuse(_ exception: ModbusException, _ code: UInt8, _ reply: ([UInt8]) -> Void) {
    counters.count(exception)
    reply([code | 0x80, exception.code])
  }

  private func read(
    _ code: UInt8, _ table: RegisterTable, _ address: Int, _ count: Int
  ) throws(ModbusException) -> [UInt8] {
    let words = try image.read(table, address..<address + count, look)
    if table.holdsBits {
      let packed = words.map { $0 != 0 }.packedBits
      return [code, UInt8(packed.count)] + packed
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(2 + words.count * 2)
    bytes.append(code)
    bytes.append(UInt8(words.count * 2))
    for word in words { bytes.append(bigEndian: word) }
    return bytes
  }

  // MARK: Writes

  private func write(
    _ write: ServedWrite, _ author: String, _ code: UInt8, _ reply: @escaping ([UInt8]) -> Void,
    _ answer: @escaping () -> [UInt8]
  ) {
    let work = { [self] in
      let wishes: [PropertyWish]
      do throws(ModbusException) {
        wishes = try image.wishes(for: write, look)
        guard !wishes.isEmpty else {
          reply(answer())
          return next()
        }
      } catch {
        refuse(error, code, reply)
        return next()
      }
      wish(wishes, author) { [self] refusal in
        if let refusal {
          refuse(refusal.exception, code, reply)
        } else {
          counters.count(.valuesWritten, UInt64(wishes.count))
          reply(answer())
        }
        next()
      }
    }
    if isWriting {
      waiting.append(work)
    } else {
      isWriting = true
      work()
    }
  }

  private func next() {
    guard !waiting.isEmpty else { return isWriting = false }
    waiting.removeFirst()()
  }

  private func wish(_ wishes: [PropertyWish], _ author: String, _ done: @escaping (WishRefusal?) -> Void) {
    let done = NIOLoopBound(done, eventLoop: loop)
    let (access, loop) = (access, loop)
    // Ends by itself, as soon as the twins have answered; nobody cancels it.
    Task {
      var refusal: WishRefusal?
      do throws(WishRefusal) {
        try await access.wish(wishes, by: author)
      } catch {
        refusal = error
      }
      let result = refusal
      loop.execute { done.value(result) }
    }
  }

  /// For the status, at most once in a second.
  private func showFaults() {
    let now = NIODeadline.now()
    guard now - lastFaults >= .seconds(1) else { return }
    lastFaults = now
    let faults = image.faults(limit: 3)
    let count = faults.isEmpty ? 0 : image.faultCount
    shown.withLock { ($0.faults, $0.faultCount) = (faults, count) }
  }
}

extension WishRefusal {
  /// What a client is answered (Modbus Application Protocol V1.1b3, section 7).
  var exception: ModbusException {
    switch reason {
    case .readOnly: .illegalDataAddress
    case .forbiddenValue: .illegalDataValue
    case .notServed, .unknownProperty, .writesDisabled, .specWins, .notStored: .serverDeviceFailure
    }
  }
}
