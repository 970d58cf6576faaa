import MurmurIdentity
import MurmurMachines
import MurmurPubSub
import MurmurWire
import Testing

/// Peers that ask for too much get what the limits say, and cost no more.
@Suite struct HostileTests {
  private let topic = Lone.topic

  private func member(_ configuration: PubSub.Configuration = PubSub.Configuration()) -> Lone {
    var lone = Lone(configuration, peers: 1..<7)
    for peer in 1...6 { lone.hear(Lone.joins(), from: peer) }
    lone.give(.subscribe(topic))
    return lone
  }

  @Test func `a flood of announcements is asked about up to the limit, beat after beat, and leaves nothing behind`() {
    var lone = member()
    var number = 0
    for _ in 0..<20 {
      var asked = 0
      for _ in 0..<50 {
        let ids = (0..<1_000).map { MessageID(from: Network.id(99), seqno: UInt64(number + $0)) }
        number += 1_000
        asked += lone.hear(RPC(control: .init(ihave: [.init(topic, ids: ids)])), from: 1).sent.reduce(0) {
          $0 + $1.rpc.control.iwant.count
        }
      }
      #expect(asked == 5_000)
      #expect(lone.machine.holdings.asked <= 10_000 && lone.machine.holdings.promises <= 40)
      lone.beat()
    }
    lone.beat(5)
    #expect(lone.machine.holdings.asked == 0 && lone.machine.holdings.promises == 0 && lone.machine.holdings.seen == 0)
    #expect(lone.machine.conduct(of: Network.id(1)).map { $0.brokenPromises >= 20 && $0.excess > 0 } == true)
  }

  @Test func `names made to agree in their first bytes are asked about as quickly as others`() {
    // Nobody has to have hashed anything to name a message; with one word of the name in the hash this takes half a minute.
    func flood(_ name: (UInt64) -> MessageID) -> Duration {
      var configuration = PubSub.Configuration()
      configuration.limits.ihaveLength = 50_000
      configuration.limits.wantsPerHeartbeat = 100_000
      var lone = Lone(configuration, peers: 1..<3)
      lone.give(.subscribe(topic))
      return ContinuousClock().measure {
        var asked = 0
        for peer in 1...2 {
          for part in 0..<5 {
            let ids = (0..<10_000).map { name(UInt64(part * 10_000 + $0 + peer * 1_000_000)) }
            asked += lone.hear(RPC(control: .init(ihave: [.init(topic, ids: ids)])), from: peer).sent.reduce(0) {
              $0 + $1.rpc.control.iwant.count
            }
          }
        }
        #expect(asked == 100_000)
      }
    }
    for place in 0..<4 {
      let span = flood { number in
        MessageID(
          content: Digest(place == 0 ? number : 7, place == 1 ? number : 7, place == 2 ? number : 7, place == 3 ? number : 7))
      }
      #expect(span < .seconds(4), "word \(place): \(span)")
    }
    // An author and a number that make the same word together.
    let crossed = flood { MessageID(from: PeerID(kind: .ed25519, word: Digest($0 ^ 0x55, 1, 2, 3)), seqno: $0) }
    #expect(crossed < .seconds(4), "\(crossed)")
  }

  @Test func `many flooders together are asked for no more than the machine can bear`() {
    var lone = Lone(peers: 1..<101)
    lone.give(.subscribe(topic))
    var asked = 0
    for peer in 1...100 {
      let ids = (0..<1_000).map { MessageID(from: Network.id(200 + peer), seqno: UInt64($0)) }
      asked += lone.hear(RPC(control: .init(ihave: [.init(topic, ids: ids)])), from: peer).sent.reduce(0) {
        $0 + $1.rpc.control.iwant.count
      }
    }
    #expect(asked == 10_000)
  }

  @Test func `a flood of wants is answered three times each`() {
    var lone = member()
    let messages = (0..<100).map { Lone.message(99, $0, bytes: 1_000) }
    for message in messages { lone.hear(RPC(publish: [message]), from: 2) }
    let wish = RPC(control: .init(iwant: messages.map { $0.id(.origin) }))
    var handed = 0
    for _ in 0..<1_000 { handed += lone.hear(wish, from: 1).sent.reduce(0) { $0 + $1.rpc.publish.count } }
    #expect(handed == 300)
  }

  @Test func `an answer of many bytes is cut into frames`() throws {
    var configuration = PubSub.Configuration()
    configuration.limits.frameBytes = 10_000
    var lone = member(configuration)
    let messages = (0..<50).map { Lone.message(99, $0, bytes: 1_000) }
    for message in messages { lone.hear(RPC(publish: [message]), from: 2) }
    let frames = lone.hear(RPC(control: .init(iwant: messages.map { $0.id(.origin) })), from: 1).sent.map(\.rpc)
    #expect(frames.flatMap(\.publish) == messages)
    #expect(frames.count > 4 && frames.allSatisfy { $0.wireSize <= 10_000 })
  }

  @Test func `a flood of grafts is answered up to the limit`() {
    var lone = member()
    lone.hear(RPC(control: .init(prune: [.init(topic, backoff: 60)])), from: 1)
    var answers = 0
    for _ in 0..<1_000 { answers += lone.hear(RPC(control: .init(graft: [topic])), from: 1).sent.count }
    #expect(answers == 32 && lone.machine.holdings.backoffs == 1)
  }

  @Test func `a flood of subscriptions is noted up to the limit and forgotten with the connection`() {
    var lone = member()
    for number in 0..<10_000 { lone.hear(Lone.joins(Topic("t\(number)")), from: 1) }
    #expect(lone.machine.holdings.topics <= 128)
    for number in 0..<10_000 {
      lone.hear(
        RPC(subscriptions: [.init(Topic("u\(number)"), subscribes: true), .init(Topic("u\(number)"), subscribes: false)]), from: 2
      )
    }
    #expect(lone.machine.holdings.topics <= 128)
    lone.give(.disconnected(Network.id(1)))
    #expect(lone.machine.holdings.topics == 1)
  }

  @Test func `a flood of messages stays within the cache, and memory comes back`() {
    var configuration = PubSub.Configuration()
    configuration.limits.seen = 1_000
    configuration.limits.cachedMessages = 200
    configuration.limits.cachedBytes = 50_000
    var lone = member(configuration)
    for number in 0..<20_000 {
      lone.hear(RPC(publish: [Lone.message(99, number, bytes: number % 2_000)]), from: 1)
      #expect(lone.machine.holdings.cached <= 200 && lone.machine.holdings.seen <= 2_000)
    }
    lone.beat(400)
    #expect(lone.machine.holdings.cached == 0 && lone.machine.holdings.seen == 0)
  }

  @Test func `back-offs of peers that come and go under new names are bounded`() {
    var lone = member()
    for peer in 100..<3_100 {
      lone.give(.connected(Network.id(peer)))
      lone.hear(RPC(control: .init(prune: [.init(topic, backoff: 3_000)])), from: peer)
      lone.give(.disconnected(Network.id(peer)))
    }
    #expect(lone.machine.holdings.backoffs == 1_024 && lone.machine.holdings.neighbors == 6)
  }

  @Test func `too large, off topic, from a stranger, from ourselves: not delivered, not passed on`() {
    var configuration = PubSub.Configuration()
    configuration.messageBytes[topic] = 100
    var lone = member(configuration)
    #expect(lone.hear(RPC(publish: [Lone.message(99, 1, bytes: 101)]), from: 1).isEmpty)
    #expect(lone.hear(RPC(publish: [Message(from: Network.id(9), seqno: 1, topic: Topic("x"), data: [])]), from: 1).isEmpty)
    #expect(lone.hear(RPC(publish: [Lone.message(99, 2)]), from: 77).isEmpty)
    #expect(lone.hear(RPC(publish: [Lone.message(0, 3)]), from: 1).isEmpty)
    #expect(lone.give(.publish(topic, data: Array(repeating: 0, count: 101))).isEmpty)
    #expect(lone.machine.statistics.refused == 5)
    #expect(lone.hear(RPC(publish: [Lone.message(99, 4, bytes: 100)]), from: 1).delivered.count == 1)
  }
}
