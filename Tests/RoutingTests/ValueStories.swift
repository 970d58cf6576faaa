import MurmurIdentity
import MurmurMachines
import MurmurRouting
import MurmurWire
import Testing

/// Values and providers, kept by many.
@Suite struct ValueStories {
  private let owner = keys(1)

  private func record(_ sequence: UInt64, _ text: String = "value") -> (key: Key, value: [UInt8]) {
    let record = SequencedRecord(peer: owner.peerID, name: "session", sequence: sequence, value: Array(text.utf8))
    return (record.key, record.sealed(with: owner))
  }

  private func holders(_ network: Network, _ key: Key, _ value: [UInt8]) -> Int {
    network.peers.indices.count { network.natures[$0] == .honest && network.peers[$0].stored(key, at: network.now) == value }
  }

  @Test func `a value is kept by twenty, found by all, and lives on when most of them die`() {
    var network = Network(100, seed: 21)
    network.bootstrap()
    let (key, value) = record(1)
    #expect(network.result(.put(key, value, repeats: false), of: 3) == .stored(at: 20, of: 20))
    #expect((20...21).contains(holders(network, key, value)))
    for peer in stride(from: 0, to: 100, by: 7) where peer != 3 {
      guard case .value(let found, let count)? = network.result(.get(key), of: peer) else {
        Issue.record("peer \(peer) found nothing, seed 21")
        continue
      }
      #expect(found == value && count >= 3)
    }
    var chance = Chance(seed: 21).fork("deaths")
    for dead in chance.pick(50, from: Array(0..<100)) where dead != 90 { network.natures[dead] = .dead }
    guard case .value(let found, _)? = network.result(.get(key), of: 90) else { return #expect(Bool(false), "lost, seed 21") }
    #expect(found == value)
  }

  @Test func `an old value meets a newer one: the newer is found, and who had the old one is told`() {
    var network = Network(100, seed: 22)
    network.bootstrap()
    let (key, old) = record(1), (_, new) = record(2)
    _ = network.result(.put(key, old, repeats: false), of: 1)
    // Some of the nearest miss the newer value.
    let near = network.peers.indices.filter { network.peers[$0].stored(key, at: network.now) != nil && $0 != 1 }
    for peer in near.prefix(8) { network.natures[peer] = .dead }
    _ = network.result(.put(key, new, repeats: false), of: 2)
    for peer in near.prefix(8) { network.natures[peer] = .honest }
    #expect(holders(network, key, old) >= 8)
    guard case .value(let found, _)? = network.result(.get(key), of: 50) else { return #expect(Bool(false), "lost, seed 22") }
    #expect(found == new)
    for peer in 60..<70 { _ = network.result(.get(key), of: peer) }
    network.run(5)
    #expect(network.peers[1].stored(key, at: network.now) != nil)
    #expect(network.peers.reduce(0) { $0 + $1.statistics.corrections } > 0)
    // Nobody takes the old one any more.
    let before = holders(network, key, new)
    guard case .failed(.invalid)? = network.result(.put(key, old, repeats: false), of: near[10]) else {
      return #expect(Bool(false), "an old value was put, seed 22")
    }
    #expect(holders(network, key, new) == before)
  }

  @Test(arguments: [1, 4]) func `among forgers and liars the right value is found, and no other`(paths: Int) {
    var configuration = Kademlia.Configuration.test
    configuration.disjointPaths = paths
    var network = Network(120, seed: 23, configuration)
    var chance = Chance(seed: 23).fork("liars")
    for (place, peer) in chance.pick(24, from: Array(10..<120)).enumerated() {
      network.natures[peer] = place.isMultiple(of: 2) ? .liar : .forger
    }
    network.bootstrap()
    let (key, value) = record(1)
    let honest = network.natures.indices.filter { network.natures[$0] == .honest }
    guard case .stored(let at, _)? = network.result(.put(key, value, repeats: false), of: honest[0]) else {
      return #expect(Bool(false), "not kept, seed 23")
    }
    var found = 0
    for peer in honest.suffix(40) {
      guard case .value(let got, _)? = network.result(.get(key), of: peer) else { continue }
      #expect(got == value, "a forged value, seed 23")
      found += 1
    }
    print("10 % liars and 10 % forgers, \(paths) paths: kept by \(at), found by \(found) of 40")
    #expect(found == 40, "seed 23")
  }

  @Test func `with small buckets and a fifth of the peers turned hostile values are found, over one path and over three`() {
    func found(paths: Int) -> (values: Int, requests: Int) {
      var configuration = Kademlia.Configuration.test
      configuration.disjointPaths = paths
      configuration.bucketSize = 6
      configuration.concurrency = 6
      configuration.resiliency = 2
      configuration.quorum = 1
      configuration.limits.acquaintances = 1
      var network = Network(200, seed: 28, configuration)
      network.deadAreSilent = false
      network.bootstrap(60)
      let (key, value) = record(1)
      _ = network.result(.put(key, value, repeats: false), of: 0)
      var chance = Chance(seed: 28).fork("liars")
      let holders = Set(network.peers.indices.filter { network.peers[$0].stored(key, at: network.now) != nil })
      for (place, peer) in chance.pick(40, from: Array(1..<200).filter { !holders.contains($0) }).enumerated() {
        network.natures[peer] = place.isMultiple(of: 2) ? .liar : .forger
      }
      let askers = network.natures.indices.filter { network.natures[$0] == .honest && !holders.contains($0) }
      let before = network.requests
      let values = chance.pick(60, from: askers).count { peer in
        if case .value(value, _)? = network.result(.get(key), of: peer) { true } else { false }
      }
      return (values, (network.requests - before) / 60)
    }
    let one = found(paths: 1), three = found(paths: 3)
    print("20 % hostile, k = 6: one path finds \(one) of 60, three find \(three)")
    #expect(three.values == 60 && one.values == 60, "seed 28")
  }

  @Test func `providers are found, told again by themselves, and forgotten when they are silent`() {
    var configuration = Kademlia.Configuration.test
    configuration.providerAge = .minutes(120)
    configuration.providerInterval = .minutes(50)
    configuration.refreshInterval = .minutes(60)
    var network = Network(60, seed: 24, configuration)
    network.bootstrap()
    let key = Key(providersOf: CID(codec: .raw, hashing: [1, 2, 3]))
    #expect(network.result(.provide(key), of: 7) == .stored(at: 20, of: 20))
    _ = network.result(.provide(key), of: 8)
    network.run(1)
    func found(by peer: Int) -> [PeerID] {
      guard case .providers(let contacts)? = network.result(.findProviders(key, count: 10), of: peer) else { return [] }
      #expect(contacts.allSatisfy { $0.addresses.count == 1 })
      return contacts.map(\.peer).sorted()
    }
    #expect(found(by: 33) == [Network.id(7), Network.id(8)].sorted())
    network.give(.withdrawn(key), to: 8)
    network.run(130 * 60)
    #expect(found(by: 34) == [Network.id(7)], "only the one that goes on saying so")
    network.natures[7] = .dead
    network.run(130 * 60)
    #expect(found(by: 35).isEmpty)
    #expect(network.peers.allSatisfy { $0.holdings.providers == 0 }, "swept")
  }

  @Test func `when most of the network has just died, what is provided is kept by the rest`() {
    var network = Network(120, seed: 27)
    network.bootstrap()
    var chance = Chance(seed: 27).fork("deaths")
    for dead in chance.pick(84, from: Array(1..<120)) { network.natures[dead] = .dead }
    let key = Key(providersOf: CID(codec: .raw, hashing: [7]))
    guard case .stored(let at, _)? = network.result(.provide(key), of: 0) else {
      return #expect(Bool(false), "nobody keeps it, seed 27")
    }
    #expect(at >= 10, "\(at), seed 27")
    let other = network.natures.indices.last { network.natures[$0] == .honest } ?? 0
    #expect(network.result(.findProviders(key, count: 1), of: other) == .providers([Network.contact(0)]))
  }

  @Test func `values grow old, and are put again by whoever wants them kept`() {
    var configuration = Kademlia.Configuration.test
    configuration.recordAge = .minutes(120)
    configuration.recordInterval = .minutes(50)
    configuration.refreshInterval = .minutes(60)
    var network = Network(50, seed: 25, configuration)
    network.bootstrap()
    let (key, value) = record(1)
    _ = network.result(.put(key, value, repeats: true), of: 4)
    network.run(200 * 60)
    #expect(holders(network, key, value) >= 20)
    network.give(.withdrawn(key), to: 4)
    network.run(180 * 60)
    #expect(holders(network, key, value) == 0 && network.peers.allSatisfy { $0.holdings.records == 0 })
  }

  @Test func `clients ask, and are never asked nor kept`() {
    let clients = Set(stride(from: 5, to: 60, by: 3))
    var network = Network(60, seed: 26, clients: clients)
    network.bootstrap()
    let (key, value) = record(1)
    #expect(network.result(.put(key, value, repeats: false), of: 5) == .stored(at: 20, of: 20))
    #expect(network.result(.get(key), of: 8) == .value(value, holders: 3))
    for peer in network.peers {
      #expect(peer.contacts.allSatisfy { contact in !clients.contains { Network.id($0) == contact.peer } })
    }
    guard case .peer(let contact, true)? = network.result(.findPeer(Network.id(5)), of: 8) else {
      return #expect(Bool(false), "a client that is connected to servers is found")
    }
    #expect(contact.addresses == [Network.address(5)])
  }
}
