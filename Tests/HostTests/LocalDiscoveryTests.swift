import Foundation
import Logging
import MurmurDiscovery
import MurmurHost
import MurmurIdentity
import MurmurMachines
import MurmurWire
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Testing

/// Whether this machine lets a process hear multicast on the loopback interface.
private enum Multicast {
  /// A port of this process, so that runs beside each other do not meet.
  static let port = 20_000 + UInt16(ProcessInfo.processInfo.processIdentifier % 20_000)

  static func configuration(_ port: UInt16 = port) -> LocalDiscovery.Configuration {
    var configuration = LocalDiscovery.Configuration()
    configuration.port = port
    configuration.logger.logLevel = .critical
    return configuration
  }

  static func works() async -> Bool {
    do {
      let discovery = try await LocalDiscovery.make(
        id: KeyPair(seed: .sha256(of: [1])).peerID, listening: [Multiaddr(parsing: "/ip4/127.0.0.1/tcp/1")],
        chance: Chance(seed: 1), group: loops, configuration: configuration()
      ) { _, _ in }
      try await discovery.start()
      let links = try await discovery.links
      try await discovery.close()
      return !links.isEmpty
    } catch { return false }
  }
}

/// Whom one side found, and who waits for it.
private final class Finds: Sendable {
  private let state = NIOLockedValueBox<(found: [PeerID: [Multiaddr]], waiting: [PeerID: EventLoopPromise<[Multiaddr]>])>(
    ([:], [:]))

  func found(_ peer: PeerID, _ addresses: [Multiaddr]) {
    let promise = state.withLockedValue { state in
      state.found[peer] = addresses
      return state.waiting.removeValue(forKey: peer)
    }
    promise?.succeed(addresses)
  }

  var peers: [PeerID] { state.withLockedValue { $0.found.keys.sorted() } }

  func wait(for peer: PeerID) async throws -> [Multiaddr] {
    let promise = loops.next().makePromise(of: [Multiaddr].self)
    let there = state.withLockedValue { state -> [Multiaddr]? in
      if let addresses = state.found[peer] { return addresses }
      state.waiting[peer] = promise
      return nil
    }
    if let there { promise.succeed(there) }
    let late = loops.next().scheduleTask(in: .seconds(20)) { promise.fail(NodeError("\(peer) was not found in 20 s")) }
    defer { late.cancel() }
    return try await promise.futureResult.get()
  }
}

/// Multicast DNS over real sockets of the loopback interface.
@Suite(
  .enabled("UDP multicast on the loopback interface cannot be had here: mDNS over real sockets is not tested") {
    await Multicast.works()
  })
struct LocalDiscoveryTests {
  private func discovery(_ name: String, _ listening: String, _ finds: Finds) async throws -> LocalDiscovery {
    try await LocalDiscovery.make(
      id: KeyPair(seed: .sha256(of: Array(name.utf8))).peerID, listening: [Multiaddr(parsing: listening)],
      chance: Chance(seed: 7).fork(named: name), group: loops, configuration: Multicast.configuration()
    ) { finds.found($0, $1) }
  }

  @Test func `two peers of one machine find each other, and nobody finds itself`() async throws {
    let (hers, his) = (Finds(), Finds())
    let alice = try await discovery("alice", "/ip4/127.0.0.1/tcp/4001", hers)
    let bob = try await discovery("bob", "/ip4/127.0.0.1/tcp/4002", his)
    let (aliceID, bobID) = (
      KeyPair(seed: .sha256(of: Array("alice".utf8))).peerID, KeyPair(seed: .sha256(of: Array("bob".utf8))).peerID
    )
    try await alice.start()
    try await bob.start()
    #expect(try await alice.links.count == 1)
    #expect(try await hers.wait(for: bobID) == [Multiaddr(parsing: "/ip4/127.0.0.1/tcp/4002")])
    #expect(try await his.wait(for: aliceID) == [Multiaddr(parsing: "/ip4/127.0.0.1/tcp/4001")])
    #expect(hers.peers == [bobID] && his.peers == [aliceID])
    try await alice.close()
    try await bob.close()
    #expect(try await alice.links.isEmpty)
  }

  @Test func `rubbish sent to the group is borne, and a peer that comes afterwards is found`() async throws {
    let (hers, his) = (Finds(), Finds())
    let alice = try await discovery("carol", "/ip4/127.0.0.1/tcp/4003", hers)
    try await alice.start()
    let socket = try await DatagramBootstrap(group: loops)
      .channelOption(ChannelOptions.Types.SocketOption(level: .ip, name: .ip_multicast_if), value: 0x0100_007f)
      .bind(host: "127.0.0.1", port: 0).get()
    let group = try SocketAddress(ipAddress: "224.0.0.251", port: Int(Multicast.port))
    var chance = Chance(seed: 11)
    for length in 0..<200 {
      let bytes = (0..<length * 7).map { _ in UInt8(truncatingIfNeeded: chance.next()) }
      try? await socket.writeAndFlush(AddressedEnvelope(remoteAddress: group, data: ByteBuffer(bytes: bytes))).get()
    }
    let bob = try await discovery("dave", "/ip4/127.0.0.1/tcp/4004", his)
    try await bob.start()
    _ = try await hers.wait(for: KeyPair(seed: .sha256(of: Array("dave".utf8))).peerID)
    try await socket.close().get()
    try await alice.close()
    try await bob.close()
  }

  @Test func `where nothing can be opened, nothing fails`() async throws {
    let nowhere = try await discovery("erin", "/ip4/203.0.113.9/tcp/4005", Finds())
    try await nowhere.start()
    #expect(try await nowhere.links.isEmpty)
    try await nowhere.close()
    // Somebody has the port to himself.
    let taken = Multicast.port + 20_000
    let group = try SocketAddress(ipAddress: "224.0.0.251", port: Int(taken))
    let owner = try await DatagramBootstrap(group: loops).bind(to: group).get()
    let forbidden = try await LocalDiscovery.make(
      id: KeyPair(seed: .sha256(of: [2])).peerID, listening: [Multiaddr(parsing: "/ip4/127.0.0.1/tcp/1")],
      chance: Chance(seed: 1),
      group: loops, configuration: Multicast.configuration(taken)
    ) { _, _ in }
    try await forbidden.start()
    #expect(try await forbidden.links.isEmpty)
    try await forbidden.close()
    try await owner.close().get()
  }
}
