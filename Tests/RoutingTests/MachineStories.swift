import MurmurIdentity
import MurmurMachines
import MurmurRouting
import MurmurWire
import Testing

/// One machine on its own.
struct Lone {
  var machine: Kademlia
  var now = Instant.origin
  private var chance = Chance(seed: 9)
  private var effects = Effects<Kademlia.Effect>()
  private var tokens: UInt64 = 0

  init(_ configuration: Kademlia.Configuration = .test, mode: Kademlia.Mode = .server) {
    machine = Kademlia(id: Network.id(0), configuration: configuration, mode: mode)
    give(.addressesChanged([Network.address(0)]))
  }

  @discardableResult mutating func give(_ input: Kademlia.Input) -> [Kademlia.Effect] {
    machine.step(input, at: now, chance: &chance, effects: &effects)
    return effects.take()
  }

  /// What `peer` is answered; `nil` if it is refused.
  mutating func ask(_ message: KademliaMessage, from peer: Int) -> Result<KademliaMessage, Kademlia.Refusal>? {
    tokens += 1
    for effect in give(.asked(.init(tokens), from: Network.id(peer), message)) {
      if case .answer(_, let answer) = effect { return .success(answer) }
      if case .refuse(_, let refusal) = effect { return .failure(refusal) }
    }
    return nil
  }
}

/// What one machine answers, and what it keeps of what it is told.
@Suite struct MachineStories {
  @Test func `a server names the nearest it knows, without the asker and without itself`() throws {
    var lone = Lone()
    for peer in 1...60 { lone.give(.identified(Network.contact(peer), isServer: true)) }
    let target = PeerID(simulated: 1_000)
    guard case .success(let answer)? = lone.ask(KademliaMessage(.findNode, key: target.bytes), from: 5) else {
      return #expect(Bool(false), "no answer")
    }
    let expected = (1...60).filter { $0 != 5 }.map(Network.id).filter { peer in lone.machine.contacts.contains { $0.peer == peer }
    }
    .sorted { distance(Key($0), Key(target)) < distance(Key($1), Key(target)) }
    #expect(answer.closer.map(\.peer) == Array(expected.prefix(20)))
    #expect(lone.ask(KademliaMessage(.ping), from: 5) == .success(KademliaMessage(.ping)))
  }

  private func distance(_ a: Key, _ b: Key) -> Digest {
    Digest(a.point.a ^ b.point.a, a.point.b ^ b.point.b, a.point.c ^ b.point.c, a.point.d ^ b.point.d)
  }

  @Test func `who floods the table with identities of one neighbourhood gets a few places`() {
    var lone = Lone()
    for number in 0..<5_000 {
      let address = Multiaddr([.ip4([66, 7, UInt8(number / 250 % 250), UInt8(number % 250)]), .tcp(1)])
      lone.give(.identified(Contact(PeerID(simulated: 10_000 + number), [address]), isServer: true))
    }
    #expect(lone.machine.tableCount == 5)
    for peer in 1...60 { lone.give(.identified(Network.contact(peer), isServer: true)) }
    #expect(lone.machine.tableCount > 50)
    #expect(lone.machine.holdings.acquaintances <= 1_024)
  }

  @Test func `a full bucket keeps whom it has, and asks the oldest whether it is there`() {
    var configuration = Kademlia.Configuration.lan()
    configuration.bucketSize = 3
    var lone = Lone(configuration)
    let far = (1...100).filter { Key(Network.id($0)).point.a >> 63 != Key(Network.id(0)).point.a >> 63 }
    func contact(_ peer: Int) -> Contact { Contact(Network.id(peer), [Multiaddr([.ip4([10, 0, 0, UInt8(peer)]), .tcp(1)])]) }
    for peer in far.prefix(5) { lone.give(.identified(contact(peer), isServer: true)) }
    #expect(lone.machine.contacts.map(\.peer) == far.prefix(3).map(Network.id))
    lone.now = .origin + .minutes(11)
    let effects = lone.give(.identified(contact(far[5]), isServer: true))
    var checked: Kademlia.RequestID?
    for case .request(let id, let to, _, _) in effects where to.peer == Network.id(far[0]) { checked = id }
    guard let checked else { return #expect(Bool(false), "the oldest was not asked") }
    lone.give(.failed(checked, .timedOut))
    let peers = lone.machine.contacts.map(\.peer)
    #expect(!peers.contains(Network.id(far[0])) && peers.contains(Network.id(far[5])), "the latest that waited took its place")
  }

  @Test func `a public table learns no private address, a local one no public one`() {
    var wan = Lone(.wan), lan = Lone(.lan(loopback: false))
    let home = Contact(
      Network.id(1), [Multiaddr([.ip4([192, 168, 1, 2]), .tcp(1)]), Multiaddr([.ip4([127, 0, 0, 1]), .tcp(1)])])
    let street = Network.contact(2)
    for contact in [home, street] {
      wan.give(.identified(contact, isServer: true))
      lan.give(.identified(contact, isServer: true))
    }
    #expect(wan.machine.contacts == [street])
    #expect(lan.machine.contacts == [Contact(Network.id(1), [home.addresses[0]])])
  }

  @Test func `only a provider speaks for itself, and not for too many keys`() {
    var configuration = Kademlia.Configuration.test
    configuration.limits.providedPerPeer = 10
    var lone = Lone(configuration)
    let key = Key(providersOf: CID(codec: .raw, hashing: [1]))
    func add(_ key: Key, _ who: Int, from peer: Int) -> Result<KademliaMessage, Kademlia.Refusal>? {
      lone.ask(KademliaMessage(.addProvider, key: key.bytes, providers: [Network.contact(who)]), from: peer)
    }
    #expect(add(key, 2, from: 1) == .failure(.rejected))
    #expect(add(key, 1, from: 1) == .failure(.silent))
    guard case .success(let answer)? = lone.ask(KademliaMessage(.getProviders, key: key.bytes), from: 3) else {
      return #expect(Bool(false), "no answer")
    }
    #expect(answer.providers == [Network.contact(1)])
    for number in 2...30 { _ = add(Key(providersOf: CID(codec: .raw, hashing: [UInt8(number)])), 1, from: 1) }
    #expect(lone.machine.holdings.providers == 10)
  }

  @Test func `values without a namespace, of IPNS, forged or too large are refused; one peer fills the store only so far`() {
    var configuration = Kademlia.Configuration.test
    configuration.limits.recordsPerPeer = 5
    var lone = Lone(configuration)
    func put(_ key: [UInt8], _ value: [UInt8], from peer: Int = 1) -> Result<KademliaMessage, Kademlia.Refusal>? {
      lone.now = lone.now + .seconds(1)
      return lone.ask(KademliaMessage(.putValue, key: key, record: .init(key: key, value: value)), from: peer)
    }
    for key in ["/ipns/x", "plain", "/pk/x", "/", ""] { #expect(put(Array(key.utf8), [1])?.isRefused == true, "\(key)") }
    let owner = keys(3)
    for number in 0..<8 {
      let record = SequencedRecord(peer: owner.peerID, name: "\(number)", sequence: 1, value: [1])
      let answer = put(record.key.bytes, record.sealed(with: owner))
      #expect(answer?.isRefused == (number >= 5), "\(number)")
    }
    let large = SequencedRecord(peer: owner.peerID, name: "large", sequence: 1, value: .init(repeating: 0, count: 20_000))
    #expect(put(large.key.bytes, large.sealed(with: owner), from: 2)?.isRefused == true)
    #expect(lone.machine.holdings.records == 5)
  }

  @Test func `who asks too much is refused, and others are not`() {
    var lone = Lone()
    var answered = 0
    for _ in 0..<1_000 { if case .success? = lone.ask(KademliaMessage(.ping), from: 1) { answered += 1 } }
    #expect(answered == 200)
    #expect(lone.ask(KademliaMessage(.ping), from: 2) == .success(KademliaMessage(.ping)))
    lone.now = lone.now + .seconds(2)
    #expect(lone.ask(KademliaMessage(.ping), from: 1) == .success(KademliaMessage(.ping)))
    for peer in 10..<3_000 { _ = lone.ask(KademliaMessage(.ping), from: peer) }
    #expect(lone.machine.holdings.counted <= 1_024)
  }

  @Test func `who refuses to keep something stays in the table; who cannot be spoken with leaves it, and is tried again`() {
    var lone = Lone()
    let contact = Network.contact(1)
    lone.give(.identified(contact, isServer: true))
    let owner = keys(3)
    func put(_ number: Int) -> [Kademlia.RequestID] {
      let record = SequencedRecord(peer: owner.peerID, name: "\(number)", sequence: 1, value: [1])
      let query = Kademlia.Query.put(record.key, record.sealed(with: owner), repeats: false)
      var asked: [Kademlia.RequestID] = []
      for case .request(let id, _, _, _) in lone.give(.query(.init(UInt64(number)), query)) { asked.append(id) }
      return asked
    }
    for number in 0..<5 {
      for search in put(number) {
        let found = lone.give(.answered(search, KademliaMessage(.findNode)))
        for case .request(let id, _, let message, _) in found where message.kind == .putValue { lone.give(.failed(id, .broken)) }
      }
      #expect(lone.machine.contacts == [contact], "refused \(number + 1) times")
    }
    for number in 5..<7 { for search in put(number) { lone.give(.failed(search, .broken)) } }
    #expect(lone.machine.contacts.isEmpty)
    lone.now = lone.now + .minutes(1)
    let tried = lone.give(.timerFired(.retry))
    #expect(tried.contains { if case .request(_, let to, _, _) = $0 { to.peer == contact.peer } else { false } })
  }

  @Test func `what nobody took is published again before long, and what an earlier life published as well`() {
    var lone = Lone()
    let (key, earlier) = (Key(providersOf: CID(codec: .raw, hashing: [1])), Key(providersOf: CID(codec: .raw, hashing: [2])))
    let alone = lone.give(.query(.init(1), .provide(key)))
    #expect(alone.contains { if case .completed(_, .failed(.noPeers), _) = $0 { true } else { false } })
    lone.give(.resumed([.init(earlier)]))
    lone.give(.identified(Network.contact(1), isServer: true))
    lone.now = lone.now + .seconds(31)
    var published: Set<Key> = []
    var effects = lone.give(.timerFired(.republish))
    while !effects.isEmpty {
      let requests = effects
      effects = []
      for case .request(let id, _, let message, _) in requests {
        if message.kind == .addProvider { published.insert(Key(message.key)) }
        effects += lone.give(message.kind == .addProvider ? .delivered(id) : .answered(id, KademliaMessage(message.kind)))
      }
    }
    #expect(published == [key, earlier])
    lone.give(.withdrawn(key))
    lone.now = lone.now + .minutes(23 * 60)
    #expect(lone.give(.timerFired(.republish)).count { if case .request = $0 { true } else { false } } == 1)
  }

  @Test func `a client answers nobody; a search without anybody fails at once; a world that forgets is not waited for`() {
    var lone = Lone(mode: .client)
    #expect(lone.ask(KademliaMessage(.ping), from: 1) == .failure(.clientMode))
    let none = lone.give(.query(.init(1), .get(Key(namespace: "pk", name: Network.id(5).bytes))))
    #expect(none.contains { if case .completed(_, .failed(.noPeers), _) = $0 { true } else { false } })
    lone.give(.identified(Network.contact(1), isServer: true))
    lone.give(.query(.init(2), .findClosest(Key(Network.id(5)))))
    #expect(lone.machine.holdings.requests > 0)
    lone.now = .origin + .seconds(12)
    let late = lone.give(.timerFired(.deadline))
    #expect(late.contains { if case .completed(.init(2), .failed(.noPeers), _) = $0 { true } else { false } })
    #expect(lone.machine.holdings.requests == 0 && lone.machine.holdings.searches == 0)
  }

  @Test func `whatever is thrown at it, it stays within its bounds`() {
    var lone = Lone(), chance = Chance(seed: 31)
    var requests: [(Kademlia.RequestID, KademliaMessage)] = []
    func contacts() -> [Contact] { (0..<chance.below(30)).map { _ in Network.contact(chance.below(500)) } }
    for round in 0..<fuzzInputs {
      lone.now = lone.now + .milliseconds(Double(chance.below(500)))
      let bytes = (0..<chance.below(40)).map { _ in UInt8(chance.below(256)) }
      let kind = KademliaMessage.Kind.allCases[chance.below(6)]
      let message = KademliaMessage(
        kind, key: chance.happens(0.5) ? Network.id(chance.below(500)).bytes : bytes,
        record: chance.happens(0.3) ? .init(key: bytes, value: bytes) : nil, closer: contacts(), providers: contacts())
      let input: Kademlia.Input
      switch chance.below(12) {
      case 0: input = .identified(Network.contact(chance.below(500)), isServer: chance.happens(0.7))
      case 1: input = .asked(.init(UInt64(round)), from: Network.id(chance.below(500)), message)
      case 2...6:
        let pending = requests.isEmpty ? nil : requests.remove(at: chance.below(requests.count))
        guard let pending else { continue }
        var answer = message
        if chance.happens(0.8) { answer.kind = pending.1.kind }
        input = chance.happens(0.2) ? .failed(pending.0, .unreachable) : .answered(pending.0, answer)
      case 7: input = .query(.init(UInt64(chance.below(50))), .findPeer(Network.id(chance.below(600))))
      case 8: input = .query(.init(UInt64(chance.below(50))), .findProviders(Key(bytes), count: 3))
      case 9: input = .query(.init(UInt64(chance.below(50))), chance.happens(0.5) ? .provide(Key(bytes)) : .get(Key(bytes)))
      case 10: input = .cancelled(.init(UInt64(chance.below(50))))
      default: input = .timerFired([.deadline, .refresh, .republish, .sweep, .retry][chance.below(5)])
      }
      for case .request(let id, _, let message, _) in lone.give(input) { requests.append((id, message)) }
      if requests.count > 300 { requests.removeFirst(100) }
      let holdings = lone.machine.holdings
      #expect(holdings.requests <= 256 + 20 && holdings.searches <= 129 && holdings.records <= 4_096)
    }
  }
}

extension Result {
  var isRefused: Bool { if case .failure = self { true } else { false } }
}
