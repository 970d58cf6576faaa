import Foundation
import Testing

/// `murmur peer` from its start to its end, as a service manager, an operator and a network see it.
@Suite("One real peer as a service", .serialized, .timeLimit(.minutes(5)))
struct PeerServiceTests {
  private static let scenario =
    "{name: small, peers: {count: 2}, data: {rows: 60}, model: {hidden: 8}, session: {length: 1000 s, cycle: 250 ms}}\n"

  /// The number of the cycle that a line tells of.
  private func cycle(_ line: String) -> Int? {
    guard line.hasPrefix("cycle ") else { return nil }
    return Int(line.dropFirst(6).prefix { $0.isNumber })
  }

  @Test("SIGTERM ends a peer with 0; what it told of is on the disk, and the next start goes on from there")
  func terminated() throws {
    let folder = try Folder()
    let session = try folder.write(PeerServiceTests.scenario, to: "s.yaml")
    let arguments = [
      "peer", "--session", session, "--number", "0", "--listen", "/ip4/127.0.0.1/tcp/0", "--store", "kept", "--begins",
      "\(Int(Date().timeIntervalSince1970))",
    ]
    var last = 0
    for (start, until) in [3, 2, 1].enumerated() {
      var told: [Int] = []
      let finished = try Program(folder: folder).run(arguments) { line, process in
        guard let number = cycle(line) else { return }
        told.append(number)
        if told.count == until { process.terminate() }
      }
      #expect(finished.code == 0 && !finished.wasKilled, "start \(start): \(finished.errors)")
      #expect(finished.errors.contains("a second signal quits at once"), "start \(start): \(finished.errors)")
      #expect(!finished.errors.contains("error"), "start \(start): \(finished.errors)")
      let first = try #require(told.first)
      #expect(first > last, "start \(start) began with cycle \(first) after \(last) had been told: \(finished.errors)")
      last = try #require(told.last)
    }
  }

  @Test("SIGTERM does not wait for a training job, which may take hours")
  func terminatedWhileTraining() throws {
    let folder = try Folder()
    try folder.write(
      "{name: long, peers: {count: 2}, data: {rows: 200}, model: {hidden: 512}, session: {length: 10000 s, cycle: 250 ms, "
        + "training: {epochs: 100000, batch: 1}}}\n", to: "s.yaml")
    let peer = try LivePeer(folder, "kept", ["--number", "0"])
    let begun = ContinuousClock.now
    let code = peer.terminate()
    let took = ContinuousClock.now - begun
    #expect(code == 0 && took < .seconds(12), "code \(code) after \(took): \(peer.errors)")
    #expect(!peer.errors.lowercased().contains("error"), "\(peer.errors)")
  }

  @Test("Metrics are served while a peer runs, and count what it does")
  func metrics() throws {
    let folder = try Folder()
    let session = try folder.write(PeerServiceTests.scenario, to: "s.yaml")
    var text = ""
    let finished = try Program(folder: folder).run([
      "peer", "--session", session, "--number", "0", "--listen", "/ip4/127.0.0.1/tcp/0", "--metrics", "127.0.0.1:0",
    ]) { line, process in
      guard cycle(line) == 4 else { return }
      let port = (try? folder.text(".output"))?.split(separator: "\n").first { $0.hasPrefix("metrics at ") }?
        .split(separator: ":").last?.prefix { $0.isNumber }
      text = Web.get("/metrics", port: port.flatMap { UInt16($0) } ?? 0)
      process.terminate()
    }
    #expect(finished.code == 0, "\(finished.errors)")
    #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n"), "\(text) \(finished.errors)")
    for line in ["murmur_session_cycle 4", "murmur_session_ended 0", "murmur_build_info{version=", "murmur_node_peers 0"] {
      #expect(text.contains("\n" + line), "\(line): \(text)")
    }
    let names = text.split(separator: "\n").filter { $0.hasPrefix("# TYPE ") }.map { $0.split(separator: " ")[2] }
    #expect(Set(names).count == names.count && names.count > 40, "a name is one family")
  }

  @Test(
    "What --metrics cannot be is said before anything starts",
    arguments: [
      ("nowhere:9100", "give an internet address"), ("127.0.0.1:99999", "give an internet address"),
      ("203.0.113.1:9100", "another machine"),
    ])
  func refused(address: String, words: String) throws {
    let folder = try Folder()
    let session = try folder.write(PeerServiceTests.scenario, to: "s.yaml")
    let finished = try Program(folder: folder).run(["peer", "--session", session, "--number", "0", "--metrics", address])
    #expect(
      finished.code == 1 && finished.errors.contains("--metrics \(address)") && finished.errors.contains(words),
      "\(finished.errors)")
  }

  @Test(
    "Two peers at the two ends of a cable find each other by multicast DNS alone",
    .enabled(if: Cable.canBeMade, "network namespaces cannot be made here: mDNS between machines is not tested"))
  func found() throws {
    let folder = try Folder()
    try folder.write(
      "{name: pair, peers: {count: 2}, data: {rows: 60}, model: {hidden: 8}, session: {length: 4 s, cycle: 250 ms}}\n",
      to: "s.yaml")
    try folder.write(Cable.script, to: "cable.sh")
    let code = try Cable.run(folder, Program.path())
    let (west, east) = (try folder.text("west.out"), try folder.text("east.out"))
    let errors = try folder.text("west.err") + folder.text("east.err")
    #expect(code == 0, "\(errors)")
    for (name, text) in [("west", west), ("east", east)] {
      #expect(text.contains("\"neighbours\":1"), "\(name): \(text) \(errors)")
      #expect(text.contains("\"news\":\"over\""), "\(name)")
    }
  }
}

/// Two network namespaces with a cable between them.
private enum Cable {
  /// A user other than root can make them where user namespaces are allowed.
  private static let unshare = ["unshare", "--user", "--map-root-user", "--net"]

  static let script = """
    set -e
    program=$1
    ip link set lo up
    unshare --net sleep 60 &
    other=$!
    trap 'kill $other' EXIT
    while [ "$(readlink /proc/$other/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.02; done
    ip link add west type veth peer name east
    ip link set east netns $other
    ip addr add 10.77.0.1/24 dev west
    ip link set west up
    nsenter --net=/proc/$other/ns/net ip addr add 10.77.0.2/24 dev east
    nsenter --net=/proc/$other/ns/net ip link set east up
    common="peer --session s.yaml --begins $(date +%s) --until-over --json --mdns --verbose"
    $program $common --number 0 --listen /ip4/10.77.0.1/tcp/0 >west.out 2>west.err &
    first=$!
    nsenter --net=/proc/$other/ns/net $program $common --number 1 --listen /ip4/10.77.0.2/tcp/0 >east.out 2>east.err
    wait $first
    """

  static let canBeMade: Bool = (try? run(unshare + ["sh", "-c", "ip link add west type veth peer name east"], ".")) == 0

  static func run(_ folder: Folder, _ program: String) throws -> Int32 {
    try run(unshare + ["sh", "cable.sh", program], folder.path)
  }

  private static func run(_ arguments: [String], _ folder: String) throws -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    (process.standardInput, process.standardOutput, process.standardError) = (
      FileHandle.nullDevice, FileHandle.nullDevice, FileHandle.nullDevice
    )
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus
  }
}

/// The least of a browser.
private enum Web {
  /// The whole answer to a GET from this machine, head included; empty if there is none.
  static func get(_ path: String, port: UInt16) -> String {
    #if os(Linux)
    let kind = Int32(SOCK_STREAM.rawValue)
    #else
    let kind = SOCK_STREAM
    #endif
    let descriptor = socket(AF_INET, kind, 0)
    let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr = in_addr(s_addr: UInt32(0x7f00_0001).bigEndian)
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let code = unsafe withUnsafePointer(to: address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe connect(descriptor, $0, size) }
    }
    guard code == 0 else { return "" }
    try? handle.write(contentsOf: Data("GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
    return String(decoding: (try? handle.readToEnd()) ?? Data(), as: UTF8.self)
  }
}
