import MurmurIdentity
import MurmurMachines
import MurmurPubSub
import MurmurWire
import Testing

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Frames as bytes.
@Suite struct WireStories {
  @Test func `a frame survives its bytes, and knows how many they are`() throws {
    for seed in 0..<2_000 {
      var chance = Chance(seed: UInt64(seed))
      let frame = randomFrame(&chance)
      let bytes = frame.encode()
      #expect(frame.wireSize == bytes.count, "seed \(seed)")
      #expect(try RPC.decode(bytes) == frame, "seed \(seed)")
    }
    #expect(RPC().encode().isEmpty && RPC().wireSize == 0)
  }

  @Test func `the bytes are libp2p's`() throws {
    let frame = RPC(
      subscriptions: [.init(Topic("ab"), subscribes: true)],
      control: .init(graft: [Topic("c")], prune: [.init(Topic("d"), backoff: 60)]))
    #expect(
      frame.encode() == [
        0x0a, 6, 0x08, 1, 0x12, 2, 0x61, 0x62,  // subscription
        0x1a, 12, 0x1a, 3, 0x0a, 1, 0x63, 0x22, 5, 0x0a, 1, 0x64, 0x18, 60,  // graft, prune
      ])
    let author = PeerID(simulated: 1)
    let message = Message(from: author, seqno: 0x0102_0304_0506_0708, topic: Topic("t"), data: [9])
    #expect(message.id(.origin).bytes == author.bytes + [1, 2, 3, 4, 5, 6, 7, 8])
    #expect(
      RPC(publish: [message]).encode()
        == [0x12, 52, 0x0a, 34] + author.bytes + [0x12, 1, 9, 0x1a, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0x22, 1, 0x74])
    #expect(message.signedBytes.starts(with: Array("libp2p-pubsub:".utf8)))
  }

  @Test func `identifiers of all kinds of keys survive their bytes`() {
    for kind in [PeerID.Kind.ed25519, .sha256, .secp256k1Even, .secp256k1Odd] {
      let word = kind == .ed25519 ? KeyPair(seed: .sha256(of: [3])).peerID.word : Digest.sha256(of: [4])
      let id = MessageID(from: PeerID(kind: kind, word: word), seqno: 77)
      #expect(id.bytes.count == id.byteCount)
      #expect(MessageID(bytes: id.bytes) == id)
    }
    let content = MessageID(content: .sha256(of: [1]))
    #expect(MessageID(bytes: content.bytes) == content && content.byteCount == 32)
    #expect(MessageID(bytes: []) == nil && MessageID(bytes: Array(repeating: 1, count: 42)) == nil)
  }

  @Test func `messages without an origin are left out, their neighbours are not`() throws {
    let good = Message(from: PeerID(simulated: 1), seqno: 1, topic: Topic("t"), data: [1])
    let anonymous: [UInt8] = [0x12, 6, 0x12, 1, 9, 0x22, 1, 0x74]
    #expect(try RPC.decode(anonymous + RPC(publish: [good]).encode()).publish == [good])
  }

  @Test func `frames beyond a limit are refused with a reason`() {
    var limits = PubSub.Limits()
    limits.frameBytes = 100
    #expect(throws: WireError.self) { try RPC.decode(Array(repeating: 0, count: 101), limits: limits) }
    let many = (0..<200).map { RPC.Subscription(Topic("\($0)"), subscribes: true) }
    #expect(throws: WireError.self) { try RPC.decode(RPC(subscriptions: many).encode()) }
    let ids = (0..<11_000).map { MessageID(from: PeerID(simulated: 1), seqno: UInt64($0)) }
    #expect(throws: WireError.self) { try RPC.decode(RPC(control: .init(iwant: ids)).encode()) }
    let long = Topic(String(repeating: "x", count: 513))
    #expect(throws: WireError.self) { try RPC.decode(RPC(control: .init(graft: [long])).encode()) }
    // Two bytes each: empty IHAVEs, a cheap bomb.
    let bomb = [UInt8](repeating: 0, count: 50_000).enumerated().map { $0.offset % 2 == 0 ? UInt8(0x0a) : 0 }
    #expect(throws: WireError.self) { try RPC.decode([0x1a, 0xd0, 0x86, 0x03] + bomb) }
  }

  @Test func `no bytes make the decoder trap, and what it reads it can write`() throws {
    let total = ProcessInfo.processInfo.environment["MURMUR_FUZZ"].flatMap(Int.init) ?? 20_000
    var chance = Chance(seed: 0x6055)
    var read = 0
    for number in 0..<total {
      var bytes =
        number % 8 == 0
        ? (0..<chance.below(80)).map { _ in UInt8(truncatingIfNeeded: chance.next()) } : randomFrame(&chance).encode()
      mutate(&bytes, &chance)
      do throws(WireError) {
        let frame = try RPC.decode(bytes)
        read += 1
        guard number % 16 == 0 else { continue }
        let again = frame.encode()
        #expect(again.count == frame.wireSize, "input \(number)")
        #expect(try RPC.decode(again) == frame, "input \(number)")
      } catch {
        #expect(!error.problem.isEmpty)
      }
    }
    #expect(read > total / 20 && read < total, "\(read) of \(total) were frames")
  }

  @Test func `a machine takes any frame that can be read`() throws {
    for seed in 0..<20 {
      var chance = Chance(seed: UInt64(seed))
      var lone = Lone(peers: 1..<5)
      lone.give(.subscribe(Topic("a")))
      lone.give(.subscribe(Topic("bc")))
      for _ in 0..<300 {
        lone.now = lone.now + .milliseconds(Double(chance.below(400)))
        let frame = randomFrame(&chance)
        for (_, rpc) in lone.hear(frame, from: 1 + chance.below(4)).sent { #expect(rpc.wireSize == rpc.encode().count) }
        for (_, rpc) in lone.give(.timerFired(.heartbeat)).sent { #expect(rpc.wireSize == rpc.encode().count) }
      }
      for topic in lone.machine.subscriptions {
        #expect(lone.machine.mesh(of: topic).allSatisfy { lone.machine.subscribers(of: topic).contains($0) }, "seed \(seed)")
      }
    }
  }

  private func mutate(_ bytes: inout [UInt8], _ chance: inout Chance) {
    for _ in 0..<chance.below(6) where !bytes.isEmpty {
      let place = chance.below(bytes.count)
      switch chance.below(4) {
      case 0: bytes[place] = UInt8(truncatingIfNeeded: chance.next())
      case 1: bytes[place] ^= 1 << UInt8(chance.below(8))
      case 2: bytes.removeLast(chance.below(bytes.count))
      default: bytes.insert(UInt8(truncatingIfNeeded: chance.next()), at: place)
      }
    }
  }

  private func randomFrame(_ chance: inout Chance) -> RPC {
    func topic() -> Topic { Topic(["a", "bc", "", "Vögel", "a topic with a longer name than fits"][chance.below(5)]) }
    func bytes(_ most: Int) -> [UInt8] { (0..<chance.below(most)).map { _ in UInt8(truncatingIfNeeded: chance.next()) } }
    func peer() -> PeerID { PeerID(kind: chance.happens(0.5) ? .sha256 : .ed25519, word: .sha256(of: [UInt8(chance.below(9))])) }
    func number() -> UInt64 { chance.next() >> UInt64(chance.below(64)) }
    func id() -> MessageID {
      chance.happens(0.2) ? MessageID(content: .sha256(of: [1])) : MessageID(from: peer(), seqno: UInt64(chance.below(9)))
    }
    func some<T>(_ most: Int, _ make: () -> T) -> [T] { (0..<chance.below(most)).map { _ in make() } }
    var frame = RPC(
      subscriptions: some(4) { .init(topic(), subscribes: chance.happens(0.5)) },
      publish: some(4) {
        Message(from: peer(), seqno: number(), topic: topic(), data: bytes(300), signature: bytes(3), key: bytes(2))
      })
    guard chance.happens(0.6) else { return frame }
    frame.control = .init(
      ihave: some(3) { .init(topic(), ids: some(5, id)) }, iwant: some(5, id), graft: some(3, topic),
      prune: some(3) {
        .init(
          topic(), backoff: chance.happens(0.7) ? number() : nil, peers: some(3) { .init(peer(), record: bytes(150)) })
      })
    return frame
  }
}
