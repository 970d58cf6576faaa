import MurmurBlocks
import MurmurHost
import MurmurIdentity
import MurmurMachines
import MurmurRouting
import MurmurWire
import Testing

/// Two dozen nodes of ours in one process, each with sockets of its own: whatever is in their table is found.
@Suite(.timeLimit(.minutes(2))) struct CrowdTests {
  static let count = 24

  @Test func `everybody finds everybody, every value and every provider`() async throws {
    let values = Namespace("bench") { (_, _) throws(WireError) in
    } rank: { _ in
      0
    }
    let table = Kademlia.Configuration(
      protocolID: "/crowd/kad/1.0.0", scope: .local(loopback: true), namespaces: [.publicKeys, values])
    var crowd: [OurNode] = []
    for number in 0..<Self.count {
      let one = try await OurNode("crowd \(number)", tables: [table])
      crowd.append(one)
      guard number > 0 else { continue }
      try await one.node.connect(Multiaddr(parsing: crowd[0].address))
      #expect(try await eventually { try await one.node.snapshot().tables[0] > 0 })
    }
    // Who came first learns of the others when they look for themselves.
    for one in crowd { _ = try await one.node.query { _ in .findClosest(Key(one.keys.peerID)) } }
    for (number, one) in crowd.enumerated() {
      let other = crowd[(number + Self.count / 2) % Self.count]
      let found = try await one.node.query { _ in .findPeer(other.keys.peerID) }
      guard case .peer(let contact, _)? = found.first, contact.peer == other.keys.peerID else {
        Issue.record("\(number): \(found)")
        continue
      }
      let key = Key(namespace: "bench", name: Array("value \(number)".utf8))
      let put = try await one.node.query { _ in .put(key, Array("said by \(number)".utf8), repeats: false) }
      guard case .stored(let at, _)? = put.first, at > 0 else {
        Issue.record("\(number): \(put)")
        continue
      }
      let got = try await other.node.query { _ in .get(key) }
      guard case .value(let value, _)? = got.first, value == Array("said by \(number)".utf8) else {
        Issue.record("\(number): \(got)")
        continue
      }
      let content = Object.build(Array("content of \(number)".utf8)).root
      try await one.node.provide(content)
      let named = try await other.node.query { _ in .findProviders(Key(providersOf: content), count: 1) }
      guard case .providers(let who)? = named.first, who.map(\.peer) == [one.keys.peerID] else {
        Issue.record("\(number): \(named)")
        continue
      }
    }
    for one in crowd { try await one.stop() }
  }
}
