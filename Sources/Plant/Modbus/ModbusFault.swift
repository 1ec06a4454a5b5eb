/// A way in which a simulated Modbus server misbehaves until it is told otherwise.
public enum ModbusFault: Sendable, Equatable {
  /// Takes connections and requests, and answers nothing.
  case silence
  /// Answers with an exception code, for all requests or only those with one of `functions` that touch `addresses`.
  case exception(UInt8, functions: Set<UInt8> = [], addresses: ClosedRange<Int>? = nil)
  /// Answers late. Requests of one connection keep their order.
  case delay(Duration)
  /// Closes the connection when a request comes.
  case drop
  /// Answers under another transaction identifier.
  case wrongTransaction
  /// Answers under another unit identifier.
  case wrongUnit
  /// Answers with bytes that are no Modbus frame.
  case garbage
  /// Sends the first half of an answer and no more.
  case truncate
  /// Is switched off: connections are closed, and new ones refused.
  case offline
}

/// The request that faults are matched against, and what they make of it.
struct FaultVerdict: Equatable {
  enum Answer: Equatable { case normal, none, exception(UInt8), close, garbage, truncated }
  var answer: Answer = .normal
  var delay: Duration = .zero
  var wrongTransaction = false
  var wrongUnit = false

  init(faults: [ModbusFault], request: ModbusRequest) {
    for fault in faults {
      switch fault {
      case .silence: answer = .none
      case .exception(let code, let functions, let addresses):
        guard functions.isEmpty || functions.contains(request.function) else { continue }
        if let addresses {
          guard let touched = request.addresses, touched.overlaps(addresses) else { continue }
        }
        answer = .exception(code)
      case .delay(let time): delay += time
      case .drop, .offline: answer = .close
      case .wrongTransaction: wrongTransaction = true
      case .wrongUnit: wrongUnit = true
      case .garbage: answer = .garbage
      case .truncate: answer = .truncated
      }
    }
  }
}
