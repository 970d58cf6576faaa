import MurmurIdentity
import MurmurMachines
import MurmurPubSub
import Testing

/// Many peers and one topic: who hears what, and what it costs.
@Suite struct SwarmStories {
  private let topic = Topic("session")

  @Test(arguments: [(50, 1), (50, 2), (200, 3), (500, 4)])
  func `every subscriber hears every message exactly once, for about D messages each`(count: Int, seed: Int) {
    var net = Network(count, degree: 30, seed: UInt64(seed))
    net.subscribeAll(topic)
    net.run(5)
    let frames = net.frames
    let publications = 20
    for number in 0..<publications {
      net.give(.publish(topic, data: [UInt8(number), 1, 2, 3]), to: number * 7 % count)
      net.run(0.5)
    }
    net.run(10)
    for peer in net.peers.indices {
      let own = (0..<publications).count { $0 * 7 % count == peer }
      #expect(net.delivered[peer].count == publications - own, "seed \(seed): peer \(peer)")
      #expect(net.delivered[peer].values.allSatisfy { $0 == 1 }, "seed \(seed): peer \(peer) heard something twice")
    }
    let perPeer = Double(net.messages) / Double(count * publications)
    // Every mesh link carries a message once, or twice if both ends hear it at the same time.
    #expect(perPeer <= 1.25 * 6 + 1, "seed \(seed): \(perPeer) messages per peer and publication")
    #expect(net.frames - frames < net.messages * 5, "seed \(seed): gossip stays a small multiple")
    for peer in net.peers {
      let mesh = peer.mesh(of: topic).count
      #expect((5...12).contains(mesh), "seed \(seed): a mesh of \(mesh)")
    }
  }

  @Test(arguments: [(50, 11), (200, 12), (500, 13)])
  func `a fifth of all frames is lost, and still everybody hears everything`(count: Int, seed: Int) {
    var net = Network(count, degree: 30, seed: UInt64(seed))
    net.loss = 0.2
    net.subscribeAll(topic)
    net.run(20)
    let publications = 20
    for number in 0..<publications {
      net.give(.publish(topic, data: [UInt8(number)]), to: number * 13 % count)
      net.run(0.7)
    }
    net.run(15)
    for peer in net.peers.indices {
      let own = (0..<publications).count { $0 * 13 % count == peer }
      #expect(net.delivered[peer].count == publications - own, "seed \(seed): peer \(peer)")
      #expect(net.delivered[peer].values.allSatisfy { $0 == 1 }, "seed \(seed): peer \(peer) heard something twice")
    }
    let asked = net.peers.reduce(0) { $0 + $1.statistics.asked }
    let perPeer = Double(net.messages) / Double(count * publications)
    #expect(asked > 0, "gossip filled the gaps")
    #expect(perPeer < 9, "seed \(seed): \(perPeer) messages per peer and publication")
  }

  @Test func `who was out of reach for a moment hears of it by gossip`() {
    var net = Network(60, degree: 20, seed: 21)
    net.subscribeAll(topic)
    net.run(5)
    for peer in 40..<60 { net.sides[peer] = peer }
    net.give(.publish(topic, data: [1]), to: 0)
    net.run(0.5)
    #expect(net.delivered[40...].count { $0.isEmpty } == 20)
    for peer in 40..<60 { net.sides[peer] = 0 }
    net.run(4)
    #expect(net.delivered[1...].count { Array($0.values) == [1] } == 59)
    #expect(net.peers.reduce(0) { $0 + $1.statistics.asked } >= 5, "some were told, the others heard it from those")
  }

  @Test func `torn in two, each half goes on; healed, they are one again`() {
    var net = Network(100, degree: 24, seed: 31)
    net.subscribeAll(topic)
    net.run(5)
    for peer in net.peers.indices { net.sides[peer] = peer % 2 }
    // The connections between the halves break.
    for peer in net.peers.indices {
      for other in net.peers.indices where other % 2 != peer % 2 { net.give(.disconnected(Network.id(other)), to: peer) }
    }
    net.run(5)
    net.give(.publish(topic, data: [1]), to: 0)
    net.run(5)
    for peer in net.peers.indices where peer != 0 {
      #expect(net.delivered[peer].count == (peer % 2 == 0 ? 1 : 0), "peer \(peer)")
    }
    for peer in net.peers.indices { net.sides[peer] = 0 }
    for peer in stride(from: 0, to: 100, by: 2) {
      for other in [peer + 1, (peer + 31) % 100, (peer + 57) % 100] {
        net.give(.connected(Network.id(other)), to: peer)
        net.give(.connected(Network.id(peer)), to: other)
      }
    }
    net.run(5)
    net.give(.publish(topic, data: [2]), to: 1)
    net.run(8)
    for peer in net.peers.indices where peer > 1 { #expect(net.delivered[peer].count == (peer % 2 == 0 ? 2 : 1), "peer \(peer)") }
  }

  @Test func `peers that fall silent are replaced once their connections break`() {
    var net = Network(60, degree: 24, seed: 41)
    net.subscribeAll(topic)
    net.run(5)
    for peer in 0..<60 {
      for gone in 40..<60 where gone != peer { net.give(.disconnected(Network.id(gone)), to: peer) }
    }
    for gone in 40..<60 { net.sides[gone] = gone }
    net.run(3)
    net.give(.publish(topic, data: [1]), to: 3)
    net.run(8)
    for peer in 0..<40 where peer != 3 { #expect(net.delivered[peer].count == 1, "peer \(peer)") }
  }

  @Test func `a seed replays a run, and another seed gives another one`() {
    func trace(_ seed: UInt64, encodes: Bool) -> UInt64 {
      var net = Network(60, degree: 16, seed: seed)
      net.loss = 0.1
      net.encodes = encodes
      net.subscribeAll(topic)
      for number in 0..<10 {
        net.run(1)
        net.give(.publish(topic, data: [UInt8(number)]), to: number)
      }
      net.run(5)
      return net.trace
    }
    #expect(trace(5, encodes: false) == trace(5, encodes: false))
    #expect(trace(5, encodes: false) == trace(5, encodes: true), "bytes say what values say")
    #expect(trace(5, encodes: false) != trace(6, encodes: false))
  }

  @Test func `nothing to do, nothing happens: the heartbeat rests`() {
    var net = Network(30, degree: 12, seed: 51)
    net.run(100)
    #expect(net.frames == 0 && net.waiting == 0, "no topic, no timer")
    net.subscribeAll(topic)
    net.run(100)
    let settled = net.peers.map(\.statistics.heartbeats)
    let frames = net.frames
    net.run(600)
    #expect(net.peers.map(\.statistics.heartbeats) == settled && net.frames == frames, "a settled mesh costs nothing")
    net.give(.publish(topic, data: [1]), to: 0)
    net.run(600)
    for peer in net.peers.indices {
      let beats = net.peers[peer].statistics.heartbeats - settled[peer]
      #expect((5...9).contains(beats), "five for the history, two for the names, not \(beats)")
      #expect(net.peers[peer].holdings.seen == 0 && net.peers[peer].holdings.cached == 0)
    }
    #expect(net.waiting == 0)
  }

  @Test func `two peers whose announcements were lost find each other`() {
    var net = Network(2, seed: 61)
    net.loss = 1
    net.subscribeAll(topic)
    net.run(1)
    net.loss = 0
    net.run(30)
    net.give(.publish(topic, data: [1]), to: 0)
    net.give(.publish(topic, data: [2]), to: 1)
    net.run(5)
    #expect(net.delivered.map(\.count) == [1, 1])
  }
}
