import MurmurIdentity
import MurmurMachines
import MurmurPubSub
import MurmurWire
import Testing

/// What one machine answers, one situation at a time.
@Suite struct MachineStories {
  private let topic = Lone.topic

  /// A subscribed machine whose `count` neighbours, numbered from 1, are subscribed too.
  private func member(_ count: Int, _ configuration: PubSub.Configuration = PubSub.Configuration()) -> Lone {
    var lone = Lone(configuration, peers: 1..<(count + 1))
    for peer in 1..<(count + 1) { lone.hear(Lone.joins(), from: peer) }
    lone.give(.subscribe(topic))
    return lone
  }

  @Test func `joining announces to all and grafts D`() {
    var lone = Lone(peers: 1..<11)
    for peer in 1...10 { lone.hear(Lone.joins(), from: peer) }
    let sent = lone.give(.subscribe(topic)).sent
    #expect(sent.count == 10 && sent.allSatisfy { $0.rpc.subscriptions == [.init(topic, subscribes: true)] })
    #expect(Set(sent.filter { $0.rpc.control.graft == [topic] }.map(\.peer)) == Set(lone.machine.mesh(of: topic)))
    #expect(lone.machine.mesh(of: topic).count == 6)
    #expect(lone.give(.connected(Network.id(11))).sent.first?.rpc == Lone.joins(), "a newcomer is told")
  }

  @Test func `leaving prunes the mesh, and rejoining honours the back-off`() {
    var lone = member(6)
    let sent = lone.give(.unsubscribe(topic)).sent
    #expect(sent.count == 6 && sent.allSatisfy { $0.rpc.control.prune.first?.backoff == 10 })
    #expect(lone.machine.subscriptions.isEmpty && lone.machine.mesh(of: topic).isEmpty)
    lone.now = .origin + .seconds(5)
    lone.give(.subscribe(topic))
    #expect(lone.machine.mesh(of: topic).isEmpty, "ten seconds are not over")
    lone.beat(4)
    #expect(lone.machine.mesh(of: topic).isEmpty)
    lone.beat(4)
    #expect(lone.machine.mesh(of: topic).count == 6)
  }

  @Test func `who prunes is left alone for as long as it asks, and no longer than an hour`() {
    var lone = member(6)
    lone.hear(RPC(control: .init(prune: [.init(topic, backoff: 30)])), from: 1)
    lone.hear(RPC(control: .init(prune: [.init(topic, backoff: .max)])), from: 2)
    #expect(lone.machine.mesh(of: topic).count == 4)
    var regrafted: [Int: Double] = [:]
    for _ in 0..<3_700 {
      let before = lone.now
      for (peer, rpc) in lone.beat().sent where !rpc.control.graft.isEmpty {
        regrafted[peer == Network.id(1) ? 1 : 2] = (before + .seconds(1)).seconds
      }
    }
    #expect(regrafted[1].map { (30...33).contains($0) } == true, "\(regrafted)")
    // With five in the mesh nobody else is needed; the back-off is remembered nevertheless, and bounded.
    #expect(regrafted[2] == nil)
    #expect(lone.machine.holdings.backoffs == 0)
  }

  @Test func `a graft before its time is pruned, counted, and extends the wait`() {
    var lone = member(6)
    lone.hear(RPC(control: .init(prune: [.init(topic, backoff: 60)])), from: 1)
    lone.now = .origin + .seconds(59)
    let answer = lone.hear(RPC(control: .init(graft: [topic])), from: 1).sent
    #expect(answer.count == 1 && answer.first?.rpc.control.prune.first?.backoff == 60)
    #expect(lone.machine.conduct(of: Network.id(1))?.earlyGrafts == 1)
    lone.now = .origin + .seconds(100)
    #expect(lone.hear(RPC(control: .init(graft: [topic])), from: 1).sent.count == 1, "extended to 119")
    lone.now = .origin + .seconds(170)
    #expect(lone.hear(RPC(control: .init(graft: [topic])), from: 1).sent.isEmpty)
    #expect(lone.machine.mesh(of: topic).contains(Network.id(1)))
  }

  @Test func `an oversubscribed mesh takes only connections of its own making, and shrinks to D with D_out of them`() {
    var lone = member(6)
    for peer in 7...30 {
      lone.give(.connected(Network.id(peer), PubSub.Connection(isOutbound: peer > 28)))
      lone.hear(RPC(control: .init(graft: [topic])), from: peer)
    }
    #expect(lone.machine.mesh(of: topic).count == 14, "twelve, and two outbound ones")
    let pruned = lone.beat(2).sent.filter { !$0.rpc.control.prune.isEmpty }
    let mesh = lone.machine.mesh(of: topic)
    #expect(mesh.count == 6 && pruned.count == 8)
    #expect(mesh.contains(Network.id(29)) && mesh.contains(Network.id(30)))
  }

  @Test func `grafts about topics that are not ours get no answer`() {
    var lone = member(3)
    #expect(lone.hear(RPC(control: .init(graft: [Topic("other")])), from: 1).isEmpty)
  }

  @Test func `publishing without subscribing uses a fanout, which fades`() {
    var lone = Lone(peers: 1..<21)
    for peer in 1...20 { lone.hear(Lone.joins(), from: peer) }
    let first = lone.give(.publish(topic, data: [1])).sent
    let second = lone.give(.publish(topic, data: [2])).sent
    #expect(first.count == 6 && first.map(\.peer) == second.map(\.peer))
    lone.beat(62)
    #expect(lone.machine.fanout(of: topic).isEmpty)
    #expect(lone.give(.publish(topic, data: [3])).sent.count == 6)
  }

  @Test func `floodsub peers get every message and no control`() {
    var lone = member(6)
    lone.give(.connected(Network.id(50), PubSub.Connection(.floodsub)))
    lone.hear(Lone.joins(), from: 50)
    let passed = lone.hear(RPC(publish: [Lone.message(99, 1)]), from: 1).sent
    #expect(passed.contains { $0.peer == Network.id(50) })
    #expect(lone.give(.publish(topic, data: [1])).sent.contains { $0.peer == Network.id(50) })
    #expect(!lone.beat(10).sent.contains { $0.peer == Network.id(50) })
    lone.hear(RPC(control: .init(graft: [topic])), from: 50)
    #expect(!lone.machine.mesh(of: topic).contains(Network.id(50)))
  }

  @Test func `a message goes to the mesh once, not back, not to its author, as the frame it came in`() {
    var lone = member(6)
    let frame = RPC(publish: [Lone.message(2, 1)])
    let effects = lone.hear(frame, from: 1)
    #expect(effects.delivered == frame.publish)
    #expect(Set(effects.sent.map(\.peer)) == Set((3...6).map(Network.id)) && effects.sent.allSatisfy { $0.rpc == frame })
    #expect(lone.hear(frame, from: 3).isEmpty)
    #expect(lone.machine.statistics.duplicates == 1)
  }

  @Test func `a message awaits its verdict: accepted it goes on, rejected it counts against who brought it`() {
    var configuration = PubSub.Configuration()
    configuration.validatedTopics = [topic]
    var lone = member(6, configuration)
    for (number, verdict) in [PubSub.Verdict.accept, .reject, .ignore].enumerated() {
      let message = Lone.message(90, number)
      let effects = lone.hear(RPC(publish: [message]), from: 1)
      #expect(effects.delivered == [message] && effects.sent.isEmpty)
      let wanted = lone.hear(RPC(control: .init(iwant: [message.id(.origin)])), from: 2)
      #expect(wanted.sent.isEmpty, "an unjudged message is not handed over")
      let passed = lone.give(.validated(message.id(.origin), verdict)).sent
      #expect(passed.count == (verdict == .accept ? 5 : 0))
      #expect(lone.give(.validated(message.id(.origin), verdict)).isEmpty, "one verdict is enough")
    }
    #expect(lone.machine.conduct(of: Network.id(1))?.invalidMessages == 1)
  }

  @Test func `a message is gossiped about for three heartbeats and handed over for five, three times`() {
    var lone = member(12)
    let message = Lone.message(99, 1)
    lone.hear(RPC(publish: [message]), from: 1)
    var gossip: [Int] = []
    for _ in 0..<4 {
      let told = lone.beat().sent.filter { !$0.rpc.control.ihave.isEmpty }
      #expect(told.allSatisfy { !lone.machine.mesh(of: topic).contains($0.peer) })
      gossip.append(told.count)
    }
    #expect(gossip == [6, 6, 6, 0])
    let wish = RPC(control: .init(iwant: [message.id(.origin)]))
    #expect((0..<4).map { _ in lone.hear(wish, from: 12).sent.count } == [1, 1, 1, 0])
    #expect(lone.hear(wish, from: 11).sent.first?.rpc.publish == [message])
    lone.beat(2)
    #expect(lone.hear(wish, from: 10).sent.isEmpty)
  }

  @Test func `a promise not kept is remembered, one kept by another is not`() {
    var lone = member(6)
    let missing = Lone.message(99, 1), coming = Lone.message(99, 2)
    let asked = lone.hear(RPC(control: .init(ihave: [.init(topic, ids: [missing.id(.origin)])])), from: 1).sent
    #expect(asked.first?.rpc.control.iwant == [missing.id(.origin)])
    #expect(lone.hear(RPC(control: .init(ihave: [.init(topic, ids: [missing.id(.origin)])])), from: 2).isEmpty, "asked already")
    lone.hear(RPC(control: .init(ihave: [.init(topic, ids: [coming.id(.origin)])])), from: 2)
    lone.hear(RPC(publish: [coming]), from: 3)
    lone.beat(5)
    #expect(lone.machine.conduct(of: Network.id(1))?.brokenPromises == 1)
    #expect(lone.machine.conduct(of: Network.id(2))?.brokenPromises == 0)
    #expect(lone.machine.holdings.promises == 0)
  }

  @Test func `signed messages pass, forged ones are dropped and may still come rightly signed`() {
    let keys = KeyPair(seed: .sha256(of: [1]))
    var configuration = PubSub.Configuration()
    configuration.signing = .strict(
      .init(
        sign: { (keys.sign($0), []) },
        verify: { message in
          do {
            guard message.from == keys.peerID else { return false }
            return try keys.publicKey.isValid(message.signature, for: message.signedBytes)
          } catch { return false }
        }))
    var lone = member(6, configuration)
    var message = Message(from: keys.peerID, seqno: 9, topic: topic, data: [1, 2, 3])
    message.signature = keys.sign(message.signedBytes)
    var forged = message
    forged.data = [1, 2, 4]
    #expect(lone.hear(RPC(publish: [forged]), from: 1).isEmpty)
    #expect(lone.machine.conduct(of: Network.id(1))?.invalidMessages == 1)
    #expect(lone.hear(RPC(publish: [message]), from: 2).delivered == [message])
    let own = lone.give(.publish(topic, data: [7])).sent.first?.rpc.publish.first
    #expect(own?.signature.count == 64)
  }

  @Test func `the same words are one message where content names it`() {
    var configuration = PubSub.Configuration()
    configuration.identification = .content
    var lone = member(6, configuration)
    #expect(lone.hear(RPC(publish: [Lone.message(90, 1)]), from: 1).delivered.count == 1)
    #expect(lone.hear(RPC(publish: [Lone.message(91, 2)]), from: 1).delivered.isEmpty)
  }

  @Test func `the signature's bytes are what the configuration says`() {
    func size(_ signing: Signing) -> Int {
      var configuration = PubSub.Configuration()
      configuration.signing = signing
      var lone = member(1, configuration)
      return lone.give(.publish(topic, data: [1])).sent.first?.rpc.wireSize ?? 0
    }
    #expect(size(.standIn(signatureBytes: 64, keyBytes: 0)) == size(.none) + 66)
    #expect(size(.standIn(signatureBytes: 64, keyBytes: 36)) == size(.none) + 66 + 38 + 1, "the length itself grows by a byte")
  }
}
