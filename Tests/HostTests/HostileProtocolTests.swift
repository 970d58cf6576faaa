import MurmurBlocks
import MurmurChannels
import MurmurCollective
import MurmurHost
import MurmurIdentity
import MurmurMachines
import MurmurPeer
import MurmurPubSub
import MurmurRouting
import MurmurSessions
import MurmurWire
import NIOConcurrencyHelpers
import NIOCore
import Testing

extension WholeNodes {
  /// Peers that lie in every protocol, while a session of honest nodes goes on.
  @Suite(.serialized) struct HostileProtocolTests {
    private func shut(_ flock: Flock, _ hostile: HostilePeer, _ what: String, _ attack: (Link) async throws -> Void) async throws
    {
      let times = try await hostile.insist(flock.victim, attack)
      #expect(times < 8, "\(what): let in \(times) times")
      // Nobody is let in again at once, and the connection that it gets ends.
      if let link = try await hostile.link(to: flock.victim) {
        #expect(try await eventually { await (try? link.loop.submit { link.streamCount }.get()) == 0 || hostile.ended > 0 })
      }
      #expect(try await flock.goesOn(), "\(what): the session goes on")
      try await hostile.stop()
    }

    private func frame(_ message: [UInt8]) -> [UInt8] { MessageFraming.frame(message) }

    @Test func `forged gossip, floods of GRAFT and of promises shut a peer out`() async throws {
      try await Flock.run { flock in
        let topic = Topic("news")
        for node in flock.nodes { try await node.node.subscribe(topic) { _, _ in } }
        let claims = ["/meshsub/1.1.0"]
        let forger = HostilePeer("forger", claiming: claims)
        try await shut(flock, forger, "forged messages") { link in
          let forged = (0..<20).map {
            Message(
              from: flock.nodes[1].keys.peerID, seqno: UInt64($0), topic: topic, data: [1],
              signature: [UInt8](repeating: 1, count: 64))
          }
          forger.say(
            frame(RPC(subscriptions: [.init(topic, subscribes: true)], publish: forged).encode()), on: claims[0], over: link)
        }
        let grafter = HostilePeer("grafter", claiming: claims)
        try await shut(flock, grafter, "grafts") { link in
          let flood = RPC(control: .init(graft: [Topic](repeating: topic, count: 200)))
          grafter.say(frame(flood.encode()) + frame(flood.encode()), on: claims[0], over: link)
        }
        let promiser = HostilePeer("promiser", claiming: claims)
        let link = try #require(try await promiser.link(to: flock.victim))
        for round in 0..<30 {
          let ids = (0..<200).map { MessageID(from: promiser.id, seqno: UInt64(round * 1_000 + $0)) }
          promiser.say(frame(RPC(control: .init(ihave: [.init(topic, ids: ids)])).encode()), on: claims[0], over: link)
        }
        #expect(try await flock.goesOn())
        let held = try await flock.victim.node.look { $0.pubsub.holdings }
        #expect(held.promises <= 1_024 && held.asked <= 10_000)
        try await promiser.stop()
      }
    }

    @Test func `spam on many topics is read at a bounded pace and leaves nothing behind`() async throws {
      try await Flock.run(configure: {
        $0.messagesPerSecond = 500
        $0.messageBurst = 500
      }) { flock in
        let spammer = HostilePeer("spammer", claiming: ["/meshsub/1.1.0"])
        let link = try #require(try await spammer.link(to: flock.victim))
        let one = RPC(publish: [
          Message(from: spammer.id, seqno: 1, topic: Topic("spam"), data: [UInt8](repeating: 1, count: 100))
        ])
        let spam = (0..<20_000).flatMap { _ in frame(one.encode()) }
        spammer.say(spam, on: "/meshsub/1.1.0", over: link)
        #expect(try await flock.goesOn())
        let held = try await flock.victim.node.look { $0.pubsub.holdings }
        #expect(held.topics <= 4 && held.cached <= 100)
        try await spammer.stop()
      }
    }

    @Test func `invalid records shut a peer out, and floods of providers end at the limit`() async throws {
      try await Flock.run { flock in
        let name = "/murmur/kad/1.0.0"
        let liar = HostilePeer("records")
        try await shut(flock, liar, "invalid records") { link in
          let key = SequencedRecord.key(of: flock.nodes[1].keys.peerID, name: "x").bytes
          let put = KademliaMessage(.putValue, key: key, record: .init(key: key, value: [1, 2, 3]))
          for _ in 0..<8 { liar.say(frame(put.encode()), on: name, over: link) }
        }
        let flooder = HostilePeer("providers")
        let link = try #require(try await flooder.link(to: flock.victim))
        let own = [Contact(flooder.id, [try Multiaddr(parsing: "/ip4/127.0.0.1/tcp/1")])]
        let adds = (0..<4_000).flatMap {
          frame(KademliaMessage(.addProvider, key: Array("key \($0)".utf8), providers: own).encode())
        }
        flooder.say(adds, on: name, over: link)
        #expect(try await flock.goesOn())
        #expect(try await flock.victim.node.load().records <= 2_048)
        try await flooder.stop()
      }
    }

    @Test func `answers full of invented peers lead nowhere and fill nothing`() async throws {
      try await Flock.run(configure: { $0.addressBook = 200 }) { flock in
        let name = "/murmur/kad/1.0.0"
        let poison = HostilePeer("poison", claiming: [name]) { _ in Poison() }
        _ = try #require(try await poison.link(to: flock.victim))
        #expect(
          try await eventually {
            try await flock.victim.node.snapshot().neighbours.contains { $0.peer == poison.id && !$0.protocols.isEmpty }
          })
        let table = try await flock.victim.node.load().contacts
        for number in 0..<5 {
          let outcomes = try await flock.victim.node.query { _ in .findPeer(KeyPair(seed: .sha256(of: [UInt8(number)])).peerID) }
          for outcome in outcomes { if case .peer = outcome { Issue.record("a peer that does not exist was found") } }
        }
        let load = try await flock.victim.node.load()
        #expect(load.addresses <= 200 && load.dials <= 1_024, "\(load)")
        #expect(load.contacts <= table + 1, "only who answers gets into the table: \(load)")
        #expect(try await flock.goesOn())
        for honest in flock.nodes.dropFirst() {
          _ = try await flock.victim.node.connect(honest.address)
        }
        try await poison.stop()
      }
    }

    @Test func `blocks that nobody asked for shut a peer out`() async throws {
      try await Flock.run { flock in
        let giver = HostilePeer("giver", claiming: ["/ipfs/bitswap/1.2.0"])
        let before = try await flock.victim.node.snapshot().blocks
        try await shut(flock, giver, "unwanted blocks") { link in
          for round in 0..<4 {
            let blocks = (0..<256).map { Block(Array("\(round) \($0) unwanted".utf8), codec: .raw) }
            giver.say(frame(BitswapMessage(blocks: blocks).encode()), on: "/ipfs/bitswap/1.2.0", over: link)
          }
        }
        #expect(try await flock.victim.node.snapshot().blocks < before + 100)
      }
    }

    @Test func `models that stand for gigabytes are refused, and who announces them is shut out`() async throws {
      // Who announces what cannot be had is asked ever more seldom, and offences fade: here two are too many, and none fades.
      var session = HonestNode.session()
      session.cycle = .seconds(0.3)
      try await Flock.run(
        session: session,
        configure: { configuration in
          configuration.strikes = 2
          configuration.conduct.halfLife = .minutes(600)
        }
      ) { flock in
        let (talk, swap) = ("/murmur/collective/1", "/ipfs/bitswap/1.2.0")
        let leaf = Block([UInt8](repeating: 7, count: Block.mostBytes))
        let size = UInt64(leaf.bytes.count)
        let roots = (0..<12).map { number in
          DAGNode(links: [DAGNode.Link](repeating: .init(leaf.cid, fileBytes: size, totalBytes: size), count: 1_000 + number))
            .block()
        }
        let asked = NIOLockedValueBox<[CID]>([])
        let bomber = HostilePeer("bomber", claiming: [talk, swap]) { stream in
          if stream.protocolName == swap { return Shop(roots + [leaf], asked) }
          return Deaf()
        }
        // The node knows where it is, and dials it when it wants something.
        var number: UInt32 = 0
        let isShut = try await eventually {
          if try await flock.victim.node.ban(of: bomber.id) != nil { return true }
          guard let link = try await bomber.link(to: flock.victim) else { return false }
          let before = asked.withLockedValue { Set($0).count }
          _ = try await eventually(3) {
            number += 1
            let root = roots[min(before, roots.count - 1)]
            let claim = Announcement(
              peer: bomber.id, root: root.cid, cycle: number, made: .origin + .minutes(20) + .seconds(Double(number)),
              accuracy: 1,
              loss: 0, rows: 10, held: true)
            let sealed = SealedAnnouncement(
              claim, signature: bomber.keys.sign(claim.sealedBytes(session: HonestNode.session().name)))
            bomber.say(frame(CollectiveMessage.sealed([sealed], wantsReply: false).encode()), on: talk, over: link)
            return try await eventually(0.2) { asked.withLockedValue { Set($0).count } > before }
          }
          return false
        }
        let wanted = asked.withLockedValue { $0 }
        #expect(isShut, "asked for \(wanted.count), \(Set(wanted).count) of them different")
        #expect(!wanted.contains(leaf.cid) && !wanted.isEmpty)
        #expect(try await flock.goesOn())
        try await bomber.stop()
      }
    }

    @Test func `what peers sign of themselves is known to pub-sub, to be offered to others`() async throws {
      try await Flock.run { flock in
        let other = flock.nodes[1].keys.peerID
        let isKnown = try await eventually {
          guard let bytes = try await flock.victim.node.look({ $0.pubsub.record(of: other) }),
            let record = try? PeerRecord.open(bytes)
          else { return false }
          return record.peer == other && !record.addresses.isEmpty
        }
        #expect(isKnown)
      }
    }

    @Test func `forged announcements shut a peer out; unsigned and old ones change nothing`() async throws {
      try await Flock.run { flock in
        let name = "/murmur/collective/1"
        let other = flock.nodes[1].keys
        func claim(_ cycle: UInt32) -> Announcement {
          Announcement(
            peer: other.peerID, root: CID(codec: .raw, hashing: [9]), cycle: cycle, made: .origin + .minutes(20), accuracy: 1,
            loss: 0,
            rows: 1, held: true)
        }
        let quiet = HostilePeer("unsigned", claiming: [name])
        let link = try #require(try await quiet.link(to: flock.victim))
        quiet.say(frame(CollectiveMessage.news([claim(1_000_000)], wantsReply: true).encode()), on: name, over: link)
        let stranger = SealedAnnouncement(
          claim(1_000_000), signature: other.sign(claim(1_000_000).sealedBytes(session: "another")))
        let forger = HostilePeer("announcer", claiming: [name])
        try await shut(flock, forger, "forged announcements") { link in
          for _ in 0..<4 {
            forger.say(frame(CollectiveMessage.sealed([stranger], wantsReply: false).encode()), on: name, over: link)
          }
        }
        #expect(flock.victim.offended.allSatisfy { $0.contains("\(forger.id)") } && !flock.victim.offended.isEmpty)
        #expect(try await flock.victim.node.ban(of: quiet.id) == nil)
        try await quiet.stop()
      }
    }
  }
}

/// Gives blocks to whoever asks, and notes what is asked for.
private final class Shop: StreamHandler {
  private var framing = MessageFraming(most: 4 << 20)
  private let blocks: [Block]
  private let asked: NIOLockedValueBox<[CID]>

  init(_ blocks: [Block], _ asked: NIOLockedValueBox<[CID]>) {
    self.blocks = blocks
    self.asked = asked
  }

  func received(_ bytes: [UInt8], on stream: PeerStream) {
    framing.append(bytes)
    stream.consumed(bytes.count)
    while let message = try? framing.next(), let wish = try? BitswapMessage.decode(message) {
      let names = wish.wants.filter { $0.kind == .block }.map(\.cid)
      asked.withLockedValue { $0 += names }
      let answer = MessageFraming.frame(BitswapMessage(blocks: blocks.filter { names.contains($0.cid) }).encode())
      // An answer goes on a stream of one's own.
      stream.link.open([stream.protocolName], handler: Speaker { $0.write(answer) })
    }
  }
}

/// Answers every question with peers that do not exist.
private final class Poison: StreamHandler {
  private var framing = MessageFraming(most: 1 << 20)
  private var number = 0

  func received(_ bytes: [UInt8], on stream: PeerStream) {
    framing.append(bytes)
    stream.consumed(bytes.count)
    while let asked = try? framing.next(), let question = try? KademliaMessage.decode(asked) {
      var answer = KademliaMessage(question.kind, key: question.key)
      for _ in 0..<20 {
        number += 1
        let peer = KeyPair(seed: .sha256(of: question.key + [UInt8(truncatingIfNeeded: number)])).peerID
        guard let address = try? Multiaddr(parsing: "/ip4/127.0.0.1/tcp/\(1 + number % 9)") else { continue }
        answer.closer.append(Contact(peer, [address]))
      }
      stream.write(MessageFraming.frame(answer.encode()))
    }
  }
}
