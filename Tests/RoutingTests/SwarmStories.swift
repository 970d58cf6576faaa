import MurmurIdentity
import MurmurMachines
import MurmurRouting
import MurmurWire
import Testing

/// Hundreds of peers, in virtual time.
@Suite struct SwarmStories {
  /// How many of `count` peer look-ups between random honest peers succeed, and at what cost.
  private func lookups(_ network: inout Network, _ count: Int, seed: UInt64) -> (found: Int, requests: Int, seconds: Double) {
    var chance = Chance(seed: seed).fork("questions")
    let honest = network.natures.indices.filter { network.natures[$0] == .honest }
    var found = 0, requests = 0, seconds = 0.0
    for _ in 0..<count {
      let pair = chance.pick(2, from: honest)
      let number = network.ask(.findPeer(Network.id(pair[0])), of: pair[1])
      for _ in 0..<400 where network.outcomes[number] == nil { network.run(0.25) }
      guard let (outcome, effort) = network.outcomes[number] else { continue }
      requests += effort.requests
      seconds += effort.time.seconds
      if case .peer(let contact, true) = outcome, contact.addresses.contains(Network.address(pair[0])) { found += 1 }
    }
    return (found, requests / count, seconds / Double(count))
  }

  @Test func `three hundred peers find each other, always`() {
    var network = Network(300, seed: 1)
    network.bootstrap()
    let result = lookups(&network, 200, seed: 1)
    print("300 peers: \(result.found) of 200 found, \(result.requests) requests and \(result.seconds) s a look-up")
    #expect(result.found == 200, "seed 1")
  }

  @Test func `through their bytes it is the same`() {
    var network = Network(60, seed: 2)
    network.encodes = true
    network.bootstrap()
    #expect(lookups(&network, 60, seed: 2).found == 60, "seed 2")
  }

  @Test func `a seed replays a run`() {
    func run(_ seed: UInt64) -> [Int] {
      var network = Network(50, seed: seed)
      network.loss = 0.1
      network.bootstrap(60)
      let result = lookups(&network, 20, seed: seed)
      return [network.requests, result.found, result.requests] + network.peers.map(\.tableCount)
    }
    #expect(run(3) == run(3))
    #expect(run(3) != run(4))
  }

  @Test func `with a tenth of all messages lost look-ups succeed`() {
    var network = Network(120, seed: 5)
    network.loss = 0.1
    network.bootstrap()
    let result = lookups(&network, 100, seed: 5)
    print("loss 10 %: \(result.found) of 100 found, \(result.requests) requests and \(result.seconds) s a look-up")
    #expect(result.found >= 99, "seed 5")
  }

  @Test(arguments: [0.3, 0.8]) func `after many died at once the survivors find each other`(share: Double) {
    var network = Network(120, seed: 6)
    network.bootstrap()
    var chance = Chance(seed: 6).fork("deaths")
    for dead in chance.pick(Int(120 * share), from: Array(0..<120)) { network.natures[dead] = .dead }
    let at = lookups(&network, 40, seed: 6)
    network.run(1_500)
    let later = lookups(&network, 40, seed: 7)
    print("\(share) dead: \(at.found) of 40 at once (\(at.seconds) s), \(later.found) of 40 later (\(later.seconds) s)")
    #expect(later.found == 40, "seed 6")
    if share < 0.5 { #expect(at.found == 40, "seed 6") }
    let survivors = network.natures.indices.filter { network.natures[$0] == .honest }
    let stale = survivors.reduce(0) { sum, peer in
      sum
        + network.peers[peer].contacts.count { contact in
          network.natures.indices.contains { network.natures[$0] == .dead && Network.id($0) == contact.peer }
        }
    }
    #expect(stale == 0, "the dead are forgotten")
  }

  @Test func `torn in two for minutes, the halves go on alone, and grow together within half a minute`() {
    var network = Network(60, seed: 9)
    network.bootstrap()
    for peer in 0..<30 { network.sides[peer] = 1 }
    // Everybody looks for somebody all the time, so that everybody notices.
    func chat(_ seconds: Double) {
      for second in 0..<Int(seconds) {
        _ = network.ask(.findClosest(Key([UInt8(second), 1])), of: second * 7 % 60)
        _ = network.ask(.findClosest(Key([UInt8(second), 2])), of: second * 11 % 60)
        network.run(1)
      }
    }
    chat(180)
    func foreign() -> Int {
      network.peers.indices.reduce(0) { sum, peer in
        sum
          + network.peers[peer].contacts.count { contact in
            (0..<60).contains { Network.id($0) == contact.peer && network.sides[$0] != (peer < 30 ? 1 : 0) }
          }
      }
    }
    let torn = foreign()
    for peer in 0..<60 { network.sides[peer] = 0 }
    chat(30)
    let sides = (0..<60).map { peer in
      network.peers[peer].contacts.count { contact in
        (0..<60).contains { Network.id($0) == contact.peer && ($0 < 30) != (peer < 30) }
      }
    }
    print("contacts of the other side: \(torn) when torn, at least \(sides.min() ?? 0) each half a minute after healing")
    #expect((sides.min() ?? 0) >= 10, "seed 9")
  }

  @Test(arguments: [1, 3])
  func `liars that name dead peers nearest to the key slow a search down, within bounds, and hide nobody`(paths: Int) {
    var configuration = Kademlia.Configuration.test
    configuration.disjointPaths = paths
    var network = Network(120, seed: 10, configuration)
    network.bootstrap()
    var chance = Chance(seed: 10).fork("liars")
    for liar in chance.pick(24, from: Array(1..<120)) { network.natures[liar] = .liar }
    let honest = network.natures.indices.filter { network.natures[$0] == .honest }
    var hidden = 0, seconds = 0.0, most = 0.0, requests = 0
    for number in 0..<20 {
      let key = Key([UInt8(number), 9])
      let query = network.ask(.findClosest(key), of: honest[number])
      for _ in 0..<300 where network.outcomes[query] == nil { network.run(0.25) }
      guard case (.closest(let found), let effort)? = network.outcomes[query] else {
        Issue.record("no answer, seed 10")
        continue
      }
      let peers = Set(found.map(\.peer))
      let nearest = honest.filter { $0 != honest[number] }.sorted {
        distance(Key(Network.id($0)), key) < distance(Key(Network.id($1)), key)
      }
      hidden += nearest.prefix(8).count { !peers.contains(Network.id($0)) }
      seconds += effort.time.seconds / 20
      most = max(most, effort.time.seconds)
      requests += effort.requests
    }
    print(
      "20 % liars, \(paths) paths: \(seconds) s a full search, at most \(most), \(requests / 20) requests, \(hidden) of 160 hidden"
    )
    #expect(hidden == 0 && most <= 20, "seed 10")
  }

  private func distance(_ a: Key, _ b: Key) -> Digest {
    Digest(a.point.a ^ b.point.a, a.point.b ^ b.point.b, a.point.c ^ b.point.c, a.point.d ^ b.point.d)
  }

  @Test(arguments: [1, 4]) func `with a fifth of the peers lying look-ups of honest ones succeed`(paths: Int) {
    var configuration = Kademlia.Configuration.test
    configuration.disjointPaths = paths
    var network = Network(150, seed: 8, configuration)
    var chance = Chance(seed: 8).fork("liars")
    for liar in chance.pick(30, from: Array(10..<150)) { network.natures[liar] = .liar }
    network.bootstrap()
    let result = lookups(&network, 60, seed: 8)
    print("20 % liars, \(paths) paths: \(result.found) of 60, \(result.requests) requests and \(result.seconds) s a look-up")
    #expect(result.found >= (paths == 1 ? 57 : 59), "seed 8")
  }
}
