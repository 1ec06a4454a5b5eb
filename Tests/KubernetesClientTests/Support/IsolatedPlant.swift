import Foundation
import Glibc
import TestSupport

/// A Modbus device that gateways in network namespaces of their own reach, each by a socket of its own: so it knows who
/// has written. It also leads them to the cluster's API server.
///
/// Sockets in the file system are seen from every network namespace, so that no interface of the machine is touched.
final class IsolatedPlant: Sendable {
  struct Write: Sendable, Hashable {
    var gateway: String
    /// Seconds, by the machine's monotonic clock.
    var time: Double
    var function: Int
    var address: Int
    var value: Int
  }
  private let process: ChildProcess
  let folder: ScratchFolder

  init(gateways: [String], apiPort: Int) async throws {
    folder = try ScratchFolder()
    let process = try ChildProcess(
      ["python3", "-u", "-c", Self.script, folder.path, "\(apiPort)"] + gateways, in: folder)
    self.process = process
    try await eventually("the plant is ready", seen: { process.errors }) {
      guard process.isRunning else { throw Trouble("the plant has ended: \(process.errors)") }
      return process.output.contains("ready\n")
    }
  }

  /// In the order in which they arrived.
  var writes: [Write] {
    process.output.split(separator: "\n").filter { $0.hasPrefix("write ") }.compactMap { line in
      let words = line.split(separator: " ")
      guard words.count == 6, let time = Double(words[2]), let function = Int(words[3]), let address = Int(words[4]),
        let value = Int(words[5])
      else { return nil }
      return Write(gateway: String(words[1]), time: time, function: function, address: address, value: value)
    }
  }

  /// Who has written, without repetitions in a row.
  var writers: [String] {
    writes.reduce(into: []) { found, write in if found.last != write.gateway { found.append(write.gateway) } }
  }

  /// The model's map: input register 10, holding register 40 and coil 3, all of unit 1.
  private static let script = #"""
    import asyncio, struct, sys, time
    folder, api = sys.argv[1], int(sys.argv[2])
    words = {}
    coils = {3: 0}

    async def serve(gateway, reader, writer):
        try:
            while True:
                head = await reader.readexactly(7)
                transaction, protocol, length, unit = struct.unpack(">HHHB", head)
                pdu = await reader.readexactly(length - 1)
                function, address, count = struct.unpack(">BHH", pdu[:5])
                def told(value):
                    print("write", gateway, f"{time.monotonic():.6f}", function, address, value, flush=True)
                if function in (1, 2):
                    bits = [coils.get(address + i, 0) for i in range(count)]
                    data = bytes(sum(b << i for i, b in enumerate(bits[n:n + 8])) for n in range(0, count, 8))
                    answer = bytes([function, len(data)]) + data
                elif function in (3, 4):
                    data = b"".join(struct.pack(">H", words.get(address + i, 200)) for i in range(count))
                    answer = bytes([function, len(data)]) + data
                elif function == 5:
                    coils[address] = 1 if count else 0
                    told(coils[address])
                    answer = pdu
                elif function == 6:
                    words[address] = count
                    told(count)
                    answer = pdu
                elif function == 15:
                    for i in range(count): coils[address + i] = pdu[6 + i // 8] >> (i % 8) & 1
                    told(coils[address])
                    answer = pdu[:5]
                elif function == 16:
                    for i in range(count): words[address + i] = struct.unpack(">H", pdu[6 + 2 * i:8 + 2 * i])[0]
                    told(words[address])
                    answer = pdu[:5]
                else:
                    answer = bytes([function | 0x80, 1])
                writer.write(struct.pack(">HHHB", transaction, 0, len(answer) + 1, unit) + answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def copy(reader, writer):
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def lead(reader, writer):
        try:
            up, down = await asyncio.open_connection("127.0.0.1", api)
        except OSError:
            return writer.close()
        await asyncio.gather(copy(reader, down), copy(up, writer))

    async def main():
        for gateway in sys.argv[3:]:
            await asyncio.start_unix_server(
                lambda r, w, g=gateway: serve(g, r, w), f"{folder}/device-{gateway}")
        await asyncio.start_unix_server(lead, f"{folder}/api")
        print("ready", flush=True)
        await asyncio.Event().wait()
    asyncio.run(main())
    """#
}

/// The real gateway in a network namespace of its own. Within it the device is 127.0.0.1:1502, the API server
/// 127.0.0.1:6443; a person on the node turns the pump on and off without end, by the gateway's own API.
final class IsolatedGateway: Sendable {
  let name: String
  private let process: ChildProcess

  init(_ name: String, in plant: IsolatedPlant, _ cluster: TestCluster, leaseSeconds: Int) async throws {
    self.name = name
    let kubeconfig = try cluster.folder.write(
      """
      apiVersion: v1
      kind: Config
      current-context: cluster
      contexts: [{name: cluster, context: {cluster: c, user: u, namespace: selvedge}}]
      clusters: [{name: c, cluster: {server: 'https://127.0.0.1:6443', certificate-authority: \(cluster.authorityFile)}}]
      users: [{name: u, user: {tokenFile: token}}]
      """, to: "kubeconfig-isolated")
    let process = try ChildProcess(
      ["unshare", "--net"] + (geteuid() == 0 ? [] : ["--map-root-user"]) + [
        "--", "python3", "-u", "-c", Self.script, plant.folder.path, name,
        try selvedgeBinary(), "run", "--kubeconfig", kubeconfig, "--data-dir", cluster.folder("data-\(name)"),
        "--listen", "127.0.0.1:7070", "--node-name", name, "--lease-duration", "\(leaseSeconds)s",
      ], in: cluster.folder)
    self.process = process
    try await eventually("\(name) listens", seen: { process.errors }) {
      guard process.isRunning else { throw Trouble("\(name) has ended:\n\(process.errors)") }
      return process.errors.contains("listening")
    }
  }

  var log: String { process.errors }

  /// From now on nothing passes between the gateway and the API server; connections stay open.
  func cut() { process.send(SIGUSR1) }
  func heal() { process.send(SIGUSR2) }
  /// Without a warning.
  func kill() { process.end(SIGKILL) }
  /// SIGTERM, and its end in good order.
  func stop() async throws {
    process.send(SIGTERM)
    let ended = try await process.result(within: .seconds(120))
    guard ended.status == 0 else { throw Trouble("\(ended)") }
  }

  private static let script = #"""
    import asyncio, ctypes, json, os, signal, subprocess, sys
    folder, name, command = sys.argv[1], sys.argv[2], sys.argv[3:]
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    isCut = False
    passing = asyncio.Event()

    async def copy(reader, writer, isAPI):
        try:
            while data := await reader.read(65536):
                if isAPI and isCut:
                    # What was under way is lost, and nobody is told.
                    await passing.wait()
                    break
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def relay(path, isAPI, reader, writer):
        if isAPI and isCut:
            await passing.wait()
            return writer.close()
        down, up = await asyncio.open_unix_connection(path)
        await asyncio.gather(copy(reader, up, isAPI), copy(down, writer, isAPI))

    async def wish():
        twin = "/apis/twin.selvedge.dev/v1alpha1/namespaces/plant/twins/boiler-1"
        state = False
        while True:
            state = not state
            body = json.dumps({"spec": {"desired": {"pump": state}}}).encode()
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", 7070)
                writer.write((f"PATCH {twin} HTTP/1.1\r\nHost: 127.0.0.1:7070\r\nConnection: close\r\n"
                    f"Content-Type: application/merge-patch+json\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body)
                await asyncio.wait_for(reader.read(), 5)
                writer.close()
            except (OSError, asyncio.TimeoutError):
                pass
            await asyncio.sleep(0.1)

    def die():
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
        # A gateway whose parent is dead already would live on.
        if os.getppid() == 1: os._exit(1)

    async def main():
        loop = asyncio.get_running_loop()
        def cut():
            global isCut
            isCut = True
            passing.clear()
        def heal():
            global isCut
            isCut = False
            passing.set()
        loop.add_signal_handler(signal.SIGUSR1, cut)
        loop.add_signal_handler(signal.SIGUSR2, heal)
        await asyncio.start_server(lambda r, w: relay(f"{folder}/device-{name}", False, r, w), "127.0.0.1", 1502)
        await asyncio.start_server(lambda r, w: relay(f"{folder}/api", True, r, w), "127.0.0.1", 6443)
        child = await asyncio.create_subprocess_exec(*command, preexec_fn=die)
        loop.add_signal_handler(signal.SIGTERM, child.terminate)
        wishing = asyncio.create_task(wish())
        status = await child.wait()
        wishing.cancel()
        os._exit(status if status >= 0 else 128 - status)
    asyncio.run(main())
    """#
}
