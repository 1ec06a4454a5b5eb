import Documents
import Foundation
import Glibc
import TestSupport
import Testing

/// What a gateway lets connections do: clients that dawdle or come in crowds hinder nobody.
@Suite struct ConnectionTests {
  private static let script = """
    import resource, select, socket, sys, time
    port, kind = int(sys.argv[1]), sys.argv[2]
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    def connect():
        s = socket.create_connection(("127.0.0.1", port))
        return s
    if kind == "slow":
        s = connect()
        s.settimeout(0.5)
        s.sendall(b"GET /livez HTTP/1.1\\r\\nHost: localhost\\r\\nX: ")
        while True:
            try:
                s.sendall(b"a")
                if s.recv(1) == b"": break
            except TimeoutError: pass
            except OSError: break
        print("cut", flush=True)
    if kind == "crowd":
        # One more than a gateway under the same limit takes.
        crowd = [connect() for _ in range(min(2_048, max(most - 512, most // 4)) + 1)]
        poll = select.poll()
        for s in crowd: poll.register(s, select.POLLIN)
        if poll.poll(30_000): print("turned away", flush=True)
        time.sleep(600)
    if kind == "watch":
        # Under the lowest of limits a gateway takes 512 connections.
        count = 1_000 if most >= 2_048 else 200
        path = "/apis/selvedge.dev/v1alpha1/gateways?watch=1&resourceVersion=" + sys.argv[3]
        request = ("GET %s HTTP/1.1\\r\\nHost: localhost\\r\\nAccept: application/json\\r\\n\\r\\n" % path).encode()
        watches = [connect() for _ in range(count)]
        for s in watches: s.sendall(request)
        seen = {s: b"" for s in watches}
        def until(text):
            poll = select.poll()
            waiting = {s.fileno(): s for s in watches if text not in seen[s]}
            for number in waiting: poll.register(number, select.POLLIN)
            while waiting:
                for number, _ in poll.poll():
                    s = waiting[number]
                    piece = s.recv(65_536)
                    if not piece: sys.exit("a watch ended: %r" % seen[s][-300:])
                    seen[s] += piece
                    if text in seen[s]:
                        poll.unregister(number)
                        del waiting[number]
        until(b"\\r\\n\\r\\n")
        print("open", count, flush=True)
        until(b"told-to-all")
        print("told", count, flush=True)
        time.sleep(600)
    """

  private func count(_ gateway: RunningGateway, _ cause: String) async throws -> Int {
    let metrics = try await gateway.http("GET", "/metrics").body
    guard let match = metrics.firstMatch(of: try Regex("cut_total\\{cause=\"\(cause)\"\\} ([0-9]+)")) else { return -1 }
    return Int(match.output[1].substring ?? "") ?? -1
  }

  @Test(.timeLimit(.minutes(10)))
  func aDawdlerIsCutAndAWatchIsNot() async throws {
    try await withGateway { gateway in
      let watch = try gateway.startKubectl("get", "namespaces", "-w", "-o", "name")
      try await eventually("the watch shows what is there") { watch.output.contains("namespace/default") }
      let dawdler = try ChildProcess(["python3", "-c", Self.script, "\(gateway.port)", "slow"], in: gateway.folder)
      try await eventually("the dawdler is cut") { dawdler.output.contains("cut") }
      #expect(try await count(gateway, "slowRequest") == 1)
      try await gateway.kubectl("create", "namespace", "late")
      try await eventually("the watch goes on", seen: { watch.output + watch.errors }) {
        watch.output.contains("namespace/late")
      }
    }
  }

  @Test(.timeLimit(.minutes(10)))
  func aCrowdIsTurnedAwayAtTheDoorAndTheGatewayLivesOn() async throws {
    try await withGateway { gateway in
      let crowd = try ChildProcess(["python3", "-c", Self.script, "\(gateway.port)", "crowd"], in: gateway.folder)
      try await eventually("some are turned away", seen: { crowd.errors }) { crowd.output.contains("turned away") }
      crowd.end(SIGKILL)
      try await eventually("it answers again", seen: { gateway.log }) {
        try await gateway.http("GET", "/readyz").status == 200
      }
      #expect(try await count(gateway, "limit") > 0)
    }
  }

  @Test(.timeLimit(.minutes(10)))
  func aHeadThatIsTooLargeIsRefused() async throws {
    try await withGateway { gateway in
      let large = "X-Large: " + String(repeating: "a", count: 70_000)
      let answer = try await run([
        "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", large, gateway.server + "/livez",
      ])
      #expect(answer.output == "400" || answer.status != 0, "\(answer.output)")
      #expect(try await gateway.http("GET", "/livez").status == 200)
    }
  }

  @Test(.timeLimit(.minutes(10)))
  func aWriteReachesAThousandWatchersWhichCostAtMost30KilobytesEach() async throws {
    try await withGateway { gateway in
      try await eventually("it has made its own object", seen: { gateway.log }) {
        try await gateway.http("GET", "/apis/selvedge.dev/v1alpha1/gateways/gw-test").status == 200
      }
      let list = try await gateway.http("GET", "/apis/selvedge.dev/v1alpha1/gateways").json()
      let version = list[path: "metadata", "resourceVersion"]?.string ?? ""
      // What the first requests of a process take is no watch's.
      for _ in 0..<20 { _ = try await gateway.http("GET", "/apis/selvedge.dev/v1alpha1/devices") }
      let before = try residentKilobytes(gateway.process.identifier)
      let crowd = try ChildProcess(
        ["python3", "-c", Self.script, "\(gateway.port)", "watch", version], in: gateway.folder)
      try await eventually("all watches are open", seen: { crowd.errors }) { crowd.output.contains("open") }
      let match = try #require(crowd.output.firstMatch(of: /open ([0-9]+)/))
      let count = try #require(Int(match.1))
      let each = Double(try residentKilobytes(gateway.process.identifier) - before) / Double(count)
      print("memory of one of \(count) watches: \(each) KB")
      #expect(each <= 30)
      try await gateway.kubectl("label", "gateway", "gw-test", "seen=told-to-all")
      try await eventually("all have seen the write", seen: { crowd.errors + crowd.output }) {
        crowd.output.contains("told \(count)")
      }
      crowd.end(SIGKILL)
      try await eventually("their connections are closed") {
        try await gateway.http("GET", "/metrics").body.firstMatch(of: /http_connections ([0-9]+)/).map {
          Int($0.1) ?? 99
        }
          ?? 99 < 5
      }
    }
  }

  private func residentKilobytes(_ process: Int32) throws -> Int {
    let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
    let match = try #require(status.firstMatch(of: /VmRSS:\s+([0-9]+) kB/))
    return try #require(Int(match.1))
  }
}
