internal import Documents
internal import Resources
internal import Synchronization

/// Which state a list shows.
enum ListedState: Sendable, Hashable {
  /// The present one.
  case latest
  /// Whatever the server has at hand, which costs it least.
  case any
  case exactly(UInt64)
}

/// A page of a list, without its items.
struct ListedPage: Sendable {
  var version: UInt64
  var continueToken: String?
  var remainingItemCount: Int?
}

extension KubernetesClient {
  /// Reads a list, or the page of it that `options.limit` asks for, item by item as they come.
  func list(
    _ kind: ResourceDefinition, _ options: ListOptions, _ state: ListedState = .latest,
    item: @escaping @Sendable (JSONValue) async -> Void
  ) async throws(APIStatus) -> ListedPage {
    var query = Self.selectors(options)
    if let limit = options.limit { query.append(("limit", "\(limit)")) }
    if let token = options.continueToken, !token.isEmpty {
      query.append(("continue", token))
    } else {
      switch state {
      case .latest: break
      case .any: query.append(("resourceVersion", "0"))
      case .exactly(let version):
        query += [("resourceVersion", "\(version)"), ("resourceVersionMatch", "Exact")]
      }
    }
    let reading = Mutex((decoder: ListDecoder(limit: tuning.maximumObjectBytes), fault: APIStatus?.none))
    let request = APIRequest.get(kind.call("list"), kind.path(namespace: options.namespace), query)
    try await attempt(request) { part in
      let items: [JSONValue]? = reading.withLock { reading in
        do throws(APIStatus) {
          return try reading.decoder.consume(part)
        } catch {
          reading.fault = error
          return nil
        }
      }
      guard let items else { return false }
      for one in items { await item(Self.identified(one, as: kind)) }
      return true
    }
    let (decoder, fault) = reading.withLock { $0 }
    if let fault { throw fault }
    let envelope = try decoder.finish()
    let metadata = envelope["metadata"] ?? [:]
    guard let version = metadata["resourceVersion"]?.string.flatMap({ UInt64($0) }) else {
      throw .unreadable("a list without a decimal resourceVersion")
    }
    let token = metadata["continue"]?.string ?? ""
    return ListedPage(
      version: version, continueToken: token.isEmpty ? nil : token,
      remainingItemCount: metadata["remainingItemCount"]?.int)
  }

  /// A server that is overloaded says so before the first item: what it refuses is asked for again.
  private func attempt(
    _ request: APIRequest, consume: @escaping @Sendable ([UInt8]) async -> Bool
  ) async throws(APIStatus) {
    var pause = Backoff(first: .milliseconds(200), longest: .seconds(5))
    for _ in 0..<4 {
      do throws(APIStatus) {
        return try await connection.stream(request, isWatch: false, consume: consume)
      } catch {
        guard [429, 500, 503].contains(error.code), !error.isUnreachable else { throw error }
        connection.note(retry: error.code == 429 ? .tooManyRequests : .serverError)
        let said = Duration.seconds(min(30, error.retryAfterSeconds ?? 0))
        do {
          try await Task.sleep(for: max(said, pause.next(random: .random(in: 0...1))))
        } catch {
          throw .unreachable("the request was given up")
        }
      }
    }
    return try await connection.stream(request, isWatch: false, consume: consume)
  }

  static func selectors(_ options: ListOptions) -> [(name: String, value: String)] {
    var query: [(name: String, value: String)] = []
    if let selector = options.labelSelector, !selector.requirements.isEmpty {
      query.append(("labelSelector", selector.text))
    }
    if let selector = options.fieldSelector, !selector.requirements.isEmpty {
      query.append(("fieldSelector", selector.text))
    }
    return query
  }
}
