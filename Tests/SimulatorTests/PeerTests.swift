import MurmurBlocks
import MurmurCollective
import MurmurCompute
import MurmurIdentity
import MurmurMachines
import MurmurPeer
import MurmurPubSub
import MurmurSessions
import MurmurWire
import Testing

@Suite("A peer is its parts, and passes on what one wants of another")
struct PeerTests {
  static func peer(_ number: Int, _ change: (inout Session) -> Void = { _ in }) throws -> Peer {
    var session = Session()
    session.model = "4-3"
    change(&session)
    let architecture = try Architecture(parsing: session.model)
    let samples = Samples(features: (0..<40).map { Float($0 % 7) }, width: 4, labels: (0..<10).map { Int32($0 % 3) }, classes: 3)
    let id = PeerID(simulated: number)
    let collective = Collective(
      id: id, session: session, architecture: architecture, role: .full,
      rows: Work.Rows(samples: samples, training: Array(0..<8), validation: [8, 9]),
      start: architecture.initialParameters(seed: 1))
    return Peer(collective: collective, exchange: Exchange(), pubsub: PubSub(id: id), chance: Chance(seed: UInt64(number)))
  }

  @Test("two peers by hand: news, a want, a block, a job")
  func aCycle() throws {
    var chance = Chance(seed: 1)
    var peers = [try Self.peer(0), try Self.peer(1)]
    var now = Instant.origin
    var jobs = 0
    var kinds: Set<String> = []
    var timers: [(at: Instant, peer: Int, timer: Peer.Timer)] = []
    var messages: [(to: Int, from: PeerID, message: Peer.Message)] = []
    func step(_ number: Int, _ input: Peer.Input) {
      var effects = Effects<Peer.Effect>()
      peers[number].step(input, at: now, chance: &chance, effects: &effects)
      for effect in effects.list {
        switch effect {
        case .send(let peer, let message):
          let size: Int
          switch message {
          case .collective(let inner): (size, _) = (inner.encode().count, kinds.insert("news"))
          case .blocks(let inner): (size, _) = (inner.encode().count, kinds.insert(inner.blocks.isEmpty ? "want" : "block"))
          case .pubsub(let inner): (size, _) = (inner.encode().count, kinds.insert("pubsub"))
          }
          #expect(message.wireSize == size + (size < 128 ? 1 : 2), "a length prefix, and what is encoded")
          messages.append((peers.firstIndex { $0.id == peer } ?? 0, peers[number].id, message))
        case .arm(let timer, let at):
          timers.removeAll { $0.peer == number && $0.timer == timer }
          timers.append((at, number, timer))
        case .compute(let work):
          jobs += 1
          step(number, .worked(work.run(on: Workbench())))
        case .note, .answer, .disconnect, .connect, .disk: break
        }
      }
    }
    for number in 0...1 { step(number, .connected(peers[1 - number].id)) }
    for number in 0...1 { step(number, .started) }
    for _ in 0..<400 where jobs < 6 {
      if !messages.isEmpty {
        let next = messages.removeFirst()
        step(next.to, .received(from: next.from, next.message))
      } else if let place = timers.indices.min(by: { (timers[$0].at, timers[$0].peer) < (timers[$1].at, timers[$1].peer) }) {
        let next = timers.remove(at: place)
        now = max(now, next.at)
        step(next.peer, .fired(next.timer))
      }
    }
    #expect(jobs == 6)
    #expect(kinds == ["news", "want", "block"], "a private session needs no pub/sub")
    #expect(peers.allSatisfy { $0.collective.newest != nil && $0.collective.known == 1 })
  }

  @Test("what an earlier life left on the disk is there again, unless the last write was torn")
  func restoring() throws {
    var chance = Chance(seed: 1)
    var first = try Self.peer(3)
    var effects = Effects<Peer.Effect>()
    first.step(.started, at: .origin, chance: &chance, effects: &effects)
    first.step(.fired(.collective(.cycle)), at: .origin + .seconds(30), chance: &chance, effects: &effects)
    for effect in effects.take() {
      if case .compute(let work) = effect {
        first.step(.worked(work.run(on: Workbench())), at: .origin + .seconds(31), chance: &chance, effects: &effects)
      }
    }
    let model = try #require(first.collective.newest)
    var second = try Self.peer(3)
    second.restore(from: first, torn: false)
    #expect(second.collective.newest == model && second.exchange.store.has(model.root))
    #expect(second.collective.parameters == first.collective.parameters)
    var torn = try Self.peer(3)
    torn.restore(from: first, torn: true)
    #expect(torn.collective.newest == nil)
  }
}
