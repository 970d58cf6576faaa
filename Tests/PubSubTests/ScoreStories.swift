import MurmurIdentity
import MurmurMachines
import MurmurPubSub
import MurmurWire
import Testing

/// Peers judged by what they do: who behaves badly is scored down and dropped, and the others go on.
@Suite struct ScoreStories {
  private let topic = Lone.topic

  private static var scored: PubSub.Configuration {
    var configuration = PubSub.Configuration()
    configuration.scoring = PubSub.Scoring()
    configuration.peersExchanged = 16
    return configuration
  }

  /// A subscribed machine with `count` neighbours, numbered from 1, that are subscribed too.
  private func member(_ count: Int = 8, _ configuration: PubSub.Configuration = scored) -> Lone {
    var lone = Lone(configuration, peers: 1..<(count + 1))
    for peer in 1...count { lone.hear(Lone.joins(), from: peer) }
    lone.give(.subscribe(topic))
    return lone
  }

  private func score(_ lone: Lone, _ peer: Int) -> Double { lone.machine.score(ofPeer: Network.id(peer)) ?? .nan }

  private func isDropped(_ effects: [PubSub.Effect], _ peer: Int) -> Bool {
    effects.contains { if case .disconnect(Network.id(peer)) = $0 { true } else { false } }
  }

  @Test func `who brings news first rises, up to a cap, and falls back in time`() {
    var lone = member()
    for number in 0..<1_000 {
      lone.hear(RPC(publish: [Lone.message(99, number)]), from: 1)
      lone.hear(RPC(publish: [Lone.message(99, number)]), from: 2)
    }
    lone.beat()
    #expect(score(lone, 1) > 15 && score(lone, 1) <= 50)
    #expect(score(lone, 2) < 2, "second is not first")
    lone.beat(1_200)
    #expect(score(lone, 1) < 5, "\(score(lone, 1))")
  }

  @Test func `invalid signatures cost the offender its connection, and each is checked once`() {
    let checks = Counter()
    var configuration = Self.scored
    configuration.signing = .strict(
      .init(
        sign: { _ in ([1], []) },
        verify: { message in
          checks.add()
          return message.signature == [1]
        }))
    var lone = member(8, configuration)
    var forged = Lone.message(99, 5)
    forged.signature = [2]
    for _ in 0..<10 { lone.hear(RPC(publish: [forged]), from: 1) }
    #expect(checks.count == 1 && lone.machine.judgements.forgeries == 1)
    var right = forged
    right.signature = [1]
    #expect(lone.hear(RPC(publish: [right]), from: 2).delivered.count == 1, "the forgery does not stand in its way")
    #expect(isDropped(lone.beat(), 1) && score(lone, 1) < -200)
    #expect(!lone.machine.mesh(of: topic).contains(Network.id(1)))
    #expect(lone.hear(RPC(publish: [Lone.message(99, 6)]), from: 1).isEmpty, "nothing is heard of it any more")
    #expect(lone.machine.statistics.unheard > 0)
  }

  @Test func `real signatures are made and verified`() throws {
    let keys = KeyPair(seed: .sha256(of: Array("author".utf8)))
    let signer = Signing.Signer(keys)
    var message = Message(from: keys.peerID, seqno: 7, topic: topic, data: [1, 2, 3])
    (message.signature, message.key) = signer.sign(message.signedBytes)
    #expect(message.key.isEmpty && signer.verify(message))
    var other = message
    other.data = [1, 2, 4]
    #expect(!signer.verify(other))
    other = message
    other.from = Network.id(1)
    #expect(!signer.verify(other))
  }

  @Test func `whoever brings what the application rejects is blamed, late bringers too`() {
    var configuration = Self.scored
    configuration.validatedTopics = [topic]
    var lone = member(8, configuration)
    for number in 0..<4 {
      let message = Lone.message(99, number)
      #expect(lone.hear(RPC(publish: [message]), from: 1).delivered.count == 1)
      lone.give(.validated(message.id(.origin), .reject))
      lone.hear(RPC(publish: [message]), from: 2)
    }
    let ignored = Lone.message(99, 50)
    lone.hear(RPC(publish: [ignored]), from: 3)
    lone.give(.validated(ignored.id(.origin), .ignore))
    let effects = lone.beat()
    #expect(isDropped(effects, 1) && isDropped(effects, 2) && !isDropped(effects, 3))
    #expect(score(lone, 3) >= 0)
  }

  @Test func `the queue of messages that wait for a verdict is bounded, and one peer fills its share only`() {
    var configuration = Self.scored
    configuration.validatedTopics = [topic]
    configuration.limits.awaiting = 80
    var lone = member(8, configuration)
    var taken = 0
    for number in 0..<1_000 { taken += lone.hear(RPC(publish: [Lone.message(99, number)]), from: 1).delivered.count }
    #expect(taken == 40 && lone.machine.judgements.awaiting == 40)
    #expect(lone.hear(RPC(publish: [Lone.message(98, 1)]), from: 2).delivered.count == 1, "others still find room")
    for number in 0..<40 { lone.give(.validated(MessageID(from: Network.id(99), seqno: UInt64(number)), .accept)) }
    #expect(lone.machine.judgements.awaiting == 1)
    lone.beat(10)
    #expect(lone.machine.judgements.awaiting == 0, "what left the cache does not wait any more")
  }

  @Test func `a flood of announcements of nothing is a flood of broken promises`() {
    var lone = member()
    var number = 0
    var dropped = false
    for _ in 0..<20 {
      for _ in 0..<12 {
        let ids = (0..<100).map { MessageID(from: Network.id(99), seqno: UInt64(number + $0)) }
        number += 100
        lone.hear(RPC(control: .init(ihave: [.init(topic, ids: ids)])), from: 1)
      }
      dropped = isDropped(lone.beat(), 1) || dropped
    }
    #expect(dropped && score(lone, 1) < -200)
    #expect(lone.hear(RPC(control: .init(iwant: [])), from: 1).isEmpty)
  }

  @Test func `a flood of grafts during back-off is scored down and dropped`() {
    var lone = member()
    lone.hear(RPC(control: .init(prune: [.init(topic, backoff: 60)])), from: 1)
    for _ in 0..<10 { lone.hear(RPC(control: .init(graft: [topic])), from: 1) }
    #expect(isDropped(lone.beat(), 1))
    #expect(!lone.machine.mesh(of: topic).contains(Network.id(1)))
  }

  @Test func `many peers of one host are suspicious, and a bad score survives leaving`() {
    var lone = member(4)
    for peer in 20..<40 {
      lone.give(.connected(Network.id(peer), .init(isOutbound: false, host: [66, 1, 2, 3])))
      lone.hear(Lone.joins(), from: peer)
    }
    lone.beat()
    for peer in 20..<40 { #expect(score(lone, peer) < -200) }
    #expect(lone.machine.mesh(of: topic).allSatisfy { $0 <= Network.id(4) || (1...4).map(Network.id).contains($0) })
    // A spammer comes back under its name.
    lone.hear(RPC(control: .init(prune: [.init(topic, backoff: 60)])), from: 1)
    for _ in 0..<10 { lone.hear(RPC(control: .init(graft: [topic])), from: 1) }
    let before = score(lone, 1)
    lone.give(.disconnected(Network.id(1)))
    lone.give(.connected(Network.id(1)))
    #expect(before < -200 && score(lone, 1) <= before * 0.9, "\(before) and \(score(lone, 1))")
    lone.give(.disconnected(Network.id(1)))
    lone.beat(3_700)
    lone.give(.connected(Network.id(1)))
    #expect(score(lone, 1) == 0)
  }

  @Test func `departed peers are remembered up to a limit`() {
    var configuration = Self.scored
    configuration.limits.departed = 50
    var lone = member(2, configuration)
    for peer in 100..<400 {
      lone.give(.connected(Network.id(peer)))
      lone.hear(RPC(control: .init(prune: [.init(topic, backoff: 60)])), from: peer)
      for _ in 0..<6 { lone.hear(RPC(control: .init(graft: [topic])), from: peer) }
      lone.give(.disconnected(Network.id(peer)))
    }
    #expect(lone.machine.judgements.ratings == 52)
  }

  @Test func `offers of other peers are taken from those of good repute, if the records are genuine`() {
    let keys = KeyPair(seed: .sha256(of: Array("offered".utf8)))
    let record = PeerRecord(peer: keys.peerID, sequence: 1, addresses: []).sealed(with: keys).encoded
    func offers(after deliveries: Int, record: [UInt8]) -> [PeerID] {
      var lone = member()
      for number in 0..<deliveries { lone.hear(RPC(publish: [Lone.message(99, number)]), from: 1) }
      lone.beat()
      let mate = lone.machine.mesh(of: topic).contains(Network.id(1))
      guard mate else { return [] }
      let farewell = RPC.Prune(topic, backoff: 60, peers: [.init(keys.peerID, record: record)])
      return lone.hear(RPC(control: .init(prune: [farewell])), from: 1).compactMap {
        if case .connect(let peer, _) = $0 { peer } else { nil }
      }
    }
    var bent = record
    bent[bent.count - 1] ^= 1
    #expect(offers(after: 0, record: record).isEmpty, "nobody knows it")
    #expect(offers(after: 60, record: bent).isEmpty)
    #expect(offers(after: 60, record: record) == [keys.peerID])
  }

  @Test func `a peer pruned from a mesh that is too large is offered others, with their records`() {
    var configuration = Self.scored
    configuration.peersExchanged = 4
    var lone = member(6, configuration)
    lone.give(.recorded(Network.id(1), [1, 2, 3]))
    for peer in 7...12 { lone.hear(RPC(control: .init(graft: [topic])), from: peer - 6) }
    for peer in 7...25 {
      lone.give(.connected(Network.id(peer), .init(isOutbound: false)))
      lone.hear(Lone.joins(), from: peer)
    }
    var offered: [RPC.PeerInfo] = []
    for peer in 7...25 {
      for (_, rpc) in lone.hear(RPC(control: .init(graft: [topic])), from: peer).sent {
        offered += rpc.control.prune.flatMap(\.peers)
      }
    }
    #expect(offered.count >= 4 && offered.allSatisfy { $0.record.isEmpty || $0.id == Network.id(1) })
  }

  @Test func `a record that is too long for an offer is not passed on`() {
    var configuration = Self.scored
    configuration.peersExchanged = 4
    var lone = member(6, configuration)
    for peer in 1...6 {
      lone.give(.recorded(Network.id(peer), [UInt8](repeating: 1, count: configuration.limits.recordBytes + peer % 2)))
    }
    for peer in 7...25 {
      lone.give(.connected(Network.id(peer), .init(isOutbound: false)))
      lone.hear(Lone.joins(), from: peer)
    }
    var offered: [RPC.PeerInfo] = []
    for peer in 7...25 {
      for (_, rpc) in lone.hear(RPC(control: .init(graft: [topic])), from: peer).sent {
        offered += rpc.control.prune.flatMap(\.peers)
      }
    }
    #expect(offered.contains { !$0.record.isEmpty })
    #expect(offered.allSatisfy { $0.record.isEmpty || [2, 4, 6].map(Network.id).contains($0.id) })
  }

  @Test func `a mesh that brings nothing takes in better peers now and then`() {
    var lone = member(12)
    let mesh = lone.machine.mesh(of: topic)
    let outside = (1...12).first { !mesh.contains(Network.id($0)) } ?? 0
    // Only a peer outside the mesh ever has news, through gossip.
    for number in 0..<60 { lone.hear(RPC(publish: [Lone.message(99, number)]), from: outside) }
    var effects: [PubSub.Effect] = []
    for _ in 0..<70 { effects += lone.beat() }
    #expect(effects.sent.contains { $0.peer == Network.id(outside) && $0.rpc.control.graft == [topic] })
    #expect(lone.machine.mesh(of: topic).contains(Network.id(outside)))
  }

  @Test func `what the application says counts, and below the publish threshold own messages are not sent`() {
    var configuration = Self.scored
    configuration.floodsPublications = true
    var lone = member(8, configuration)
    lone.give(.rated(Network.id(1), -120))
    lone.give(.rated(Network.id(2), 12))
    lone.beat()
    #expect(score(lone, 1) < -100 && score(lone, 2) > 11)
    let sent = lone.give(.publish(topic, data: [1])).sent.map(\.peer)
    #expect(sent.count == 7 && !sent.contains(Network.id(1)))
  }
}

/// Counts calls of a function that must be sendable.
final class Counter: @unchecked Sendable {
  private(set) var count = 0
  func add() { count += 1 }
}
