import MurmurFeeds
import MurmurIdentity
import MurmurMachines
import MurmurWire
import Testing

/// One gateway and feeders that keep to the rules, or not.
@Suite struct GatewayStories {
  /// A gateway that is stepped by hand.
  struct Scene {
    var gateway: Gateway
    var now = Instant.origin
    private var chance = Chance(seed: 1)
    private(set) var issued: [FeedKey] = []
    private(set) var looked: [FeedKey] = []
    private(set) var shutOut: [(feeder: PeerID, span: Instant.Span)] = []
    private(set) var said: [PeerID: [FeedMessage]] = [:]
    private(set) var alarm = Instant.never

    init(_ configure: (inout Gateway.Configuration) -> Void = { _ in }) {
      var configuration = Gateway.Configuration(session: "s")
      configure(&configuration)
      gateway = Gateway(configuration)
    }

    static func feeder(_ number: Int) -> PeerID { KeyPair(seed: .sha256(of: [UInt8(number)])).peerID }
    static func content(_ number: Int) -> [UInt8] { Array("reading \(number)".utf8) }
    static func key(_ number: Int) -> FeedKey { FeedKey(tag: [1, 2], content: content(number)) }

    mutating func step(_ input: Gateway.Input) {
      var effects = Effects<Gateway.Effect>()
      gateway.step(input, at: now, chance: &chance, effects: &effects)
      for effect in effects.take() {
        switch effect {
        case .send(let message, let feeder): said[feeder, default: []].append(message)
        case .issue(let key, _): issued.append(key)
        case .lookUp(let keys, _): looked += keys
        case .shutOut(let feeder, let span, _): shutOut.append((feeder, span))
        case .arm(let at): alarm = at
        }
      }
    }

    mutating func join(_ number: Int) {
      step(.connected(Self.feeder(number)))
      step(.received(from: Self.feeder(number), .hello(session: "s")))
    }

    mutating func publish(_ message: Int, by feeder: Int) {
      step(.received(from: Self.feeder(feeder), .publish(tag: [1, 2], content: Self.content(message))))
    }

    static func transaction(_ number: Int) -> CID { CID(codec: .raw, hashing: content(number)) }
    mutating func issue(_ message: Int) { step(.issued(Self.key(message).name, as: Self.transaction(message))) }
    func heard(_ number: Int) -> [FeedMessage] { said[Self.feeder(number)] ?? [] }
  }

  @Test func `whoever publishes hears that it is held, and later that it is confirmed`() {
    var scene = Scene()
    scene.join(1)
    scene.publish(7, by: 1)
    #expect(scene.issued == [Scene.key(7)])
    scene.issue(7)
    scene.step(.confirmed([Scene.transaction(99), Scene.transaction(7)]))
    #expect(scene.heard(1).dropFirst() == [.held([Scene.key(7).name]), .confirmed([Scene.key(7).name])])
    #expect(scene.gateway.unissued == 0 && scene.gateway.statistics.confirmed == 1)
  }

  @Test func `the same message of two feeders is one transaction, and both hear of it`() {
    var scene = Scene()
    scene.join(1)
    scene.join(2)
    scene.publish(7, by: 1)
    scene.publish(7, by: 2)
    scene.issue(7)
    scene.publish(7, by: 2)
    scene.step(.confirmed([Scene.transaction(7)]))
    #expect(scene.issued.count == 1)
    #expect(scene.heard(1).dropFirst() == [.held([Scene.key(7).name]), .confirmed([Scene.key(7).name])])
    #expect(scene.heard(2).suffix(1) == [.confirmed([Scene.key(7).name])])
  }

  @Test func `a question is answered from here, or by the ledger`() {
    var scene = Scene()
    scene.join(1)
    scene.publish(1, by: 1)
    scene.issue(1)
    scene.step(.received(from: Scene.feeder(1), .ask([1, 2, 3, 4].map(Scene.key))))
    #expect(scene.looked == [2, 3, 4].map(Scene.key))
    scene.step(
      .found(
        [
          .init(Scene.key(2).name, transaction: Scene.transaction(2), isConfirmed: true),
          .init(Scene.key(3).name, transaction: Scene.transaction(3)), .init(Scene.key(4).name, transaction: nil),
        ], for: Scene.feeder(1)))
    let (two, three, four) = (Scene.key(2).name, Scene.key(3).name, Scene.key(4).name)
    #expect(scene.heard(1).suffix(3) == [.confirmed([two]), .held([three]), .unknown([four])])
    scene.step(.confirmed([Scene.transaction(3)]))
    #expect(scene.heard(1).last == .confirmed([three]))
  }

  @Test func `what comes faster than it may waits, and feeders take turns`() {
    var scene = Scene {
      ($0.messagesPerSecond, $0.messageBurst) = (10, 2)
      $0.window = 20
    }
    scene.join(1)
    scene.join(2)
    for number in 0..<20 { scene.publish(number, by: 1) }
    scene.publish(100, by: 2)
    #expect(scene.issued == [Scene.key(0), Scene.key(1), Scene.key(100)])
    for _ in 0..<200 where scene.issued.count < 21 {
      scene.now = max(scene.now, scene.alarm)
      scene.step(.fired)
    }
    #expect(scene.issued.count == 21)
    #expect(scene.now.seconds > 1.7 && scene.now.seconds < 1.9 && scene.shutOut.isEmpty)
  }

  @Test func `who publishes beyond its window is slowed, then shut out, and for longer the next time`() {
    var scene = Scene { $0.window = 4 }
    scene.join(1)
    scene.join(2)
    for number in 0..<40 { scene.publish(number, by: 1) }
    #expect(scene.heard(1).contains { if case .slow = $0 { true } else { false } })
    #expect(scene.shutOut.map(\.feeder) == [Scene.feeder(1)] && scene.issued.count == 4)
    // It is not heard while it is shut out; others are.
    scene.publish(50, by: 1)
    scene.publish(51, by: 2)
    #expect(scene.issued.count == 5)
    scene.step(.received(from: Scene.feeder(1), .hello(session: "s")))
    guard case .welcome(let welcome)? = scene.heard(1).last else { return #expect(Bool(false)) }
    #expect(welcome.problem?.contains("shut out") == true && welcome.window == 0)
    scene.now = scene.now + .minutes(2)
    for number in 0..<4 { scene.issue(number) }
    scene.join(1)
    for number in 100..<140 { scene.publish(number, by: 1) }
    #expect(scene.shutOut.count == 2 && scene.shutOut[1].span == scene.shutOut[0].span * 2)
  }

  @Test func `what is no message of a stream counts more, and what only gateways say too`() {
    var scene = Scene { $0.examine = { _, content in content.count > 20 } }
    scene.join(1)
    for number in 0..<4 { scene.publish(number, by: 1) }
    #expect(scene.issued.isEmpty && scene.shutOut.count == 1)
    #expect(scene.heard(1).contains(.refused(Scene.key(0).name, .noMessage)))
    scene.join(2)
    for _ in 0..<3 { scene.step(.received(from: Scene.feeder(2), .held([]))) }
    scene.join(3)
    for _ in 0..<3 { scene.step(.unreadable(from: Scene.feeder(3))) }
    scene.step(.connected(Scene.feeder(4)))
    for number in 0..<3 { scene.publish(number, by: 4) }
    #expect(scene.shutOut.count == 4)
  }

  @Test func `what was given is issued even if the feeder goes at once`() {
    var scene = Scene { ($0.messagesPerSecond, $0.messageBurst) = (1, 1) }
    scene.join(1)
    for number in 0..<3 { scene.publish(number, by: 1) }
    scene.step(.disconnected(Scene.feeder(1)))
    for number in 0..<3 {
      scene.issue(number)
      scene.now = scene.now + .seconds(2)
      scene.step(.fired)
    }
    #expect(scene.issued.count == 3 && scene.gateway.feeders == 0 && scene.heard(1).count == 1)
  }

  @Test func `what is not confirmed for ever is forgotten beyond a bound, and asked about`() {
    var scene = Scene { $0.unconfirmed = 10 }
    scene.join(1)
    for number in 0..<50 {
      scene.publish(number, by: 1)
      scene.issue(number)
      scene.now = scene.now + .seconds(1)
    }
    scene.step(.received(from: Scene.feeder(1), .ask([Scene.key(1), Scene.key(49)])))
    #expect(scene.looked == [Scene.key(1)] && scene.heard(1).last == .held([Scene.key(49).name]))
  }

  @Test func `behind one that is never confirmed nothing gathers`() {
    var scene = Scene()
    scene.join(1)
    for number in 0..<2_000 {
      scene.publish(number, by: 1)
      scene.issue(number)
      if number > 0 { scene.step(.confirmed([Scene.transaction(number)])) }
      scene.now = scene.now + .seconds(1)
    }
    #expect(scene.gateway.places < 100 && scene.gateway.statistics.confirmed == 1_999)
    scene.step(.confirmed([Scene.transaction(0)]))
    #expect(scene.heard(1).last == .confirmed([Scene.key(0).name]))
  }

  @Test(arguments: 1...10 as ClosedRange<UInt64>) func `whatever feeders say, it goes on and holds no more than it may`(
    seed: UInt64
  ) {
    var chance = Chance(seed: seed)
    var scene = Scene {
      ($0.window, $0.feeders, $0.waitingBytes, $0.unconfirmed) = (8, 4, 400, 20)
      ($0.messagesPerSecond, $0.messageBurst, $0.ban) = (20, 5, .seconds(2))
    }
    for _ in 0..<5_000 {
      scene.now = scene.now + .milliseconds(chance.uniform() * 60)
      let (feeder, number) = (chance.below(6), chance.below(60))
      switch chance.below(12) {
      case 0: scene.join(feeder)
      case 1: scene.step(.disconnected(Scene.feeder(feeder)))
      case 2: scene.step(.fired)
      case 3: scene.issue(number)
      case 4: scene.step(.notIssued(Scene.key(number).name))
      case 5: scene.step(.confirmed([Scene.transaction(number), Scene.transaction(chance.below(60))]))
      case 6:
        let finding = Gateway.Finding(Scene.key(number).name, transaction: chance.happens(0.5) ? Scene.transaction(number) : nil)
        scene.step(.found([finding], for: Scene.feeder(feeder)))
      case 7: scene.step(.received(from: Scene.feeder(feeder), WireStories.message(&chance)))
      case 8: scene.step(.received(from: Scene.feeder(feeder), .ask((0..<5).map { Scene.key(number + $0) })))
      default: scene.publish(number, by: feeder)
      }
      #expect(scene.gateway.unissued <= 4 * 8 + 20 && scene.gateway.feeders <= 4, "seed \(seed)")
    }
    #expect(scene.gateway.statistics.issued > 50, "seed \(seed)")
  }
}
