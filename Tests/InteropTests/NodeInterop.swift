import Foundation
import MurmurBlocks
import MurmurHost
import MurmurIdentity
import MurmurMachines
import MurmurPubSub
import MurmurRouting
import MurmurWire
import Testing

/// Whole nodes beside peers of other implementations: identify, ping, providers and gossipsub.
@Suite(.serialized, .timeLimit(.minutes(5)), .enabled(if: !RealPeer.installed.isEmpty, Comment(rawValue: RealPeer.missing ?? "")))
struct NodeInterop {
  /// The hash table that a kind speaks on loopback.
  static func table(_ kind: RealPeer.Kind) -> Kademlia.Configuration {
    kind == .kubo ? .lan() : Kademlia.Configuration(protocolID: "/ipfs/kad/1.0.0", scope: .any, namespaces: [.publicKeys])
  }

  @Test(arguments: RealPeer.installed, [true, false])
  func `identify names software and protocols, pings come back`(kind: RealPeer.Kind, weDial: Bool) async throws {
    let real = try await RealPeer(kind)
    defer { real.stop() }
    let ours = try await OurNode("identified by \(kind)", tables: [Self.table(kind)])
    try await ours.meet(real, weDial: weDial)
    let neighbour = try #require(try await ours.node.snapshot().neighbours.first)
    #expect(neighbour.peer.description == real.id)
    #expect(neighbour.protocols.contains("/ipfs/id/1.0.0"), "\(neighbour)")
    let peer = neighbour.peer
    for _ in 0..<3 { #expect(try await ours.node.ping(peer) < .seconds(5)) }
    if kind != .kubo {
      let pings = try await real("ping", ["id": "\(ours.keys.peerID)", "n": 3, "timeout": 10])
      #expect(pings.isGood, "\(pings.text)")
    }
    try await ours.stop()
  }

  @Test(arguments: RealPeer.installed, [true, false])
  func `what one side provides the other finds`(kind: RealPeer.Kind, weDial: Bool) async throws {
    let real = try await RealPeer(kind)
    defer { real.stop() }
    let ours = try await OurNode("routes with \(kind)", tables: [Self.table(kind)])
    try await ours.meet(real, weDial: weDial)
    #expect(try await eventually { try await ours.node.snapshot().tables == [1] }, "it is in our table")
    let object = Object.build(Array("provided beside \(kind)".utf8))
    let provided = try await ours.node.provide(object.root)
    #expect(provided.contains { if case .stored(let at, _) = $0 { at > 0 } else { false } }, "\(provided)")
    if kind == .kubo {
      let found = try await real("find", ["id": "\(ours.keys.peerID)"])
      #expect(found.isGood && found.text.contains("/tcp/"), "\(found.text)")
    } else {
      let found = try await real("findprov", ["key": "\(object.root)", "n": 1])
      #expect(found.text.contains("\(ours.keys.peerID)"), "\(found.text)")
      let other = Object.build(Array("provided by \(kind)".utf8))
      let announced = try await real("provide", ["key": "\(other.root)", "timeout": 10])
      #expect(announced.isGood, "\(announced.text)")
      let back = try await ours.node.query { _ in .findProviders(MurmurRouting.Key(providersOf: other.root), count: 1) }
      let named = back.contains {
        if case .providers(let who) = $0 { who.contains { $0.peer.description == real.id } } else { false }
      }
      #expect(named, "\(back)")
    }
    try await ours.stop()
  }

  @Test(arguments: RealPeer.installed, [true, false])
  func `what one side says on a topic the other hears`(kind: RealPeer.Kind, weDial: Bool) async throws {
    let real = try await RealPeer(kind)
    defer { real.stop() }
    let ours = try await OurNode("gossips with \(kind)", tables: [Self.table(kind)])
    try await ours.listen(to: "talk")
    let subscribed = try await real("sub", ["topic": "talk"])
    #expect(subscribed.isGood, "\(subscribed.text)")
    try await ours.meet(real, weDial: weDial)
    let isHeard = try await eventually {
      _ = try await real("pub", ["topic": "talk", "data": "from there"])
      return ours.heard.contains("from there")
    }
    #expect(isHeard, "we hear \(kind)")
    try await ours.node.publish(Topic("talk"), Array("from here".utf8))
    let handle = try JSONSerialization.jsonObject(with: Data(subscribed.text.utf8)) as? [String: Any]
    let isSaid = try await eventually {
      let next = try await real("next", ["topic": "talk", "sub": (handle?["v"] as? Int) ?? 0, "timeout": 2])
      if next.text.contains("from here") || next.text.contains("ZnJvbSBoZXJl") { return true }
      try await ours.node.publish(Topic("talk"), Array("from here".utf8))
      return false
    }
    #expect(isSaid, "\(kind) hears us")
    try await ours.stop()
  }
}
