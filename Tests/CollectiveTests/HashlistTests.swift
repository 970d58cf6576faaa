import MurmurBlocks
import MurmurCollective
import MurmurCompute
import MurmurIdentity
import MurmurMachines
import MurmurSessions
import MurmurWire
import Testing

/// A hashlist may come, be lost or be too long at any time, also while models are waited for.
@Suite("Hashlists of shared rows")
struct HashlistTests {
  var peer: Collective
  var chance = Chance(seed: 3)
  let feeder = PeerID(simulated: 1)
  let slice = CID(codec: .raw, hashing: [7])

  init() throws {
    var session = Session()
    session.privacy = false
    session.model = "4-3"
    session.slices.perHashlist = 2
    let architecture = try Architecture(parsing: session.model)
    let samples = Samples(features: [], width: 4, labels: [], classes: 3)
    peer = Collective(
      id: PeerID(simulated: 0), session: session, architecture: architecture, role: .trainer,
      rows: Work.Rows(samples: samples, training: [], validation: []), start: architecture.initialParameters(seed: 1))
    _ = step(.began, at: 0)
  }

  mutating func step(_ input: Collective.Input, at seconds: Double) -> [Collective.Effect] {
    var effects = Effects<Collective.Effect>()
    peer.step(input, at: .origin + .seconds(seconds), chance: &chance, effects: &effects)
    return effects.list
  }

  func list(_ lines: [String]) -> (root: CID, bytes: [UInt8]) {
    let bytes = Array(lines.map { $0 + "\n" }.joined().utf8)
    return (CID(codec: .raw, hashing: bytes), bytes)
  }

  func fetches(_ effects: [Collective.Effect]) -> [CID] {
    effects.compactMap { if case .fetch(let root, _, _) = $0 { root } else { nil } }
  }

  /// Tells of another peer's model and lets a cycle begin, until that model is being fetched.
  mutating func waitForModel() -> CID {
    let model = CID(codec: .raw, hashing: [9])
    let other = PeerID(simulated: 2)
    let told = Announcement(
      peer: other, root: model, cycle: 1, made: .origin + .seconds(50), accuracy: 0.5, loss: 1, rows: 10, held: true)
    _ = step(.met(other), at: 1)
    _ = step(.fired(.cycle), at: 60)
    let effects = step(.heard(from: other, .news([told], wantsReply: false)), at: 61)
    #expect(fetches(effects) == [model], "the answer names a model, which is asked for")
    return model
  }

  @Test("one that comes while a model is waited for is read, and the model is still waited for")
  mutating func duringFetch() {
    let hashlist = list(["\(slice)"])
    #expect(fetches(step(.noticed(.hashlist(hashlist.root, slices: 1), from: feeder), at: 2)) == [hashlist.root])
    let model = waitForModel()
    let effects = step(.fetched(root: hashlist.root, bytes: hashlist.bytes), at: 62)
    #expect(effects.contains { if case .keep(hashlist.root) = $0 { true } else { false } })
    #expect(fetches(effects).isEmpty)
    // The model is lost: the cycle goes on with the slice that the list named.
    #expect(fetches(step(.notFetched(root: model, reason: "silence"), at: 63)) == [slice])
  }

  @Test("one that is lost is forgotten, so that it can be announced again")
  mutating func lost() {
    let hashlist = list(["\(slice)"])
    _ = step(.noticed(.hashlist(hashlist.root, slices: 1), from: feeder), at: 2)
    _ = waitForModel()
    _ = step(.notFetched(root: hashlist.root, reason: "silence"), at: 62)
    let late = step(.fetched(root: hashlist.root, bytes: hashlist.bytes), at: 63)
    #expect(!late.contains { if case .keep(hashlist.root) = $0 { true } else { false } }, "nobody waits for it any more")
    #expect(fetches(step(.noticed(.hashlist(hashlist.root, slices: 1), from: feeder), at: 64)) == [hashlist.root])
  }

  @Test("one that is announced twice takes one place, and none for ever")
  mutating func twice() {
    let hashlist = list(["\(slice)"])
    let first = step(.noticed(.hashlist(hashlist.root, slices: 1), from: feeder), at: 2)
    #expect(fetches(first) == [hashlist.root])
    for effect in first {
      if case .fetch(_, _, let until) = effect { #expect(until > .origin + .minutes(4) && until < .origin + .minutes(60)) }
    }
    for second in 3..<200 {
      #expect(fetches(step(.noticed(.hashlist(hashlist.root, slices: 1), from: feeder), at: Double(second))).isEmpty)
    }
    _ = step(.fetched(root: hashlist.root, bytes: hashlist.bytes), at: 201)
    for number in 0..<64 {
      let other = list(["\(CID(codec: .raw, hashing: [UInt8(number)]))"])
      #expect(fetches(step(.noticed(.hashlist(other.root, slices: 1), from: feeder), at: 202)) == [other.root])
    }
  }

  @Test("what is asked for may have as many bytes as it ought to have, and who announced more is named")
  mutating func sizes() {
    let hashlist = list(["\(slice)"])
    _ = step(.noticed(.hashlist(hashlist.root, slices: 1), from: feeder), at: 2)
    #expect(peer.mostBytes(of: hashlist.root) == 256, "two lines")
    let model = waitForModel()
    #expect(peer.mostBytes(of: model) == 15 * 4 + SafeTensors.headerLimit + 8)
    let refused = step(.notFetched(root: hashlist.root, reason: "too large", isOffence: true), at: 62)
    #expect(refused.contains { if case .note(.rejected(hashlist.root, from: feeder, _)) = $0 { true } else { false } })
    let list = list(["\(slice)", "\(CID(codec: .raw, hashing: [8]))"])
    _ = step(.noticed(.hashlist(list.root, slices: 2), from: feeder), at: 63)
    _ = step(.fetched(root: list.root, bytes: list.bytes), at: 64)
    #expect(peer.mostBytes(of: slice) > 50 * 5 * 4 && peer.mostBytes(of: slice) < 10_000, "fifty rows of four features")
    let other = PeerID(simulated: 2)
    let blamed = step(.notFetched(root: model, reason: "too large", isOffence: true), at: 65)
    #expect(blamed.contains { if case .note(.rejected(model, from: other, _)) = $0 { true } else { false } })
    #expect(!blamed.contains { if case .note(.fetchFailed) = $0 { true } else { false } })
  }

  @Test("one that is too long, or has a line that is no address, is refused and its sender named")
  mutating func malformed() {
    for lines in [[String](repeating: String(repeating: "x", count: 200), count: 3), ["no address"]] {
      let hashlist = list(lines)
      _ = step(.noticed(.hashlist(hashlist.root, slices: 3), from: feeder), at: 2)
      let effects = step(.fetched(root: hashlist.root, bytes: hashlist.bytes), at: 3)
      let refused = effects.contains { effect in
        if case .note(.rejected(hashlist.root, from: let peer, _)) = effect { peer == feeder } else { false }
      }
      #expect(refused, "\(lines.first ?? "")")
    }
  }
}
