import MurmurBlocks
import MurmurChannels
import MurmurCollective
import MurmurHost
import MurmurIdentify
import MurmurIdentity
import MurmurMachines
import MurmurPeer
import MurmurPubSub
import MurmurRouting
import MurmurWire
import NIOConcurrencyHelpers
import NIOCore
import Testing

extension WholeNodes {
  /// How nodes reach peers whose addresses they do not know, and what they make of peers that do not answer as they should.
  @Suite(.serialized) struct DialingTests {
    /// Nobody gives up for half an hour, and nothing is looked for unasked: what a test waits for follows from what it did.
    private static func patient(_ tables: [Kademlia.Configuration]) -> (inout NodeConfiguration) -> Void {
      { configuration in
        configuration.tables = tables.map { table in
          var table = table
          (table.patience, table.requestTimeout, table.queryTimeout) = (.minutes(30), .minutes(30), .minutes(30))
          table.emptyInterval = .minutes(30)
          return table
        }
        configuration.patience = .minutes(30)
        configuration.sessionOffset = .zero - .minutes(60)
      }
    }

    @Test(arguments: [false, true])
    func `a peer whose address a neighbour knows is reached as soon as that is heard`(hasOtherTable: Bool) async throws {
      let (lan, ours) = (Kademlia.Configuration.lan(), Kademlia.Configuration.murmur(scope: .any))
      let between = try await HonestNode(1, configure: Self.patient([ours]))
      let wanted = try await HonestNode(2, joining: [between.address], configure: Self.patient([ours]))
      // It speaks another table than the one in which the peer is to be found, which is asked as well.
      let stranger = try await hasOtherTable ? HonestNode(3, configure: Self.patient([lan])) : nil
      let seeker = try await HonestNode(
        0, joining: [between.address] + (stranger.map { [$0.address] } ?? []),
        configure: Self.patient(hasOtherTable ? [lan, ours] : [ours]))
      #expect(
        try await eventually {
          let (own, known) = (try await seeker.node.snapshot().tables, try await between.node.snapshot().tables)
          return own == (hasOtherTable ? [1, 1] : [1]) && known == [2]
        })
      #expect(try await seeker.node.addresses(of: wanted.keys.peerID).isEmpty)
      let isReached = NIOLockedValueBox(false)
      _Concurrency.Task {
        _ = try await seeker.node.ping(wanted.keys.peerID)
        isReached.withLockedValue { $0 = true }
      }
      #expect(try await eventually(20) { isReached.withLockedValue { $0 } }, "the dial and the search wait for each other")
      for node in [seeker, wanted, between] + (stranger.map { [$0] } ?? []) { try await node.stop() }
    }

    @Test func `what a broken stream says of a peer depends on how it broke`() throws {
      let address = try Multiaddr(parsing: "/ip4/127.0.0.1/tcp/1")
      let story: [(ConnectionError.Reason, Kademlia.RequestFailure)] = [
        (.unsupported(["/murmur/kad/1.0.0"]), .unsupported), (.late("an answer"), .timedOut), (.network("gone"), .unreachable),
        (.closedByPeer(code: 0), .unreachable), (.closedHere("too many"), .unreachable), (.resetByPeer, .broken),
        (.limit("streams"), .broken), (.forged, .broken), (.violation("a rule"), .broken),
      ]
      for (reason, failure) in story {
        #expect(Kademlia.RequestFailure(ConnectionError(.open, reason)) == failure, "\(reason)")
      }
      #expect(Kademlia.RequestFailure(NodeError("\(address) is slow")) == .timedOut)
    }

    @Test func `a ping that is not echoed ends, and leaves no stream behind`() async throws {
      let node = try await HonestNode(0)
      let mute = HostilePeer("mute", claiming: [Ping.protocolID])
      let link = try #require(try await mute.link(to: node))
      #expect(try await eventually { try await node.node.snapshot().neighbours.contains { $0.peer == mute.id } })
      let before = try await node.node.load().streams
      for _ in 0..<3 {
        await #expect(throws: ConnectionError.self) { try await node.node.ping(mute.id, within: .patient(0.2)) }
      }
      #expect(try await eventually { try await node.node.load().streams <= before })
      link.execute { $0.close("enough") }
      try await mute.stop()
      try await node.stop()
    }

    @Test func `who says late what it speaks is spoken with all the same`() async throws {
      let node = try await HonestNode(0)
      // So that there is something to say.
      try await node.node.subscribe(Topic("news")) { _, _ in }
      let keys = KeyPair(seed: .sha256(of: Array("late".utf8)))
      let (asked, spoken) = (NIOLockedValueBox(0), NIOLockedValueBox(0))
      // It breaks off every time it is asked who it is.
      let watcher = Watcher { stream in
        guard stream.protocolName == Identify.protocolID else {
          spoken.withLockedValue { $0 += 1 }
          return Deaf()
        }
        asked.withLockedValue { $0 += 1 }
        return nil
      }
      let transport = Transport(
        identity: keys, group: loops, serving: [Identify.protocolID, "/meshsub/1.1.0"], delegate: watcher)
      let link = try await transport.dial(node.address).get()
      let tries = Identify.Configuration().retries + 1
      #expect(try await eventually { asked.withLockedValue { $0 } >= tries }, "\(asked.withLockedValue { $0 }) of \(tries)")
      #expect(spoken.withLockedValue { $0 } == 0)
      let late = IdentifyMessage(
        publicKey: keys.publicKey.encoded, protocols: ["/meshsub/1.1.0", Identify.protocolID], agentVersion: "late/1")
      link.execute { link in
        link.open(
          [Identify.pushProtocolID],
          handler: Speaker { stream in
            stream.write(MessageFraming.frame(late.encode()))
            stream.finish()
          })
      }
      #expect(try await eventually { spoken.withLockedValue { $0 } > 0 }, "nothing is said to it")
      try await transport.close().get()
      try await node.stop()
    }
  }

  /// What becomes of blocks that are lost on their way.
  @Suite(.serialized) struct LossTests {
    /// A network that loses large messages, so many bytes of them.
    private final class Swallow: Adversity {
      let left: NIOLockedValueBox<Int>
      init(_ bytes: Int) { left = NIOLockedValueBox(bytes) }

      func passages(of bytes: Int, to peer: PeerID, at now: Instant) -> [Passage] {
        left.withLockedValue { left in
          guard bytes > 64 << 10, left > 0 else { return [Passage()] }
          left -= bytes
          return []
        }
      }
      func admits(from peer: PeerID, at now: Instant) -> Bool { true }
      func slowdown(at now: Instant) -> Double { 1 }
      func told(_ result: WorkResult, by peer: borrowing Peer, at now: Instant) -> WorkResult { result }
    }

    @Test func `a peer to whom many blocks were lost is given more`() async throws {
      let swallow = Swallow(5 << 20)
      let giver = try await HonestNode(0, configure: { $0.adversity = swallow })
      var limits = MurmurBlocks.Limits.host
      (limits.firstPatience, limits.mostPatience) = (.patient(0.2), .patient(0.5))
      let taker = try await HonestNode(1, joining: [giver.address], limits: limits)
      let object = Object.build((0..<2_000_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) })
      try await giver.node.add(object)
      #expect(try await eventually { try await taker.node.snapshot().neighbours.contains { !$0.protocols.isEmpty } })
      try await taker.node.fetch(object.root, providers: [giver.keys.peerID], within: .patient(60))
      #expect(swallow.left.withLockedValue { $0 } <= 0, "it was given blocks again and again")
      for node in [giver, taker] { try await node.stop() }
    }
  }
}
