internal import Logging
internal import ServiceLifecycle

/// A part of the gateway that runs until it is cancelled, as a service: a graceful shutdown cancels it and waits.
struct LoopService: Service {
  let name: String
  let body: @Sendable () async -> Void

  func run() async throws {
    await cancelWhenGracefulShutdown { await body() }
  }
}
