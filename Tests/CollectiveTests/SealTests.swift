import Foundation
import MurmurBlocks
import MurmurCollective
import MurmurCompute
import MurmurIdentity
import MurmurMachines
import MurmurSessions
import MurmurWire
import Testing

/// News that are signed: who can say what in whose name.
@Suite("Signed announcements")
struct SealTests {
  var peer: Collective
  var chance = Chance(seed: 3)
  let session: Session
  let keys = (0..<4).map { KeyPair(seed: .sha256(of: [UInt8($0)])) }

  init() throws {
    var session = Session()
    session.model = "4-3"
    session.name = "sealed"
    self.session = session
    let architecture = try Architecture(parsing: session.model)
    let samples = Samples(features: [], width: 4, labels: [], classes: 3)
    peer = Collective(
      id: keys[0].peerID, session: session, architecture: architecture, role: .full,
      rows: Work.Rows(samples: samples, training: [], validation: []), start: architecture.initialParameters(seed: 1))
    peer.sealing = .strict(Sealing.Sealer(keys[0]))
    _ = step(.began, at: 0)
  }

  mutating func step(_ input: Collective.Input, at seconds: Double) -> [Collective.Effect] {
    var effects = Effects<Collective.Effect>()
    peer.step(input, at: .origin + .seconds(seconds), chance: &chance, effects: &effects)
    return effects.list
  }

  func claim(_ who: Int, cycle: UInt32, made seconds: Double) -> Announcement {
    Announcement(
      peer: keys[who].peerID, root: CID(codec: .raw, hashing: [UInt8(who), UInt8(cycle)]), cycle: cycle,
      made: .origin + .seconds(seconds), accuracy: 0.5, loss: 1, rows: 10, held: true)
  }

  func sealed(_ claim: Announcement, by who: Int, in session: String = "sealed") -> SealedAnnouncement {
    SealedAnnouncement(claim, signature: keys[who].sign(claim.sealedBytes(session: session)))
  }

  mutating func hear(_ news: [SealedAnnouncement], from who: Int, at seconds: Double = 60) -> [Collective.Effect] {
    step(.heard(from: keys[who].peerID, .sealed(news, wantsReply: true)), at: seconds)
  }

  func offenders(_ effects: [Collective.Effect]) -> [PeerID] {
    effects.compactMap { if case .note(.offended(let peer, _)) = $0 { peer } else { nil } }
  }

  /// What the peer would tell if it were asked in its next cycle; it stays as it is.
  mutating func told(at seconds: Double) -> [SealedAnnouncement] {
    let before = peer
    defer { peer = before }
    _ = step(.fired(.cycle), at: seconds)
    for effect in step(.heard(from: keys[3].peerID, .sealed([], wantsReply: true)), at: seconds) {
      if case .say(_, .sealed(let news, _)) = effect { return news }
    }
    return []
  }

  @Test("what is rightly signed is believed and passed on as it came, by whoever brings it")
  mutating func believed() {
    let honest = sealed(claim(1, cycle: 1, made: 50), by: 1)
    #expect(offenders(hear([honest], from: 2)).isEmpty)
    #expect(peer.known == 1)
    let passedOn = told(at: 61)
    #expect(passedOn.map(\.signature) == [honest.signature] && passedOn.map(\.announcement.made) == [honest.announcement.made])
    // A clock that is ahead does not break the signature on the way.
    let ahead = sealed(claim(2, cycle: 1, made: 500), by: 2)
    #expect(offenders(hear([ahead], from: 2)).isEmpty && peer.known == 2)
    let times = told(at: 62).map { $0.announcement.made.seconds }
    #expect(times.sorted() == [50, 500])
  }

  @Test("what is forged, or signed for another session, is its bringer's offence; nothing else it says is believed")
  mutating func forged() {
    let good = sealed(claim(2, cycle: 1, made: 50), by: 2)
    var better = sealed(claim(1, cycle: 1, made: 50), by: 1)
    better.announcement.accuracy = 1
    for bad in [sealed(claim(1, cycle: 1, made: 50), by: 2), sealed(claim(1, cycle: 1, made: 50), by: 1, in: "other"), better] {
      let effects = hear([bad, good], from: 3)
      #expect(offenders(effects) == [keys[3].peerID] && peer.known == 0)
      #expect(!effects.contains { if case .say = $0 { true } else { false } }, "it is not answered")
    }
    #expect(offenders(hear([good], from: 2)).isEmpty && peer.known == 1)
  }

  @Test("what is not signed says nothing, and is no offence")
  mutating func unsigned() {
    let plain = step(.heard(from: keys[1].peerID, .news([claim(1, cycle: 1, made: 50)], wantsReply: true)), at: 60)
    #expect(offenders(plain).isEmpty && peer.known == 0)
    #expect(plain.contains { if case .say = $0 { true } else { false } }, "it is answered")
    #expect(offenders(hear([SealedAnnouncement(claim(1, cycle: 1, made: 50), signature: [])], from: 1)).isEmpty)
    #expect(peer.known == 0)
  }

  @Test("old news brought again change nothing")
  mutating func replayed() {
    let old = sealed(claim(1, cycle: 1, made: 10), by: 1)
    let new = sealed(claim(1, cycle: 2, made: 50), by: 1)
    _ = hear([old], from: 1)
    _ = hear([new], from: 1)
    #expect(offenders(hear([old], from: 3)).isEmpty)
    #expect(told(at: 61).map(\.announcement.cycle) == [2])
    // Whoever brings known news can say that it serves the model, and nothing else: the rest is not looked at.
    var bent = new
    bent.announcement.accuracy = 1
    _ = hear([bent], from: 3)
    #expect(told(at: 62).map(\.announcement.accuracy) == [0.5])
  }

  @Test("a peer makes this one check so many signatures in a cycle and no more")
  mutating func bounded() {
    var checked = 0
    let count = 400
    peer.sealing = .strict(Sealing.Sealer(sign: { _ in [1] }, verify: { _, _, _ in true }))
    for number in 0..<count {
      let told = Announcement(
        peer: PeerID(simulated: 100 + number), root: CID(codec: .raw, hashing: [1]), cycle: 1,
        made: .origin + .seconds(Double(number) / 10), accuracy: 0.5, loss: 1, rows: 10, held: true)
      _ = hear([SealedAnnouncement(told, signature: [1])], from: 1)
    }
    checked = told(at: 61).map(\.announcement.made.seconds).max().map { Int($0 * 10) + 1 } ?? 0
    #expect(checked == 128)
  }

  @Test("on the topic nobody announces in another's name")
  mutating func notices() {
    #expect(offenders(step(.noticed(.model(claim(1, cycle: 1, made: 50)), from: keys[2].peerID), at: 60)) == [keys[2].peerID])
    #expect(peer.known == 0)
    #expect(offenders(step(.noticed(.model(claim(1, cycle: 1, made: 50)), from: keys[1].peerID), at: 60)).isEmpty)
    #expect(peer.known == 1)
  }

  @Test("signed news are their bytes, and their size is known before", arguments: 0..<20)
  func encoding(seed: Int) throws {
    var chance = Chance(seed: UInt64(seed))
    let news = (0..<1 + chance.below(CollectiveMessage.announcementLimit)).map { number in
      SealedAnnouncement(
        CodecTests.announcement(&chance),
        signature: number == 0 || chance.happens(0.8) ? [UInt8](repeating: 1, count: 1 + chance.below(80)) : [])
    }
    let message = CollectiveMessage.sealed(news, wantsReply: chance.happens(0.5))
    let bytes = message.encode()
    #expect(bytes.count == message.wireSize && bytes.count <= CollectiveMessage.byteLimit, "seed \(seed)")
    #expect(try CollectiveMessage.decode(bytes) == message, "seed \(seed)")
    let long = CollectiveMessage.sealed(
      [SealedAnnouncement(news[0].announcement, signature: [UInt8](repeating: 1, count: 81))], wantsReply: false)
    #expect(throws: WireError.self) { try CollectiveMessage.decode(long.encode()) }
  }

  @Test("whatever is said to it, a peer stays within its bounds")
  mutating func anything() {
    let seed: UInt64 = 20_261_122
    var chance = Chance(seed: seed)
    let rounds = ProcessInfo.processInfo.environment["MURMUR_FUZZ"].flatMap { Int($0) } ?? 20_000
    for round in 0..<rounds {
      let who = 1 + chance.below(3)
      let told = (0..<chance.below(4)).map { _ in
        var claim = CodecTests.announcement(&chance)
        if chance.happens(0.5) { claim.peer = keys[chance.below(4)].peerID }
        return chance.happens(0.1) ? sealed(claim, by: chance.below(4)) : SealedAnnouncement(claim, signature: [1])
      }
      let seconds = Double(round)
      switch chance.below(8) {
      case 0: _ = step(.heard(from: keys[who].peerID, .news(told.map(\.announcement), wantsReply: true)), at: seconds)
      case 1: for claim in told { _ = step(.noticed(.model(claim.announcement), from: keys[who].peerID), at: seconds) }
      case 2: _ = step(.fired([.cycle, .answers, .models][chance.below(3)]), at: seconds)
      case 3: _ = step(.fetched(root: CID(codec: .raw, hashing: [UInt8(chance.below(256))]), bytes: [1, 2, 3]), at: seconds)
      case 4: _ = step(.notFetched(root: CID(codec: .raw, hashing: [UInt8(chance.below(256))]), reason: "no"), at: seconds)
      case 5: _ = step(.met(PeerID(simulated: chance.below(1_000))), at: seconds)
      default: _ = hear(told, from: who, at: seconds)
      }
      if peer.known > 48 { Issue.record("seed \(seed), round \(round): \(peer.known) peers are known") }
    }
  }

  @Test("a damaged dataslice is refused, or reads as what it now says")
  func slices() {
    let seed: UInt64 = 20_261_123
    var chance = Chance(seed: seed)
    let samples = Samples(features: (0..<40).map(Float.init), width: 4, labels: (0..<10).map { Int32($0 % 3) }, classes: 3)
    let good = SliceFile.encode(samples, rows: Array(0..<10))
    let rounds = ProcessInfo.processInfo.environment["MURMUR_FUZZ"].flatMap { Int($0) } ?? 20_000
    var read = 0
    for round in 0..<rounds {
      var bytes = good
      for _ in 0...chance.below(3) {
        switch chance.below(3) {
        case 0: if !bytes.isEmpty { bytes[chance.below(bytes.count)] = UInt8(chance.below(256)) }
        case 1: bytes.removeLast(chance.below(bytes.count + 1))
        default: bytes.insert(UInt8(chance.below(256)), at: chance.below(bytes.count + 1))
        }
      }
      guard let slice = SliceFile.decode(bytes, width: 4, classes: 3) else { continue }
      read += 1
      if SliceFile.encode(slice, rows: Array(0..<Int32(slice.count))) != bytes { Issue.record("seed \(seed), round \(round)") }
    }
    #expect(read > 0 && read < rounds, "seed \(seed)")
  }
}
