import MurmurDiscovery
import MurmurIdentity
import MurmurMachines
import MurmurWire
import Testing

/// One link with machines on it: whatever one sends to the group comes to all, itself included, a millisecond later, unless it is lost.
private struct Segment {
  struct Found: Equatable {
    var by: Int
    var peer: PeerID
    var addresses: [Multiaddr]
    var at: Instant
  }

  private enum Event {
    case packet([UInt8], from: [UInt8], to: Int)
    case timer(MulticastDNS.Timer, of: Int, order: Int)
  }

  var machines: [MulticastDNS] = []
  var hosts: [[UInt8]] = []
  var found: [Found] = []
  var sent: [(by: Int, bytes: [UInt8], at: Instant)] = []
  var loss = 0.0
  var now = Instant.origin
  var isCut: (Int, Int) -> Bool = { _, _ in false }
  private var chances: [Chance] = []
  private var chance: Chance
  private var events: [(at: Instant, turn: Int, event: Event)] = []
  private var orders: [[MulticastDNS.Timer: Int]] = []
  private var turn = 0

  init(seed: UInt64) { chance = Chance(seed: seed) }

  @discardableResult mutating func join(
    _ name: String, _ text: String, scope: MulticastDNS.Scope = .network,
    configuration: MulticastDNS.Configuration = MulticastDNS.Configuration()
  ) -> Int {
    var own = chance.fork(named: name)
    let at = address(text)
    machines.append(
      MulticastDNS(
        id: peer(name), name: MulticastDNS.drawName(&own), addresses: [at], scope: scope, configuration: configuration))
    hosts.append(at.hostBytes ?? [])
    chances.append(own)
    orders.append([:])
    step(machines.count - 1, .started)
    return machines.count - 1
  }

  mutating func step(_ number: Int, _ input: MulticastDNS.Input) {
    var effects = Effects<MulticastDNS.Effect>()
    machines[number].step(input, at: now, chance: &chances[number], effects: &effects)
    for effect in effects.take() {
      switch effect {
      case .send(let bytes):
        sent.append((number, bytes, now))
        for other in machines.indices where !isCut(number, other) && !chance.happens(loss) {
          push(now + .milliseconds(1), .packet(bytes, from: hosts[number], to: other))
        }
      case .found(let peer, let addresses): found.append(Found(by: number, peer: peer, addresses: addresses, at: now))
      case .arm(let timer, let at):
        orders[number][timer, default: 0] += 1
        push(at, .timer(timer, of: number, order: orders[number][timer] ?? 0))
      }
    }
  }

  private mutating func push(_ at: Instant, _ event: Event) {
    turn += 1
    events.append((at, turn, event))
  }

  mutating func run(until end: Instant) {
    while let next = events.indices.min(by: { (events[$0].at, events[$0].turn) < (events[$1].at, events[$1].turn) }),
      events[next].at <= end
    {
      let due = events.remove(at: next)
      now = due.at
      switch due.event {
      case .packet(let bytes, let source, let number): step(number, .received(bytes, from: source))
      case .timer(let timer, let number, let order): if orders[number][timer] == order { step(number, .timerFired(timer)) }
      }
    }
    now = end
  }

  func heard(_ one: Int, _ name: String) -> [Found] { found.filter { $0.by == one && $0.peer == peer(name) } }
}

/// Peers on one link.
@Suite struct LinkStories {
  @Test(arguments: Effort.seeds) func `all find all within seconds, with every fifth packet lost`(seed: UInt64) {
    var link = Segment(seed: seed)
    link.loss = 0.2
    let names = (0..<6).map { "peer \($0)" }
    for (number, name) in names.enumerated() {
      link.join(name, "/ip4/192.168.7.\(number + 1)/tcp/4001")
      link.run(until: link.now + .milliseconds(300))
    }
    link.run(until: link.now + .seconds(40))
    for one in names.indices {
      for (other, name) in names.enumerated() where other != one {
        let heard = link.heard(one, name)
        #expect(heard.first?.addresses == [address("/ip4/192.168.7.\(other + 1)/tcp/4001")], "seed \(seed): \(one) of \(other)")
      }
      #expect(link.heard(one, names[one]).isEmpty, "seed \(seed): nobody finds itself")
    }
  }

  @Test func `a newcomer is known to all in half a second, and all to it`() {
    var link = Segment(seed: 1)
    for number in 0..<5 { link.join("peer \(number)", "/ip4/10.0.0.\(number + 1)/tcp/1") }
    link.run(until: .origin + .minutes(20))
    let begun = link.now
    let newcomer = link.join("late", "/ip4/10.0.0.9/tcp/9")
    link.run(until: begun + .milliseconds(500))
    for number in 0..<5 {
      #expect(link.heard(number, "late").count == 1 && link.heard(newcomer, "peer \(number)").count == 1)
    }
  }

  @Test func `questions grow rare, answers come once a second at most, and duplicates are not told`() {
    var link = Segment(seed: 2)
    for number in 0..<4 { link.join("peer \(number)", "/ip4/10.0.0.\(number + 1)/tcp/1") }
    link.run(until: .origin + .minutes(60))
    for number in 0..<4 {
      let packets = link.sent.filter { $0.by == number }.compactMap { entry in
        (try? DNSMessage.decode(entry.bytes)).map { (message: $0, at: entry.at) }
      }
      let questions = packets.filter { !$0.message.isResponse }
      #expect((12...25).contains(questions.count), "\(questions.count) questions in an hour")
      let answers = packets.filter(\.message.isResponse).map(\.at)
      for (one, next) in zip(answers, answers.dropFirst()) { #expect(next - one >= .seconds(1)) }
      for other in 0..<4 where other != number {
        let told = link.heard(number, "peer \(other)").map(\.at)
        for (one, next) in zip(told, told.dropFirst()) { #expect(next - one >= .minutes(1)) }
      }
    }
    // Who is known is named in the question, and does not answer.
    let last = link.sent.last { (try? DNSMessage.decode($0.bytes))?.isResponse == false }
    #expect((try? DNSMessage.decode(last?.bytes ?? []))?.answers.isEmpty == false)
  }

  @Test func `a flood of questions is answered once a second`() {
    var link = Segment(seed: 3)
    let one = link.join("one", "/ip4/10.0.0.1/tcp/1")
    link.run(until: .origin + .minutes(30))
    var question = DNSMessage()
    question.questions = [DNSMessage.Question(MulticastDNS.service, .any)]
    let before = link.sent.count
    for _ in 0..<10_000 {
      link.step(one, .received(question.encode(), from: [10, 0, 0, 66]))
      link.run(until: link.now + .milliseconds(1))
    }
    let answers = link.sent.count - before
    #expect((9...12).contains(answers), "\(answers) answers in ten seconds")
  }

  @Test func `who leaves says so, and is told of anew when it comes again; who moves is told of at once`() {
    var link = Segment(seed: 4)
    let one = link.join("one", "/ip4/10.0.0.1/tcp/1")
    let two = link.join("two", "/ip4/10.0.0.2/tcp/2")
    link.run(until: .origin + .seconds(5))
    #expect(link.heard(one, "two").count == 1 && link.machines[one].known == 1)
    link.step(
      two, .changed([address("/ip4/10.0.0.3/tcp/3"), address("/ip4/127.0.0.1/tcp/3"), address("/ip4/10.0.0.3/udp/3/quic-v1")]))
    link.run(until: link.now + .seconds(3))
    #expect(link.heard(one, "two").last?.addresses == [address("/ip4/10.0.0.3/tcp/3")])
    link.step(two, .stopped)
    link.run(until: link.now + .seconds(1))
    #expect(link.machines[one].known == 0)
    let sent = link.sent.filter { $0.by == two }.count
    link.run(until: link.now + .minutes(10))
    #expect(link.sent.filter { $0.by == two }.count == sent, "who stopped is silent")
  }

  @Test func `two halves that were cut apart find each other when the cut heals`() {
    var link = Segment(seed: 5)
    link.isCut = { $0 / 2 != $1 / 2 }
    for number in 0..<4 { link.join("peer \(number)", "/ip4/10.0.0.\(number + 1)/tcp/1") }
    link.run(until: .origin + .seconds(60))
    #expect(link.heard(0, "peer 1").count == 1 && link.heard(0, "peer 2").isEmpty)
    link.isCut = { _, _ in false }
    link.run(until: link.now + .minutes(2))
    #expect(!link.heard(0, "peer 2").isEmpty && !link.heard(3, "peer 1").isEmpty)
  }

  @Test
  func
    `on the loopback interface this machine's addresses count, elsewhere those of the site, and global ones of the sender alone`()
  {
    let cases: [(MulticastDNS.Scope, String, Bool)] = [
      (.network, "/ip4/192.168.1.5/tcp/1", true), (.network, "/ip4/10.9.9.9/tcp/1", true),
      (.network, "/ip4/169.254.1.1/tcp/1", true),
      (.network, "/ip4/127.0.0.1/tcp/1", false), (.network, "/ip4/8.8.8.8/tcp/1", false), (.network, "/ip4/9.9.9.9/tcp/1", true),
      (.network, "/ip6/fe80::1/tcp/1", false), (.network, "/ip6/fd00::1/tcp/1", true), (.network, "/dns4/a.local/tcp/1", false),
      (.network, "/ip4/192.168.1.5/udp/1/quic-v1", false), (.network, "/ip4/192.168.1.5/tcp/0", false),
      (.network, "/ip4/192.168.1.5/tcp/1/ws", false), (.network, "/ip4/224.0.0.1/tcp/1", false),
      (.loopback, "/ip4/127.0.0.1/tcp/1", true), (.loopback, "/ip6/::1/tcp/1", true),
      (.loopback, "/ip4/192.168.1.5/tcp/1", false),
    ]
    for (scope, text, isFine) in cases {
      var link = Segment(seed: 6)
      let one = link.join("one", scope == .network ? "/ip4/192.168.1.1/tcp/1" : "/ip4/127.0.0.1/tcp/1", scope: scope)
      link.step(one, .received(LinkStories.answer("stranger", [text + "/p2p/\(peer("stranger"))"]), from: [9, 9, 9, 9]))
      #expect(link.found.count == (isFine ? 1 : 0), "\(scope) \(text)")
    }
  }

  /// An answer as a stranger may send it.
  private static func answer(_ name: String, _ texts: [String], timeToLive: UInt32 = 120) -> [UInt8] {
    var message = DNSMessage()
    message.isResponse = true
    guard let instance = try? DomainName(parsing: "\(name)._p2p._udp.local") else { return [] }
    message.answers = [DNSMessage.Record(MulticastDNS.service, .ptr(instance), timeToLive: timeToLive)]
    message.additionals = [DNSMessage.Record(instance, .txt(texts.map { Array("dnsaddr=\($0)".utf8) }), timeToLive: timeToLive)]
    return message.encode()
  }

  @Test func `whoever invents peers is bounded, in the minute and for ever`() {
    var configuration = MulticastDNS.Configuration()
    configuration.peers = 20
    var link = Segment(seed: 7)
    let one = link.join("one", "/ip4/192.168.1.1/tcp/1", configuration: configuration)
    for number in 0..<600 {
      let name = "invented\(number)"
      link.step(one, .received(LinkStories.answer(name, ["/ip4/192.168.1.9/tcp/9/p2p/\(peer(name))"]), from: [192, 168, 1, 9]))
      link.run(until: link.now + .milliseconds(100))
    }
    #expect(link.machines[one].known <= 20)
    #expect(link.found.count <= 2 * configuration.newPeersPerMinute, "\(link.found.count)")
  }

  @Test func `an answer that names several peers as one, this peer, or nobody tells nothing of the others`() {
    var link = Segment(seed: 8)
    let one = link.join("one", "/ip4/192.168.1.1/tcp/1")
    let texts = [
      "/ip4/192.168.1.2/tcp/1", "rubbish", "/ip4/192.168.1.3/tcp/1/p2p/\(peer("one"))",
      "/ip4/192.168.1.4/tcp/1/p2p/\(peer("two"))",
      "/ip4/192.168.1.5/tcp/1/p2p/\(peer("three"))", "/ip4/192.168.1.4/tcp/1/p2p/\(peer("two"))",
    ]
    link.step(one, .received(LinkStories.answer("several", texts), from: [192, 168, 1, 4]))
    #expect(link.found.map(\.peer) == [peer("two")] && link.found.first?.addresses == [address("/ip4/192.168.1.4/tcp/1")])
  }

  @Test func `tools that ask for services, records and hosts are answered too`() throws {
    var link = Segment(seed: 9)
    let one = link.join("one", "/ip4/192.168.1.1/tcp/4001")
    link.run(until: .origin + .minutes(1))
    func ask(_ name: DomainName, _ type: DNSMessage.RecordType, _ link: inout Segment) throws -> DNSMessage {
      var question = DNSMessage()
      question.questions = [DNSMessage.Question(name, type)]
      link.step(one, .received(question.encode(), from: [192, 168, 1, 7]))
      link.run(until: link.now + .seconds(2))
      return try DNSMessage.decode(try #require(link.sent.last).bytes)
    }
    #expect(try ask(MulticastDNS.services, .ptr, &link).answers.map(\.data) == [.ptr(MulticastDNS.service)])
    let whole = try ask(MulticastDNS.service, .ptr, &link)
    #expect(whole.isResponse && whole.isAuthoritative && whole.id == 0 && whole.questions.isEmpty)
    guard case .ptr(let instance)? = whole.answers.first?.data else { return #expect(Bool(false), "no pointer") }
    #expect(instance.labels.first?.count == 32 && instance.isChild(of: MulticastDNS.service))
    let detail = try ask(instance, .srv, &link)
    let hosts = detail.answers.compactMap { record -> DomainName? in
      guard case .srv(_, _, 4001, let host) = record.data else { return nil }
      return host
    }
    let host = try #require(hosts.first)
    #expect(try ask(host, .a, &link).answers.contains { $0.name == host && $0.data == .a([192, 168, 1, 1]) })
    #expect(detail.answers.contains { $0.data == .txt([Array("dnsaddr=/ip4/192.168.1.1/tcp/4001/p2p/\(peer("one"))".utf8)]) })
  }

  @Test func `many addresses do not make a packet that a network would cut`() throws {
    var link = Segment(seed: 10)
    let one = link.join("one", "/ip4/192.168.1.1/tcp/4001")
    link.step(one, .changed((1...60).map { address("/ip4/192.168.1.\($0)/tcp/4001") }))
    link.run(until: .origin + .seconds(3))
    let answer = try #require(link.sent.last { (try? DNSMessage.decode($0.bytes))?.isResponse == true })
    #expect(answer.bytes.count <= 1_400 && answer.bytes.count > 1_200, "\(answer.bytes.count)")
  }

  @Test(arguments: Effort.seeds) func `packets of any kind are borne`(seed: UInt64) {
    var link = Segment(seed: seed)
    let one = link.join("one", "/ip4/192.168.1.1/tcp/1")
    link.join("two", "/ip4/192.168.1.2/tcp/2")
    link.run(until: .origin + .seconds(5))
    var chance = Chance(seed: seed).fork("garbled")
    let pool = link.sent.map(\.bytes)
    for _ in 0..<Effort.inputs / 100 {
      link.step(one, .received(mutated(pool[chance.below(pool.count)], &chance), from: [192, 168, 1, 66]))
      link.run(until: link.now + .milliseconds(20))
    }
    #expect(link.machines[one].known <= 256)
  }
}
