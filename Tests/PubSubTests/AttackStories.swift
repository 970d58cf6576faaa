import MurmurIdentity
import MurmurMachines
import MurmurPubSub
import Testing

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Attacks on a whole swarm: the honest peers go on hearing each other, and drop the attackers.
@Suite struct AttackStories {
  private let topic = Topic("news")

  private static var scored: PubSub.Configuration {
    var configuration = PubSub.Configuration()
    configuration.scoring = PubSub.Scoring()
    configuration.floodsPublications = true
    configuration.signing = .strict(.init(sign: { _ in ([1], []) }, verify: { $0.signature == [1] }))
    return configuration
  }

  /// The share of deliveries among the honest peers, those below `honest`, of messages they publish in turn.
  private func coverage(_ network: inout Network, honest: Int, messages: Int) -> Double {
    let before = network.order.count
    for number in 0..<messages {
      network.give(.publish(topic, data: [UInt8(number & 255)]), to: number * 7 % honest)
      network.run(1)
    }
    network.run(8)
    let heard = network.order.dropFirst(before).count { $0.peer < honest }
    return Double(heard) / Double(messages * (honest - 1))
  }

  /// Which of the attackers some honest peer wanted disconnected.
  private func dropped(_ network: Network, honest: Int) -> Set<PeerID> {
    Set(network.dropped.filter { $0.by < honest }.map(\.peer))
  }

  @Test func `forged spam: every spammer is dropped by whom it spams, nobody else is`() {
    var network = Network(40, degree: 12, seed: 41, Self.scored)
    network.subscribeAll(topic)
    network.run(10)
    for round in 0..<20 {
      for spammer in 36..<40 {
        var message = Message(from: Network.id(spammer), seqno: UInt64(round), topic: topic, data: [9])
        message.signature = [2]
        for victim in network.neighbours(of: spammer) where victim < 36 {
          network.give(.received(from: Network.id(spammer), RPC(publish: [message])), to: victim)
        }
      }
      network.run(1)
    }
    let offenders = Set((36..<40).map(Network.id))
    #expect(dropped(network, honest: 36) == offenders, "seed 41")
    let share = coverage(&network, honest: 36, messages: 20)
    print("spam: \(share) of messages heard by the honest")
    #expect(share == 1, "seed 41")
  }

  @Test func `announcement and graft floods: the offenders are dropped, the others hear everything`() {
    var network = Network(40, degree: 12, seed: 42, Self.scored)
    network.subscribeAll(topic)
    network.run(10)
    var number: UInt64 = 0
    for _ in 0..<30 {
      for flooder in 36..<40 {
        for victim in network.neighbours(of: flooder) where victim < 36 {
          let ids = (0..<50).map { MessageID(from: Network.id(flooder), seqno: number + 1_000_000 + UInt64($0)) }
          number += 50
          let frame =
            flooder < 38
            ? RPC(control: .init(ihave: [.init(topic, ids: ids)]))
            : RPC(control: .init(graft: [topic], prune: [.init(topic, backoff: 60)]))
          network.give(.received(from: Network.id(flooder), frame), to: victim)
        }
      }
      network.run(1)
    }
    #expect(dropped(network, honest: 36) == Set((36..<40).map(Network.id)), "seed 42")
    #expect(coverage(&network, honest: 36, messages: 20) == 1, "seed 42")
  }

  @Test func `whatever is thrown at a machine that scores, it stays within its bounds`() {
    var configuration = Self.scored
    configuration.validatedTopics = [Topic("t0")]
    configuration.peersExchanged = 4
    configuration.limits.departed = 100
    configuration.limits.awaiting = 50
    var lone = Lone(configuration), chance = Chance(seed: 44)
    let count = ProcessInfo.processInfo.environment["MURMUR_FUZZ"].flatMap { Int($0) } ?? 20_000
    for number in 0..<3 { lone.give(.subscribe(Topic("t\(number)"))) }
    for _ in 0..<count {
      let peer = 1 + chance.below(60)
      let topic = Topic("t\(chance.below(5))")
      let ids = (0..<chance.below(20)).map { _ in MessageID(from: Network.id(chance.below(80)), seqno: UInt64(chance.below(500)))
      }
      var message = Message(from: Network.id(chance.below(80)), seqno: UInt64(chance.below(500)), topic: topic, data: [1])
      message.signature = [UInt8(1 + chance.below(2))]
      switch chance.below(12) {
      case 0: lone.give(.connected(Network.id(peer), .init(isOutbound: chance.happens(0.5), host: [UInt8(chance.below(9))])))
      case 1: lone.give(.disconnected(Network.id(peer)))
      case 2: lone.hear(Lone.joins(topic), from: peer)
      case 3: lone.hear(RPC(control: .init(graft: [topic])), from: peer)
      case 4:
        let offer = RPC.PeerInfo(Network.id(chance.below(90)), record: chance.happens(0.5) ? [1, 2] : [])
        lone.hear(RPC(control: .init(prune: [.init(topic, backoff: UInt64(chance.below(90)), peers: [offer])])), from: peer)
      case 5: lone.hear(RPC(control: .init(ihave: [.init(topic, ids: ids)])), from: peer)
      case 6: lone.hear(RPC(control: .init(iwant: ids)), from: peer)
      case 7: lone.give(.publish(topic, data: [UInt8(chance.below(256))]))
      case 8: if let id = ids.first { lone.give(.validated(id, [.accept, .reject, .ignore][chance.below(3)])) }
      case 9: lone.beat()
      default: lone.hear(RPC(publish: [message]), from: peer)
      }
      let judgements = lone.machine.judgements, holdings = lone.machine.holdings
      #expect(judgements.ratings <= 160 && judgements.awaiting <= 50 && judgements.forgeries <= 1_024)
      #expect(holdings.neighbors <= 60 && holdings.promises <= 1_024)
    }
  }

  @Test func `sybils that take over meshes and pass nothing on are expelled or outlived`() {
    var configuration = Self.scored
    var rule = PubSub.Scoring.TopicRule()
    rule.meshDeliveriesWeight = -1
    rule.meshDeliveriesThreshold = 4
    rule.meshDeliveriesActivation = .seconds(10)
    rule.meshDeliveriesWindow = .seconds(2)
    rule.meshFailureWeight = -1
    configuration.scoring?.topics[topic] = rule
    // Forty honest peers, eighty sybils; everybody may reach everybody.
    var network = Network(120, degree: 40, seed: 43, configuration)
    for peer in 0..<120 { network.give(.subscribe(topic), to: peer) }
    network.mutes = Set((40..<120).map(Network.id))
    network.run(5)
    func sybils(_ network: Network) -> Int {
      (0..<40).reduce(0) { $0 + network.peers[$1].mesh(of: topic).count { network.mutes.contains($0) } }
    }
    let before = sybils(network)
    let during = coverage(&network, honest: 40, messages: 150)
    let after = coverage(&network, honest: 40, messages: 40)
    print("sybils in honest meshes: \(before), then \(sybils(network)); heard \(during), then \(after)")
    #expect(sybils(network) * 4 < before, "seed 43")
    #expect(after >= 0.999, "seed 43")
  }
}
