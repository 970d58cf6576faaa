import Foundation
import MurmurBlocks
import MurmurHost
import MurmurIdentity
import MurmurMachines
import MurmurRouting
import MurmurWire
import Testing

/// Kademlia beside other implementations: values, public keys, and providers found through a third peer.
@Suite(.serialized, .timeLimit(.minutes(5)), .enabled(if: !RealPeer.installed.isEmpty, Comment(rawValue: RealPeer.missing ?? "")))
struct RoutingInterop {
  /// Values that nobody signs, which go-libp2p's public table refuses.
  static let values = Namespace("bench") { (_, _) throws(WireError) in
  } rank: { _ in
    0
  }

  @Test(arguments: RealPeer.installed.filter { $0 == .golp || $0 == .pylp }, [true, false])
  func `a value that one side puts the other gets`(kind: RealPeer.Kind, weDial: Bool) async throws {
    // py-libp2p calls its table that of IPFS whatever it is told.
    let prefix = kind == .golp ? "/interop" : "/ipfs"
    let real = try await (kind == .golp ? RealPeer(kind, "noise", prefix) : RealPeer(kind, "noise", "YAMUX", prefix))
    defer { real.stop() }
    let table = Kademlia.Configuration(
      protocolID: "\(prefix)/kad/1.0.0", scope: .any, namespaces: [.publicKeys, Self.values])
    let ours = try await OurNode("keeps values beside \(kind)", tables: [table])
    try await ours.meet(real, weDial: weDial)
    #expect(try await eventually { try await ours.node.snapshot().tables == [1] }, "it is in our table")
    let (key, value) = (Key(namespace: "bench", name: Array("ours".utf8)), Array("put by murmur".utf8))
    let put = try await ours.node.query { _ in .put(key, value, repeats: false) }
    #expect(put == [.stored(at: 1, of: 1)])
    let got = try await real("get", ["key": "/bench/ours"])
    #expect(got.text.contains("put by murmur"), "\(got.text)")

    #expect(
      try await eventually { try await real("put", ["key": "/bench/theirs", "value": "put by \(kind)"]).isGood }, "\(kind) puts")
    let back = try await ours.node.query { _ in .get(Key(namespace: "bench", name: Array("theirs".utf8))) }
    #expect(Self.value(of: back) == Array("put by \(kind)".utf8), "\(back)")
    try await ours.stop()
  }

  @Test(arguments: RealPeer.installed.filter { $0 == .golp || $0 == .p2pd }, [true, false])
  func `public keys are put and got both ways`(kind: RealPeer.Kind, weDial: Bool) async throws {
    let real = try await RealPeer(kind)
    defer { real.stop() }
    let ours = try await OurNode("keeps keys beside \(kind)", tables: [NodeInterop.table(kind)])
    try await ours.meet(real, weDial: weDial)
    #expect(try await eventually { try await ours.node.snapshot().tables == [1] }, "it is in our table")
    let own = KeyPair(seed: .sha256(of: Array("a key put by us".utf8)))
    let other = KeyPair(seed: .sha256(of: Array("a key put by \(kind)".utf8)))
    let put = try await ours.node.query { _ in .put(Self.key(own), own.publicKey.encoded, repeats: false) }
    #expect(put == [.stored(at: 1, of: 1)])
    let got = try await real("getraw", ["key": Self.hex(Self.key(own).bytes)])
    #expect(got.text.contains(Self.hex(own.publicKey.encoded)), "\(got.text)")

    let theirs: [String: any Sendable] = [
      "key": Self.hex(Self.key(other).bytes), "value": Self.hex(other.publicKey.encoded),
    ]
    #expect(try await eventually { try await real("putraw", theirs).isGood }, "\(kind) puts")
    let back = try await ours.node.query { _ in .get(Self.key(other)) }
    #expect(Self.value(of: back) == other.publicKey.encoded, "\(back)")

    // A key under another peer's name is refused, by it and by us.
    let wrong = try await real("putraw", ["key": Self.hex(Self.key(own).bytes), "value": Self.hex(other.publicKey.encoded)])
    #expect(!wrong.isGood)
    let refused = try await ours.node.query { _ in .put(Self.key(own), other.publicKey.encoded, repeats: false) }
    guard case .failed(.invalid)? = refused.first else {
      Issue.record("\(refused)")
      return
    }
    try await ours.stop()
  }

  @Test(arguments: RealPeer.installed, [true, false])
  func `each side finds by the other's table a peer that only the other knows`(kind: RealPeer.Kind, weDial: Bool) async throws {
    var table = NodeInterop.table(kind)
    // Nobody looks around unasked, and so finds the others before it is to.
    table.emptyInterval = .minutes(30)
    let real = try await RealPeer(kind)
    defer { real.stop() }
    let ours = try await OurNode("seeks by \(kind)", tables: [table])
    let beyond = try await OurNode("is known to \(kind) alone", tables: [table])
    let near = try await OurNode("is unknown to \(kind)", tables: [table])
    try await beyond.meet(real, weDial: weDial)
    try await ours.meet(real, weDial: weDial)
    #expect(try await eventually { try await ours.node.snapshot().tables == [1] }, "it is in our table")
    #expect(try await ours.node.addresses(of: beyond.keys.peerID).isEmpty)
    let isFound = try await eventually {
      try await ours.node.find(beyond.keys.peerID).contains { beyond.address.hasPrefix("\($0)/p2p/") }
    }
    #expect(isFound, "\(kind) names whom it knows")

    // The library of go-libp2p 0.24 has no call that finds a peer.
    if kind != .golp {
      try await near.node.connect(Multiaddr(parsing: ours.address))
      let port = try #require(near.address.split(separator: "/").dropFirst(3).first)
      let isNamed = try await eventually {
        try await real(kind == .kubo ? "find" : "findpeer", ["id": "\(near.keys.peerID)"]).text.contains("/tcp/\(port)")
      }
      #expect(isNamed, "\(kind) finds who is known to us")
    }
    for node in [near, beyond, ours] { try await node.stop() }
  }

  @Test(.enabled(if: RealPeer.installed.contains(.kubo), "Kubo is not installed"))
  func `Kubo finds by its table who provides, and fetches there`() async throws {
    // The provider only asks in the table, so that nobody gets to know it but as a provider.
    let provider = try await OurNode("provides", tables: [.lan()], servesTables: false)
    let middle = try await OurNode("is between", tables: [.lan()])
    try await provider.node.connect(Multiaddr(parsing: middle.address))
    #expect(try await eventually { try await provider.node.snapshot().tables == [1] })
    let object = Object.build(Array("found through a third peer".utf8))
    try await provider.node.add(object)
    #expect(try await provider.node.provide(object.root) == [.stored(at: 1, of: 1)])

    let kubo = try await RealPeer(.kubo)
    defer { kubo.stop() }
    try await middle.meet(kubo, weDial: false)
    #expect(try await provider.node.snapshot().neighbours.map(\.peer) == [middle.keys.peerID])
    let folder = try TemporaryFolder()
    let target = folder.path("found")
    let got = try await kubo("get", ["cid": "\(object.root)", "path": target])
    #expect(got.isGood, "\(got.text)")
    #expect(try Array(Data(contentsOf: URL(filePath: target))) == Array("found through a third peer".utf8))
    #expect(try await provider.node.snapshot().neighbours.contains { $0.peer.description == kubo.id }, "Kubo came to it")
    for ours in [provider, middle] { try await ours.stop() }
  }

  @Test(.enabled(if: RealPeer.installed.contains(.kubo), "Kubo is not installed"))
  func `we find by our table what Kubo provides, and fetch it there`() async throws {
    let middle = try await OurNode("is between too", tables: [.lan()])
    let kubo = try await RealPeer(.kubo)
    defer { kubo.stop() }
    try await middle.meet(kubo, weDial: false)
    #expect(try await eventually { try await middle.node.snapshot().tables == [1] })
    let folder = try TemporaryFolder()
    let bytes = Array("provided by Kubo".utf8)
    try Data(bytes).write(to: URL(filePath: folder.path("file")))
    let root = try CID(parsing: try #require(try await kubo("add", ["path": folder.path("file")]).value as? String))

    let seeker = try await OurNode("seeks", tables: [.lan()])
    try await seeker.node.connect(Multiaddr(parsing: middle.address))
    // Kubo announces what was added from a queue of its own, after a while.
    let isFound = try await eventually(40) {
      let found = try await seeker.node.query { _ in .findProviders(MurmurRouting.Key(providersOf: root), count: 1) }
      guard case .providers(let who)? = found.first else { return false }
      return who.contains { $0.peer.description == kubo.id }
    }
    #expect(isFound)
    try await seeker.node.fetch(root, within: .seconds(30))
    #expect(try await seeker.node.read(root) == bytes)
    for ours in [seeker, middle] { try await ours.stop() }
  }

  private static func key(_ keys: KeyPair) -> Key { Key(namespace: "pk", name: keys.peerID.bytes) }

  static func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  private static func value(of outcomes: [Kademlia.Outcome]) -> [UInt8]? {
    guard case .value(let bytes, _)? = outcomes.first else { return nil }
    return bytes
  }
}
